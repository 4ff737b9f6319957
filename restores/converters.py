"""IDs in paths: any text of 1 to 128 characters, quoted so that it stays one segment."""

import re
from urllib.parse import unquote

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")


class IdConverter:
    """Write every odd character as ``~`` and its bytes in hex: ``../x`` becomes ``..~2Fx``.

    Percent signs would not do: servers, proxies and browsers decode them and fold ``%2e%2e``
    away before we see it. An ID of dots only is written entirely in hex, for the same reason.
    """

    regex = r"(?:[A-Za-z0-9_.-]|~[0-9A-F]{2})+"

    def to_python(self, value: str) -> str:
        """Return the ID; a spelling that ``to_url`` never returns isn't found."""
        text = unquote(value.replace("~", "%"), errors="strict")
        # PostgreSQL refuses text with a NUL, even in a query.
        if len(text) > 128 or "\0" in text or self.to_url(text) != value:
            raise ValueError(value)
        return text

    def to_url(self, value: str) -> str:
        """Return the ID as one path segment."""
        if not value.strip("."):
            return "".join(map(_hex, value))
        if _PLAIN.fullmatch(value):
            return value
        return "".join(char if _PLAIN.fullmatch(char) else _hex(char) for char in value)


def _hex(char: str) -> str:
    return "".join(f"~{byte:02X}" for byte in char.encode())
