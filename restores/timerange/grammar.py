"""How dates, times of day and zones are written: one rule for each way, and words from tables.

A rule is a regular expression and a function that says what it means. Text that no rule matches
isn't part of a time.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import places, words, zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A date as written: each reading as year, month and day, with None for what is left out.

    ``needs``: what has to stand next to it in running text, where it may be a version or an
    ordinary word: nothing, a ``clock``, or ``support`` by a clock, a weekday or "on".
    ``short_year``: its year has two digits.
    """

    readings: tuple[tuple[int | None, int | None, int], ...]
    needs: str = ""
    short_year: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A time of day as written; ``half`` is ``am``, ``pm`` or "".

    ``exact``: a time of day even without a date, not a number or a duration. ``twelve``: on a
    clock that may count to twelve.
    """

    hour: int
    minute: int = 0
    second: int | None = None
    fraction: str = ""
    half: str = ""
    exact: bool = True
    twelve: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """A part of a phrase: its kind, its position, and the fields of the phrase that it sets."""

    kind: str
    start: int
    end: int
    says: Mapping[str, Any]


def elements_of(text: str, *, typed: bool = False) -> Iterator[Element]:
    """Find the elements of a ``plain`` text, in order.

    In a ``typed`` time, unlike in running text, the name of a zone may be in lower case.
    """
    end = 0
    for start in _STARTS.finditer(text):
        if start.start() < end:
            continue
        if start[0].isdecimal():
            element = _first(_NUMBER_RULES, text, start.start())
        else:
            element = _first(_WORD_RULES, text, start.start()) or _word(text, start, typed)
        if element:
            end = element.end
            yield element


# Digits, signs and blanks of other widths, and how they are usually spelled.
_PLAIN: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys((*range(0x2000, 0x200B), 0xA0, 0x202F, 0x3000), " ")
_PLAIN |= dict.fromkeys(map(ord, "−‐‑"), "-") | dict.fromkeys(map(ord, "’‘ʼ"), "'")


def plain(text: str) -> str:
    """Spell digits, signs and blanks of other widths as usual; every position stays the same."""
    return text.translate(_PLAIN)


# The tables of words as lists, mappings and regular expressions.


def words_of(spellings: str) -> list[str]:
    """Split an entry of a table into its spellings."""
    return [one.strip() for one in spellings.split(",") if one.strip()]


def all_words(table: Mapping[str, str]) -> list[str]:
    """Every word of a table."""
    return [word for spellings in table.values() for word in words_of(spellings)]


def any_of(spellings: Iterable[str]) -> str:
    """Any of these words as a regular expression, the longest first; blanks may be wider."""
    ordered = sorted(set(spellings), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\ +") for word in ordered) + ")"


def is_east_asian(word: str) -> bool:
    """Whether a word is Chinese or Japanese, which don't separate words by blanks."""
    return word[-1] > "\u2e80" or word[0] == "("


def latin(spellings: Iterable[str]) -> list[str]:
    """The words that are neither Chinese nor Japanese."""
    return [word for word in spellings if not is_east_asian(word)]


def _numbered(tables: Mapping[str, tuple[str, ...]], first: int) -> dict[str, int]:
    return {
        word: number
        for spellings in tables.values()
        for number, one in enumerate(spellings, first)
        for word in words_of(one)
    }


FILLERS = {*all_words(words.FILLERS), *all_words(words.AT)}
_MONTHS = _numbered(words.MONTHS, 1)
_WEEKDAYS = _numbered(words.WEEKDAYS, 0)
_ABBREVIATED = {
    word
    for names in words.WEEKDAYS.values()
    for name in names
    for word in words_of(name)[1:]
    if len(word) <= 4 and not is_east_asian(word)
}
# Months that are everyday words, too.
_COMMON = {"may", "mar", "march", "mars", "mai", "set", "sett", "sept", "ago", "out", "dez"}


def _vocabulary() -> dict[str, tuple[str, dict[str, Any]]]:
    """The kind of each word, and what it says. If a word has two, the later one wins."""
    said: dict[str, tuple[str, dict[str, Any]]] = {word: ("filler", {}) for word in FILLERS}
    said |= {word: ("last", {"last": True}) for word in all_words(words.LAST)}
    for part, table in words.PARTS.items():
        said |= {word: ("part", {"part": part}) for word in all_words(table)}
    for word, number in _numbered(words.DAYS, -2).items():
        said[word] = ("relative", {"relative": number})
    for day_parts in words.DAY_PARTS.values():
        for word, (number, part) in day_parts.items():
            said[word] = ("relative", {"relative": number, "part": part})
    for word, number in _WEEKDAYS.items():
        said[word] = ("weekday", {"weekday": number, "short": word in _ABBREVIATED})
        for prefix, week in words.WEEKS.items() if is_east_asian(word) else ():
            said[prefix + word] = ("weekday", {"weekday": number, "week": week})
    for zone, names in places.PHRASES.items():
        said |= {word: ("zone", {"zones": (zone,)}) for word in words_of(names)}
    return said


