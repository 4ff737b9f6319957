"""The kinds of fault: one small function each, in a registry that is easy to extend.

An *option* checks one value of a fault's JSON. A kind may set the clock wrong (``skew``), answer
in the API's place (``instead``) or spoil an answer on its way out (``after``).
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .answers import JSON, Answer, Wire, gateway_error, service_error, throttled
from .bombs import gzip_bomb
from .edits import OPTIONS, edited
from .options import anything, flag, number, pairs

Options = Mapping[str, Any]
Deliver = Callable[[Wire, bytes, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a kind of fault takes and does."""

    options: Mapping[str, Callable[[object], object]]
    required: frozenset[str] = frozenset()
    skew: Callable[[Options], float] | None = None
    instead: Callable[[Options, deque[float]], Answer | None] | None = None
    after: Callable[[Options, Answer], Answer] | None = None


def _scripted(options: Options, _hits: deque[float]) -> Answer:
    """Answer exactly what the fault says; text goes out raw, everything else as JSON."""
    headers = {name.lower(): (name, value) for name, value in options.get("headers", {}).items()}
    body = options.get("body")
    raw = body if isinstance(body, str) else json.dumps(body)
    return Answer(
        int(options.get("status", 200)),
        b"" if body is None else raw.encode("utf-8", "surrogatepass"),
        tuple({"content-type": JSON, **headers}.values()),
    )


def _status(options: Options, hits: deque[float]) -> Answer:
    """Answer with a status, and with its documented body unless one is given."""
    if "body" in options:
        return _scripted(options, hits)
    answer = _documented(int(options["status"]))
    return replace(answer, headers=(*answer.headers, *options.get("headers", {}).items()))


def _documented(status: int) -> Answer:
    codes = {400: "DCS.4800", 403: "DCS.2003", 404: "DCS.3022", 405: "DCS.5001", 500: "DCS.5079"}
    if status in codes:
        return service_error(codes[status], "offset")
    if status == 401:
        text = "Incorrect IAM authentication information: verify aksk signature fail"
        return gateway_error(401, "0301", text)
    if status == 429:
        return throttled(200)
    if status < 300:
        return Answer(status)
    page = f"<html><body><h1>{status}</h1><p>proxy</p></body></html>"
    return Answer(status, page.encode(), (("Content-Type", "text/html"),))


def _throttle(options: Options, hits: deque[float]) -> Answer | None:
    """Refuse what exceeds the limit in the last second, by the real clock."""
    now = time.monotonic()
    while hits and hits[0] <= now - 1:
        hits.popleft()
    hits.append(now)
    if len(hits) <= options["per_second"]:
        return None
    after = options.get("retry_after")
    return throttled(
        int(options["per_second"]), *(() if after is None else (("Retry-After", f"{after:g}"),))
    )


def _delay(options: Options, answer: Answer) -> Answer:
    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.wait(options["seconds"])
        (answer.deliver or plainly)(wire, head, body)

    return replace(answer, deliver=deliver)


def _drip(options: Options, answer: Answer) -> Answer:
    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.send(head)
        size = int(options.get("bytes", 1))
        for start in range(0, len(body), size):
            wire.wait(options.get("seconds", 0.1))
            wire.send(body[start : start + size])

    return replace(answer, deliver=deliver)


def _truncate(options: Options, answer: Answer) -> Answer:
    """Break off within the body; an unannounced one has no length, so its end looks right."""

    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        if not options.get("announced", True):
            head = re.sub(rb"\r\ncontent-length: \d+", b"", head, flags=re.IGNORECASE)
        wire.send(head + body[: int(options.get("bytes", len(body) // 2))])
        wire.close()

    return replace(answer, deliver=deliver)


def _reset(_options: Options, answer: Answer) -> Answer:
    return replace(answer, deliver=lambda wire, head, body: wire.reset())


def _hang(options: Options, answer: Answer) -> Answer:
    def deliver(wire: Wire, head: bytes, body: bytes) -> None:
        wire.wait(options.get("seconds", 3600))
        wire.close()

    return replace(answer, deliver=deliver)


def _gzip_bomb(options: Options, answer: Answer) -> Answer:
    body = gzip_bomb(int(options.get("megabytes", 20)))
    return Answer(200, body, (JSON, ("Content-Encoding", "gzip")), answer.deliver)


def plainly(wire: Wire, head: bytes, body: bytes) -> None:
    """Deliver an answer as it should be: in one write."""
    wire.send(head + body)


SECONDS = number(0, 86_400)
SCRIPT: Mapping[str, Callable[[object], object]] = {
    "status": number(200, 599),
    "headers": pairs,
    "body": anything,
}
KINDS: Mapping[str, Kind] = {
    "status": Kind(options=SCRIPT, required=frozenset({"status"}), instead=_status),
    "answer": Kind(options=SCRIPT, instead=_scripted),
    "throttle": Kind(
        options={"per_second": number(0, 10_000), "retry_after": number(-10, 10**9)},
        required=frozenset({"per_second"}),
        instead=_throttle,
    ),
    "clock_skew": Kind(
        options={"seconds": number(-(10**9), 10**9)},
        required=frozenset({"seconds"}),
        skew=lambda options: float(options["seconds"]),
    ),
    "delay": Kind(options={"seconds": SECONDS}, required=frozenset({"seconds"}), after=_delay),
    "drip": Kind(options={"seconds": SECONDS, "bytes": number(1, 10**6)}, after=_drip),
    "truncate": Kind(options={"bytes": number(0, 10**9), "announced": flag}, after=_truncate),
    "reset": Kind(options={}, after=_reset),
    "hang": Kind(options={"seconds": SECONDS}, after=_hang),
    "edit": Kind(options=OPTIONS, after=edited),
    "gzip_bomb": Kind(options={"megabytes": number(1, 2000)}, after=_gzip_bomb),
}
