"""Runs one benchmark: ``./run bench list`` or ``./run bench sync``."""

import sys

from bench import restore_list, sync

BENCHMARKS = {"list": restore_list.main, "sync": sync.main}


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named first; the exit status is 0 if all its goals are met."""
    if not arguments or arguments[0] not in BENCHMARKS:
        print(f"Usage: bench {{{','.join(BENCHMARKS)}}}", file=sys.stderr)
        return 2
    return BENCHMARKS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
