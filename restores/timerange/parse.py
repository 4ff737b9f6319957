"""Time ranges parsed from the parameters on, from, to, tz, asof, around and win."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from . import human, zones
from .format import describe_time, range_notes
from .ranges import EARLIEST, LATEST, ON, Edge, InvalidTimeRange, ParamError, TimeRange, to_iso

MAX_LENGTH = 64
_PARAMS = ("on", "from", "to", "tz", "asof", "around", "win")
# An asof may be this far ahead of our clock, because it may come from one that is fast.
_MAX_AHEAD = timedelta(minutes=5)
_DEFAULT_WIDTH = "30m"
_MAX_SHOWN = 200

_WIDTH = re.compile(r"(\d{1,4})([mhdw])", re.ASCII)
_WIDTH_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", re.ASCII)
# A blank before the offset is a "+" that was lost in URL decoding.
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r"(?:(Z|z| ?UTC)|([+ -])(\d\d):?(\d\d))?",
    re.ASCII,
)
# Relative times as Grafana writes them: now-24h, now-1d/d. A blank before a digit is a lost "+".
_RELATIVE = re.compile(r"now((?:[+ -]\d+[mhdwMy]|/[mhdwMy])*)", re.ASCII)
_RELATIVE_TERM = re.compile(r"([+ /-])(\d*)([mhdwMy])", re.ASCII)
_ROUNDED = re.compile(r"/[dwMy]")
_STARTS_WITH_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)", re.ASCII | re.DOTALL)

_NOT_A_TIME = "isn’t a valid date or time. Try “23 Nov 2026 14:03” or “yesterday”"
_OUT_OF_RANGE = "must be between 2000 and 2100"


def parse(params: Mapping[str, str], now: datetime) -> TimeRange:
    """Parse a time range; raise InvalidTimeRange with all errors."""
    parser = _Parser(params, now.astimezone(UTC))
    time_range = parser.parse()
    if parser.errors:
        raise InvalidTimeRange(parser.errors)
    return time_range


class InvalidTime(ValueError):
    """Text that isn't a time, and a spelling that was probably meant, if any."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason, self.suggestion = reason, suggestion


def parse_time(raw: str, now: datetime, zone: ZoneInfo, *, upper: bool = False) -> Edge:
    """Parse a time in a spelling that URLs may have; raise InvalidTime for any other text.

    An ``upper`` edge includes whole days and months, and takes the later of two meanings.
    """
    if len(raw) > MAX_LENGTH:
        raise InvalidTime(f"is longer than {MAX_LENGTH} characters")
    try:
        edge = _absolute(raw, zone, upper) or _relative(raw, now, zone, upper)
    except OverflowError as error:
        raise InvalidTime(_OUT_OF_RANGE) from error
    except ValueError as error:
        raise _nonexistent(raw) from error
    if edge is None:
        raise InvalidTime(_NOT_A_TIME)
    if not EARLIEST <= edge.at <= LATEST or (edge.at == LATEST and not upper):
        raise InvalidTime(_OUT_OF_RANGE)
    return edge


