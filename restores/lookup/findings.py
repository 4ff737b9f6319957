"""Findings in pasted text, and their positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from restores.timerange import Meaning

Kind = Literal["id", "prefix", "ends", "name", "address", "code"]
# Where in the text, from the first character to just after the last.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that may exist, as it is usually spelled.

    ``prefix`` is the beginning of an id, ``ends`` its beginning and its end with ``…`` between
    them. An id that is broken over lines has several ``spans``. ``certain``: the result names
    it even if it doesn’t exist, unlike a word that could be a name. A name is ``quoted`` if it is
    in quotes or the whole text.
    """

    kind: Kind
    value: str
    spans: tuple[Span, ...]
    certain: bool = True
    quoted: bool = False

    @property
    def start(self) -> int:
        """The position of its first character."""
        return self.spans[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTime:
    """A time as somebody wrote it; several ``meanings`` if it can be read in more than one way."""

    text: str
    span: Span
    meanings: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything found in the text, each once and in order, and what was left out of it.

    Only the first ``searched`` of ``length`` characters were read; ``dropped`` counts by kind
    what was found there beyond the limits.
    """

    findings: tuple[Finding, ...]
    times: tuple[FoundTime, ...]
    searched: int
    length: int
    dropped: dict[str, int] = field(default_factory=dict)

    def of(self, *kinds: Kind) -> list[Finding]:
        """The findings of these kinds."""
        return [one for one in self.findings if one.kind in kinds]
