"""Fault injection: the kinds of fault, and those switched on at the moment.

A fault is a JSON object: its kind, the kind's own options, and which requests it applies to
(``match``: a part of the target or a regular expression, ``method``, ``project``, ``instance``)
and how many ``times``. A new kind is a function and a line in ``KINDS``.
"""

import json
import re
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

from .responses import (
    JSON,
    Connection,
    Request,
    Response,
    gateway_error,
    rate_limit_error,
    service_error,
)
from .world import World

Options = Mapping[str, Any]
Check = Callable[[object], object]
FOREVER = 3600
# For ``edit``: the key of the rows -> the key of their total
LISTS = {
    "restore_record_response": "total_num",
    "backup_record_response": "total_num",
    "instances": "instance_num",
    "projects": "",
}


class InvalidFault(ValueError):
    """A fault is described wrongly; the message says what is allowed."""


@dataclass(slots=True, kw_only=True, eq=False)
class Fault:
    """One fault; ``times`` counts down, None applies forever."""

    kind: str
    options: Options
    match: str = ""
    method: str | None = None
    ids: tuple[frozenset[str], ...] = ()
    times: int | None = None
    hits: int = 0
    described: Mapping[str, object]
    recent: deque[float] = field(default_factory=deque)

    def applies_to(self, request: Request) -> bool:
        """Whether the request is one of those that it changes."""
        return (
            self.times != 0
            and self.method in (None, request.method)
            and _matches(self.match, request.target)
            and all(any(each in request.target for each in ids) for ids in self.ids)
        )

    def to_json(self) -> dict[str, object]:
        """Return it as it was described, with how often it has applied."""
        return {**self.described, "times": self.times, "hits": self.hits}


class Faults:
    """The faults that are switched on."""

    def __init__(self, world: World | None = None) -> None:
        # The ids behind each name, for faults that name a project or an instance.
        self._ids: dict[str, set[str]] = {}
        if world:
            for project in world.projects:
                self._ids.setdefault(project.name, set()).add(project.project_id)
            for instance in world.instances:
                self._ids.setdefault(instance.name, set()).add(instance.instance_id)
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, *described: object) -> None:
        """Switch faults on; all of them or, if one is invalid, none."""
        new = [self._fault(each) for each in described]
        with self._lock:
            self._faults += new

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults = []

    def to_json(self) -> list[dict[str, object]]:
        """Return every fault that was switched on, used-up ones included."""
        return [fault.to_json() for fault in self._faults]

    def clock_skew(self, request: Request) -> timedelta:
        """Return how wrong the server's clock is for this request."""
        seconds = 0.0
        for fault in self._applicable(request):
            if (skew := KINDS[fault.kind].skew) and self._use(fault):
                seconds += skew(fault.options)
        return timedelta(seconds=seconds)

    def response(self, request: Request) -> Response | None:
        """Return the response that a fault gives in place of the API."""
        for fault in self._applicable(request):
            if respond := KINDS[fault.kind].respond:
                with self._lock:
                    response = respond(fault.options, fault.recent)
                if response and self._use(fault):
                    return response
        return None

    def alter(self, request: Request, response: Response) -> Response:
        """Return the response as the faults let it out."""
        for fault in self._applicable(request):
            if (alter := KINDS[fault.kind].alter) and self._use(fault):
                response = alter(fault.options, response)
        return response

    def _applicable(self, request: Request) -> list[Fault]:
        return [fault for fault in self._faults if fault.applies_to(request)]

    def _use(self, fault: Fault) -> bool:
        with self._lock:
            if fault.times == 0:
                return False
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            return True

    def _fault(self, described: object) -> Fault:
        if not isinstance(described, dict):
            raise InvalidFault(f"a fault is a JSON object, not {described!r}")
        name, times = described.get("kind"), described.get("times")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise InvalidFault(f"kind {name!r} is unknown; allowed: {', '.join(KINDS)}")
        if times is not None and not (type(times) is int and times > 0):
            raise InvalidFault(f"times {times!r} is not allowed: a whole number above 0, or null")
        common = ("match", "method", "project", "instance")
        for key in common:
            if not isinstance(described.get(key, ""), str):
                raise InvalidFault(f"{key} {described[key]!r} is not a string")
        options = {k: v for k, v in described.items() if k not in ("kind", "times", *common)}
        for key, value in options.items():
            if key not in kind.options:
                allowed = ", ".join(("kind", "times", *common, *kind.options))
                raise InvalidFault(f"{name} has no {key!r}; allowed: {allowed}")
            try:
                kind.options[key](value)
            except ValueError as error:
                raise InvalidFault(f"{name}: {key}: {error}") from error
        if missing := kind.required - options.keys():
            raise InvalidFault(f"{name} needs {', '.join(sorted(missing))}")
        names = [described[key] for key in ("project", "instance") if key in described]
        return Fault(
            kind=str(name),
            options=options,
            match=described.get("match", ""),
            method=described.get("method"),
            ids=tuple(frozenset(self._ids.get(each, {each})) for each in names),
            times=times,
            described=described,
        )


