"""Who is asking: tells callers apart by signature or token, and locks keys that fail too often."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from .answers import Answer, Refused, Request, gateway_error, service_error
from .cast import Account, Key
from .signing import Signature, Stale, Unsigned, check_date, claimed, genuine
from .tokens import BadToken, ExpiredToken, Mint

FAILURES_TO_LOCK = 5
LOCKED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose request it is; a token also says for which project alone."""

    account: Account
    project_id: str | None = None
    denied: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Record:
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(slots=True)
class Gate:
    """Knows every key and remembers their failures."""

    accounts: Iterable[Account]
    mint: Mint
    _records: dict[str, _Record] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def caller(self, request: Request) -> Caller:
        """Return whose request it is, or refuse it with the documented 401."""
        if "x-auth-token" in request.headers:
            found = self._by_token(request)
        else:
            found = self._by_signature(request)
        request.account = found.account.name
        return found

    def _by_token(self, request: Request) -> Caller:
        text = request.headers["x-auth-token"]
        if not text:
            raise Refused(service_error("DCS.1003"))
        try:
            token = self.mint.read(text, request.now)
        except BadToken as error:
            raise Refused(service_error("DCS.1001")) from error
        except ExpiredToken as error:
            raise Refused(service_error("DCS.1002")) from error
        account = next(each for each in self.accounts if each.name == token.account)
        return Caller(account=account, project_id=token.project_id)

    def _by_signature(self, request: Request) -> Caller:
        if "authorization" not in request.headers:
            raise Refused(_unauthorized("X-Auth-Token or Authorization missing"))
        try:
            claim = claimed(request)
        except Unsigned as error:
            raise Refused(_unauthorized(str(error))) from error
        account, key = self._owner(claim)
        self._refuse_if_locked(key, request.now)
        try:
            check_date(request)
        except Stale as error:
            text = f"Incorrect app authentication information: {error}"
            raise Refused(gateway_error(401, "0303", text)) from error
        right = genuine(request, claim, key.secret) and _has_security_token(request, claim, key)
        self._remember(key, request.now, right=right)
        if not right:
            raise Refused(_unauthorized("verify aksk signature fail"))
        return Caller(account=account, denied=key.denied)

    def _owner(self, claim: Signature) -> tuple[Account, Key]:
        for account in self.accounts:
            for key in account.keys:
                if key.access == claim.access:
                    return account, key
        raise Refused(_unauthorized(f"ak {claim.access} not exist"))

    def _refuse_if_locked(self, key: Key, now: datetime) -> None:
        with self._lock:
            until = self._records.setdefault(key.access, _Record()).locked_until
        if until and now < until:
            raise Refused(_unauthorized(f"key locked, ak {key.access} failed too often"))

    def _remember(self, key: Key, now: datetime, *, right: bool) -> None:
        with self._lock:
            record = self._records.setdefault(key.access, _Record())
            record.failures = 0 if right else record.failures + 1
            if record.failures >= FAILURES_TO_LOCK:
                record.failures, record.locked_until = 0, now + LOCKED_FOR


def _has_security_token(request: Request, claim: Signature, key: Key) -> bool:
    if key.security_token is None:
        return True
    sent = request.headers.get("x-security-token", "") if "x-security-token" in claim.names else ""
    return hmac.compare_digest(sent.encode(), key.security_token.encode())


def _unauthorized(detail: str) -> Answer:
    return gateway_error(401, "0301", f"Incorrect IAM authentication information: {detail}")
