"""Times as people type and paste them, rewritten in the strict spelling of URLs.

A closed grammar, because the date libraries that were tried give wrong results without a warning
("gestern 14 Uhr" became 10:00, "2026-13-01" the 13th of January). It refuses what it doesn't
know, and returns every meaning of an ambiguous time.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from . import places, words, zones
from .find import find_times
from .grammar import FILLERS, LATIN_WORDS, all_words, any_of, plain, words_of
from .meanings import LocalTime, meanings_of
from .phrases import Phrase, find_phrases
from .ranges import to_iso

_MAX_LENGTH = 64
_PHRASES = {
    word: spelling for spelling, spellings in words.PHRASES.items() for word in words_of(spellings)
}
_UNITS = {word: unit for unit, spellings in words.UNITS.items() for word in words_of(spellings)}
# A unit of one letter or a Latin word stands for itself, too: 24h, 7 days.
_LATIN = any_of(word for word in _UNITS if word[0] < "\u2e80")
_COUNT = rf"(?:(?P<count>\d{{1,4}})\ ?|(?:{any_of(words.ONE)})\ +)"
_AGO = [
    re.compile(pattern.replace("{}", rf"{_COUNT}(?P<unit>{any_of(_UNITS)})"))
    for pattern in all_words(words.AGO)
] + [re.compile(rf"(?:now ?)?(?:- ?)?{_COUNT}(?P<unit>{_LATIN})")]
_WORD = re.compile(r"[^\W\d_]{4,}")
_HOURS = re.compile(r"(?:[01]?\d|2[0-3])\ ?h")
_DECIMAL = re.compile(r"\d+[.,]\d+")
_THREAD = re.compile(r"\[[\w.-]*\]")  # of a Java log
_AROUND = "[](){}<>\"'„“”‚«»,; \t"
_LEADING = re.compile(rf"(?:{any_of(FILLERS)}(?![^\W\d_])\s*)*")
# Digits that don't spell a time, and what they probably mean.
_SUGGESTIONS = [
    (re.compile(pattern, re.ASCII), spelling)
    for pattern, spelling in (
        (r"(\d{4})", r"\1-01"),
        (r"(\d{13})(?:\d{3}){1,2}", r"\1"),
        (r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)", r"\1-\2-\3T\4:\5"),
    )
]


def interpret(raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False) -> tuple[str, ...]:
    """Return the strict spellings of every meaning that a time may have; none if it isn't a time.

    The caller checks that URLs may hold them: a year may be out of range.
    """
    text = plain(raw)
    if len(raw) > _MAX_LENGTH or any(char.isdigit() and not char.isascii() for char in text):
        return ()
    folded = " ".join(text.strip(_AROUND).casefold().split())
    if spelling := _PHRASES.get(folded):
        return (spelling,)
    ago = _ago(folded)
    if (ago and not _HOURS.fullmatch(folded)) or _DECIMAL.fullmatch(folded):
        return (ago,) if ago else ()
    phrase = _only_phrase(text)
    if phrase is None or not _is_clear(phrase):
        return (ago,) if ago else ()
    if phrase.relative is not None and not (phrase.day or phrase.weekday or phrase.has_clock):
        return (f"now{phrase.relative:+}d/d" if phrase.relative else "now/d",)
    times = meanings_of(phrase, now, zone, ahead=upper)
    return tuple(dict.fromkeys([*map(_spelling, times), *([ago] if ago else [])]))


def suggest(raw: str, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """Suggest strict spellings of what isn't a time but may be meant as one; some are invalid."""
    for pattern, spelling in _SUGGESTIONS:
        if match := pattern.fullmatch(raw):
            yield match.expand(spelling)
    text = plain(raw[:_MAX_LENGTH])
    if (phrase := _only_phrase(text)) and phrase.has_day:
        # sun, 3.11, hier soir: no exact time, but a day.
        yield from (time.day.isoformat() for time in meanings_of(phrase, now, zone))
    corrected = _WORD.sub(lambda match: _known_word(match[0]), text)
    if corrected != text:
        yield from interpret(corrected, now, zone)
    for found in find_times(raw, now=now, zone=zone)[:1]:
        yield from (to_iso(one.start) for one in found.meanings)  # in a whole line of a log


def _known_word(word: str) -> str:
    """The word of the tables that a misspelled one is close to."""
    folded = word.casefold()
    if folded in LATIN_WORDS or folded.upper() in places.ABBREVIATIONS:
        return word
    return next(iter(get_close_matches(folded, LATIN_WORDS, n=1, cutoff=0.75)), word)


def _ago(text: str) -> str:
    """The spelling of "2 hours ago", "vor 2 Stunden" and "24h"."""
    for pattern in _AGO:
        if match := pattern.fullmatch(text):
            return f"now-{int(match['count'] or 1)}{_UNITS[match['unit']]}"
    return ""


def _only_phrase(text: str) -> Phrase | None:
    """The phrase that the text consists of, apart from words that change nothing."""
    phrases = list(find_phrases(text, typed=True))
    if len(phrases) != 1 or phrases[0].epoch or phrases[0].until:
        return None
    phrase = phrases[0]
    before = text[: phrase.start].strip(_AROUND)
    after = _THREAD.sub("", text[phrase.glued :]).strip(_AROUND + ".*")
    if not _LEADING.fullmatch(before.casefold()):
        return None
    if after and after[0].isalpha() and phrase.has_clock and not phrase.zones:
        # Nothing but the zone may follow: 15:26 Tokyo.
        phrase.zones = zones.matches(after)
        return phrase if phrase.zones else None
    return None if after else phrase


def _is_clear(phrase: Phrase) -> bool:
    """Whether a phrase names a time, not a part of the day or a weekday that may be a name."""
    if phrase.has_clock:
        return True
    if phrase.part or phrase.zones:
        return False
    return phrase.has_day and not (phrase.short and not (phrase.day or phrase.last))


def _spelling(time: LocalTime) -> str:
    if time.clock is None:
        return time.day.isoformat()
    clock = time.clock
    text = f"{time.day}T{clock.hour:02}:{clock.minute:02}"
    if clock.second is not None:
        text += f":{clock.second:02}" + (f".{clock.fraction}" if clock.fraction else "")
    return text + _offset(time) if time.zone_given else text


def _offset(time: LocalTime) -> str:
    distance = time.wall.replace(tzinfo=time.zone).utcoffset() or timedelta()
    if not distance:
        return "Z"
    hours, minutes = divmod(abs(distance) // timedelta(minutes=1), 60)
    return f"{'-' if distance < timedelta() else '+'}{hours:02}:{minutes:02}"
