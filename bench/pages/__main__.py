"""Measures the pages on the database that DATABASE_URL names, filled with so many rows."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.collector import scene
from bench.figures import Sheet, WrongTable
from bench.pages import site
from bench.pages.history import fill

_LARGE = 1_000_000


def main(arguments: list[str]) -> int:
    """Run every question; the exit status says whether all goals hold."""
    rows, figures = int(arguments[0]), Path(arguments[1])
    site.ready(migrated=True)
    fill(rows)
    sheet = Sheet()
    sheet.title(f"{scene.database()}, {rows:,} restores")
    try:
        from bench.pages import exporting, measure, weight

        measure.run(sheet, rows, figures)
        weight.measure(sheet)
        if rows == _LARGE:
            exporting.measure(sheet, rows)
    except WrongTable as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if sheet.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
