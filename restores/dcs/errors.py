"""Exceptions of API calls, one for each thing the caller can do about them.

::

    DcsError                  any call that failed
    ├── AuthenticationError   stop calling: five rejected logins in a row lock an access key
    ├── PermissionDenied      an operator must grant the permission
    ├── InstanceNotFound      the instance was deleted: keep its history
    ├── Throttled             make no call for this account before ``until``
    ├── Unreachable           try again later
    ├── InvalidResponse       check the endpoint, then ask the provider: not the documented API
    ├── NotSupported          do without this call: this provider doesn't have it
    └── RequestSkipped        nothing was sent, because of an error of another call: see ``reason``

``kind`` is stored with sync errors and is part of the JSON endpoints. ``message`` is one sentence
for people. It never contains a credential: whatever was sent as one is masked.
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

# Beyond this, sync status shows an error. Signatures more than 15 minutes off are rejected
# (APIGW.0303), so beyond the second value a rejection is probably due to the clock.
MAX_CLOCK_SKEW = timedelta(minutes=5)
_MAX_SIGNATURE_SKEW = timedelta(minutes=14)

MAX_PROVIDER_MESSAGE = 300
MAX_THROTTLE = timedelta(minutes=15)
_MAX_CODE = 64
_MAX_TITLE = 80
# Shorter "secrets" are left alone: masking them would garble messages and hide nothing.
_MIN_SECRET = 4


class DcsError(Exception):
    """A call that failed. ``code`` is the provider's error code, ``status`` the HTTP status."""

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
    """The provider rejected the credentials."""

    kind = "credentials"
    summary = "The provider rejected the credentials"


class PermissionDenied(DcsError):
    """The credentials are valid but lack a permission."""

    kind = "permission"
    summary = "The credentials don’t have permission for this call"


class InstanceNotFound(DcsError):
    """The provider doesn't know this instance, or no longer."""

    kind = "gone"
    summary = "The provider doesn’t know this instance"


class Throttled(DcsError):
    """The account's rate limit is exceeded until ``until`` (aware UTC)."""

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
    """Nothing was sent, because ``reason`` would have met this call too."""

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
    cause = f"HTTP {response.status}, {code}" if code else f"HTTP {response.status}"
    detail = detail or _redirect_detail(response)
    message = f"{error_class.summary} ({cause})" + (f": {detail}" if detail else ".")
    if error_class is AuthenticationError and abs(response.clock_skew) > _MAX_SIGNATURE_SKEW:
        message += f" {describe_clock_skew(response.clock_skew)}"
    if error_class is Throttled:
        until = _throttled_until(response)
        return Throttled(message, until, request_id=request_id, status=response.status, code=code)
    return error_class(message, request_id=request_id, status=response.status, code=code)


def invalid_response(response: Response, message: str) -> InvalidResponse:
    """Return the exception for a successful response that can't be read."""
    return InvalidResponse(
        message + _page_title(response),
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
        # A proxy or a wrong endpoint also answers 404. Only the service itself, with a code of its
        # own, may declare an instance deleted. DCS.4001 is "URL does not exist"; every code has a
        # numeric twin (DCS error code table of Open Telekom Cloud).
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
    """Return error code, message and request id, in whichever shape the body has.

    The service writes {error_code, error_msg}, IAM {error: {code, message}}, and the provider's
    SDK knows {errorCode, errorMsg} too (huaweicloudsdkcore, exception_handler.py).
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
    # Masked before they are shortened: a half secret would no longer be found.
    return (
        _mask(code, secrets)[:_MAX_CODE],
        _mask(message, secrets)[:MAX_PROVIDER_MESSAGE],
        _mask(request_id, secrets)[:_MAX_CODE],
    )


def _first_text(body: dict[str, object], *keys: str) -> str:
    texts = (" ".join(parse_text(body.get(key)).split()) for key in keys)
    return next(filter(None, texts), "")


def _request_id(response: Response) -> str:
    headers = response.headers
    return storable(headers.get("X-Request-Id") or headers.get("X-IAM-Trace-Id") or "")[:_MAX_CODE]


def _mask(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= _MIN_SECRET:
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


def _page_title(response: Response) -> str:
    """Name the web page that came instead, such as a proxy's login. No other body is quoted."""
    start = response.body[:4096].decode("utf-8", "replace")
    if not start.lstrip("\ufeff \t\r\n").startswith("<"):
        return ""
    match = re.search(r"<title[^>]*>([^<]*)", start, re.IGNORECASE)
    text = " ".join(storable(match[1]).split()) if match else ""
    title = _mask(text, _sent_secrets(response))[:_MAX_TITLE]
    return (
        f" It is a web page titled “{title}”."
        if title.isprintable() and title
        else (" It is a web page.")
    )


def _throttled_until(response: Response) -> datetime:
    wait = _retry_after(response)
    if wait is None or wait <= timedelta():
        # The provider's advice for APIGW.0308, which comes without Retry-After: 2 to 5 seconds.
        wait = timedelta(seconds=random.uniform(2, 5))  # noqa: S311 - jitter, not a secret
    return datetime.now(UTC) + min(wait, MAX_THROTTLE)


def _retry_after(response: Response) -> timedelta | None:
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return timedelta(seconds=min(float(value), MAX_THROTTLE.total_seconds()))
    time = parse_http_date(value)
    # The date is by the server's clock, so only the distance to its Date header has a meaning.
    return time - response.server_time if time else None
