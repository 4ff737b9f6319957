"""An account's section of the projects file: where its cloud is, and what it proves itself with."""

import hashlib
import json
from dataclasses import astuple, dataclass, field

from restores.dcs import sections
from restores.dcs.credentials import Credentials, KeyPair, Login
from restores.dcs.sections import Section, Vault

_METHODS = ("aksk", "password")
_DISCOVER = "discover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Where an account's projects are listed, and what each that is found there gets."""

    iam_endpoint: str
    interval: int
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One credential at one cloud; ``digest`` changes whenever section or secrets do."""

    name: str
    endpoint: str
    rate: float
    method: str
    credentials: Credentials = field(repr=False)
    digest: str = field(repr=False)
    discovery: Discovery | None = None


def read_account(name: str, section: Section, vault: Vault) -> Account:
    """Read one account with its secrets, noting what is wrong in the section."""
    endpoint = section.take("endpoint", sections.ENDPOINT)
    rate = section.take("rate", sections.RATE, default=10.0)
    method = section.take("method", sections.one_of(_METHODS), default="aksk")
    credentials = _credentials(method, section, vault)
    discovery = _discovery(section, credentials)
    if method:
        section.refuse_unknown()
    return Account(
        name=name,
        endpoint=endpoint,
        rate=rate,
        method=method,
        credentials=credentials,
        digest=_digest(section, credentials),
        discovery=discovery,
    )


def _credentials(method: str, section: Section, vault: Vault) -> Credentials:
    if method == "password":
        return Login(
            iam_endpoint=section.take("iam_endpoint", sections.ENDPOINT),
            domain=section.take("domain", sections.TEXT),
            username=section.take("username", sections.TEXT),
            password=section.secret("password", vault, sections.PASSWORD),
        )
    if method == "aksk":
        return KeyPair(
            access_key=section.secret("access_key", vault, sections.HEADER_SECRET),
            secret_key=section.secret("secret_key", vault, sections.HEADER_SECRET),
            security_token=section.secret(
                "security_token", vault, sections.HEADER_SECRET, optional=True
            ),
        )
    return Credentials()


def _discovery(section: Section, credentials: Credentials) -> Discovery | None:
    if not section.take("projects", sections.one_of([_DISCOVER]), default=""):
        return None
    if isinstance(credentials, Login):
        iam_endpoint = credentials.iam_endpoint
    else:
        iam_endpoint = section.take("iam_endpoint", sections.ENDPOINT)
    return Discovery(
        iam_endpoint=iam_endpoint,
        interval=section.take("interval", sections.INTERVAL, default=15 * 60),
        customer=section.take("customer", sections.LABEL, default=""),
    )


def _digest(section: Section, credentials: Credentials) -> str:
    secrets = astuple(credentials) if isinstance(credentials, KeyPair | Login) else ()
    content = json.dumps([section.table, secrets], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
