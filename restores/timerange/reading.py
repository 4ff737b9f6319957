"""Reads a window from URL parameters, naming every problem at once."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from . import zones
from .notes import notes
from .spellings import END, FIRST, Misspelt, Moment, instant, moment
from .typed import typed
from .window import ON, InvalidTimeRange, ParamError, TimeRange

_PARAMS = ("on", "from", "to", "tz", "asof", "around", "win")
_AHEAD = timedelta(minutes=5)
_REACH = "30m"
_WIN = re.compile(r"(\d{1,4})([mhdw])", re.ASCII)
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SHOWN = 200
_WRITTEN = "not a time as an address spells it, which is"
_EITHER = "not a time with one meaning; it may be"


def read(params: Mapping[str, str], now: datetime) -> TimeRange:
    """The window that on, from, to, tz, asof, around and win ask for; raises InvalidTimeRange."""
    reading = _Reading(params, now.astimezone(UTC))
    window = reading.window()
    if reading.errors:
        raise InvalidTimeRange(reading.errors)
    return window


class _Reading:
    """One pass over the parameters that goes on after a problem, to report them all."""

    def __init__(self, params: Mapping[str, str], now: datetime) -> None:
        self.asked = {name: params.get(name, "").strip() for name in _PARAMS}
        self.errors: list[ParamError] = []
        self.on = self._on()
        self.zone = self._zone()
        self.asof = self._asof(now)
        # Whole seconds: a link made from this page, with its asof in seconds, shows the same.
        self.now = self.asof or now.replace(microsecond=0)

    def window(self) -> TimeRange:
        shorthand = bool(self.asked["around"] or self.asked["win"])
        first, last = self._around() if shorthand else (self._edge("from"), self._edge("to"))
        end = last.at if last else self.asof
        if first and end and first.at >= end and not self.errors:
            self._refuse("from", "is not before the end of the window", self._swapped())
        return TimeRange(
            on=self.on,
            start=first.at if first else None,
            end=end,
            tz=self.zone.key,
            asof=self.asof,
            moment=self.now,
            spelt=(first.text if first else "", last.text if last else ""),
            notes=notes(first, last, self.zone, self.now),
            shorthand=shorthand,
        )

    def _on(self) -> str:
        on = self.asked["on"] or ON[0]
        if on not in ON:
            close = get_close_matches(on[:64].casefold(), ON, n=1)
            self._refuse("on", f"must be one of {', '.join(ON)}", {"on": close[0]} if close else {})
        return on

    def _zone(self) -> ZoneInfo:
        name = self.asked["tz"] or "UTC"
        zone = zones.find(name)
        if zone is None:
            reason = "not a time zone; write UTC or a name such as Europe/Berlin"
            close = zones.nearest(name)
            self._refuse("tz", reason, {"tz": close} if close else {})
        return zone or ZoneInfo("UTC")

    def _asof(self, now: datetime) -> datetime | None:
        found = self._instant("asof", now)
        if found is None:
            return None
        if found.text.startswith("now"):
            here = {"asof": instant(found.at)}
            self._refuse("asof", "must be a fixed time, not one relative to now", here)
        elif found.at > now + _AHEAD:
            self._refuse("asof", "lies in the future", {"asof": ""})
        return found.at

    def _edge(self, param: str) -> Moment | None:
        return self._moment(param, self.now, upper=param == "to")

    def _instant(self, param: str, now: datetime) -> Moment | None:
        found = self._moment(param, now)
        if found and found.whole:
            self._refuse(param, "needs a time of day", {param: found.text})
        return found

    def _moment(self, param: str, now: datetime, *, upper: bool = False) -> Moment | None:
        raw = self.asked[param]
        try:
            return moment(raw, now, self.zone, upper=upper) if raw else None
        except Misspelt as error:
            if not self._typed(param, now, upper=upper):
                meant = {param: error.suggestion} if self._readable(error.suggestion, now) else {}
                self._refuse(param, error.reason, meant)
            return None

    def _typed(self, param: str, now: datetime, *, upper: bool) -> bool:
        """Name every meaning of a time that a person wrote, each as a problem."""
        meanings = typed(self.asked[param], now, self.zone, upper=upper)
        meanings = tuple(one for one in meanings if self._readable(one, now))
        clear = len(meanings) == 1
        reason = f"{_WRITTEN if clear else _EITHER} {' or '.join(meanings)}"
        for one in meanings:
            self._refuse(param, reason, {param: one}, clear=clear and param != "asof")
        return bool(meanings)

    def _readable(self, raw: str, now: datetime) -> bool:
        try:
            return bool(raw and moment(raw, now, self.zone))
        except Misspelt:
            return False

    def _around(self) -> tuple[Moment | None, Moment | None]:
        for param in ("from", "to"):
            if self.asked[param]:
                self._refuse(param, "cannot stand beside around", {param: ""})
        match = _WIN.fullmatch(self.asked["win"] or _REACH)
        if match is None or not int(match[1]):
            self._refuse("win", "not a length of time; write 30m, 2h or 1d", {"win": _REACH})
        if not self.asked["around"]:
            self._refuse("win", "says how far to look around a time, but around is missing")
        middle = self._instant("around", self.now)
        if middle is None or match is None:
            return None, None
        reach = timedelta(**{_UNIT[match[2]]: int(match[1])})
        start, end = middle.at - reach, middle.at + reach
        if start < FIRST or end > END:
            self._refuse("win", "reaches outside the years 2000–2100", {"win": _REACH})
        return Moment(at=start, text=instant(start)), Moment(at=end, text=instant(end))

    def _swapped(self) -> dict[str, str]:
        first, last = self.asked["to"], self.asked["from"]
        if not first or not last:
            return {}
        try:
            start = moment(first, self.now, self.zone)
            end = moment(last, self.now, self.zone, upper=True)
        except Misspelt:
            return {}
        return {"from": first, "to": last} if start.at < end.at else {}

    def _refuse(
        self,
        param: str,
        reason: str,
        meant: Mapping[str, str] | None = None,
        *,
        clear: bool = False,
    ) -> None:
        value = self.asked[param]
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        # Lone surrogates cannot be sent, NUL cannot be shown.
        shown = shown.encode(errors="replace").decode().replace("\0", "�")
        self.errors.append(
            ParamError(param=param, value=shown, reason=reason, suggestion=meant or {}, clear=clear)
        )
