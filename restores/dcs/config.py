"""The projects file: which accounts and projects to monitor, and where their secrets are.

A TOML file with one table per account, ``[accounts.NAME]``, and per project, ``[projects.NAME]``.
It names secrets, by ``…_env`` or ``…_file``, and never contains them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import ssl
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from restores.dcs.auth import AccessKey, Credentials, PasswordLogin

DEFAULT_RATE = 10.0  # calls per second
DEFAULT_INTERVAL = 15 * 60  # seconds
_MAX_SECRET_SIZE = 64 * 1024

T = TypeVar("T")


class ConfigError(Exception):
    """Everything that is wrong with a projects file, one line per problem."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__(path, problems)
        self.problems = tuple(f"{path}: {problem}" for problem in problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """Where to list an account's projects, and the settings of those found. Interval in seconds."""

    iam_endpoint: str
    interval: int
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """One credential at one cloud.

    ``rate`` is in calls per second. ``proxy`` is a URL that may contain a password, ``ca_file`` the
    path of the CA certificates to trust; both are "" by default. ``digest`` changes with the
    table's contents and its secrets.
    """

    name: str
    endpoint: str
    rate: float
    method: str
    credentials: Credentials = field(repr=False)
    digest: str = field(repr=False)
    proxy: str = field(default="", repr=False)
    ca_file: str = ""
    owner: str = ""
    console_url: str = ""
    discovery: DiscoveryConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """One project to monitor. ``interval`` is in seconds; ``owner`` and ``console_url`` are those
    of its account if the project has none.
    """

    name: str
    account: AccountConfig
    project_id: str
    region: str
    interval: int
    customer: str
    customer_ref: str
    time_zone: str
    owner: str
    console_url: str


@dataclass(frozen=True, slots=True)
class ProjectsFile:
    """The accounts and projects of a file, by name."""

    accounts: dict[str, AccountConfig]
    projects: dict[str, ProjectConfig]


def load(path: Path, environ: Mapping[str, str]) -> ProjectsFile:
    """Read a projects file and its secrets; raise ConfigError with all problems."""
    file = _File(path.parent, environ)
    root = _Table(file, "", _read_toml(path))
    accounts = {name: _read_account(name, table) for name, table in _subtables(root, "accounts")}
    projects = {
        name: _read_project(name, table, accounts) for name, table in _subtables(root, "projects")
    }
    root.reject_unknown_keys()
    file.problems += _duplicates(projects)
    if file.problems:
        raise ConfigError(path, file.problems)
    return ProjectsFile(accounts, projects)


def secret_files(path: Path) -> set[Path]:
    """Return the secret files that a projects file names, whether they exist or not."""
    accounts = _read_toml(path).get("accounts")
    tables = accounts.values() if isinstance(accounts, dict) else ()
    return {
        path.parent / value
        for table in tables
        if isinstance(table, dict)
        for key, value in table.items()
        if key.endswith("_file") and isinstance(value, str)
    }


def _read_toml(path: Path) -> dict[str, object]:
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        json.dumps(document, default=str)  # a number may be too large to be printed
        return document
    except OSError as error:
        problem = f"cannot be read ({error.strerror}): must be a TOML file"
        raise ConfigError(path, [problem]) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, [f"is not valid TOML in UTF-8: {error}"]) from error


def _subtables(root: _Table, kind: str) -> Iterator[tuple[str, _Table]]:
    root.known_keys.add(kind)
    tables = root.values.get(kind, {})
    for name, values in tables.items() if isinstance(tables, dict) else [("", None)]:
        table = _Table(root.file, f"{kind}.{name}" if name else kind, {})
        if not isinstance(values, dict):
            table.add_problem(f"must be a table such as [{kind}.shop]")
        elif _NAME.parse(name) is None:
            table.add_problem(f"has an invalid name: must be {_NAME.allowed}")
        else:
            table.values = values
            yield name, table


