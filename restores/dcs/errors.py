"""Exceptions of API calls, one for each thing the caller can do about them.

::

    DcsError
    ├── AuthenticationError   credentials rejected: stop calling this account
    ├── PermissionDenied      permission missing: an operator must grant it
    ├── InstanceNotFound      instance deleted: keep its history
    ├── Throttled             too many calls: make none for this account before ``until``
    ├── Unreachable           no response for now: try again later
    ├── InvalidResponse       not what the API documents: check the endpoint, ask the provider
    ├── NotSupported          this provider doesn't have the call: do without it
    └── RequestSkipped        not sent, because another call failed: see ``reason``

``kind`` is stored with sync errors and shown by the JSON endpoints as their ``class``, so its
values must not change. ``message`` is a sentence for people. It never contains a credential:
everything sent as one is masked.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote, urlsplit

from restores.dcs.records import parse_http_date, shorten, storable

if TYPE_CHECKING:
    from restores.dcs.http import Response

# Beyond this, the sync status shows an error, which is only a note.
MAX_CLOCK_SKEW = timedelta(minutes=5)
CLOCK_SKEW = "clock"
# Signatures more than 15 minutes off are rejected (APIGW.0303), so beyond this a rejection is
# probably due to the clock.
_MAX_SIGNATURE_SKEW = timedelta(minutes=14)
_MAX_THROTTLE = timedelta(minutes=15)

_MAX_MESSAGE_LENGTH = 300
_MAX_CODE_LENGTH = 64
_MAX_TITLE_LENGTH = 80
# Masking a shorter string would garble messages and hide nothing.
_MIN_SECRET_LENGTH = 4

# The keys of error bodies, best first, compared without case, "_" and "-". The DCS API and the
# gateway write {error_code, error_msg}, IAM {error: {code, message}}, OpenStack {forbidden: {code,
# message}}, OAuth {error, error_description}, Apigee {fault: {faultstring, detail: {errorcode}}},
# S3 <Error><Code/><Message/></Error>; the provider's SDK accepts more (huaweicloudsdkcore,
# exception_handler.py).
_CODE_KEYS = ("errorcode", "errcode", "faultcode", "code", "error")
_MESSAGE_KEYS = (
    *("errormsg", "errmsg", "errormessage", "message", "msg", "errordescription", "faultstring"),
    *("detail", "description", "title", "reason", "errors", "error"),
)
_REQUEST_ID_KEYS = ("requestid", "traceid")
_MAX_NODES = 1000
_MAX_XML = 16 * 1024


class DcsError(Exception):
    """A call that failed.

    ``code`` is the provider's error code, ``request_id`` its id of the request, for support.
    """

    kind: ClassVar[str] = "error"
    summary: ClassVar[str] = "The call failed"

    def __init__(
        self, message: str, *, request_id: str = "", status: int | None = None, code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.status = status
        self.code = code

    def __str__(self) -> str:
        return self.message


class AuthenticationError(DcsError):
    """The provider rejected the credentials.

    Five rejections in a row lock an access key for five minutes (API Gateway FAQ).
    """

    kind = "credentials"
    summary = "The provider rejected the credentials"


class PermissionDenied(DcsError):
    """The credentials are valid but lack a permission."""

    kind = "permission"
    summary = "The credentials don’t have permission for this call"


class InstanceNotFound(DcsError):
    """The provider doesn't know this instance, or no longer does."""

    kind = "gone"
    summary = "The provider couldn’t find this instance"