_VOCABULARY = _vocabulary()
# The words that a misspelled one may be close to.
LATIN_WORDS = sorted({word for word in latin([*_VOCABULARY, *_MONTHS]) if len(word) > 3})
_EAST_ASIAN = re.compile(any_of(filter(is_east_asian, _VOCABULARY)))
_SEVERAL_WORDS = {word: word.split()[0] for word in _VOCABULARY if " " in word}
_STARTING_WITH = {
    first: re.compile(
        any_of(word for word in _SEVERAL_WORDS if _SEVERAL_WORDS[word] == first) + r"\b",
        re.IGNORECASE,
    )
    for first in set(_SEVERAL_WORDS.values())
}
_L = "A-Za-zÀ-ɏ"
_STARTS = re.compile(
    rf"""[0-9]+ | [+-](?=[0-9]) | [{_L}]+(?:['-][{_L}]+)*
    | \((?=[月火水木金土日]\)) | [\u2e80-\uffef]""",
    re.VERBOSE,
)


def _word(text: str, start: re.Match[str], typed: bool) -> Element | None:
    """The element that is a word of the tables."""
    at, first = start.start(), start[0].casefold()
    pattern = _EAST_ASIAN if is_east_asian(first) else _STARTING_WITH.get(first)
    if pattern and (match := pattern.match(text, at)):
        kind, says = _VOCABULARY[" ".join(match[0].casefold().split())]
        return Element(kind, at, match.end(), says)
    if first in places.ABBREVIATIONS and (typed or start[0].isupper()):
        says = {"zones": places.ABBREVIATIONS[first], "abbreviation": first.upper()}
        return Element("zone", at, start.end(), says)
    kind, says = _VOCABULARY.get(first, ("", {}))
    if kind == "weekday" and len(first) == 2 and not typed and start[0].islower():
        # German writes Do and Di; "do" and "di" are ordinary words elsewhere.
        kind, says = ("filler" if first in FILLERS else "", {})
    end = start.end() + (says.get("short", False) and text.startswith(".", start.end()))
    return Element(kind, at, end, says) if kind else None


# The rules. At each place, the first one that matches is taken.

_Said = dict[str, Any] | None
_Say = Callable[[re.Match[str]], _Said]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    say: _Say


_NUMBER_RULES: list[_Rule] = []
_WORD_RULES: list[_Rule] = []


def _first(rules: list[_Rule], text: str, at: int) -> Element | None:
    for rule in rules:
        if (match := rule.pattern.match(text, at)) and (says := rule.say(match)) is not None:
            return Element(rule.kind, at, match.end(), says)
    return None


def _rule(rules: list[_Rule], kind: str, pattern: str) -> Callable[[_Say], _Say]:
    """Declare how an element is written. The function returns what it says, None if nothing."""

    def declare(say: _Say) -> _Say:
        rules.append(_Rule(kind, re.compile(pattern, re.IGNORECASE | re.VERBOSE), say))
        return say

    return declare


# A number that begins a date or a time never follows these: it would be part of a longer one,
# of a name, an address or a price. Nor do the others follow its end.
_LEFT = rf"(?<![0-9{_L}_./:+#@$€£¥-]) (?<![0-9],)"
_RIGHT = rf"(?![0-9_]|[.,:/-][0-9]|[.:/@-][{_L}]|\ ?[%€$£¥])"
_MONTH = any_of(_MONTHS)
_AT = any_of(all_words(words.AT))
_HOUR_WORD = any_of(latin(all_words(words.HOUR_WORDS)))
# "um 12:30 am 28.11." is German, where "am" means "on".
_GERMAN_DAY = rf"(?:\d\d?\.|{any_of(word for word in _WEEKDAYS if word.endswith('tag'))})"
_HALF = rf"(?:\ ?(?!am\ +{_GERMAN_DAY}) (?P<half>[ap])\.?\ ?m\b\.?)"
_SECONDS = r"(?P<second>[0-5]\d) (?:[.,](?P<fraction>\d{1,9}))?"


