"""Authenticating requests: signed with an access key, or with a token that is renewed as needed."""

import copy
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest
from requests.auth import AuthBase

from restores.dcs import values
from restores.dcs.faults import Fault, Unreachable
from restores.dcs.refusals import bad_answer, fault_from
from restores.dcs.sessions import Deadline
from restores.dcs.signing import canonical, signed_headers
from restores.dcs.transport import Answer, exchange

_ALGORITHM = "SDK-HMAC-SHA256"
_LOGIN_SECONDS = 20.0
_ASSUMED_LIFE = timedelta(hours=1)
_SHORTEST_LIFE = timedelta(minutes=1)
_LONGEST_MARGIN = timedelta(minutes=5)


def utc_now() -> datetime:
    """Tell the time, aware."""
    return datetime.now(UTC)


def at_once() -> None:
    """Wait for no slot."""


class SecretAuth(AuthBase):
    """Authentication that neither prints nor pickles what it knows.

    ``hidden``: texts that no fault may repeat, though the cloud that knows them might.
    """

    hidden: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds credentials and cannot be pickled or copied")


class SignedAuth(SecretAuth):
    """Sign with an access key by SDK-HMAC-SHA256 (dcs-api.md section 9)."""

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        security_token: str = "",
        project_id: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self.hidden = (access_key, secret_key, security_token)
        self._own = {"X-Project-Id": project_id, "X-Security-Token": security_token}
        self._clock = clock

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        date = f"{self._clock().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        host = urlsplit(request.url or "").netloc.rpartition("@")[2]
        request.headers.pop("Authorization", None)
        request.headers.update({name: value for name, value in self._own.items() if value})
        request.headers.update({"Host": request.headers.get("Host", host), "X-Sdk-Date": date})
        names = ";".join(sorted(signed_headers(request)))
        digest = hashlib.sha256(canonical(request).encode()).hexdigest()
        signature = hmac.new(
            self._secret_key.encode(), f"{_ALGORITHM}\n{date}\n{digest}".encode(), hashlib.sha256
        ).hexdigest()
        request.headers["Authorization"] = (
            f"{_ALGORITHM} Access={self._access_key}, SignedHeaders={names}, Signature={signature}"
        )
        return request


class TokenAuth(SecretAuth):
    """Authenticate with an IAM user's token for one project, or for the domain (section 9)."""

    def __init__(
        self,
        session: requests.Session,
        iam_endpoint: str,
        domain: str,
        username: str,
        password: str,
        project_id: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._session = session
        self._url = f"{iam_endpoint.rstrip('/')}/v3/auth/tokens?nocatalog=true"
        self._login = (domain, username, password, project_id)
        self.hidden = (password,)
        self._clock = clock
        self._lock = threading.Lock()
        self._logins = 0
        self._token = ""
        self._stale_at = clock()
        self._failure: Fault | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        self.ready()
        request.headers["X-Auth-Token"] = self._token
        return request

    def ready(self, pace: Callable[[], None] = at_once, deadline: Deadline | None = None) -> None:
        """Log in unless a token is at hand that will outlive the call."""
        if not self._token or self._clock() >= self._stale_at:
            self._log_in_once(self._token, pace, deadline or Deadline(_LOGIN_SECONDS))

    def renew(
        self,
        refused: PreparedRequest,
        pace: Callable[[], None] = at_once,
        deadline: Deadline | None = None,
    ) -> None:
        """Replace the token that ``refused`` carried, unless another thread already did."""
        token = refused.headers.get("X-Auth-Token", "")
        self._log_in_once(token, pace, deadline or Deadline(_LOGIN_SECONDS))

    def _log_in_once(self, old: str, pace: Callable[[], None], deadline: Deadline) -> None:
        logins = self._logins
        if not self._lock.acquire(timeout=deadline.left):
            raise Unreachable("Another thread's login did not end in time.")
        try:
            if self._logins == logins and self._token == old:
                self._log_in(pace, deadline)
            elif self._logins != logins and self._failure:
                # Those who waited share the outcome: five refusals in a row lock the user.
                raise copy.copy(self._failure)
        finally:
            self._lock.release()

    def _log_in(self, pace: Callable[[], None], deadline: Deadline) -> None:
        self._failure = None
        try:
            self._accept(exchange(self._session, self._request, pace, deadline))
        except Fault as fault:
            self._failure = fault
            raise
        finally:
            self._logins += 1

    def _accept(self, answer: Answer) -> None:
        token = answer.headers.get("X-Subject-Token", "")
        if answer.status != 201:
            raise fault_from(answer, hidden=self.hidden)
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise bad_answer(answer, "The login was accepted but brought no readable token.")
        life = _life(answer)
        self._stale_at = self._clock() + life - min(life / 10, _LONGEST_MARGIN)
        self._token = token

    def _request(self) -> PreparedRequest:
        domain, username, password, project_id = self._login
        user = {"name": username, "password": password, "domain": {"name": domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": project_id}} if project_id else {"domain": {"name": domain}}
        return requests.Request(
            "POST",
            self._url,
            headers={"Content-Type": "application/json;charset=utf8"},
            data=json.dumps({"auth": {"identity": identity, "scope": scope}}),
        ).prepare()


def _life(answer: Answer) -> timedelta:
    """Measure a token's life on the server's clock, for ours may be wrong."""
    try:
        expires = values.instant(json.loads(answer.body)["token"]["expires_at"])
    except (ValueError, RecursionError, LookupError, TypeError):
        expires = None
    issued = values.http_date(answer.headers.get("Date")) or utc_now()
    return max(expires - issued, _SHORTEST_LIFE) if expires else _ASSUMED_LIFE
