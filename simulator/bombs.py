"""Answers that are small on the wire and huge once unpacked."""

import zlib
from functools import cache

_BLOCK = 2**20


@cache
def gzip_bomb(megabytes: int) -> bytes:
    """Return a list of restores with so many megabytes of blanks in it, as gzip.

    The blanks are compressed once and repeated, so that the bomb costs its maker nothing.
    """
    start, end = b'{"total_num":0,"restore_record_response":[', b"]}"
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    blanks = b" " * _BLOCK
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(end) + packer.flush(zlib.Z_FINISH)
    check = zlib.crc32(start)
    for _ in range(megabytes):
        check = zlib.crc32(blanks, check)
    check = zlib.crc32(end, check)
    size = len(start) + megabytes * _BLOCK + len(end)
    trailer = check.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + head + block * megabytes + tail + trailer
