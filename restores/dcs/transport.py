"""One exchange with the cloud: bounded in time and size, redirected nowhere, retried only here."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import requests
from requests.exceptions import ContentDecodingError, SSLError, Timeout
from urllib3.exceptions import HTTPError, NameResolutionError

from restores.dcs.faults import BadAnswer, Fault, Unreachable
from restores.dcs.sessions import READ_TIMEOUT, Deadline

CONNECT_TIMEOUT = 3.0
LARGEST_BODY = 10 * 1024 * 1024
TRIES = 3
_CHUNK = 64 * 1024
_BUSY = (502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for ``request``; header names in any case."""

    request: requests.PreparedRequest = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class NotConnected(Unreachable):
    """No connection could be made, or it broke before an answer: worth another try."""


def exchange(
    session: requests.Session,
    prepare: Callable[[], requests.PreparedRequest],
    pace: Callable[[], None],
    deadline: Deadline,
) -> Answer:
    """Send what ``prepare`` makes, anew for each try, and read the whole answer."""
    for attempt in range(1, TRIES + 1):
        outcome = _tried(session, prepare, pace, deadline)
        pause = random.uniform(0, 0.25 * 2**attempt)  # noqa: S311 - jitter, not a secret
        worthwhile = isinstance(outcome, NotConnected) or (
            isinstance(outcome, Answer) and outcome.status in _BUSY
        )
        if not worthwhile or attempt == TRIES or pause >= deadline.left:
            break
        time.sleep(pause)
    if isinstance(outcome, Fault):
        raise outcome
    return outcome


def _tried(
    session: requests.Session,
    prepare: Callable[[], requests.PreparedRequest],
    pace: Callable[[], None],
    deadline: Deadline,
) -> Answer | Fault:
    deadline.excuse(pace)
    if not deadline.left:
        return Unreachable("The call ran out of time before it could be sent.")
    try:
        with deadline.over_reads():
            return _exchanged(session, prepare(), deadline)
    except (BadAnswer, Unreachable) as fault:
        return fault


def _exchanged(
    session: requests.Session, request: requests.PreparedRequest, deadline: Deadline
) -> Answer:
    url = request.url or ""
    left = deadline.left
    try:
        # Past Session.send: it reads a redirect's body without bound and takes proxies from the
        # host's environment.
        response = session.get_adapter(url).send(
            request,
            stream=True,
            timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
            verify=session.verify or True,
            proxies={},
        )
    except (OSError, HTTPError) as error:
        raise _unreachable(error) from error
    except ValueError:
        # Its text may repeat a header, and headers hold credentials.
        raise BadAnswer("The request could not be written as HTTP.") from None
    with closing(response):
        body = _body(response)
    return Answer(request=request, status=response.status_code, headers=response.headers, body=body)


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > LARGEST_BODY:
                raise BadAnswer(
                    f"The answer is larger than {LARGEST_BODY // 1024**2} MB and was dropped.",
                    status=response.status_code,
                )
    except ContentDecodingError as error:
        raise BadAnswer("The answer's compression is broken.") from error
    except (OSError, HTTPError) as error:
        raise Unreachable("The answer broke off or came too slowly.") from error
    return bytes(body)


def _unreachable(error: Exception) -> Unreachable:
    if isinstance(error, SSLError):
        return Unreachable(
            "TLS with the cloud failed: certificate, host name or version not accepted."
        )
    if isinstance(error, Timeout) and not isinstance(error, requests.ConnectionError):
        return Unreachable("The cloud did not answer in time.")
    if not isinstance(error, requests.ConnectionError):
        return Unreachable("The connection to the cloud failed.")
    if _caused_by(error, NameResolutionError):
        return NotConnected("The cloud's host name could not be resolved.")
    return NotConnected("No connection to the cloud could be made, or it broke.")


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", None)
    return isinstance(reason, kind)
