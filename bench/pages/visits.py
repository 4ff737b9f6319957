"""Visits to one page from several readers at once; prints each answer's milliseconds."""

from __future__ import annotations

import sys
import threading
import time
from http.client import HTTPConnection

READERS = 8


def main(port: str, path: str, cookie: str, seconds: str) -> None:
    """Visit for so many seconds and print what each visit took."""
    until, taken = time.monotonic() + float(seconds), list[float]()
    readers = [
        threading.Thread(target=_read, args=(int(port), path, cookie, until, taken))
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    print(*(f"{1000 * each:.1f}" for each in taken))


def _read(port: int, path: str, cookie: str, until: float, taken: list[float]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
    while (begun := time.monotonic()) < until:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200 and body, answer.status
        taken.append(time.monotonic() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:])
