"""Accounts, projects and instances of the simulated cloud, with names and remarks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from .rng import random_uuid, seeded

APPLICATIONS = (
    *("cart", "session", "catalog", "checkout", "pricing", "search", "feed", "auth"),
    *("leaderboard", "ratelimit", "inbox", "stock", "coupon", "geo", "quota", "wishlist"),
)
STAGES = ("prod", "prod-2", "eu-1", "eu-2", "canary", "staging", "blue", "green")
LOCAL_NAMES: dict[str, tuple[str, ...]] = {
    "german": ("warenkorb-prod", "größen-cache", "suche-live", "cart-prod", "session-eu-2"),
    "japanese": ("カート-本番", "セッション-東京-2", "在庫-キャッシュ", "ranking-live"),
    "chinese": ("推荐-缓存-生产", "购物车-会话", "订单-缓存-生产", "搜索-热词", "cart-prod"),
    "english": ("ledger-hot", "fraud-scores", "card-session", "cart-prod", "fx-rates"),
    "indian": ("playlist-cache", "गीत-सूची", "lyrics-prod", "session-in-1"),
    "mixed": ("ذاكرة-المتجر-1", "מטמון-הזמנות-1", "drill-target", "rehearsal-b"),
}

HTML_REMARK = '<script>alert("restore")</script><b>bold</b> & <img src=x onerror=alert(1)>'
FORMULA_REMARK = "=cmd|' /C calc'!A0"
CHINESE_REMARK = "误删购物车数据,恢复到凌晨三点的备份"
ARABIC_REMARK = "استعادة بعد حذف بالخطأ - تذكرة 4711"
HEBREW_REMARK = "שחזור לאחר מחיקה בטעות (פנייה 815)"
LONG_REMARK = (
    "Second attempt after the first one stopped halfway; agreed with the customer by phone, "
    "window 02:00-03:00, roll back to last night"
)[:128]
ODD_REMARKS = (
    *(HTML_REMARK, FORMULA_REMARK, CHINESE_REMARK, ARABIC_REMARK, HEBREW_REMARK, LONG_REMARK),
    *("+49 30 1234567", "@SUM(A1:A9)", "line one\nline two", "NULL", "🙂 drill"),
)
PLAIN_REMARKS = (
    "wrong keys flushed by deploy",
    "drill",
    "monthly restore test",
    "roll back to last night",
    "customer asked for yesterday's state",
    "before migration",
    "bad cache warm-up",
)

# (mode, spec code, gigabytes)
SPECS = (
    ("ha", "redis.ha.xu1.large.r2.4", 4),
    ("ha", "redis.ha.xu1.large.r2.8", 8),
    ("cluster", "redis.cluster.xu1.large.r2.24", 24),
    ("proxy", "redis.proxy.xu1.large.16", 16),
    ("ha", "redis.ha.xu1.tiny.r2.128", 0),
    ("ha", "dcs.memcached.master_standby", 2),
    ("single", "redis.single.xu1.large.2", 2),
)
SPEC_WEIGHTS = (34, 20, 10, 8, 10, 3, 15)
RARE_STATUSES = ("FROZEN", "ERROR", "EXTENDING", "CREATEFAILED")
# The first instances of each project are plain and healthy, so that odd records find a home.
HEALTHY_PER_PROJECT = 3
DRILL_PROJECT = 5


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key; a temporary one needs its security token, a weak one has denied calls."""

    access: str
    secret: str
    security_token: str | None = None
    denied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer account of the provider, with credentials for both ways to sign in."""

    name: str
    domain: str
    domain_id: str
    username: str
    password: str
    keys: tuple[AccessKey, ...]
    method: Literal["aksk", "password"]

    @property
    def key(self) -> AccessKey:
        """The permanent key with all permissions."""
        return self.keys[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One cloud project, and how the API of its region deviates from the others.

    ``absent`` is how absent values are written. With ``waiting_is_running`` an instance stays
    RUNNING while its restore waits.
    """

    index: int
    project_id: str
    name: str
    account: Account
    region: str
    customer: str
    zone: ZoneInfo
    language: str
    weight: int
    absent: Literal["{}", "null", "missing"]
    reports_progress: bool = True
    waiting_is_running: bool = False
    fast_restores: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """One cache instance.

    ``restore_weight`` is its share of all history. ``index_in_project`` and ``index`` number the
    instances that can be restored; -1 for one that cannot.
    """

    project: Project
    instance_id: str
    name: str
    engine_version: str
    mode: str
    spec_code: str
    gigabytes: int
    ip: str
    base_status: str
    created_at: datetime
    restore_weight: float
    typical_duration: timedelta
    index_in_project: int = -1
    index: int = -1

    @property
    def engine(self) -> str:
        """Redis or Memcached."""
        return "Memcached" if "memcached" in self.spec_code else "Redis"

    @property
    def restorable(self) -> bool:
        """Whether it can be backed up and restored; a single node or a broken one cannot."""
        return self.mode != "single" and self.base_status == "RUNNING"


def make_accounts(seed: int) -> tuple[Account, Account]:
    """Return two accounts: one for AK/SK, one for user and password."""
    return _account(seed, "harbour", "aksk"), _account(seed, "lantern", "password")


