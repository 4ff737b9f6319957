"""Checks SDK-HMAC-SHA256 signatures, written from the specification and not from any client."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from .answers import Request

ALGORITHM = "SDK-HMAC-SHA256"
PATIENCE = timedelta(minutes=15)
AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), ?"
    r"SignedHeaders=(?P<names>[a-z0-9;_-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class Unsigned(ValueError):
    """The Authorization header cannot be a signature at all."""


class Stale(ValueError):
    """The request was signed at another time than now."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What an Authorization header claims."""

    access: str
    names: tuple[str, ...]
    signature: str


def claimed(request: Request) -> Signature:
    """Read the request's signature; Unsigned if it has none that could ever be right."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise Unsigned("authorization header malformed")
    names = tuple(found["names"].split(";"))
    for name in ("host", "x-sdk-date", *names):
        if name not in names or name not in request.headers:
            raise Unsigned(f"header {name} missing or not signed")
    if list(names) != sorted(names):
        raise Unsigned("signed headers not sorted")
    return Signature(found["access"], names, found["signature"])


def check_date(request: Request) -> None:
    """Raise Stale if X-Sdk-Date is unreadable or more than 15 minutes off."""
    try:
        signed_at = datetime.strptime(request.headers["x-sdk-date"], "%Y%m%dT%H%M%SZ")
    except ValueError as error:
        raise Stale("unreadable X-Sdk-Date") from error
    if abs(request.now - signed_at.replace(tzinfo=UTC)) > PATIENCE:
        raise Stale("X-Sdk-Date more than 15 minutes off")


def genuine(request: Request, claim: Signature, secret: str) -> bool:
    """Whether the owner of ``secret`` signed exactly this request."""
    text = "\n".join(
        (ALGORITHM, request.headers["x-sdk-date"], _digest(_canonical(request, claim)))
    )
    expected = hmac.new(secret.encode(), text.encode("latin-1"), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, claim.signature)


def _canonical(request: Request, claim: Signature) -> bytes:
    lines = (
        request.method,
        _canonical_path(request.plain_path),
        _canonical_query(request.query),
        *(f"{name}:{request.headers[name].strip()}" for name in claim.names),
        "",
        ";".join(claim.names),
        _digest(request.body),
    )
    # Header values were read as latin-1, so this gives back the bytes that were sent.
    return "\n".join(lines).encode("latin-1")


def _canonical_path(plain: str) -> str:
    # It ends with "/" although the request is sent without one.
    path = "/".join(quote(segment, safe="~") for segment in plain.split("/"))
    return path if path.endswith("/") else f"{path}/"


def _canonical_query(pairs: list[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(pairs)
    )


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
