"""The faults switched on at the moment: which request they strike, and how often still."""

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock

from .answers import Answer, Request
from .kinds import KINDS, Options

COMMON = ("kind", "match", "method", "project", "instance", "times")


class FaultError(ValueError):
    """A fault is described wrongly; the text says what is allowed."""


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One fault; ``times`` counts down, None strikes for ever."""

    kind: str
    options: Options
    match: str = ""
    method: str | None = None
    places: tuple[frozenset[str], ...] = ()
    times: int | None = None
    struck: int = 0
    asked: Mapping[str, object]
    hits: deque[float] = field(default_factory=deque)

    def fits(self, request: Request) -> bool:
        """Whether the request is one of those it strikes."""
        return (
            self.times != 0
            and self.method in (None, request.method)
            and _found(self.match, request.target)
            and all(any(each in request.target for each in place) for place in self.places)
        )

    def printed(self) -> dict[str, object]:
        """Return it as it was asked for, with how often it has struck."""
        return {**self.asked, "times": self.times, "struck": self.struck}


class Faults:
    """The list of faults; ``names`` gives the ids behind names of projects and instances."""

    def __init__(self, names: Mapping[str, frozenset[str]]) -> None:
        self._names = names
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, *described: object) -> None:
        """Switch faults on; all of them or, if one is wrong, none."""
        new = [self._fault(each) for each in described]
        with self._lock:
            self._faults += new

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults = []

    def printed(self) -> list[dict[str, object]]:
        """Return every fault that was switched on, spent ones included."""
        return [fault.printed() for fault in self._faults]

    def skew(self, request: Request) -> timedelta:
        """Return how wrong the server's clock is for this request."""
        seconds = 0.0
        for fault in self._fitting(request):
            if (change := KINDS[fault.kind].skew) and self._strikes(fault):
                seconds += change(fault.options)
        return timedelta(seconds=seconds)

    def instead(self, request: Request) -> Answer | None:
        """Return the answer that a fault gives in the API's place."""
        for fault in self._fitting(request):
            if answer := KINDS[fault.kind].instead:
                with self._lock:
                    given = answer(fault.options, fault.hits)
                if given and self._strikes(fault):
                    return given
        return None

    def spoiled(self, request: Request, answer: Answer) -> Answer:
        """Return the answer as the faults let it out."""
        for fault in self._fitting(request):
            if (spoil := KINDS[fault.kind].after) and self._strikes(fault):
                answer = spoil(fault.options, answer)
        return answer

    def _fitting(self, request: Request) -> Iterable[Fault]:
        return [fault for fault in self._faults if fault.fits(request)]

    def _strikes(self, fault: Fault) -> bool:
        with self._lock:
            if fault.times == 0:
                return False
            fault.struck += 1
            if fault.times is not None:
                fault.times -= 1
            return True

    def _fault(self, described: object) -> Fault:
        if not isinstance(described, dict):
            raise FaultError(f"a fault is a JSON object, not {described!r}")
        kind, times = described.get("kind"), described.get("times")
        if not isinstance(kind, str) or kind not in KINDS:
            raise FaultError(f"kind {kind!r} is unknown; allowed: {', '.join(KINDS)}")
        if times is not None and not (type(times) is int and times > 0):
            raise FaultError(f"times {times!r} is not allowed: a whole number above 0, or null")
        for name in ("match", "method", "project", "instance"):
            if not isinstance(described.get(name, ""), str):
                raise FaultError(f"{name} {described[name]!r} is not a text")
        places = [described[name] for name in ("project", "instance") if name in described]
        return Fault(
            kind=kind,
            options=_options(kind, described),
            match=described.get("match", ""),
            method=described.get("method"),
            places=tuple(self._names.get(each, frozenset({each})) for each in places),
            times=times,
            asked=described,
        )


def faults_from(spec: str) -> list[object]:
    """Read a SPEC: JSON text, or ``@file`` with JSON in it; one fault or a list of them."""
    try:
        text = Path(spec[1:]).read_text(encoding="utf-8") if spec.startswith("@") else spec
        value = json.loads(text)
    except OSError as error:
        raise FaultError(f"{spec}: {error.strerror}") from error
    except ValueError as error:
        raise FaultError(f"not JSON: {error}") from error
    return value if isinstance(value, list) else [value]


def _options(kind: str, described: Mapping[str, object]) -> dict[str, object]:
    checks = KINDS[kind].options
    options: dict[str, object] = {}
    for name, value in described.items():
        if name in COMMON:
            continue
        if name not in checks:
            allowed = ", ".join((*COMMON, *checks))
            raise FaultError(f"{kind} has no {name!r}; allowed: {allowed}")
        try:
            options[name] = checks[name](value)
        except ValueError as error:
            raise FaultError(f"{kind}: {name}: {error}") from error
    if missing := KINDS[kind].required - options.keys():
        raise FaultError(f"{kind} needs {', '.join(sorted(missing))}")
    return options


def _found(match: str, target: str) -> bool:
    if match in target:
        return True
    try:
        return re.search(match, target) is not None
    except re.error:
        return False