def make_projects(seed: int, harbour: Account, lantern: Account) -> tuple[Project, ...]:
    """Return the projects of both accounts, each with its own region."""

    def project(index: int, name: str, zone: str, **fields: object) -> Project:
        number = f"{seeded(seed, 'project', index).getrandbits(128):032x}"
        return Project(index=index, project_id=number, name=name, zone=ZoneInfo(zone), **fields)  # type: ignore[arg-type]

    return (
        project(0, "shopwell-prod", "Europe/Berlin", account=harbour, region="eu-de",
                customer="Shopwell", language="german", weight=30, absent="{}"),
        project(1, "kaiyo-live", "Asia/Tokyo", account=harbour, region="ap-northeast-1",
                customer="海洋ネット", language="japanese", weight=20, absent="null",
                reports_progress=False),
        project(2, "liuhe-mall", "Asia/Shanghai", account=harbour, region="cn-east-3",
                customer="六合商城", language="chinese", weight=20, absent="{}"),
        project(3, "meridian-pay", "America/New_York", account=harbour, region="la-north-2",
                customer="Meridian Pay", language="english", weight=14, absent="missing",
                waiting_is_running=True),
        project(4, "raga-music", "Asia/Kolkata", account=lantern, region="ap-southeast-3",
                customer="Raga Music", language="indian", weight=10, absent="null",
                fast_restores=True),
        project(5, "nimbus-lab", "UTC", account=lantern, region="eu-nl",
                customer="Nimbus Lab", language="mixed", weight=6, absent="null"),
    )  # fmt: skip


def make_instances(
    seed: int, projects: Sequence[Project], count: int, history_start: datetime
) -> list[Instance]:
    """Return ``count`` instances: the first ones project by project, the rest by weight."""
    weights = list(accumulate(project.weight for project in projects))
    restorable: Counter[int] = Counter()
    names: Counter[tuple[int, str]] = Counter()
    instances = []
    for number in range(count):
        rng = seeded(seed, "instance", number)
        healthy = number < HEALTHY_PER_PROJECT * len(projects)
        project = projects[number % len(projects)]
        if not healthy:
            project = rng.choices(projects, cum_weights=weights)[0]
        instance = _instance(rng, project, history_start, healthy=healthy)
        if instance.restorable:
            instance = replace(
                instance, index_in_project=restorable[project.index], index=restorable.total()
            )
            restorable[project.index] += 1
        instances.append(instance)
    if len(instances) > DRILL_PROJECT:
        # A fifth of all history belongs to one instance, so that paging is needed somewhere.
        others = sum(each.restore_weight for each in instances if each.restorable)
        instances[DRILL_PROJECT] = replace(
            instances[DRILL_PROJECT], name="drill-target", restore_weight=others / 4
        )
    for number, instance in enumerate(instances):
        key = (instance.project.index, instance.name)
        names[key] += 1
        if names[key] > 1:
            instances[number] = replace(instance, name=f"{instance.name}-{names[key]:02d}")
    return instances


def random_remark(rng: Random) -> str | None:
    """Draw a remark as people write them: mostly none, often a ticket, now and then odd."""
    roll = rng.random()
    if roll < 0.45:
        return None
    if roll < 0.70:
        return f"INC-{rng.randint(10_000, 99_999)}"
    return rng.choice(PLAIN_REMARKS if roll < 0.95 else ODD_REMARKS)


def _account(seed: int, name: str, method: Literal["aksk", "password"]) -> Account:
    rng = seeded(seed, "account", name)

    def pair() -> tuple[str, str]:
        return f"{rng.getrandbits(80):020X}", f"{rng.getrandbits(160):040x}"

    permanent = AccessKey(*pair())
    security_token = f"{rng.getrandbits(512):0128x}"
    temporary = AccessKey(*pair(), security_token=security_token)
    weak = AccessKey(*pair(), denied=frozenset({"restores", "backups"}))
    return Account(
        name=name,
        domain=f"{name}-domain",
        domain_id=f"{rng.getrandbits(128):032x}",
        username=f"{name}-reader",
        password=f"{rng.getrandbits(96):024x}!Aa",
        keys=(permanent, temporary, weak),
        method=method,
    )


def _instance(rng: Random, project: Project, history_start: datetime, *, healthy: bool) -> Instance:
    mode, spec, gigabytes = SPECS[0] if healthy else rng.choices(SPECS, SPEC_WEIGHTS)[0]
    broken = not healthy and rng.random() < 0.02
    idle = not healthy and rng.random() < 0.12
    old = healthy or rng.random() < 0.8
    age_days = -rng.uniform(5, 600) if old else rng.uniform(5, 500)
    return Instance(
        project=project,
        instance_id=random_uuid(rng),
        name=_instance_name(rng, project.language),
        engine_version=rng.choice(("4.0", "5.0", "6.0", "7.0")),
        mode=mode,
        spec_code=spec,
        gigabytes=gigabytes,
        ip=f"10.{20 + project.index}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        base_status=rng.choice(RARE_STATUSES) if broken else "RUNNING",
        created_at=history_start + timedelta(days=age_days),
        restore_weight=0.0 if idle else 0.3 + rng.expovariate(1.2),
        typical_duration=timedelta(minutes=1 + 4 * rng.random() ** 3),
    )


def _instance_name(rng: Random, language: str) -> str:
    if rng.random() < 0.3:
        return rng.choice(LOCAL_NAMES[language])
    return f"{rng.choice(APPLICATIONS)}-{rng.choice(STAGES)}"
