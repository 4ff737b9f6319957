"""Measures on the database that DATABASE_URL names."""

import sys

from bench.collector import scene
from bench.figures import Sheet, WrongTable


def main(arguments: list[str]) -> int:
    """Run every part; the exit status says whether all goals hold."""
    scene.ready(migrated=True)
    from bench.collector import fetching, memory, promise, writing

    long, sheet = "--long" in arguments, Sheet()
    parts = [writing.measure, fetching.measure]
    try:
        sheet.title(f"{scene.database()}")
        for part in parts:
            part(sheet)
        if long or scene.on_sqlite():
            memory.measure(sheet, looks=100_000 if long else 5_000)
        if long:
            promise.measure(sheet)
    except WrongTable as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if sheet.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
