"""IDs in paths: any string of 1 to 128 characters, quoted so that it stays one segment."""

import re
from contextlib import suppress
from urllib.parse import unquote

_MAX_LENGTH = 4096
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


class IdConverter:
    """Write every odd character as ``~`` and its bytes in hex: ``../x`` becomes ``..~2Fx``.

    Percent signs would not do: servers, proxies and browsers decode them and fold ``%2e%2e``
    away before we see it. An ID of dots only is written entirely in hex, for the same reason.
    """

    regex = r"[^/]+"

    def to_python(self, value: str) -> str:
        """Return the ID; a ticket's spelling, which ``to_url`` never returns, is left as it is."""
        with suppress(ValueError):
            text = unquote(value.replace("~", "%"), errors="strict")
            value = text if self.to_url(text) == value else value
        # PostgreSQL refuses text with a NUL, even in a query.
        if len(value) > _MAX_LENGTH or "\0" in value:
            raise ValueError(value)
        return value

    def to_url(self, value: str) -> str:
        """Return the ID as one path segment."""
        if not value.strip("."):
            return "".join(map(_hex, value))
        if _PLAIN.fullmatch(value):
            return value
        return "".join(char if _PLAIN.fullmatch(char) else _hex(char) for char in value)


def _hex(char: str) -> str:
    return "".join(f"~{byte:02X}" for byte in char.encode())
