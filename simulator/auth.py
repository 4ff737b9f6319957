"""Authentication of the simulated API: SDK-HMAC-SHA256 signatures, tokens and key locks.

The signature check is written from the specification and not from any client.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from urllib.parse import quote

from .inventory import AccessKey, Account
from .responses import ApiError, Request, gateway_error, service_error

ALGORITHM = "SDK-HMAC-SHA256"
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), ?"
    r"SignedHeaders=(?P<names>[a-z0-9;_-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
LARGEST_SKEW = timedelta(minutes=15)
FAILURES_BEFORE_LOCK = 5
LOCK_DURATION = timedelta(minutes=5)
TOKEN_PREFIX = "MIIsim."  # noqa: S105 - how every token begins, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a request; a token is limited to its project, a weak key has denied calls."""

    account: Account
    project_id: str | None = None
    denied: frozenset[str] = frozenset()


class Authenticator:
    """Identifies callers, and locks access keys that fail too often."""

    def __init__(self, seed: int, accounts: Iterable[Account]) -> None:
        self._token_secret = hashlib.sha256(f"token mint {seed}".encode()).digest()
        self._accounts = {account.name: account for account in accounts}
        self._keys = {key.access: (a, key) for a in self._accounts.values() for key in a.keys}
        self._failures = dict.fromkeys(self._keys, 0)
        self._locked_until: dict[str, datetime] = {}
        self._lock = Lock()

    def caller(self, request: Request) -> Caller:
        """Return who sent the request; raise the documented 401 if that is unknown."""
        if "x-auth-token" in request.headers:
            caller = self._by_token(request)
        elif "authorization" in request.headers:
            caller = self._by_signature(request)
        else:
            raise _unauthorized("X-Auth-Token or Authorization missing")
        request.account = caller.account.name
        return caller

    def issue_token(self, account: Account, project_id: str, expires_at: datetime) -> str:
        """Return a token. It carries its own fields, so it survives a restart of the simulator."""
        fields = [account.name, project_id, expires_at.isoformat()]
        payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
        return f"{TOKEN_PREFIX}{payload}.{self._token_signature(payload)}"

    def _by_token(self, request: Request) -> Caller:
        text = request.headers["x-auth-token"]
        if not text:
            raise service_error("DCS.1003")
        payload, _, signature = text.removeprefix(TOKEN_PREFIX).partition(".")
        if not _equal(signature, self._token_signature(payload)):
            raise service_error("DCS.1001")
        try:
            name, project_id, expires_at = json.loads(base64.urlsafe_b64decode(payload))
        except (binascii.Error, ValueError) as error:
            raise service_error("DCS.1001") from error
        if datetime.fromisoformat(expires_at) <= request.now:
            raise service_error("DCS.1002")
        return Caller(account=self._accounts[name], project_id=project_id)

    def _token_signature(self, payload: str) -> str:
        return hmac.new(self._token_secret, payload.encode(), hashlib.sha256).hexdigest()

    def _by_signature(self, request: Request) -> Caller:
        found = AUTHORIZATION.fullmatch(request.headers["authorization"])
        if not found:
            raise _unauthorized("authorization header malformed")
        access, names = found["access"], found["names"].split(";")
        for name in ("host", "x-sdk-date", *names):
            if name not in names or name not in request.headers:
                raise _unauthorized(f"header {name} missing or not signed")
        if names != sorted(names):
            raise _unauthorized("signed headers not sorted")
        if access not in self._keys:
            raise _unauthorized(f"ak {access} not exist")
        account, key = self._keys[access]
        with self._lock:
            locked_until = self._locked_until.get(access)
        if locked_until and request.now < locked_until:
            raise _unauthorized(f"key locked, ak {access} failed too often")
        _check_date(request)
        valid = _equal(found["signature"], _signature(request, names, key.secret))
        valid = valid and _has_security_token(request, names, key)
        self._count_failures(access, request.now, valid=valid)
        if not valid:
            raise _unauthorized("verify aksk signature fail")
        return Caller(account=account, denied=key.denied)

    def _count_failures(self, access: str, now: datetime, *, valid: bool) -> None:
        with self._lock:
            self._failures[access] = 0 if valid else self._failures[access] + 1
            if self._failures[access] >= FAILURES_BEFORE_LOCK:
                self._failures[access] = 0
                self._locked_until[access] = now + LOCK_DURATION


def _check_date(request: Request) -> None:
    """Refuse a request whose X-Sdk-Date is unreadable or more than 15 minutes off."""
    problem = ""
    try:
        signed_at = datetime.strptime(request.headers["x-sdk-date"], "%Y%m%dT%H%M%SZ")
    except ValueError:
        problem = "unreadable X-Sdk-Date"
    else:
        if abs(request.now - signed_at.replace(tzinfo=UTC)) > LARGEST_SKEW:
            problem = "X-Sdk-Date more than 15 minutes off"
    if problem:
        raise gateway_error(401, "0303", f"Incorrect app authentication information: {problem}")


def _signature(request: Request, names: list[str], secret: str) -> str:
    # The canonical path ends with "/" although the request is sent without one.
    path = "/".join(quote(segment, safe="~") for segment in request.decoded_path.split("/"))
    query = "&".join(
        f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(request.query)
    )
    canonical = (
        request.method,
        path if path.endswith("/") else f"{path}/",
        query,
        *(f"{name}:{request.headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(request.body).hexdigest(),
    )
    # Header values were read as latin-1, so this gives back the bytes that were sent.
    digest = hashlib.sha256("\n".join(canonical).encode("latin-1")).hexdigest()
    text = "\n".join((ALGORITHM, request.headers["x-sdk-date"], digest))
    return hmac.new(secret.encode(), text.encode("latin-1"), hashlib.sha256).hexdigest()


def _has_security_token(request: Request, names: list[str], key: AccessKey) -> bool:
    if key.security_token is None:
        return True
    sent = request.headers.get("x-security-token", "") if "x-security-token" in names else ""
    return _equal(sent, key.security_token)


def _equal(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())


def _unauthorized(detail: str) -> ApiError:
    return gateway_error(401, "0301", f"Incorrect IAM authentication information: {detail}")