class Throttled(DcsError):
    """The provider accepts no more calls of this account before ``until`` (aware UTC)."""

    kind = "throttled"
    summary = "The provider asked us to slow down"

    def __init__(
        self,
        message: str,
        until: datetime,
        *,
        request_id: str = "",
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(message, request_id=request_id, status=status, code=code)
        self.args = (message, until)  # pickle and copy call the class with these
        self.until = until


class Unreachable(DcsError):
    """No connection, no response in time, or a server error."""

    kind = "unreachable"
    summary = "The provider is unavailable"


class InvalidResponse(DcsError):
    """The response is not what the API's documentation says."""

    kind = "bad_answer"
    summary = "The provider rejected the request"


class NotSupported(DcsError):
    """The provider doesn't have this call."""

    kind = "not_offered"
    summary = "The provider doesn’t support this call"


class RequestSkipped(DcsError):
    """The request was not sent, because another call failed with ``reason``."""

    kind = "not_asked"

    def __init__(self, reason: DcsError) -> None:
        super().__init__(f"Skipped: {reason.message}", request_id=reason.request_id)
        self.args = (reason,)  # pickle and copy call the class with these
        self.reason = reason


def error_from(
    response: Response, *, of_instance: bool = False, secrets: Iterable[str] = ()
) -> DcsError:
    """Turn an unsuccessful response into the exception that names the remedy.

    ``of_instance``: the call was about one instance, so 404 may mean that it was deleted.
    ``secrets`` are masked in the message, as are the credentials that were sent.
    """
    code, detail, request_id = _details(response, [*_sent_secrets(response), *secrets])
    error_class = _error_class(response.status, code, of_instance)
    status = f"HTTP {response.status}"
    if code not in ("", str(response.status)):
        status += f", {code}"
    detail = detail or _redirect_detail(response)
    summary = error_class.summary
    if response.status < 400:
        summary = "The provider sent an unexpected response"
    message = f"{summary} ({status})" + (f": {detail}" if detail else ".")
    if error_class is AuthenticationError and abs(response.clock_skew) > _MAX_SIGNATURE_SKEW:
        message += f" {describe_clock_skew(response.clock_skew)}"
    if error_class is Throttled:
        until = _throttled_until(response)
        return Throttled(message, until, request_id=request_id, status=response.status, code=code)
    return error_class(message, request_id=request_id, status=response.status, code=code)


def invalid_response(response: Response, message: str) -> InvalidResponse:
    """Return the exception for a successful response that can't be read."""
    return InvalidResponse(
        message + _describe_web_page(response),
        request_id=_request_id(response),
        status=response.status,
    )


def describe_clock_skew(skew: timedelta) -> str:
    """Say how far our clock is off, given how far the provider's is ahead of it."""
    minutes = round(abs(skew).total_seconds() / 60)
    direction = "behind" if skew > timedelta() else "ahead of"
    return f"Our clock is {minutes} min {direction} the provider’s."


def _error_class(status: int, code: str, of_instance: bool) -> type[DcsError]:
    if status == 404:
        # A proxy or a wrong endpoint also returns 404. Only the service itself may declare an
        # instance deleted: with one of its codes, except DCS.4001, "URL does not exist".
        # Each code has a numeric form too (DCS API Reference, Error Code).
        from_service = re.fullmatch(r"DCS\.\d+|111\d{6}", code, re.ASCII | re.IGNORECASE)
        deleted = from_service and code not in ("DCS.4001", "111404001")
        return InstanceNotFound if of_instance and deleted else NotSupported
    if status >= 500 or status == 408:
        return Unreachable
    by_status: dict[int, type[DcsError]] = {
        401: AuthenticationError,
        403: PermissionDenied,
        429: Throttled,
    }
    return by_status.get(status, InvalidResponse)


def _details(response: Response, secrets: list[str]) -> tuple[str, str, str]:
    """Return the error code, message and request id of a response body, whatever its shape.

    A body without a message in a known place is itself the message.
    """
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = _parse_xml(_text(response))
    objects = list(_objects(body))
    code = _first_text(objects, _CODE_KEYS)
    if " " in code.strip():  # a sentence, as in {"error": "Not found"}
        code = ""
    message = _first_text(objects, _MESSAGE_KEYS)
    message = "" if message == code else message
    request_id = _request_id(response) or _first_text(objects, _REQUEST_ID_KEYS)
    if not message and code in ("", str(response.status)) and body not in ({}, []):
        message = _web_page(response, secrets) or _text(response)
    return (
        _one_line(code, secrets, _MAX_CODE_LENGTH),
        _one_line(message, secrets, _MAX_MESSAGE_LENGTH),
        _one_line(request_id, secrets, _MAX_CODE_LENGTH),
    )


def _objects(body: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects in a JSON value, outer ones first, with normalized keys."""
    nodes, seen = [body], 0
    while nodes and seen < _MAX_NODES:
        node, seen = nodes.pop(0), seen + 1
        if isinstance(node, dict):
            yield {re.sub("[_-]", "", key).casefold(): value for key, value in node.items()}
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node[:_MAX_NODES]


def _parse_xml(text: str) -> dict[str, str] | None:
    """Return the text of XML elements by name, None if this isn't XML."""
    # Not an XML parser: we need only a few elements, and the body may be hostile.
    if not text.lstrip().startswith("<") or _is_web_page(text):
        return None
    element = r"<(?:[\w.-]{1,40}:)?([\w.-]{1,40})(?:\s[^<>]*)?>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</"
    return {
        name: html.unescape(plain) or data
        for name, data, plain in re.findall(element, text[:_MAX_XML], re.DOTALL)
    }


def _text(response: Response) -> str:
    charset = re.search(r"charset=\"?([\w-]+)", response.headers.get("Content-Type", ""))
    try:
        return response.body.decode(charset[1] if charset else "utf-8-sig", "replace")
    except (LookupError, ValueError):  # an unknown charset
        return response.body.decode("utf-8", "replace")


def _first_text(objects: Iterable[Mapping[str, object]], keys: Iterable[str]) -> str:
    """Return the first text under one of the keys, the best key first."""
    values = (_plain(each.get(key)) for key in keys for each in objects)
    return next(filter(str.strip, values), "")


def _plain(value: object) -> str:
    """Return a string, number or list of strings as text; "" for anything else."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "; ".join(value)
    known = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if known else ""


def _one_line(text: str, secrets: Iterable[str], limit: int) -> str:
    # Mask first: what is left of a secret after shortening or joining lines would not be found.
    text = " ".join(storable(_mask(text, secrets)).split())
    return shorten("".join(c if c.isprintable() else "\ufffd" for c in text), limit)


def _request_id(response: Response) -> str:
    headers = response.headers
    request_id = headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or ""
    return storable(request_id)[:_MAX_CODE_LENGTH]


def _mask(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_LENGTH:
            for spelling in sorted(_spellings(secret), key=len, reverse=True):
                text = text.replace(spelling, "•••")
    return text


def _spellings(secret: str) -> set[str]:
    """Return a string as it is, and as JSON, HTML and URLs spell it."""
    escaped = {json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)}
    slashes = {text.replace("/", r"\/") for text in escaped}
    return {secret, html.escape(secret), quote(secret, "")} | escaped | slashes


def _sent_secrets(response: Response) -> list[str]:
    headers = response.request.headers
    authorization = headers.get("Authorization", "")
    access_key = re.search(r"Access=([^,]+)", authorization)
    return [
        headers.get("X-Auth-Token", ""),
        headers.get("X-Security-Token", ""),
        authorization.rpartition("Signature=")[2],
        access_key[1] if access_key else "",
    ]


def _redirect_detail(response: Response) -> str:
    if not 300 <= response.status < 400:
        return ""
    try:
        host = urlsplit(response.headers.get("Location", "")).hostname or "another address"
    except ValueError:
        host = "an invalid address"
    return f"it redirects to {storable(host)[:100]}, and redirects are not followed."


def _describe_web_page(response: Response) -> str:
    """Name the web page sent instead, such as a proxy's login. No other body is quoted."""
    page = _web_page(response, _sent_secrets(response))
    return f" It is {page}." if page else ""


def _web_page(response: Response, secrets: list[str]) -> str:
    """Describe the web page in place of JSON, "" if there is none."""
    text = _text(response)
    if not _is_web_page(text):
        return ""
    match = re.search(r"<title[^>]*>([^<]*)", text[:4096], re.IGNORECASE)
    title = _one_line(html.unescape(match[1]), secrets, _MAX_TITLE_LENGTH) if match else ""
    return f"a web page titled “{title}”" if title else "a web page"


def _is_web_page(text: str) -> bool:
    page = re.search(r"<(!doctype html|html|head|body)\b", text[:4096], re.IGNORECASE)
    return text.lstrip("\ufeff \t\r\n").startswith("<") and page is not None


def _throttled_until(response: Response) -> datetime:
    wait = _retry_after(response)
    if wait is None or wait <= timedelta():
        # The provider advises 2 to 5 seconds for APIGW.0308, which comes without Retry-After.
        wait = timedelta(seconds=random.uniform(2, 5))  # noqa: S311 - jitter, not a secret
    return datetime.now(UTC) + min(wait, _MAX_THROTTLE)


def _retry_after(response: Response) -> timedelta | None:
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return timedelta(seconds=min(float(value), _MAX_THROTTLE.total_seconds()))
    time = parse_http_date(value)
    # By the server's clock, so only the distance to its Date header means anything.
    return time - response.server_time if time else None
