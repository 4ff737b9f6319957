"""The list as CSV: streamed, in the list's order, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from restores.asof import then_and_now
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.restore_list.pagination import read_all
from restores.serializers import RELATED, UPSTREAM, restore_json
from restores.timerange import instant

# The names of the JSON twin, in its order.
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
CHUNK = 500
# A spreadsheet runs a cell that begins so; full-width forms count as well in some of them.
_FORMULA = re.compile("[=+\\-@\t\r\n＝＋－＠]")


class _Line:
    """A file of one line: what the CSV writer writes is what ``write`` returns."""

    def write(self, line: str) -> str:
        return line


def csv_lines(scope: Scope) -> Iterator[str]:
    """The column names, then every row as it was by ``asof``, a chunk of lines at a time."""
    rows = Restore.objects.select_related(*RELATED).defer("raw", "search")
    writer: Any = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for chunk in read_all(scope, rows, CHUNK):
        then = (restore_json(one.then) for one in then_and_now(chunk, scope.asof))
        yield "".join(writer.writerow(map(_cell, one.values())) for one in then)


def complete_to(scope: Scope) -> datetime | None:
    """Until when the list is complete; how far it was at another time is not kept."""
    return None if scope.asof else scope.sync_status().complete_to


def window_header(params: ListParams, complete: datetime | None) -> str:
    """The window and until when it is complete, for a header: ``on=created; from=…; to=…``."""
    edges = params.resolved_range | {"complete_to": _written(complete)}
    return "; ".join(f"{name}={value or ''}" for name, value in edges.items())


def file_name(params: ListParams, complete: datetime | None) -> str:
    """The same for a file name: ``restores_created_20261122T165900Z_…_complete_….csv``."""
    window = params.resolved_range
    edges = [window["from"] or "begin", window["to"] or instant(params.time_range.moment)]
    parts = [window["on"] or "", *edges, "complete", _written(complete) or "unknown"]
    plain = (re.sub("[^0-9A-Za-z.]", "", part) for part in parts)
    return f"restores_{'_'.join(plain)}.csv"


def _written(at: datetime | None) -> str | None:
    return instant(at) if at else None


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\0", "")
        return f"'{text}" if _FORMULA.match(text) else text
    return value