def _date(
    *readings: tuple[str | None, str, str], needs: str = "", short_year: bool = False
) -> _Said:
    """What a date says, as far as its numbers may be a month and a day."""
    found = dict.fromkeys(
        (None if year is None else int(year) + (2000 if len(year) == 2 else 0), int(m), int(d))
        for year, m, d in readings
        if 1 <= int(m) <= 12 and 1 <= int(d) <= 31
    )
    return (
        {"day": Day(readings=tuple(found), needs=needs, short_year=short_year)} if found else None
    )


def _clock(match: re.Match[str], *, exact: bool = True, twelve: bool = False) -> _Said:
    """What a time of day says, if there is such a time."""
    parts = match.groupdict(default="")
    hour, half = int(parts["hour"]), parts.get("half", "").lower()
    if hour > (12 if half else 24) or (half and not hour):
        return None
    second = parts.get("second")
    clock = Clock(
        hour=hour,
        minute=int(parts.get("minute") or 0),
        second=int(second) if second else None,
        fraction=parts.get("fraction", ""),
        half=f"{half}m" if half else "",
        exact=exact,
        twelve=twelve and not half and 1 <= hour <= 12,
    )
    return {"clock": clock}


@_rule(
    _NUMBER_RULES,
    "day",
    rf"""{_LEFT} (?P<year>20\d\d) (?P<month>\d\d) (?P<day>\d\d)
    (?: T(?P<hour>\d\d)(?P<minute>[0-5]\d)(?:{_SECONDS})?
    |    (?P<h>\d\d)(?P<m>[0-5]\d)(?P<s>[0-5]\d) ) (?![0-9])""",
)
def _compact(match: re.Match[str]) -> _Said:
    """20261128T042611Z, 20261128042611."""
    date = _date((match["year"], match["month"], match["day"]))
    if match["hour"]:
        clock = _clock(match)
    else:
        clock = {
            "clock": Clock(hour=int(match["h"]), minute=int(match["m"]), second=int(match["s"]))
        }
    return date | clock if date and clock and clock["clock"].hour < 24 else None


@_rule(
    _NUMBER_RULES,
    "epoch",
    rf"""(?<![0-9{_L}_./+#@$€£¥-]) (?P<seconds>1\d{{9}})
    (?:(?P<thousandths>\d{{3}})|\.(?P<fraction>\d+))?
    (?![0-9{_L}_%€$£¥-]|[.:/][0-9{_L}])""",
)
def _epoch(match: re.Match[str]) -> _Said:
    """1795839971, 1795839971182, 1795839971.182345."""
    return {"epoch": f"{match['seconds']}.{match['thousandths'] or match['fraction'] or ''}"}


@_rule(
    _NUMBER_RULES,
    "day",
    rf"""(?<![0-9{_L}_./+:-])
    (?P<y>\d{{4}}) (?P<sep>[-/.]) (?P<m>\d\d?) (?P=sep) (?P<d>\d\d?) (?!\d|[-/.]\w)""",
)
def _year_first(match: re.Match[str]) -> _Said:
    """2026-11-28, 2026/11/28, 2026.11.28, which may be a version."""
    needs = "support" if match["sep"] == "." else ""
    return _date((match["y"], match["m"], match["d"]), needs=needs)


@_rule(
    _NUMBER_RULES,
    "day",
    r"""(?<![0-9]) (?:(?P<y>\d{4}|\d\d)\ ?年\ ?)? (?P<m>\d\d?)\ ?月\ ?(?P<d>\d\d?)
    (?:\ ?[日号號]|(?!\d))""",
)
def _east_asian_date(match: re.Match[str]) -> _Said:
    """2026年11月28日, 11月28日."""
    return _date((match["y"], match["m"], match["d"]))


@_rule(_NUMBER_RULES, "day", r"(?<![0-9月]) (?P<d>\d\d?)[日号號](?![間间本元])")
def _east_asian_day(match: re.Match[str]) -> _Said:
    """28日, which may as well be 28 days or number 28."""
    day = int(match["d"])
    return {"day": Day(readings=((None, None, day),), needs="clock")} if 1 <= day <= 31 else None


