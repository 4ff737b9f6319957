"""Credentials, and how they authenticate requests: signatures (AK/SK) and IAM tokens.

Sources: Huawei Cloud's API Request Signing Guide and the signer of its SDK (huaweicloudsdkcore,
signer.py); IAM API Reference, KeystoneCreateUserTokenByPassword.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests
from requests import PreparedRequest
from requests.auth import AuthBase

from restores.dcs.errors import DcsError, Unreachable, error_from, invalid_response
from restores.dcs.http import Deadline, Response, send
from restores.dcs.records import parse_time

_ALGORITHM = "SDK-HMAC-SHA256"
_LOGIN_TIMEOUT = 20.0  # seconds
# Tokens are valid for 24 hours; these bounds are for responses that say something else, or nothing.
_DEFAULT_LIFETIME = timedelta(hours=1)
_MIN_LIFETIME = timedelta(minutes=1)
_MAX_MARGIN = timedelta(minutes=5)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def no_rate_limit() -> None:
    """Return immediately: the rate limiter of callers without a limit."""


class _Secret:
    """Keeps its contents out of ``repr`` and pickles."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds credentials and cannot be pickled or copied")


class Credentials(_Secret):
    """The credentials that an account authenticates with."""

    __slots__ = ()

    def auth(self, session: requests.Session, project_id: str) -> Auth:
        """Return the authentication of requests to one project."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, repr=False)
class AccessKey(Credentials):
    """An access key (AK) and its secret key (SK), with a security token if temporary."""

    access_key: str
    secret_key: str
    security_token: str = ""

    def auth(self, session: requests.Session, project_id: str) -> Auth:
        """Return the authentication of requests to one project."""
        return SignedAuth(self.access_key, self.secret_key, self.security_token, project_id)


@dataclass(frozen=True, slots=True, repr=False)
class PasswordLogin(Credentials):
    """The name and password of an IAM user."""

    iam_endpoint: str
    domain: str
    username: str
    password: str

    def auth(self, session: requests.Session, project_id: str) -> Auth:
        """Return the authentication of requests to one project."""
        return TokenAuth(
            session, self.iam_endpoint, self.domain, self.username, self.password, project_id
        )


class Auth(_Secret, AuthBase):
    """Authentication of requests. ``secrets`` are masked in error messages."""

    secrets: tuple[str, ...] = ()


class SignedAuth(Auth):
    """Sign requests with an access key (SDK-HMAC-SHA256)."""

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        security_token: str = "",
        project_id: str = "",
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self.secrets = (access_key, secret_key, security_token)
        self._headers = {"X-Project-Id": project_id, "X-Security-Token": security_token}
        self._clock = clock

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add date and signature to a request."""
        date = f"{self._clock().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        host = urlsplit(request.url or "").netloc.rpartition("@")[2]
        request.headers.pop("Authorization", None)
        request.headers.update({name: value for name, value in self._headers.items() if value})
        request.headers.update({"Host": request.headers.get("Host", host), "X-Sdk-Date": date})
        digest = hashlib.sha256(_canonical_request(request).encode()).hexdigest()
        signature = hmac.new(
            self._secret_key.encode(), f"{_ALGORITHM}\n{date}\n{digest}".encode(), hashlib.sha256
        ).hexdigest()
        names = ";".join(sorted(_signed_headers(request)))
        request.headers["Authorization"] = (
            f"{_ALGORITHM} Access={self._access_key}, SignedHeaders={names}, Signature={signature}"
        )
        return request


