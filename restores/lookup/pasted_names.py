"""Names, addresses and codes in pasted text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restores.explain.refusals import refusal
from restores.spellings import bare

from .findings import Finding, Span
from .pasted_text import TAKEN, PastedText

LONGEST_NAME = 128
_CODE = re.compile(r"(?<![0-9A-Za-z_.])dcs\.([0-9O]{2})\.([0-9O]{4})(?![0-9A-Za-z])", re.IGNORECASE)
_REFUSAL = re.compile(r"(?<![0-9A-Za-z_.])dcs[ ._-]?(\d{4})(?![0-9A-Za-z]|\.\d)", re.IGNORECASE)
_V1_CODE = re.compile(r"(?<![0-9A-Za-z_.])111[45]\d{5}(?![0-9A-Za-z])")
_IPV4 = re.compile(r"(?<![\w.-])(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(?![\w-]|\.\d)", re.ASCII)
_DOMAIN = re.compile(
    r"(?<![\w@./-])([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})(?::(\d{2,5}))?(?![\w@-])",
    re.IGNORECASE | re.ASCII,
)
# A port that is worth mentioning if no instance is there.
_REDIS_PORT = re.compile(r"6[34]\d\d")
# As the console names restores and backups by default.
_DEFAULT_NAME = re.compile(
    r"(?<![0-9A-Za-z_-])(?:restore|backup)[_-]\d{8,17}(?![0-9A-Za-z])", re.IGNORECASE
)
_QUOTES = (
    '""',
    "''",
    "``",
    "“”",
    "„“",
    "„”",
    "‘’",
    "«»",
    "»«",
    "‹›",
    "「」",
    "『』",
    "《》",
    "【】",
)
_QUOTED = {
    quotes: re.compile("{0}([^{0}{1}\n{2}]{{1,{3}}}){1}".format(*quotes, TAKEN, LONGEST_NAME))
    for quotes in _QUOTES
}
_CELL = re.compile(rf"[^\t|;\n{TAKEN}]+")
_WORD = re.compile(rf"[^\s,;|\"'`“”„«»「」『』《》【】()<>\[\]{{}}=、。，：:{TAKEN}]+")


def find_codes(text: PastedText) -> Iterator[Finding]:
    """Find error codes, and the codes with which a restore is refused."""
    taken = []
    for match in _CODE.finditer(text.plain):
        code = f"dcs.{match[1]}.{match[2]}".lower().replace("o", "0")
        yield Finding(kind="code", value=code, spans=(text.span(*match.span()),))
        taken.append(match.span())
    for match in _REFUSAL.finditer(text.plain):
        known = refusal(f"DCS.{match[1]}") is not None
        if known or "." in match[0]:
            code = f"DCS.{match[1]}"
            yield Finding(kind="code", value=code, spans=(text.span(*match.span()),))
            taken.append(match.span())
    for match in _V1_CODE.finditer(text.plain):
        if found := refusal(match[0]):
            yield Finding(kind="code", value=found.code, spans=(text.span(*match.span()),))
            taken.append(match.span())
    text.take(taken)


def find_addresses(text: PastedText) -> Iterator[Finding]:
    """Find IP addresses and domains, with or without a port."""
    taken = []
    for match in _IPV4.finditer(text.plain):
        if all(int(part) < 256 for part in match[1].split(".")):
            yield _address(text, match)
            taken.append(match.span())
    text.take(taken)
    taken = []
    for match in _DOMAIN.finditer(text.plain):
        if match[2] or match[1].count(".") >= 2:
            top = match[1].rpartition(".")[2]
            if top.isalpha() and len(top) > 1:
                yield _address(text, match)
                taken.append(match.span())
    text.take(taken)


def _address(text: PastedText, match: re.Match[str]) -> Finding:
    port = match[2] or ""
    return Finding(
        kind="address",
        value=match[0].lower(),
        spans=(text.span(*match.span()),),
        certain=bool(_REDIS_PORT.fullmatch(port)),
    )


def find_names(text: PastedText) -> Iterator[Finding]:
    """Find what may be a name: in quotes, in a cell, the whole text, or an unusual word."""
    whole = text.plain.strip()
    if whole and len(whole) <= LONGEST_NAME and "\n" not in whole and TAKEN not in whole:
        start = text.plain.index(whole)
        yield from _name(text, (start, start + len(whole)), certain=False, quoted=True)
    taken = [match.span() for match in _DEFAULT_NAME.finditer(text.plain)]
    for span in taken:
        yield from _name(text, span, certain=True)
    text.take(taken)
    for quotes, quoted in _QUOTED.items():
        for match in quoted.finditer(text.plain) if quotes[0] in text.plain else ():
            yield from _name(text, match.span(1), certain=False, quoted=True)
    for pattern in (_WORD, _CELL):
        for match in pattern.finditer(text.plain):
            yield from _name(text, match.span(), certain=False)


def _name(
    text: PastedText, span: Span, *, certain: bool, quoted: bool = False
) -> Iterator[Finding]:
    """A name at this place, without what surrounds it; a quoted one may look like any word."""
    raw = text.plain[slice(*span)]
    name = bare(raw)
    # Also in its original spelling: a name may have full-width characters.
    if not name or len(name) > LONGEST_NAME or not (quoted or _unlike_a_word(name)):
        return
    start = span[0] + max(raw.find(name), 0)
    end = min(start + len(name), span[1])
    place = text.span(start, end)
    for spelling in dict.fromkeys((text.original[slice(*place)], name)):
        yield Finding(kind="name", value=spelling, spans=(place,), certain=certain, quoted=quoted)


def _unlike_a_word(text: str) -> bool:
    """Whether text has both a letter and something that words in a sentence don't."""
    letters = any(char.isalpha() for char in text)
    odd = not text.isascii() or any(char in "-_." or char.isdecimal() for char in text[1:-1])
    return letters and len(text) > 2 and odd