@_rule(
    _NUMBER_RULES,
    "day",
    rf"""{_LEFT} (?P<d>\d\d?) (?:st|nd|rd|th|er|º|°|ª|\.)? (?:[ /-]{{0,2}}|\ (?:of|de)\ )
    (?P<month>{_MONTH}) (?![{_L}]) \.?
    (?: (?:[ /,.-]{{0,2}}|\ del?\ ) (?P<y>\d{{4}}) (?!\d) | (?:[/-]|\ ?') (?P<yy>\d\d) (?!\d) )?""",
)
def _day_month(match: re.Match[str]) -> _Said:
    """28 November 2026, 28. Nov, 28 de noviembre de 2026, 22/Nov/26."""
    return _with_name(match, match["y"] or match["yy"])


def _with_name(match: re.Match[str], year: str | None) -> _Said:
    name = match["month"].casefold()
    needs = "clock" if name in _COMMON and not year else ""
    return _date((year, str(_MONTHS[name]), match["d"]), needs=needs)


@_rule(
    _NUMBER_RULES,
    "clock",
    rf"""(?:{_LEFT}|(?<=\dT)|(?<=/\d\d:)|(?<=/\d{{4}}:)|(?<=:[0-5]\d-))
    (?P<hour>\d\d?) [:：] (?P<minute>[0-5]\d) (?:[:：]{_SECONDS})? (?:{_HALF}|\ ?{_HOUR_WORD}\b)?
    (?!\d|[.,][0-9]|[:：][0-9{_L}:]|(?-i:[a-zà-ÿ_])|\ ?[%€$£¥])""",
)
def _colon_clock(match: re.Match[str]) -> _Said:
    """15:26, 15:26:01.182, 3:26 pm; 1:14 may be a duration or a score."""
    return _clock(match, exact=len(match[0]) > 4)


@_rule(
    _NUMBER_RULES,
    "clock",
    rf"""{_LEFT} (?P<hour>\d\d?) \. (?P<minute>[0-5]\d) (?:\.(?P<second>[0-5]\d))?
    (?:\ ?{_HOUR_WORD}\b|{_HALF}) {_RIGHT}""",
)
def _dotted_clock(match: re.Match[str]) -> _Said:
    """14.05 Uhr, 4.26 p.m."""
    return _clock(match)


@_rule(
    _NUMBER_RULES,
    "clock",
    rf"""{_LEFT} (?P<hour>\d\d?)\ ?h\ ?
    (?:(?P<minute>[0-5]\d)(?!\ ?m) (?:\ ?(?P<second>[0-5]\d)\ ?s\b)?)? (?![{_L}]) {_RIGHT}""",
)
def _h_clock(match: re.Match[str]) -> _Said:
    """14h, 08h17, 23 h 43, each of which may as well be a duration."""
    return _clock(match, exact=False)


@_rule(
    _NUMBER_RULES,
    "clock",
    rf"""{_LEFT} (?P<hour>\d\d?)
    (?:{_HALF}|\ ?uhr\b(?:\ ?(?P<minute>[0-5]?\d)\b)?|\ ?(?P<twelve>o'clock)\b) {_RIGHT}""",
)
def _hour_word(match: re.Match[str]) -> _Said:
    """3pm, 3 p.m., 14 Uhr, 6 o'clock; "3 am" may be German: number 3 on …"""
    exact = not re.fullmatch(r"\d+\ +am", match[0])
    return _clock(match, exact=exact, twelve=bool(match["twelve"]))


@_rule(
    _NUMBER_RULES,
    "clock",
    r"""(?<![0-9.:/-]) (?P<hour>\d\d?)\ ? (?:(?P<twelve>[点點])|時(?!間)|时(?!间))
    (?:\ ?(?P<minute>[0-5]?\d)分?|(?P<half_past>半))? (?:(?P<second>[0-5]?\d)秒)?""",
)
def _east_asian_clock(match: re.Match[str]) -> _Said:
    """15时26分, 3点半."""
    said = _clock(match, exact=False, twelve=bool(match["twelve"]))
    if said and match["half_past"]:
        said = {"clock": replace(said["clock"], minute=30)}
    return said


@_rule(
    _NUMBER_RULES,
    "day",
    rf"""{_LEFT} (?P<d>\d\d?)\.\ ?(?P<m>\d\d?)
    (?:\.?\ (?P<y>20\d\d)|\.(?P<yyyy>\d{{4}})|\.(?P<yy>\d\d)|(?P<dot>\.)|) {_RIGHT}""",
)
def _dotted(match: re.Match[str]) -> _Said:
    """28.11.2026, 28.11.26, 28.11.: the day first, always."""
    year = match["y"] or match["yyyy"]
    needs = "support" if match["dot"] or (match["yy"] and len(match[0]) == 8) else "clock"
    return _date((year or match["yy"], match["m"], match["d"]), needs="" if year else needs)


