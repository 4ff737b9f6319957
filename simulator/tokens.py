"""Tokens that carry their own truth, so that they stay valid when the simulator restarts."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

MARK = "MIIsim."


class BadToken(ValueError):
    """This token was not issued here."""


class ExpiredToken(ValueError):
    """This token was issued here and is too old."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who it was issued to and for which project."""

    account: str
    project_id: str
    expires_at: datetime


class Mint:
    """Issues and reads tokens; two mints of one seed know each other's."""

    def __init__(self, seed: int) -> None:
        self._secret = hashlib.sha256(f"token mint {seed}".encode()).digest()

    def issued(self, token: Token) -> str:
        """Write the token as the client will send it back."""
        fields = [token.account, token.project_id, token.expires_at.isoformat()]
        payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
        return f"{MARK}{payload}.{self._seal(payload)}"

    def read(self, text: str, now: datetime) -> Token:
        """Return what a token says; BadToken or ExpiredToken if it is worth nothing."""
        payload, _, seal = text.removeprefix(MARK).partition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(payload).encode()):
            raise BadToken(text[:40])
        try:
            account, project_id, expires = json.loads(base64.urlsafe_b64decode(payload))
        except (binascii.Error, ValueError) as error:
            raise BadToken(text[:40]) from error
        token = Token(account, project_id, datetime.fromisoformat(expires))
        if token.expires_at <= now:
            raise ExpiredToken(expires)
        return token

    def _seal(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()