def _read_account(name: str, table: _Table) -> AccountConfig:
    method = table.get("method", _one_of(["aksk", "password"]), default="aksk")
    credentials = _read_credentials(method, table)
    proxy = table.get_secret("proxy", _PROXY, optional=True)
    account = AccountConfig(
        name=name,
        endpoint=table.get("endpoint", _ENDPOINT),
        rate=table.get("rate", _RATE, default=DEFAULT_RATE),
        method=method,
        credentials=credentials,
        digest=_digest(table, credentials, proxy),
        proxy=proxy,
        ca_file=table.get_ca_file("ca_file"),
        owner=table.get("owner", _LABEL, default=""),
        console_url=table.get("console_url", _CONSOLE_URL, default=""),
        discovery=_read_discovery(table, credentials),
    )
    if method:  # an invalid method leaves open which keys belong to it
        table.reject_unknown_keys()
    return account


def _read_credentials(method: str, table: _Table) -> Credentials:
    if method == "password":
        return PasswordLogin(
            iam_endpoint=table.get("iam_endpoint", _ENDPOINT),
            domain=table.get("domain", _TEXT),
            username=table.get("username", _TEXT),
            password=table.get_secret("password", _PASSWORD),
        )
    if method == "aksk":
        return AccessKey(
            access_key=table.get_secret("access_key", _HEADER_SECRET),
            secret_key=table.get_secret("secret_key", _HEADER_SECRET),
            security_token=table.get_secret("security_token", _HEADER_SECRET, optional=True),
        )
    return Credentials()


def _read_discovery(table: _Table, credentials: Credentials) -> DiscoveryConfig | None:
    if not table.get("projects", _one_of(["discover"]), default=""):
        return None
    if isinstance(credentials, PasswordLogin):
        iam_endpoint = credentials.iam_endpoint
    else:
        iam_endpoint = table.get("iam_endpoint", _ENDPOINT)
    return DiscoveryConfig(
        iam_endpoint=iam_endpoint,
        interval=table.get("interval", _INTERVAL, default=DEFAULT_INTERVAL),
        customer=table.get("customer", _LABEL, default=""),
    )