class TokenAuth(Auth):
    """Authenticate with an IAM user's token for one project, or without one for the domain."""

    def __init__(
        self,
        session: requests.Session,
        iam_endpoint: str,
        domain: str,
        username: str,
        password: str,
        project_id: str,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._session = session
        self._url = f"{iam_endpoint.rstrip('/')}/v3/auth/tokens?nocatalog=true"
        self._domain = domain
        self._username = username
        self._password = password
        self._project_id = project_id
        self.secrets = (password,)
        self._clock = clock
        self._lock = threading.Lock()
        self._logins = 0
        self._token = ""
        self._renew_at = clock()
        self._failure: DcsError | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token to a request, after a login if there is none."""
        self.ensure_token()
        request.headers["X-Auth-Token"] = self._token
        return request

    def ensure_token(
        self, rate_limiter: Callable[[], None] = no_rate_limit, deadline: Deadline | None = None
    ) -> None:
        """Log in unless there is a token that will outlive the call."""
        if not self._token or self._clock() >= self._renew_at:
            self._replace(self._token, rate_limiter, deadline or Deadline(_LOGIN_TIMEOUT))

    def renew_token(
        self,
        rejected: PreparedRequest,
        rate_limiter: Callable[[], None] = no_rate_limit,
        deadline: Deadline | None = None,
    ) -> None:
        """Replace the token of a ``rejected`` request, unless another thread already has."""
        token = rejected.headers.get("X-Auth-Token", "")
        self._replace(token, rate_limiter, deadline or Deadline(_LOGIN_TIMEOUT))

    def _replace(self, token: str, rate_limiter: Callable[[], None], deadline: Deadline) -> None:
        logins = self._logins
        if not self._lock.acquire(timeout=deadline.remaining):
            raise Unreachable("Another thread’s login did not finish in time.")
        try:
            if self._logins == logins and self._token == token:
                self._log_in(rate_limiter, deadline)
            elif self._logins != logins and self._failure:
                # Threads that waited share the outcome: five rejected logins lock the user.
                raise copy.copy(self._failure)
        finally:
            self._lock.release()

    def _log_in(self, rate_limiter: Callable[[], None], deadline: Deadline) -> None:
        self._failure = None
        try:
            response = send(self._session, self._login_request, rate_limiter, deadline)
            if response.status != 201:
                raise error_from(response, secrets=self.secrets)
            token = response.headers.get("X-Subject-Token", "")
            if not re.fullmatch(r"[\x21-\x7e]+", token):
                raise invalid_response(response, "The login succeeded without a usable token.")
        except DcsError as error:
            self._failure = error
            raise
        finally:
            self._logins += 1
        lifetime = _lifetime(response)
        self._renew_at = self._clock() + lifetime - min(lifetime / 10, _MAX_MARGIN)
        self._token = token

    def _login_request(self) -> PreparedRequest:
        domain = {"name": self._domain}
        user = {"name": self._username, "password": self._password, "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"id": self._project_id}} if self._project_id else {"domain": domain}
        return requests.Request(
            "POST",
            self._url,
            headers={"Content-Type": "application/json;charset=utf8"},
            data=json.dumps({"auth": {"identity": identity, "scope": scope}}),
        ).prepare()


def _lifetime(response: Response) -> timedelta:
    """Return how long a token is valid, by the server's clock because ours may be wrong."""
    try:
        expires_at = parse_time(json.loads(response.body)["token"]["expires_at"])
    except (ValueError, RecursionError, LookupError, TypeError):
        expires_at = None
    return (
        max(expires_at - response.server_time, _MIN_LIFETIME) if expires_at else _DEFAULT_LIFETIME
    )


def _canonical_request(request: PreparedRequest) -> str:
    """Return the string that both sides hash."""
    url = urlsplit(request.url or "")
    path = quote(unquote(url.path), safe="/~")
    query = sorted(parse_qsl(url.query, keep_blank_values=True))
    headers = _signed_headers(request)
    body = request.body or b""
    return "\n".join(
        (
            (request.method or "GET").upper(),
            # Signed with a trailing slash, although the request is sent without one.
            path if path.endswith("/") else f"{path}/",
            "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            ";".join(sorted(headers)),
            hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest(),
        )
    )


def _signed_headers(request: PreparedRequest) -> dict[str, str]:
    # Gateways drop names with an underscore, so the official signer leaves them out too.
    return {
        name.lower(): (value.decode() if isinstance(value, bytes) else value).strip()
        for name, value in request.headers.items()
        if "_" not in name
    }
