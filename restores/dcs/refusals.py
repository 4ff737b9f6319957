"""Turning an answer that brings no list into the fault that names its remedy."""

import json
import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from restores.dcs import clocks, values
from restores.dcs.faults import (
    BadAnswer,
    Fault,
    Forbidden,
    Gone,
    NotOffered,
    Refused,
    Throttled,
    Unreachable,
)
from restores.dcs.transport import Answer

LONGEST_MESSAGE = 300
LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_CODE = 64
_LONGEST_TITLE = 80
_SHORTEST_SECRET = 4
_SERVICE_CODE = re.compile(r"DCS\.\d+|111\d{6}", re.ASCII | re.IGNORECASE)
_ROUTE_MISSING = ("DCS.4001", "111404001")
_SENTENCES = {
    Refused: "The cloud does not accept the credentials",
    Forbidden: "The credentials lack the permission for this call",
    Gone: "The cloud does not know this instance",
    Throttled: "The cloud asks to wait before the next call",
    Unreachable: "The cloud could not answer",
    NotOffered: "The cloud does not offer this call",
    BadAnswer: "The cloud did not take the request",
}


def fault_from(answer: Answer, *, of_instance: bool = False, hidden: Iterable[str] = ()) -> Fault:
    """Name the fault in an answer; ``hidden`` texts and sent credentials never show in it."""
    code, message, request_id = _said(answer, (*_sent_secrets(answer), *hidden))
    kind = _kind(answer.status, code, of_instance)
    cause = f"HTTP {answer.status}" + (f", {code}" if code else "")
    said = message or _redirect(answer)
    sentence = f"{_SENTENCES[kind]} ({cause})" + (f": {said}" if said else ".")
    if kind is Refused:
        sentence += _clock(answer)
    make = partial(Throttled, until=_until(answer)) if kind is Throttled else kind
    return make(sentence, request_id=request_id, status=answer.status, code=code)


def bad_answer(answer: Answer, sentence: str) -> BadAnswer:
    """Make the fault for a successful answer that cannot be read."""
    return BadAnswer(
        sentence + _page_title(answer), request_id=_header_id(answer), status=answer.status
    )


def _kind(status: int, code: str, of_instance: bool) -> type[Fault]:
    if status == 404:
        # A proxy or a wrong endpoint also says 404: only the service itself, with a code of its
        # own, may declare an instance gone.
        own = _SERVICE_CODE.fullmatch(code) and code not in _ROUTE_MISSING
        return Gone if of_instance and own else NotOffered
    if status >= 500 or status == 408:
        return Unreachable
    return {401: Refused, 403: Forbidden, 429: Throttled}.get(status, BadAnswer)


def _said(answer: Answer, secrets: Iterable[str]) -> tuple[str, str, str]:
    """Read code, message and request id from any of the shapes in use (dcs-api.md section 5)."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    nested = body.get("error")
    inner = nested if isinstance(nested, dict) else body
    code = _first(inner, "error_code", "errorCode", "code")
    message = _first(inner, "error_msg", "errorMsg", "message")
    request_id = _header_id(answer) or _first(body, "request_id")
    hidden = list(secrets)
    code, message, request_id = (_masked(found, hidden) for found in (code, message, request_id))
    return code[:_LONGEST_CODE], message[:LONGEST_MESSAGE], request_id[:_LONGEST_CODE]


def _masked(found: str, secrets: Iterable[str]) -> str:
    for secret in filter(lambda secret: len(secret) >= _SHORTEST_SECRET, secrets):
        found = found.replace(secret, "•••")
    return found


def _page_title(answer: Answer) -> str:
    """Name the web page that came instead: of a proxy's login, say. No other body is quoted."""
    start = answer.body[:4096].decode("utf-8", "replace")
    if not start.lstrip("\ufeff \t\r\n").startswith("<"):
        return ""
    found = re.search(r"<title[^>]*>([^<]*)", start, re.IGNORECASE)
    words = " ".join(values.storable(found[1]).split()) if found else ""
    title = _masked(words, _sent_secrets(answer))[:_LONGEST_TITLE]
    return " It is a web page" + (f" titled “{title}”." if title.isprintable() and title else ".")


def _clock(answer: Answer) -> str:
    apart = clocks.skew(answer.headers.get("Date"))
    return f" {clocks.words(apart)}" if abs(apart) > clocks.SIGNABLE else ""


def _first(body: dict[str, object], *names: str) -> str:
    found = (" ".join(values.text(body.get(name)).split()) for name in names)
    return next(filter(None, found), "")


def _header_id(answer: Answer) -> str:
    found = answer.headers.get("X-Request-Id") or answer.headers.get("X-IAM-Trace-Id") or ""
    return values.storable(found)[:_LONGEST_CODE]


def _redirect(answer: Answer) -> str:
    if not 300 <= answer.status < 400:
        return ""
    try:
        host = urlsplit(answer.headers.get("Location", "")).hostname or "another address"
    except ValueError:
        host = "an unreadable address"
    return f"it redirects to {values.storable(host)[:100]}, and redirects are not followed."


def _sent_secrets(answer: Answer) -> list[str]:
    headers = answer.request.headers
    authorization = headers.get("Authorization", "")
    access_key = re.search(r"Access=([^,]+)", authorization)
    return [
        headers.get("X-Auth-Token", ""),
        headers.get("X-Security-Token", ""),
        authorization.rpartition("Signature=")[2],
        access_key[1] if access_key else "",
    ]


def _until(answer: Answer) -> datetime:
    asked = _asked_pause(answer)
    if asked is None or asked <= timedelta():
        # What the provider advises for APIGW.0308, which names no time of its own.
        asked = timedelta(seconds=random.uniform(2, 5))  # noqa: S311 - jitter, not a secret
    return datetime.now(UTC) + min(asked, LONGEST_PAUSE)


def _asked_pause(answer: Answer) -> timedelta | None:
    asked = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", asked, re.ASCII):
        return timedelta(seconds=min(float(asked), LONGEST_PAUSE.total_seconds()))
    moment = values.http_date(asked)
    if moment is None:
        return None
    # The date is the server's clock, so only its distance from the server's Date means anything.
    return moment - (values.http_date(answer.headers.get("Date")) or datetime.now(UTC))
