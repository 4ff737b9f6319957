"""Runs one benchmark, for example ``./run bench pages``."""

import sys

from bench import load, pages, stuck, sync

BENCHMARKS = {"pages": pages.main, "load": load.main, "sync": sync.main, "stuck": stuck.main}


def main(arguments: list[str]) -> int:
    """Run the benchmark named first; the exit status is 0 if all its goals are met."""
    if not arguments or arguments[0] not in BENCHMARKS:
        print(f"Usage: bench {{{','.join(BENCHMARKS)}}}", file=sys.stderr)
        return 2
    return BENCHMARKS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
