"""A cloud that answers after an exact latency and costs next to nothing, in its own process."""

import asyncio
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from functools import cache

from bench import made

_KEPT = 1024 * 1024


class Answers(asyncio.Protocol):
    """One connection: every request is answered ``delay`` seconds after it came.

    An instance whose id is ``bomb`` gets a gigabyte of blanks, compressed.
    """

    def __init__(self, delay: float, records: int) -> None:
        self._delay, self._records, self._received = delay, records, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            instance_id = head.split(b"/restores", 1)[0].rpartition(b"/")[2].decode()
            answer = _answer(instance_id, self._records)
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay, self._transport.write, answer)  # type: ignore[attr-defined]


@contextmanager
def running(*, delay: float = 0.0, instances: int, records: int) -> Iterator[str]:
    """Start it with ``records`` restores in each of ``instances``, and lend its URL."""
    command = [sys.executable, "-m", "bench.upstream", *map(str, (delay, instances, records))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _answer(instance_id: str, records: int) -> bytes:
    if instance_id == "bomb":
        return _whole(_bomb(), "Content-Encoding: gzip\r\n")
    return _whole(_body(instance_id, records))


def _whole(body: bytes, further: str = "") -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: application/json\r\n{further}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@cache
def _body(instance_id: str, records: int) -> bytes:
    return made.listing(made.restores(instance_id, records))


@cache
def _bomb() -> bytes:
    """Return one gzip member of 1 GB, put together from a compressed megabyte.

    Only its checksum is wrong; who gets that far has unpacked it all.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b'{"restore_record_response":[') + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block stands for itself, so it can be repeated.
    blanks = packer.compress(b" " * _KEPT) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + blanks * 1024 + packer.compress(b"]}") + packer.flush()


async def _serve(delay: float, instances: int, records: int) -> None:
    loop = asyncio.get_running_loop()
    for instance_id in made.instance_ids(instances):
        _body(instance_id, records)
    server = await loop.create_server(lambda: Answers(delay, records), "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
