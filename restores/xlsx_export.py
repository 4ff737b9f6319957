"""Tables as Excel files: typed cells, text that stays text, and a sheet that describes them.

Excel knows no time zones, so times are wall-clock times in the zone that the header names.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from tempfile import TemporaryFile
from typing import IO, Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from restores.timerange import to_iso

# A larger file would take longer than people or proxies wait.
MAX_ROWS = 50_000
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel takes 32,767 characters in a cell and 2,079 in a link.
_MAX_TEXT, _MAX_LINK = 32_000, 2_000
_BLOCK_SIZE = 64 * 1024
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
# Excel counts days from 1900, which it takes for a leap year.
_YEARS = range(1901, 10_000)
_NARROWEST, _TIME_WIDTH, _WIDEST = 12, 20, 80
# XML can't hold these, not even escaped.
_INVALID = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table: its ``rows`` have a value for each column, in the same order.

    ``total`` is a last row in bold.
    """

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    total: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """The address of a page, as a cell that leads to it."""

    url: str


def write_xlsx(sheet: Sheet, about: Sequence[tuple[str, Any]], zone: ZoneInfo) -> IO[bytes]:
    """Write a file with the sheet and a second one, "About", and return it open."""
    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        # Rows go to the disk as they are written, so memory does not grow with them.
        with Workbook(file, {"constant_memory": True}) as book:
            cells = _Cells(book, zone)
            cells.write_table(book.add_worksheet(sheet.name), sheet)
            cells.write_pairs(book.add_worksheet("About"), about)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def blocks(file: IO[bytes]) -> Generator[bytes, None, None]:
    """Read a file in blocks, and close it."""
    with file:
        while block := file.read(_BLOCK_SIZE):
            yield block


def cell_text(text: str) -> str:
    """The text as a cell can hold it: what XML can't hold is shown as �."""
    text = _INVALID.sub("�", _LINE_END.sub("\n", text))
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


class _Cells:
    """Writes values as cells of their types."""

    def __init__(self, book: Workbook, zone: ZoneInfo) -> None:
        self._zone = zone
        self._plain, self._bold = book.add_format(), book.add_format({"bold": True})
        self._time = book.add_format({"num_format": _TIME_FORMAT, "align": "left"})
        self._link = book.get_default_url_format()

    def write_table(self, page: Worksheet, sheet: Sheet) -> None:
        """Write the names of the columns, then the rows."""
        last, number = len(sheet.columns) - 1, 0
        page.freeze_panes(1, 0)
        for column, name in enumerate(sheet.columns):
            timed = is_time(name)
            header = f"{name} ({self._zone.key})" if timed else name
            width = max(_NARROWEST, len(header) + 2, _TIME_WIDTH if timed else 0)
            page.set_column(column, column, width)
            page.write_string(0, column, header, self._bold)
        for number, row in enumerate(sheet.rows, start=1):
            for column, value in enumerate(row):
                self._write(page, number, column, value)
        page.autofilter(0, 0, number, last)
        for column, value in enumerate(sheet.total):
            self._write(page, number + 1, column, value, self._bold)

    def write_pairs(self, page: Worksheet, pairs: Sequence[tuple[str, Any]]) -> None:
        """Write names and values below each other."""
        page.set_column(0, 0, _TIME_WIDTH)
        page.set_column(1, 1, _WIDEST)
        for number, (name, value) in enumerate(pairs):
            page.write_string(number, 0, name, self._bold)
            self._write(page, number, 1, value)

    def _write(
        self, page: Worksheet, row: int, column: int, value: Any, form: Format | None = None
    ) -> None:
        if value is None or value == "":
            return
        if isinstance(value, bool):
            page.write_boolean(row, column, value, form)
        elif isinstance(value, int | float) and isfinite(value):
            page.write_number(row, column, value, form)
        elif isinstance(value, datetime) and (local := self._local(value)):
            page.write_datetime(row, column, local, self._time)
        elif isinstance(value, Link) and len(value.url) <= _MAX_LINK:
            page.write_url(row, column, value.url, self._link)
        else:
            self._write_text(page, row, column, _as_text(value), form)

    def _write_text(
        self, page: Worksheet, row: int, column: int, text: str, form: Format | None
    ) -> None:
        text = cell_text(text)
        if text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter 3.3 takes such text for finished XML and writes it unescaped.
            page.write_rich_string(row, column, text[:1], self._plain, text[1:])
        else:
            page.write_string(row, column, text, form)

    def _local(self, at: datetime) -> datetime | None:
        """The wall-clock time in the zone; None if Excel has no such day."""
        try:
            local = at.astimezone(self._zone).replace(tzinfo=None)
        except OverflowError:
            return None
        return local if local.year in _YEARS else None


def is_time(column: str) -> bool:
    """Whether a column has times, by its name."""
    return column.endswith(("_at", "_to"))


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return to_iso(value)
    return value.url if isinstance(value, Link) else str(value)
