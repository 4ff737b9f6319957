"""Runs one bench: ``python -m bench collector``."""

import sys

from bench import browser, collector, load, pages

BENCHES = {
    "browser": browser.main,
    "collector": collector.main,
    "list": pages.main,
    "load": load.main,
}


def main(arguments: list[str]) -> int:
    """Run the bench that is named first; the exit status says whether its goals hold."""
    if not arguments or arguments[0] not in BENCHES:
        print(f"Which bench? One of: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    return BENCHES[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