@_rule(
    _NUMBER_RULES,
    "day",
    rf"""{_LEFT} (?P<a>\d\d?) (?P<sep>[/-]) (?P<b>\d\d?) (?:(?P=sep)(?P<y>\d{{4}}|\d\d))?
    {_RIGHT} (?!/)""",
)
def _either_order(match: re.Match[str]) -> _Said:
    """28/11/2026, 11/28/2026, 28/11, 26-11-28: every order that is a date."""
    first, second, year = match["a"], match["b"], match["y"]
    if match["sep"] == "-" and not year:
        return None
    readings = [(year, second, first), (year, first, second)]
    short_year = bool(year) and len(year) == 2
    if short_year and len(first) == 2:
        readings.append((first, second, year))
    return _date(*readings, needs="" if year and not short_year else "clock", short_year=short_year)


@_rule(_NUMBER_RULES, "year", r"(?<![0-9.:/-]) (?P<year>20\d\d) (?![0-9]|[.:/-]\w)")
def _year(match: re.Match[str]) -> _Said:
    """Sat Nov 28 04:26:11 CET 2026."""
    return {"year": int(match["year"])}


@_rule(
    _WORD_RULES,
    "zone",
    r"""(?<=[0-9 \t)]) [+-] \d\d:?[0-5]\d (?![0-9]|:\d) | (?<=\ ) [+-]\d\d? $
    | (?:(?<=:\d\d:\d\d)|(?<=\.\d{3})|(?<=\.\d{6})) [+-]\d\d (?![0-9]|:\d)""",
)
def _offset(match: re.Match[str]) -> _Said:
    """+01:00, -0500, 04:26:11+00; right behind a time without seconds, 14:05-15:00 is a range."""
    before = match.string[max(0, match.start() - 6) : match.start()]
    range_like = match[0][0] == "-" and re.search(r"(?<!:\d\d)(?<!T\d\d):\d\d$", before)
    return None if range_like else _named_zone(match[0])


@_rule(_WORD_RULES, "zone", r"(?:utc|gmt)\ ?[+-]\ ?\d\d?(?::?[0-5]\d)? (?![0-9]|:\d)")
def _utc_offset(match: re.Match[str]) -> _Said:
    """UTC+8, GMT-3."""
    return _named_zone(match[0])


@_rule(_WORD_RULES, "zone", rf"(?-i:[A-Z])[{_L}]+ (?:/(?-i:[A-Z])[{_L}_-]+){{1,2}}")
def _zone_name(match: re.Match[str]) -> _Said:
    """Europe/Berlin; no zone has more than three parts."""
    return _named_zone(match[0])


_CITY = rf"(?-i:[A-ZÀ-Ý])[{_L}]+(?:\ (?-i:[A-ZÀ-Ý])[{_L}]+)?"


@_rule(
    _WORD_RULES,
    "zone",
    rf"""(?P<city>{_CITY})\ (?:local\ )?time\b
    | (?:ortszeit|heure(?:\ locale)?\ de|hora(?:\ local)?\ de|ora(?:\ locale)?\ di)[ ]
    (?P<town>{_CITY})""",
)
def _city_time(match: re.Match[str]) -> _Said:
    """Tokyo time, heure de Paris."""
    return _named_zone(match["city"] or match["town"])


def _named_zone(name: str) -> _Said:
    found = zones.matches(name)
    return {"zones": found} if found else None


@_rule(
    _WORD_RULES,
    "day",
    rf"""(?P<month>{_MONTH})\.?[ -]{{0,2}}(?P<d>\d\d?)(?:st|nd|rd|th)?
    (?![0-9{_L}]|[:.]\d|\ ?h\b|[. ]{{1,2}}{_MONTH}\b) (?:,?\ (?P<y>20\d\d)(?![0-9:]))?""",
)
def _month_day(match: re.Match[str]) -> _Said:
    """Nov 28, 2026."""
    return _with_name(match, match["y"])


@_rule(
    _WORD_RULES,
    "clock",
    rf"""{_AT}\ ?(?P<hour>\d\d?)(?:\.(?P<minute>[0-5]\d))?(?:\ (?P<word>{_HOUR_WORD})\b)?
    (?![{_L}]) {_RIGHT} (?!{_HALF})""",
)
def _at_hour(match: re.Match[str]) -> _Said:
    """um 4.26, alle 15, a las 6, à 8 heures."""
    return _clock(match, exact=False, twelve=not match["word"] and not match["minute"])