class _Parser:
    """One pass over the parameters that goes on after an error, to report all of them."""

    def __init__(self, params: Mapping[str, str], now: datetime) -> None:
        self.raw = {name: params.get(name, "").strip() for name in _PARAMS}
        self.now = now
        self.zone = ZoneInfo("UTC")
        self.errors: list[ParamError] = []

    def parse(self) -> TimeRange:
        on = self._parse_on()
        self.zone = self._parse_zone()
        asof = self._parse_asof()
        # Whole seconds: a link made from this page, with its asof in seconds, shows the same.
        self.now = asof or self.now.replace(microsecond=0)
        if self.raw["around"]:
            first, last = self._parse_around()
        else:
            first, last = self._parse_edge("from"), self._parse_edge("to", upper=True)
            if self.raw["win"]:
                self._refuse("win", "needs a time in “Around a time”")
        end = last.at if last else asof
        if first and end and first.at >= end and not self.errors:
            self._refuse("from", "must be before “To”", self._swapped())
        return TimeRange(
            on=on,
            start=first.at if first else None,
            end=end,
            tz=self.zone.key if self.raw["tz"] else "",
            asof=asof,
            now=self.now,
            edges=(first.text if first else "", last.text if last else ""),
            notes=range_notes(first, last, self.zone, self.now),
        )

    def _parse_on(self) -> str:
        on = self.raw["on"] or ON[0]
        if on not in ON:
            close = get_close_matches(on[:MAX_LENGTH].casefold(), ON, n=1)
            suggestion = {"on": close[0]} if close else {}
            self._refuse("on", f"must be one of {', '.join(ON)}", suggestion)
        return on

    def _parse_zone(self) -> ZoneInfo:
        name = self.raw["tz"] or "UTC"
        found = zones.matches(name)
        zone = zones.find(found[0]) if len(found) == 1 else None
        if not found and zones.is_offset(name):
            self._refuse("tz", "isn’t the offset of a time zone. Offsets go from UTC-12 to UTC+14")
        elif not found:
            close = zones.nearest(name)
            reason = "is an unknown time zone. Try a city (“Berlin”), a country or “UTC+8”"
            self._refuse("tz", reason, {"tz": close} if close else {}, meaning=close)
        elif len(found) > 1:
            names = {key: zones.describe(key, self.now) for key in found}
            hint = f"It could mean {' or '.join(names.values())}"
            for key, meaning in names.items():
                self._refuse("tz", "is ambiguous", {"tz": key}, meaning=meaning, hint=hint)
        return zone or ZoneInfo("UTC")

    def _parse_asof(self) -> datetime | None:
        edge = self._parse_exact("asof")
        if edge is None:
            return None
        if edge.text.startswith("now"):
            self._refuse("asof", "must be an exact time", {"asof": to_iso(edge.at)})
        elif edge.at > self.now + _MAX_AHEAD:
            self._refuse("asof", "is in the future", {"asof": ""}, meaning="current data")
        return edge.at

    def _parse_around(self) -> tuple[Edge | None, Edge | None]:
        if self.raw["from"] or self.raw["to"]:
            reason = "can’t be combined with “From” and “To”"
            without: dict[str, dict[str, str]] = {
                "only “Around a time”": {"from": "", "to": ""},
                "only “From” and “To”": {"around": "", "win": ""},
            }
            for meaning, suggestion in without.items():
                self._refuse("around", reason, suggestion, meaning=meaning)
        default = {"win": _DEFAULT_WIDTH}
        match = _WIDTH.fullmatch(self.raw["win"] or _DEFAULT_WIDTH)
        if match is None or not int(match[1]):
            self._refuse("win", "isn’t a valid duration. Try 30m, 2h or 1d", default)
        middle = self._parse_exact("around")
        if middle is None or match is None:
            return None, None
        width = timedelta(**{_WIDTH_UNITS[match[2]]: int(match[1])})
        start, end = middle.at - width, middle.at + width
        if start < EARLIEST or end > LATEST:
            self._refuse("win", "goes beyond the years 2000 to 2100", default)
        return Edge(at=start, text=to_iso(start)), Edge(at=end, text=to_iso(end))

    def _parse_exact(self, param: str) -> Edge | None:
        edge = self._parse_edge(param)
        if edge and param == "around" and (edge.whole or _ROUNDED.search(edge.text)):
            # A day isn't one time to look around, and its midnight isn't meant.
            whole = {"around": "", "win": "", "from": self.raw[param], "to": self.raw[param]}
            self._refuse(param, "needs a time of day", whole, meaning="all of it")
        elif edge and edge.whole:
            self._refuse(param, "needs a time", {param: edge.text})
        return edge

    def _parse_edge(self, param: str, *, upper: bool = False) -> Edge | None:
        raw = self.raw[param]
        if not raw:
            return None
        try:
            return parse_time(raw, self.now, self.zone, upper=upper)
        except InvalidTime as error:
            meanings = human.interpret(raw, self.now, self.zone, upper=upper)
            meanings = tuple(filter(self._is_valid, meanings))
            if meanings:
                self._offer(param, meanings)
                return None
            for close in (error.suggestion, *human.suggest(raw, self.now, self.zone)):
                if self._is_valid(close):
                    self._refuse(param, error.reason, {param: close}, meaning=describe_time(close))
                    return None
            self._refuse(param, error.reason)
            return None

    def _offer(self, param: str, meanings: tuple[str, ...]) -> None:
        """Report a time that a person wrote, with every meaning that it may have."""
        if len(meanings) == 1:
            [meaning] = meanings
            self._refuse(
                param,
                f"must be written as {meaning}",
                {param: meaning},
                meaning=describe_time(meaning),
                clear=param != "asof",
            )
            return
        names = [describe_time(meaning) for meaning in meanings]
        hint = f"It could mean {' or '.join(names)}"
        for meaning, name in zip(meanings, names, strict=True):
            self._refuse(param, "is ambiguous", {param: meaning}, meaning=name, hint=hint)

    def _is_valid(self, spelling: str) -> bool:
        try:
            return bool(spelling and parse_time(spelling, self.now, self.zone))
        except InvalidTime:
            return False

    def _swapped(self) -> dict[str, str]:
        """From and to the other way round, if that is a range."""
        first, last = self.raw["to"], self.raw["from"]
        if not first or not last:
            return {}
        try:
            start = parse_time(first, self.now, self.zone)
            end = parse_time(last, self.now, self.zone, upper=True)
        except InvalidTime:
            return {}
        return {"from": first, "to": last} if start.at < end.at else {}

    def _refuse(
        self,
        param: str,
        reason: str,
        suggestion: Mapping[str, str] | None = None,
        *,
        meaning: str = "",
        hint: str = "",
        clear: bool = False,
    ) -> None:
        value = self.raw[param]
        shown = value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…"
        # Lone surrogates cannot be sent, NUL cannot be shown.
        shown = shown.encode(errors="replace").decode().replace("\0", "�")
        self.errors.append(
            ParamError(
                param=param,
                value=shown,
                reason=reason,
                suggestion=suggestion or {},
                meaning=meaning,
                hint=hint,
                clear=clear,
            )
        )