def _digest(table: _Table, credentials: Credentials, proxy: str) -> str:
    secrets = astuple(credentials) if isinstance(credentials, AccessKey | PasswordLogin) else ()
    content = json.dumps([table.values, secrets, proxy], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _read_project(name: str, table: _Table, accounts: Mapping[str, AccountConfig]) -> ProjectConfig:
    account = accounts.get(table.get("account", _one_of(accounts)), _INVALID_ACCOUNT)
    project = ProjectConfig(
        name=name,
        account=account,
        project_id=table.get("project_id", _PROJECT_ID),
        region=table.get("region", _NAME),
        interval=table.get("interval", _INTERVAL, default=DEFAULT_INTERVAL),
        customer=table.get("customer", _LABEL, default=""),
        customer_ref=table.get("customer_ref", _LABEL, default=""),
        time_zone=table.get("time_zone", _TIME_ZONE, default=""),
        owner=table.get("owner", _LABEL, default=account.owner),
        console_url=table.get("console_url", _CONSOLE_URL, default=account.console_url),
    )
    table.reject_unknown_keys()
    return project


# Stands for an account that doesn't exist, so that the rest of a project is checked too.
_INVALID_ACCOUNT = AccountConfig(
    name="", endpoint="", rate=1.0, method="", credentials=Credentials(), digest=""
)


def _duplicates(projects: Mapping[str, ProjectConfig]) -> Iterator[str]:
    names: dict[tuple[str, str], str] = {}
    for name, project in projects.items():
        key = (project.account.endpoint, project.project_id)
        other = names.setdefault(key, name)
        if other != name and all(key):
            yield (
                f'[projects.{name}] project_id = "{project.project_id}": '
                f"must differ from that of [projects.{other}] at the same endpoint"
            )


@dataclass(frozen=True, slots=True)
class _ValueType(Generic[T]):
    """A key's type of value: a description, a parser (None = invalid), and a fallback value."""

    allowed: str
    parse: Callable[[object], T | None]
    fallback: T


@dataclass
class _File:
    """A projects file being read: where its secrets are, and the problems found so far."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    problems: list[str] = field(default_factory=list)

    def read_secret_file(self, name: str) -> tuple[str, str]:
        """Return a file's contents and what is wrong with it, if anything."""
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(_MAX_SECRET_SIZE).decode("utf-8-sig"), ""
        except OSError as error:
            return "", f"can’t be read ({error.strerror})"
        except ValueError:
            return "", "is not UTF-8"


@dataclass
class _Table:
    """A table of a projects file. What is invalid becomes a problem instead of an exception."""

    file: _File
    title: str
    values: Mapping[str, object]
    known_keys: set[str] = field(default_factory=set)

    def get(self, key: str, value_type: _ValueType[T], default: T | None = None) -> T:
        """Return the value of ``key``, which is required unless there is a default."""
        self.known_keys.add(key)
        if key not in self.values:
            if default is None:
                self.add_problem(f"{key} is missing: must be {value_type.allowed}")
                return value_type.fallback
            return default
        value = value_type.parse(self.values[key])
        if value is None:
            self.add_problem(f"{key} = {_shown(self.values[key])}: must be {value_type.allowed}")
            return value_type.fallback
        return value

    def get_secret(self, key: str, value_type: _ValueType[str], *, optional: bool = False) -> str:
        """Return the secret that ``key_env`` or ``key_file`` names."""
        env_key, file_key = f"{key}_env", f"{key}_file"
        self.known_keys.update((env_key, file_key))
        given = [name for name in (env_key, file_key) if name in self.values]
        if not given and optional:
            return ""
        if len(given) != 1:
            problem = "is set twice" if given else "is missing"
            self.add_problem(f"{key} {problem}: must be set by either {env_key} or {file_key}")
            return ""
        name = self.get(given[0], _TEXT)
        if not name:
            return ""
        if given[0] == env_key:
            secret, source = self.file.environ.get(name, ""), "an environment variable"
            problem = "" if name in self.file.environ else "is not set"
        else:
            source = "a readable file"
            secret, problem = self.file.read_secret_file(name)
        secret = secret.rstrip("\r\n")
        value = value_type.parse(secret)
        if value is None:
            problem = problem or ("holds something else" if secret else "is empty")
            self.add_problem(
                f"{given[0]} = {_shown(name)}: must name {source} that holds {value_type.allowed}, "
                f"but it {problem}"
            )
        return value or ""

    def get_ca_file(self, key: str) -> str:
        """Return the path of a file of CA certificates, "" if there is none."""
        name = self.get(key, _TEXT, default="")
        path = self.file.folder / name
        if name and not _holds_certificates(path):
            self.add_problem(
                f"{key} = {_shown(name)}: must name a readable PEM file of CA certificates"
            )
        return str(path) if name else ""

    def reject_unknown_keys(self) -> None:
        """Add a problem for every key that was not read."""
        for key in sorted(self.values.keys() - self.known_keys):
            # Without its value, which may be a secret that was written into the file.
            known = ", ".join(sorted(self.known_keys))
            self.add_problem(f"unknown key {_shown(key)}: must be one of {known}")

    def add_problem(self, problem: str) -> None:
        title = _printable(self.title)
        self.file.problems.append(f"[{title}] {problem}" if title else problem)


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = _printable(text)
    text = re.sub(r"//.*@", "//•••@", text)  # a password in a URL
    return text if len(text) <= 100 else f"{text[:99]}…"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _one_of(names: Iterable[str]) -> _ValueType[str]:
    known = sorted(names)
    allowed = f"one of {', '.join(known)}" if known else "one of the file’s accounts"
    return _ValueType(allowed, lambda value: str(value) if value in known else None, "")


def _parse_text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        return None
    return value if value.isprintable() else None


def _parse_name(value: object) -> str | None:
    text = _parse_text(value)
    return text if text and len(text) <= 100 else None


def _parse_label(value: object) -> str | None:
    return "" if value == "" else _parse_name(value)


def _parse_header_value(value: object) -> str | None:
    # requests rejects a header with a line break, in a message that repeats the header.
    valid = isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value)
    return str(value) if valid else None


def _parse_project_id(value: object) -> str | None:
    project_id = _parse_header_value(value)
    return project_id if project_id and len(project_id) <= 128 else None


