"""The restore list as CSV: streamed, in the list's order, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.restore_list.pagination import read_all
from restores.serializers import RELATED, UPSTREAM, restore_json
from restores.timerange import iso_or_none, to_iso

# The fields of the JSON, in the same order. There is no byte-order mark before them: it would
# become a part of the first name.
COLUMNS = (
    *UPSTREAM,
    "account",
    "project",
    "project_id",
    "region",
    "customer",
    "instance_id",
    "instance_name",
    "ended_at",
    "duration_seconds",
    "restoring_seconds_min",
    "restoring_seconds_max",
    "backup_taken_at",
    "recovered_at",
    "changed_at",
    "first_seen_at",
    "last_seen_at",
    "listed",
    "stale",
    "url",
)
CHUNK_SIZE = 500
# A spreadsheet runs a cell that begins like this as a formula; some accept full-width forms, too.
_FORMULA = re.compile("[=+\\-@\t\r\n＝＋－＠]")


class _Echo:
    """A file whose ``write`` returns the line that the CSV writer writes."""

    def write(self, line: str) -> str:
        return line


def csv_lines(scope: Scope) -> Iterator[str]:
    """Return the column names, then every row as of the list's time, in chunks of lines."""
    rows = Restore.objects.select_related(*RELATED).defer("raw", "search")
    chunks = read_all(scope, rows, CHUNK_SIZE)
    # The first rows are read before the response begins: if the database is down, the answer is
    # an error and not a file without rows.
    first = next(chunks, [])
    return _write(chain([first], chunks), scope)


def complete_to(scope: Scope) -> datetime | None:
    """Up to when the list is complete; not stored for snapshots."""
    return None if scope.asof else scope.sync_status().complete_to


def time_range_header(params: ListParams, complete_to: datetime | None) -> str:
    """Write time range and completeness for a header: ``on=created; from=…; to=…; …``."""
    values = params.resolved_range | {"complete_to": iso_or_none(complete_to)}
    return "; ".join(f"{name}={value or ''}" for name, value in values.items())


def file_name(params: ListParams, complete_to: datetime | None) -> str:
    """Name the file by them: ``restores_created_20261122T165900Z_…_complete_….csv``."""
    time_range = params.resolved_range
    start = time_range["from"] or "begin"
    end = time_range["to"] or to_iso(params.time_range.now)
    parts = (time_range["on"] or "", start, end, "complete", iso_or_none(complete_to) or "unknown")
    return f"restores_{'_'.join(re.sub('[^0-9A-Za-z.]', '', part) for part in parts)}.csv"


def _write(chunks: Iterable[list[Restore]], scope: Scope) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for chunk in chunks:
        rows = (restore_json(row.then) for row in then_and_now(chunk, scope.asof))
        yield "".join(writer.writerow([_cell(row[name]) for name in COLUMNS]) for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\0", "")
        return f"'{text}" if _FORMULA.match(text) else text
    return value
