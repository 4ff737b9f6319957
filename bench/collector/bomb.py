"""Asks once for a gigabyte in a few kilobytes; prints what that cost in bytes, and how it ended."""

import sys

from bench.collector.memory import most_resident, resident
from restores.dcs.auth import SignedAuth, at_once
from restores.dcs.client import Client, new_session
from restores.dcs.faults import Fault


def main(url: str) -> None:
    """Ask for an ordinary answer first, so that only the hostile one is counted."""
    client = Client(new_session(), url, "bench", SignedAuth("made", "up"), at_once)
    client.restores("ordinary")
    before = resident()
    try:
        client.restores("bomb")
        ended = "accepted"
    except Fault as fault:
        ended = f"{type(fault).__name__}: {fault}"
    print(most_resident() - before)
    print(ended)


if __name__ == "__main__":
    main(sys.argv[1])