def _parse_password(value: object) -> str | None:
    return value if isinstance(value, str) and value and value.isprintable() else None


def _parse_rate(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 1 <= value <= 1000 else None


def _parse_interval(value: object) -> int | None:
    match = re.fullmatch(r"([0-9]{1,6})([smh])", value) if isinstance(value, str) else None
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]] if match else 0
    return seconds if 60 <= seconds <= 24 * 3600 else None


def _parse_time_zone(value: object) -> str | None:
    try:
        return ZoneInfo(value).key if isinstance(value, str) and value else None
    except (KeyError, ValueError, OSError):
        return None


def _parse_endpoint(value: object) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return None
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        return None
    secure = url.scheme == "https" or (url.scheme == "http" and _is_loopback(host))
    if not secure or not _is_host(host) or port == 0 or re.search(r"[@?#\\]|://.*:/", value):
        return None
    # The client adds the version and the rest itself; documentation and catalogs show both.
    path = re.sub(r"/v\d+(\.\d+)?(/.*)?$", "", re.sub("/+", "/", url.path), flags=re.IGNORECASE)
    if not re.fullmatch(r"(/[\w.~-]*)*", path, re.ASCII) or {".", ".."} & set(path.split("/")):
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port not in (None, {"https": 443, "http": 80}[url.scheme]):
        netloc += f":{port}"
    endpoint = f"{url.scheme}://{netloc}{path.rstrip('/')}"
    return endpoint if len(endpoint) <= 255 else None


def _parse_console_url(value: object) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,500}", value):
        return None
    # Only the region may choose the host: the IDs are the provider's.
    address = re.sub(r"\{(project_id|instance_id)\}", "/", value.replace("{region}", "region"))
    try:
        url = urlsplit(address)
        valid = url.scheme == "https" and _is_host(url.hostname or "") and url.port != 0
    except ValueError:
        return None
    return value if valid and "@" not in url.netloc and not re.search(r"[{}\\]", address) else None


def _parse_proxy(value: object) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return None
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and _is_host(url.hostname or "") and url.port != 0
    except ValueError:
        return None
    plain = url.path in ("", "/") and not re.search(r"[?#\\]", value)
    return value.rstrip("/") if valid and plain else None


def _holds_certificates(path: Path) -> bool:
    try:
        return bool(ssl.create_default_context(cafile=path).cert_store_stats()["x509"])
    except (OSError, ValueError):
        return False


def _is_host(host: str) -> bool:
    if ":" in host:
        return re.fullmatch("[0-9a-f:.]+", host) is not None
    return re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", host) is not None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_TEXT = _ValueType("text of 1 to 200 printable characters", _parse_text, "")
_NAME = _ValueType("text of 1 to 100 printable characters", _parse_name, "")
_LABEL = _ValueType("text of at most 100 printable characters", _parse_label, "")
_PROJECT_ID = _ValueType("1 to 128 visible ASCII characters", _parse_project_id, "")
_HEADER_SECRET = _ValueType("one line of visible ASCII characters", _parse_header_value, "")
_PASSWORD = _ValueType("one line of text", _parse_password, "")
_CONSOLE_URL = _ValueType(
    "an https:// URL of at most 500 characters, in which {region}, {project_id} and {instance_id} "
    "stand for those of an instance; only {region} may be in its host",
    _parse_console_url,
    "",
)
_PROXY = _ValueType(
    "a proxy's URL such as http://user:password@proxy.example:3128, with special "
    "characters percent-encoded",
    _parse_proxy,
    "",
)
_RATE = _ValueType("a number of calls per second, from 1 to 1000", _parse_rate, 1.0)
_INTERVAL = _ValueType('text such as "90s", "15m" or "1h", from 1m to 24h', _parse_interval, 60)
_TIME_ZONE = _ValueType('an IANA time zone such as "Europe/Berlin"', _parse_time_zone, "")
_ENDPOINT = _ValueType(
    "an https:// URL without user, query or fragment (http:// for loopback addresses only), "
    "such as https://dcs.eu-de.example; a version such as /v2 and anything after it are ignored",
    _parse_endpoint,
    "",
)