def _absolute(raw: str, zone: ZoneInfo, upper: bool) -> Edge | None:
    if match := _DATE.fullmatch(raw):
        return _whole(_wall_clock(*match.group(1, 3, 4)), "d", zone, upper)
    if match := _MONTH.fullmatch(raw):
        return _whole(_wall_clock(*match.groups(), "1"), "M", zone, upper)
    if match := _COMPACT.fullmatch(raw):
        return _local(_wall_clock(*match.groups()), zone, upper)
    if _EPOCH.fullmatch(raw):
        return _exact(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(f"{raw:0<13}")))
    if match := _DATETIME.fullmatch(raw):
        *parts, fraction, utc, sign, hours, minutes = match.groups()
        local = _wall_clock(*parts)
        local += timedelta(milliseconds=int(f"{(fraction or '')[:3]:0<3}"))
        if utc:
            return _exact(local.replace(tzinfo=UTC))
        if sign:
            distance = timedelta(hours=int(hours), minutes=int(minutes))
            return _exact(local.replace(tzinfo=timezone(-distance if sign == "-" else distance)))
        return _local(local, zone, upper)
    return None


def _wall_clock(*parts: str | None) -> datetime:
    numbers = [int(part or 0) for part in parts] + [0, 0, 0]
    year, month, day, hour, minute, second = numbers[:6]
    # One year of leeway on both sides: an offset may carry the time back in.
    if not EARLIEST.year - 1 <= year <= LATEST.year:
        raise OverflowError(year)
    return datetime(year, month, day, hour, minute, second)


def _whole(first: datetime, unit: str, zone: ZoneInfo, upper: bool) -> Edge:
    if not EARLIEST.year <= first.year < LATEST.year:
        raise OverflowError(first.year)
    # The first of two midnights starts a day, also as an end: neighboring days never overlap.
    local = zones.add(first, 1, unit) if upper else first
    at, skipped = zones.to_utc(local, zone)
    return Edge(at=at, text=to_iso(at), whole=True, skipped=local if skipped else None)


def _local(local: datetime, zone: ZoneInfo, upper: bool) -> Edge:
    at, skipped = zones.to_utc(local, zone, last=upper)
    return Edge(at=at, text=to_iso(at), skipped=local if skipped else None)


def _exact(at: datetime) -> Edge:
    at = at.astimezone(UTC)
    return Edge(at=at, text=to_iso(at))


def _relative(raw: str, now: datetime, zone: ZoneInfo, upper: bool) -> Edge | None:
    match = _RELATIVE.fullmatch(raw)
    if match is None:
        return None
    at, text = now, "now"
    try:
        for sign, digits, unit in _RELATIVE_TERM.findall(match[1]):
            if sign == "/":
                at, text = _rounded(at, unit, zone, upper), f"{text}/{unit}"
                continue
            count, sign = int(digits), sign.replace(" ", "+")
            at = _shifted(at, -count if sign == "-" else count, unit, zone, upper)
            text += f"{sign}{count}{unit}"
    except ValueError as error:
        raise OverflowError(raw) from error
    return Edge(at=at, text=text)


def _shifted(at: datetime, count: int, unit: str, zone: ZoneInfo, upper: bool) -> datetime:
    if count == 0:
        return at
    if unit in "mh":
        return at + timedelta(minutes=count * (60 if unit == "h" else 1))
    local = zones.add(_local_time(at, zone), count, unit)
    return zones.to_utc(local, zone, last=upper)[0]


def _rounded(at: datetime, unit: str, zone: ZoneInfo, upper: bool) -> datetime:
    local = _local_time(at, zone)
    if unit in "mh":
        # In UTC, so that an hour which occurs twice stays the one it is.
        over = timedelta(minutes=local.minute if unit == "h" else 0, seconds=local.second)
        start = at - over - timedelta(microseconds=local.microsecond)
        return start + timedelta(minutes=60 if unit == "h" else 1) if upper else start
    local = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "w":
        local -= timedelta(days=local.weekday())
    elif unit in "My":
        local = local.replace(day=1, month=1 if unit == "y" else local.month)
    return zones.to_utc(zones.add(local, 1, unit) if upper else local, zone)[0]


def _local_time(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _nonexistent(raw: str) -> InvalidTime:
    """Say why a date doesn't exist, and suggest the last day of its month."""
    if match := _STARTS_WITH_DATE.fullmatch(raw):
        year, month, day = (int(part) for part in match.group(1, 2, 3))
        if year and 1 <= month <= 12 and day > (last := monthrange(year, month)[1]):
            reason = f"doesn’t exist ({datetime(year, month, 1):%B %Y} has {last} days)"
            return InvalidTime(reason, f"{match[1]}-{match[2]}-{last}{match[4]}")
    return InvalidTime("doesn’t exist")
