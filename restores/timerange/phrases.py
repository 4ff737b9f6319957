"""Phrases that name a time, found in any text: what they say about day, time of day and zone.

Elements (grammar.py) that stand next to each other belong together. What a phrase means, seen
from now, is decided in meanings.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import words
from .grammar import FILLERS, Clock, Day, Element, all_words, any_of, elements_of, latin


@dataclass(slots=True)
class Phrase:
    """A time in text: what it says about the day, the time of day and the zone.

    ``relative``: days from today. ``weekday`` counts from Monday; ``short`` says that it is
    abbreviated, ``last`` that it is before today, and ``week`` how many weeks ahead it is.
    ``until``: the end of a range that starts at ``clock``. ``part``: of the day, as in the table.
    ``zones``: all that the name of its zone may mean, with ``abbreviation`` if it is one.
    ``introduced``: a word such as "on" or "at" precedes it. ``epoch``: seconds since 1970, in place
    of everything else.
    """

    start: int
    end: int
    glued: int  # the end of the filler words that follow
    introduced: bool = False
    day: Day | None = None
    relative: int | None = None
    weekday: int | None = None
    short: bool = False
    last: bool = False
    week: int | None = None
    clock: Clock | None = None
    until: Clock | None = None
    part: str = ""
    zones: tuple[str, ...] = ()
    abbreviation: str = ""
    epoch: str = ""

    @property
    def has_day(self) -> bool:
        """Whether it says anything about the day."""
        return bool(self.day) or self.relative is not None or self.weekday is not None

    @property
    def has_clock(self) -> bool:
        """Whether it says a time of day; noon and midnight are times, too."""
        return self.clock is not None or self.part in ("noon", "midnight")


def find_phrases(text: str, *, typed: bool = False) -> Iterator[Phrase]:
    """Find the phrases of a ``plain`` text, in order; their parts are next to each other.

    In a ``typed`` time, unlike in running text, the name of a zone may be in lower case.
    """
    phrase: Phrase | None = None
    intro = -1
    elements = list(elements_of(text, typed=typed))
    for number, element in enumerate(elements):
        if phrase and not _joins(text, phrase, elements, number):
            yield phrase
            phrase, intro = None, -1
        if phrase is None:
            if element.kind == "filler":
                intro = element.end
            if element.kind in ("filler", "year"):
                continue
            introduced = intro >= 0 and not text[intro : element.start].strip()
            phrase = Phrase(element.start, element.end, element.end, introduced)
        _add(phrase, element)
    if phrase:
        yield phrase


# What may stand between the elements of a phrase: the T of ISO, the colon of web servers, a
# line break of a mail.
_GLUE = re.compile(r"[ \t]*[,;|@()\[\]·]{0,3}[ \t]*(?:\n[> \t]*)?|T|:")
_DASH = re.compile(r"[ \t]*[-–—][ \t]*")
_UNTIL = re.compile(
    rf"\ *(?:[-–—〜～~]|\b{any_of(latin(all_words(words.UNTIL)))}\b|[到至]|から)\ *"
    rf"(?:{any_of(FILLERS)}\ +)?",
    re.IGNORECASE,
)


def _joins(text: str, phrase: Phrase, elements: list[Element], number: int) -> bool:
    """Whether an element is the next part of a phrase."""
    element = elements[number]
    kind, gap = element.kind, text[phrase.glued : element.start]
    if kind == "clock" and phrase.clock:
        between = text[phrase.end : element.start]
        return phrase.until is None and _UNTIL.fullmatch(between) is not None
    dash = kind == "clock" and phrase.has_day and _DASH.fullmatch(gap)
    if not dash and not _GLUE.fullmatch(gap):
        return False
    if ("\n" in gap or "|" in gap) and not (kind == "clock" and phrase.has_day):
        return False
    if kind == "day" and phrase.clock and phrase.glued == phrase.end:
        # "until 14:05, 28.11. 15:00": a date belongs to the time of day that follows it.
        following = [one for one in elements[number + 1 : number + 3] if one.kind != "filler"]
        if following and following[0].kind == "clock" and following[0].start < element.end + 8:
            return False
    if phrase.epoch:
        return False
    if kind == "year":
        return bool(phrase.clock and phrase.day and _yearless(phrase.day))
    return {
        "filler": True,
        "day": phrase.day is None,
        "relative": phrase.relative is None or element.says.get("relative") == 1,
        "weekday": phrase.weekday is None,
        "last": not phrase.last,
        "clock": True,
        "part": not phrase.part,
        "zone": phrase.has_clock or phrase.has_day,
        "epoch": False,
    }[kind]


def _add(phrase: Phrase, element: Element) -> None:
    phrase.glued = element.end
    if element.kind == "filler":
        return
    phrase.end = element.end
    says = element.says
    if element.kind == "clock" and phrase.clock:
        says = {"until": says["clock"]}
    elif element.kind == "zone" and phrase.zones:
        says = {}  # +0100 (CET)
    elif element.kind == "relative" and phrase.relative is not None:
        says = {"part": "morning"}  # "gestern morgen": the German tomorrow is also a morning
    elif element.kind == "year" and phrase.day:
        readings = tuple((says["year"], month, day) for _, month, day in phrase.day.readings)
        says = {"day": Day(readings=readings)}
    for name, value in says.items():
        setattr(phrase, name, value)


def _yearless(day: Day) -> bool:
    return all(year is None for year, _, _ in day.readings)