def parse_faults(text: str) -> list[object]:
    """Read JSON, or ``@file`` with JSON in it; one fault or a list of them."""
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        value = json.loads(text)
    except OSError as error:
        raise InvalidFault(f"{text}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidFault(f"not JSON: {error}") from error
    return value if isinstance(value, list) else [value]


def send(connection: Connection, head: bytes, body: bytes) -> None:
    """Deliver a response as it should be: in one write."""
    connection.send(head + body)


@cache
def gzip_bomb(megabytes: int) -> bytes:
    """Return a list of restores with this many megabytes of blanks in it, as gzip.

    The blanks are compressed once and repeated, so that the bomb is cheap to make.
    """
    start, end = b'{"total_num":0,"restore_record_response":[', b"]}"
    blanks = b" " * 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    tail = packer.compress(end) + packer.flush(zlib.Z_FINISH)
    checksum = zlib.crc32(start)
    for _ in range(megabytes):
        checksum = zlib.crc32(blanks, checksum)
    checksum = zlib.crc32(end, checksum)
    size = len(start) + megabytes * len(blanks) + len(end)
    trailer = checksum.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + head + block * megabytes + tail + trailer


def _matches(match: str, target: str) -> bool:
    if match in target:
        return True
    try:
        return re.search(match, target) is not None
    except re.error:
        return False


def _scripted(options: Options, _recent: deque[float]) -> Response:
    """Respond exactly as the fault says; a string goes out raw, anything else as JSON."""
    headers = {name.lower(): (name, value) for name, value in options.get("headers", {}).items()}
    body = options.get("body")
    raw = body if isinstance(body, str) else json.dumps(body)
    return Response(
        int(options.get("status", 200)),
        b"" if body is None else raw.encode("utf-8", "surrogatepass"),
        tuple({"content-type": JSON, **headers}.values()),
    )


def _status(options: Options, recent: deque[float]) -> Response:
    """Respond with a status, and with its documented body unless one is given."""
    if "body" in options:
        return _scripted(options, recent)
    status = int(options["status"])
    codes = {400: "DCS.4800", 403: "DCS.2003", 404: "DCS.3022", 405: "DCS.5001", 500: "DCS.5079"}
    if status in codes:
        response = service_error(codes[status], "offset").response
    elif status == 401:
        text = "Incorrect IAM authentication information: verify aksk signature fail"
        response = gateway_error(401, "0301", text).response
    elif status == 429:
        response = rate_limit_error(200).response
    elif status < 300:
        response = Response(status)
    else:
        page = f"<html><body><h1>{status}</h1><p>proxy</p></body></html>"
        response = Response(status, page.encode(), (("Content-Type", "text/html"),))
    return replace(response, headers=(*response.headers, *options.get("headers", {}).items()))


def _throttle(options: Options, recent: deque[float]) -> Response | None:
    """Refuse what exceeds the limit in the last second, by the real clock."""
    now = time.monotonic()
    while recent and recent[0] <= now - 1:
        recent.popleft()
    recent.append(now)
    if len(recent) <= options["per_second"]:
        return None
    after = options.get("retry_after")
    headers = () if after is None else (("Retry-After", f"{after:g}"),)
    return rate_limit_error(int(options["per_second"]), *headers).response


def _delay(options: Options, response: Response) -> Response:
    def deliver(connection: Connection, head: bytes, body: bytes) -> None:
        connection.wait(options["seconds"])
        (response.deliver or send)(connection, head, body)

    return replace(response, deliver=deliver)


def _drip(options: Options, response: Response) -> Response:
    def deliver(connection: Connection, head: bytes, body: bytes) -> None:
        connection.send(head)
        size = int(options.get("bytes", 1))
        for start in range(0, len(body), size):
            connection.wait(options.get("seconds", 0.1))
            connection.send(body[start : start + size])

    return replace(response, deliver=deliver)


def _truncate(options: Options, response: Response) -> Response:
    """Break off within the body; an unannounced one has no length, so its end looks right."""

    def deliver(connection: Connection, head: bytes, body: bytes) -> None:
        if not options.get("announced", True):
            head = re.sub(rb"\r\ncontent-length: \d+", b"", head, flags=re.IGNORECASE)
        connection.send(head + body[: int(options.get("bytes", len(body) // 2))])
        connection.close()

    return replace(response, deliver=deliver)


def _reset(_options: Options, response: Response) -> Response:
    return replace(response, deliver=lambda connection, head, body: connection.reset())


def _hang(options: Options, response: Response) -> Response:
    def deliver(connection: Connection, head: bytes, body: bytes) -> None:
        connection.wait(options.get("seconds", FOREVER))
        connection.close()

    return replace(response, deliver=deliver)


def _edit(options: Options, response: Response) -> Response:
    """Change the rows of a list, in the order of the kind's options; other responses pass.

    The total follows rows that are inserted or removed, and nothing else unless it is given.
    """
    body = json.loads(response.body) if response.status == 200 else None
    key = next((key for key in LISTS if isinstance(body, dict) and key in body), None)
    if body is None or key is None:
        return response
    before = len(body[key])
    rows = [*options.get("insert", []), *body[key][int(options.get("remove", 0)) :]]
    total = body.get(LISTS[key], 0) + len(rows) - before
    body[LISTS[key] or "total"] = options.get("total", total)
    if "shuffle" in options:
        Random(options["shuffle"]).shuffle(rows)  # noqa: S311 - it must be repeatable
    if options.get("double"):
        rows = [row for row in rows for _ in range(2)]
    rows = [{**row, **options.get("set", {})} for row in rows]
    body[key] = rows[: int(options.get("cap", len(rows)))]
    return replace(response, body=json.dumps(body, ensure_ascii=False).encode())


def _gzip_bomb(options: Options, response: Response) -> Response:
    body = gzip_bomb(int(options.get("megabytes", 20)))
    return Response(200, body, (JSON, ("Content-Encoding", "gzip")), response.deliver)


def _number(lowest: float, highest: float) -> Check:
    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a number is expected, not {value!r}")
        if not lowest <= value <= highest:
            raise ValueError(f"{value} is not in {lowest:g} to {highest:g}")
        return value

    return check


def _expected(description: str, accepts: Callable[[Any], bool]) -> Check:
    def check(value: object) -> object:
        if not accepts(value):
            raise ValueError(f"{description} is expected, not {value!r}")
        return value

    return check


_ANYTHING = _expected("anything", lambda value: True)
_FLAG = _expected("true or false", lambda value: isinstance(value, bool))
_OBJECT = _expected("an object", lambda value: isinstance(value, dict))
_OBJECTS = _expected(
    "a list of objects",
    lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
)
_STRINGS = _expected(
    "an object of strings",
    lambda value: isinstance(value, dict) and all(isinstance(v, str) for v in value.values()),
)
_SECONDS = _number(0, 86_400)
_SCRIPT = {"status": _number(200, 599), "headers": _STRINGS, "body": _ANYTHING}
_EDITS = {
    "insert": _OBJECTS,
    "remove": _number(0, 10**6),
    "shuffle": _number(0, 10**18),
    "double": _FLAG,
    "set": _OBJECT,
    "cap": _number(0, 10**6),
    "total": _ANYTHING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault: its options, and one of the three things that it can do.

    ``skew`` sets the server's clock wrong, ``respond`` takes the place of the API, ``alter``
    changes a response on its way out.
    """

    options: Mapping[str, Check] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    skew: Callable[[Options], float] | None = None
    respond: Callable[[Options, deque[float]], Response | None] | None = None
    alter: Callable[[Options, Response], Response] | None = None


KINDS: Mapping[str, Kind] = {
    "status": Kind(options=_SCRIPT, required=frozenset({"status"}), respond=_status),
    "answer": Kind(options=_SCRIPT, respond=_scripted),
    "throttle": Kind(
        options={"per_second": _number(0, 10_000), "retry_after": _number(-10, 10**9)},
        required=frozenset({"per_second"}),
        respond=_throttle,
    ),
    "clock_skew": Kind(
        options={"seconds": _number(-(10**9), 10**9)},
        required=frozenset({"seconds"}),
        skew=lambda options: float(options["seconds"]),
    ),
    "delay": Kind(options={"seconds": _SECONDS}, required=frozenset({"seconds"}), alter=_delay),
    "drip": Kind(options={"seconds": _SECONDS, "bytes": _number(1, 10**6)}, alter=_drip),
    "truncate": Kind(options={"bytes": _number(0, 10**9), "announced": _FLAG}, alter=_truncate),
    "reset": Kind(alter=_reset),
    "hang": Kind(options={"seconds": _SECONDS}, alter=_hang),
    "edit": Kind(options=_EDITS, alter=_edit),
    "gzip_bomb": Kind(options={"megabytes": _number(1, 2000)}, alter=_gzip_bomb),
}
