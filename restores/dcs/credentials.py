"""What an account proves itself with; ``requests`` is only needed once it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import requests
    from requests.auth import AuthBase


class Credentials:
    """Secrets that are neither printed nor pickled."""

    __slots__ = ()

    def auth(self, session: requests.Session, project_id: str) -> AuthBase:
        """Make what signs the requests to one project."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds credentials and cannot be pickled or copied")


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair(Credentials):
    """An access key and its secret, perhaps temporary."""

    access_key: str
    secret_key: str
    security_token: str = ""

    def auth(self, session: requests.Session, project_id: str) -> AuthBase:
        """Make what signs the requests to one project."""
        # Here, because ./run reads the projects file before anything is installed.
        from restores.dcs.auth import SignedAuth

        return SignedAuth(self.access_key, self.secret_key, self.security_token, project_id)


@dataclass(frozen=True, slots=True, repr=False)
class Login(Credentials):
    """An IAM user's name and password."""

    iam_endpoint: str
    domain: str
    username: str
    password: str

    def auth(self, session: requests.Session, project_id: str) -> AuthBase:
        """Make what gets and renews the token for one project."""
        from restores.dcs.auth import TokenAuth

        return TokenAuth(
            session, self.iam_endpoint, self.domain, self.username, self.password, project_id
        )
