"""Lists as CSV: streamed, in the list's order, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.querysets import InstanceQuerySet
from restores.restore_list.pagination import read_all
from restores.serializers import RELATED, UPSTREAM, instance_values, restore_values
from restores.timerange import iso_or_none, to_iso

# The fields of the JSON, in the same order. There is no byte-order mark before them: it would
# become part of the first name.
COLUMNS = (
    *UPSTREAM,
    "account",
    "project",
    "project_id",
    "region",
    "customer",
    "instance_id",
    "instance_name",
    "created_problem",
    "updated_problem",
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
    "stuck",
    "url",
)
# The fields of the JSON of an instance, in the same order.
INSTANCE_COLUMNS = (
    "instance_id",
    "instance_name",
    "project",
    "project_id",
    "customer",
    "region",
    "engine",
    "spec",
    "az",
    "ip",
    "domain",
    "status",
    "restorable",
    "monitored",
    "deleted_at",
    "last_restore_id",
    "last_restore_at",
    "last_status",
    "complete_to",
    "next_sync_at",
    "sync_error",
)
CHUNK_SIZE = 500
# A spreadsheet runs a cell that begins like this as a formula; some accept full-width forms, too.
_FORMULA = re.compile("[=+\\-@\t\r\n＝＋－＠]")

# The values of some rows, in the order of the columns.
Rows = list[list[Any]]


class _Echo:
    """A file whose ``write`` returns the line that the CSV writer writes."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], chunks: Iterable[Rows]) -> Generator[str, None, None]:
    """Return the column names, then every row, in chunks of lines."""
    chunks = iter(chunks)
    # The first rows are read before the response begins: if the database is down, the response is
    # an error and not a file without rows.
    first = next(chunks, [])
    return _write(columns, chain([first], chunks))


def restore_rows(scope: Scope) -> Iterator[Rows]:
    """Read every restore of a list as of the list's time, a chunk of rows at a time."""
    fetch = Restore.objects.select_related(*RELATED).defer("raw", "search")
    for chunk in read_all(scope, fetch, CHUNK_SIZE):
        pairs = then_and_now(chunk, scope.asof)
        yield [_values(restore_values(row.then), COLUMNS) for row in pairs]


def instance_rows(instances: InstanceQuerySet) -> Iterator[Rows]:
    """Read every instance, a chunk of rows at a time; they must be in order."""
    rows = instances.select_related("project__account").iterator(CHUNK_SIZE)
    while chunk := list(islice(rows, CHUNK_SIZE)):
        yield [_values(instance_values(instance), INSTANCE_COLUMNS) for instance in chunk]


def complete_to(scope: Scope) -> datetime | None:
    """The time up to which the list is complete; not stored for snapshots."""
    return None if scope.asof else scope.sync_status().complete_to


def time_range_header(params: ListParams, complete_to: datetime | None) -> str:
    """Write time range and completeness for a header: ``on=created; from=…; to=…; …``."""
    values = params.resolved_range | {"complete_to": iso_or_none(complete_to)}
    return "; ".join(f"{name}={value or ''}" for name, value in values.items())


def file_name(params: ListParams, complete_to: datetime | None) -> str:
    """Name the file after them: ``restores_created_20261122T165900Z_…_complete_…``."""
    time_range = params.resolved_range
    start = time_range["from"] or "begin"
    end = time_range["to"] or to_iso(params.time_range.now)
    parts = (time_range["on"] or "", start, end, "complete", iso_or_none(complete_to) or "unknown")
    return f"restores_{'_'.join(re.sub('[^0-9A-Za-z.]', '', part) for part in parts)}"


def _write(columns: Sequence[str], chunks: Iterable[Rows]) -> Generator[str, None, None]:
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(columns)
    for chunk in chunks:
        yield "".join(writer.writerow(list(map(_cell, row))) for row in chunk)


def _values(values: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    return [values[name] for name in columns]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return to_iso(value)
    if isinstance(value, str):
        text = value.replace("\0", "")
        return f"'{text}" if _FORMULA.match(text) else text
    return value
