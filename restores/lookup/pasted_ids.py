"""IDs in pasted text: whole, without hyphens, misread, broken over lines, or only their ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .findings import Finding, Kind, Span
from .pasted_text import PastedText

# All of these are linear: nothing is repeated that can match the same text in two ways.
_JOINT = r"[ \t]{0,2}-[ \t]{0,2}"
_UUID = re.compile(
    rf"(?<![0-9A-Za-z])([0-9a-f]{{8}}){''.join([rf'{_JOINT}([0-9a-f]{{4}})'] * 3)}"
    rf"{_JOINT}([0-9a-f]{{12}})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])", re.IGNORECASE)
# Letters that a screenshot reader takes for digits.
_MISREAD = str.maketrans("OoIilLSs", "00111155")
_MISREAD_UUID = re.compile(
    rf"(?<![0-9A-Za-z])[0-9a-fOIlS]{{8}}{'-[0-9a-fOIlS]{4}' * 3}-[0-9a-fOIlS]{{12}}"
    r"(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"(?<![0-9A-Za-z])([0-9a-f]{6,8})-?(?:\.{2,4}|\*{1,8}|_{2,4}|~)-?([0-9a-f]{4,12})"
    r"(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(r"(?<![0-9A-Za-z#])([0-9a-f]{6,8})\.{2,4}(?![0-9A-Za-z.])", re.IGNORECASE)
_RUN = re.compile(r"(?<![0-9A-Za-z-])-?[0-9a-f][0-9a-f-]*(?![0-9A-Za-z])", re.IGNORECASE)
_HYPHENS = (8, 13, 18, 23)
_WHOLE, _WITHOUT_HYPHENS, _SHORTEST_PREFIX = 36, 32, 8
# The other part of a broken id is among this many runs of hex digits, within this many characters:
# a chat writes a name and a time between them.
_NEARBY, _FAR = 8, 160
_MAX_HEADS = 2_000
# With an equals sign if it is the mail's own, then the marks of a quoted mail.
_LINE_BREAK = re.compile(r"(=?)[ \t]{0,4}\n{1,2}(?:[ \t]{0,4}>){0,6}[ \t]{0,12}")


@dataclass(frozen=True, slots=True)
class Run:
    """Hex digits and hyphens in a row."""

    text: str
    start: int
    end: int


def find_ids(text: PastedText) -> Iterator[Finding]:
    """Find whole ids first, then those in parts, then their beginnings and ends."""
    for finder in (_whole, _misread, _broken, _shortened, _prefixes):
        found = list(finder(text.plain))
        for kind, value, spans, certain in found:
            yield Finding(
                kind=kind,
                value=value,
                spans=tuple(text.span(*span) for span in spans),
                certain=certain,
            )
        text.take(span for _, _, spans, _ in found for span in spans)


_Found = tuple[Kind, str, list[Span], bool]


def _whole(plain: str) -> Iterator[_Found]:
    for match in _UUID.finditer(plain):
        yield "id", "-".join(match.groups()).lower(), [match.span()], True
    for match in _PLAIN.finditer(plain):
        if not match[0].isdecimal():
            yield "id", match[0].lower(), [match.span()], True


def _misread(plain: str) -> Iterator[_Found]:
    for match in _MISREAD_UUID.finditer(plain):
        yield "id", match[0].translate(_MISREAD).lower(), [match.span()], True


def _broken(plain: str) -> Iterator[_Found]:
    """Put ids together that line ends, quote marks or chat prefixes have broken."""
    runs, used, heads = _runs(plain), -1, 0
    for number, head in enumerate(runs):
        if number <= used or not _may_be_head(head, plain):
            continue
        heads += 1
        if heads > _MAX_HEADS:
            break
        missing = _WHOLE - len(head.text.rstrip("-"))
        nearby = runs[number + 1 : number + 1 + _NEARBY]
        for tail in _tails(nearby, missing):
            if uuid := _joined(head, tail, plain):
                yield "id", uuid, [(run.start, run.end) for run in (head, *tail)], True
                used = number + 1 + nearby.index(tail[-1])
                break


def _tails(nearby: Sequence[Run], missing: int) -> Iterator[list[Run]]:
    """Yield one or two runs that are about as long as the missing part of an id."""
    for number, run in enumerate(nearby):
        # Each part may have a hyphen more than it needs, and the breaks may have lost theirs.
        if abs(missing - len(run.text)) <= 4:
            yield [run]
        elif len(run.text) < missing:
            for last in nearby[number + 1 :]:
                if abs(missing - len(run.text) - len(last.text)) <= 3:
                    yield [run, last]


def _may_be_head(run: Run, plain: str) -> bool:
    """Whether a run can be the first part of an id that goes on elsewhere."""
    text, following = run.text.rstrip("-"), plain[run.end : run.end + 1]
    if "-" not in run.text:
        return len(text) < _WITHOUT_HYPHENS and following in ("\n", "=")
    if len(text) >= _WHOLE or run.text.startswith("-") or not _fits(text):
        return False
    return following in ("", " ", "\t", "\n", "|", "=", "\\")


def _joined(head: Run, tail: list[Run], plain: str) -> str:
    """The id that these parts form, or "" if they don't form one."""
    joined, end = head.text, head.end
    for run in tail:
        gap = plain[end : run.start]
        if len(gap) > _FAR or gap.count("\n") > 4:
            return ""
        joined, end = _join(joined, run.text), run.end
    if len(joined) == _WHOLE and _fits(joined):
        return joined.lower()
    # Without hyphens, other parts could form an id by chance: two numbers of a log in a column.
    plain_id = head.text + tail[0].text
    near = _LINE_BREAK.fullmatch(plain[head.end : tail[0].start])
    if near and len(tail) == 1 and len(plain_id) == _WITHOUT_HYPHENS and "-" not in plain_id:
        return plain_id.lower() if len(head.text) != len(tail[0].text) or near[1] else ""
    return ""


def _join(first: str, second: str) -> str:
    """Join two parts; a hyphen at the break may be missing, doubled, or added by hyphenation."""
    first, second = first.rstrip("-"), second.lstrip("-")
    return f"{first}-{second}" if len(first) in _HYPHENS else first + second


def _fits(text: str) -> bool:
    """Whether text has its hyphens where an id that begins with it has them."""
    return all((place in _HYPHENS) == (char == "-") for place, char in enumerate(text))


def _shortened(plain: str) -> Iterator[_Found]:
    for match in _ENDS.finditer(plain):
        if any(char.isdecimal() for char in match[1]):
            yield "ends", f"{match[1]}…{match[2]}".lower(), [match.span()], True
    for match in _CUT_OFF.finditer(plain):
        if any(char.isdecimal() for char in match[1]) and not match[1].isdecimal():
            yield "prefix", match[1].lower(), [match.span(1)], True


def _prefixes(plain: str) -> Iterator[_Found]:
    for run in _runs(plain):
        text = run.text.strip("-").lower()
        if len(text) < _SHORTEST_PREFIX or len(text) >= _WHOLE or not _fits(text):
            continue
        if text.isdecimal() or text.isalpha() or plain[run.start - 1 : run.start] in ("#", "@"):
            continue  # a date, a word, a color
        start = run.start + len(run.text) - len(run.text.lstrip("-"))
        certain = "-" in text and not text.replace("-", "").isdecimal()
        yield "prefix", text, [(start, start + len(text))], certain


def _runs(plain: str) -> list[Run]:
    return [Run(match[0], *match.span()) for match in _RUN.finditer(plain)]
