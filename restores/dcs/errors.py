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
whatever was sent as one is masked.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from restores.dcs.records import parse_http_date, parse_text, storable

if TYPE_CHECKING:
    from restores.dcs.http import Response

# Beyond this, the sync status shows an error.
MAX_CLOCK_SKEW = timedelta(minutes=5)
# Signatures more than 15 minutes off are rejected (APIGW.0303), so beyond this a rejection is
# probably due to the clock.
_MAX_SIGNATURE_SKEW = timedelta(minutes=14)
_MAX_THROTTLE = timedelta(minutes=15)

_MAX_MESSAGE_LENGTH = 300
_MAX_CODE_LENGTH = 64
_MAX_TITLE_LENGTH = 80
# Masking a shorter text would garble messages and hide nothing.
_MIN_SECRET_LENGTH = 4


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
    status = f"HTTP {response.status}, {code}" if code else f"HTTP {response.status}"
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
        # A proxy or a wrong endpoint also answers 404. Only the service itself may declare an
        # instance deleted: with one of its own codes, except DCS.4001, "URL does not exist".
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
    """Return the error code, message and request id of a response body.

    The DCS API and the gateway write ``{error_code, error_msg}``, IAM ``{error: {code, message}}``.
    The provider's SDK accepts the other keys too (huaweicloudsdkcore, exception_handler.py).
    """
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    error = body["error"] if isinstance(body.get("error"), dict) else body
    code = _first_text(error, "error_code", "errorCode", "code")
    message = _first_text(error, "error_msg", "errorMsg", "message")
    request_id = _request_id(response) or _first_text(body, "request_id")
    # Mask before shortening: half a secret would not be found.
    return (
        _mask(code, secrets)[:_MAX_CODE_LENGTH],
        _mask(message, secrets)[:_MAX_MESSAGE_LENGTH],
        _mask(request_id, secrets)[:_MAX_CODE_LENGTH],
    )


def _first_text(body: dict[str, object], *keys: str) -> str:
    texts = (" ".join(parse_text(body.get(key)).split()) for key in keys)
    return next(filter(None, texts), "")


def _request_id(response: Response) -> str:
    headers = response.headers
    request_id = headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or ""
    return storable(request_id)[:_MAX_CODE_LENGTH]


def _mask(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret, "•••")
    return text


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
    """Name the web page that came instead, such as a proxy's login. No other body is quoted."""
    start = response.body[:4096].decode("utf-8", "replace")
    if not start.lstrip("\ufeff \t\r\n").startswith("<"):
        return ""
    match = re.search(r"<title[^>]*>([^<]*)", start, re.IGNORECASE)
    text = " ".join(storable(match[1]).split()) if match else ""
    title = _mask(text, _sent_secrets(response))[:_MAX_TITLE_LENGTH]
    if not title or not title.isprintable():
        return " It is a web page."
    return f" It is a web page titled “{title}”."


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
