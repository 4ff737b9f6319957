"""Asks once for a gigabyte in a few kilobytes; prints what that cost in bytes, and how it ended."""

import sys

from bench.collector.memory import most_resident, resident
from restores.dcs.auth import SignedAuth, no_rate_limit
from restores.dcs.client import Client, new_session
from restores.dcs.errors import DcsError


def main(url: str) -> None:
    """Ask for an ordinary answer first, so that only the hostile one is counted."""
    client = Client(new_session(), url, "bench", SignedAuth("made", "up"), no_rate_limit)
    client.restores("ordinary")
    before = resident()
    try:
        client.restores("bomb")
        ended = "accepted"
    except DcsError as fault:
        ended = f"{type(fault).__name__}: {fault}"
    print(most_resident() - before)
    print(ended)


if __name__ == "__main__":
    main(sys.argv[1])
