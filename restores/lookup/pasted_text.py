"""Pasted text as plain characters, each with its place in the original."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable

from .findings import Span

# Stands for what has been found already: nothing else begins, ends or goes on there.
TAKEN = "\0"
_COLOR = re.compile("\x1b\\[[0-9;]{0,20}[A-Za-z]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-")
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


class PastedText:
    """Text without invisible characters, with plain digits, dashes, blanks and line breaks."""

    def __init__(self, text: str) -> None:
        # Replace what the database rejects even in a query, keeping the length.
        text = text.replace("\0", " ").encode(errors="replace").decode()
        self.original = text
        # Logs color their words with sequences that end in a letter.
        text = _COLOR.sub(lambda match: " " * len(match[0]), text)
        folded = [_PLAIN[ord(char)] for char in text] if _odd(text) else None
        self.plain = text if folded is None else "".join(folded)
        self._places: array[int] | None = None
        if folded is not None and len(self.plain) != len(text):
            self._places = array("I")
            for place, chars in enumerate(folded):
                self._places.extend([place] * len(chars))

    def span(self, start: int, end: int) -> Span:
        """The position in the original of the plain characters ``start`` to ``end``, exclusive."""
        if self._places is None:
            return start, end
        return self._places[start], self._places[end - 1] + 1

    def take(self, spans: Iterable[Span]) -> None:
        """Hide what has been found at these places of the plain text."""
        parts, last = [], 0
        for start, end in sorted(spans):
            if start >= last:
                parts += [self.plain[last:start], TAKEN * (end - start)]
                last = end
        self.plain = "".join(parts) + self.plain[last:]


class _Plain(dict[int, str]):
    """The plain spelling of each character, found when it is first seen."""

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain(chr(code))
        return plain


_PLAIN = _Plain(_DASHES | _FULL_WIDTH | {ord("…"): "...", 0x2028: "\n", 0x2029: "\n", 0x85: "\n"})


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return char
    if char in "\v\f\r":
        return "\n"
    if category == "Cf" or "\ufe00" <= char <= "\ufe0f":
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if "\U0001d400" <= char <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", char)
    return " " if category in ("Cc", "Cs", "Zs") else char


def _odd(text: str) -> bool:
    """Whether any character of the text has another plain spelling."""
    return not text.isascii() or any(_PLAIN[ord(char)] != char for char in set(text))
