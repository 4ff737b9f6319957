"""Who lives in the simulated world: accounts with their keys, projects with their customers."""

from dataclasses import dataclass
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from .dice import dice


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key; a temporary one comes with a security token, a weak one may not do all."""

    access: str
    secret: str
    security_token: str | None = None
    denied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer of the cloud provider, with both ways to sign in."""

    name: str
    domain: str
    domain_id: str
    username: str
    password: str
    keys: tuple[Key, ...]
    method: Literal["aksk", "password"]

    @property
    def key(self) -> Key:
        """The everyday key."""
        return self.keys[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One cloud project and the habits of the region it lives in."""

    index: int
    project_id: str
    name: str
    account: Account
    region: str
    customer: str
    zone: ZoneInfo
    tongue: str
    share: int
    absent: Literal["{}", "null", "missing"]
    progress: Literal["steps", "ends"] = "steps"
    waiting_is_running: bool = False
    brisk: bool = False


def accounts(seed: int) -> tuple[Account, Account]:
    """Return the two accounts: one meant for AK/SK, one for user and password."""
    return _account(seed, "harbour", "aksk"), _account(seed, "lantern", "password")


def projects(seed: int, harbour: Account, lantern: Account) -> tuple[Project, ...]:
    """Return the projects of both accounts, each with a habit of its own."""

    def project(index: int, name: str, zone: str, **habits: object) -> Project:
        number = f"{dice(seed, 'project', index).getrandbits(128):032x}"
        return Project(index=index, project_id=number, name=name, zone=ZoneInfo(zone), **habits)  # type: ignore[arg-type]

    return (
        project(0, "shopwell-prod", "Europe/Berlin", account=harbour, region="eu-de",
                customer="Shopwell", tongue="german", share=30, absent="{}"),
        project(1, "kaiyo-live", "Asia/Tokyo", account=harbour, region="ap-northeast-1",
                customer="海洋ネット", tongue="japanese", share=20, absent="null", progress="ends"),
        project(2, "liuhe-mall", "Asia/Shanghai", account=harbour, region="cn-east-3",
                customer="六合商城", tongue="chinese", share=20, absent="{}"),
        project(3, "meridian-pay", "America/New_York", account=harbour, region="la-north-2",
                customer="Meridian Pay", tongue="english", share=14, absent="missing",
                waiting_is_running=True),
        project(4, "raga-music", "Asia/Kolkata", account=lantern, region="ap-southeast-3",
                customer="Raga Music", tongue="indian", share=10, absent="null", brisk=True),
        project(5, "nimbus-lab", "UTC", account=lantern, region="eu-nl",
                customer="Nimbus Lab", tongue="mixed", share=6, absent="null"),
    )  # fmt: skip


def _account(seed: int, name: str, method: Literal["aksk", "password"]) -> Account:
    rng = dice(seed, "account", name)
    everyday = _key(rng)
    temporary = _key(rng, security_token=f"{rng.getrandbits(512):0128x}")
    weak = _key(rng, denied=frozenset({"restores", "backups"}))
    return Account(
        name=name,
        domain=f"{name}-domain",
        domain_id=f"{rng.getrandbits(128):032x}",
        username=f"{name}-reader",
        password=f"{rng.getrandbits(96):024x}!Aa",
        keys=(everyday, temporary, weak),
        method=method,
    )


def _key(
    rng: Random, security_token: str | None = None, denied: frozenset[str] = frozenset()
) -> Key:
    return Key(
        access=f"{rng.getrandbits(80):020X}",
        secret=f"{rng.getrandbits(160):040x}",
        security_token=security_token,
        denied=denied,
    )
