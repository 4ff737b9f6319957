"""Reading a table of the projects file, noting every problem instead of stopping at the first."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

T = TypeVar("T")

_LARGEST_SECRET = 64 * 1024
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What a key may hold: in words, as a reader (None = no), and what to go on with after a no."""

    allowed: str
    read: Callable[[object], T | None]
    fallback: T


@dataclass(frozen=True, slots=True)
class Vault:
    """Where secrets are: in the environment, or in files found from the projects file's folder."""

    environ: Mapping[str, str] = field(repr=False)
    folder: Path

    def variable(self, name: str) -> tuple[str, str]:
        """Give a variable's value, "" without one, and what was looked for."""
        return self.environ.get(name, ""), "an environment variable"

    def file(self, name: str) -> tuple[str, str]:
        """Give a file's text, "" without one, and what was looked for."""
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(_LARGEST_SECRET).decode(), "a readable file"
        except (OSError, ValueError):
            return "", "a readable file"


@dataclass
class Section:
    """A table such as ``[accounts.shop]``; every Section of a file shares one ``problems``."""

    title: str
    table: Mapping[str, object]
    problems: list[str]
    known: set[str] = field(default_factory=set)

    def take(self, key: str, kind: Kind[T], default: T | None = None) -> T:
        """Read ``key``; without a ``default`` it must be there."""
        self.known.add(key)
        if key not in self.table:
            if default is None:
                self.note(f"{key} is missing: must be {kind.allowed}")
                return kind.fallback
            return default
        found = kind.read(self.table[key])
        if found is None:
            self.note(f"{key} = {_shown(self.table[key])}: must be {kind.allowed}")
            return kind.fallback
        return found

    def secret(self, key: str, vault: Vault, kind: Kind[str], *, optional: bool = False) -> str:
        """Read the secret that ``key_env`` or ``key_file`` names."""
        names = (f"{key}_env", f"{key}_file")
        self.known.update(names)
        given = [name for name in names if name in self.table]
        if len(given) != 1:
            trouble = "is given twice" if given else "is missing"
            if given or not optional:
                self.note(f"{key} {trouble}: must be named by either {names[0]} or {names[1]}")
            return ""
        name = self.take(given[0], TEXT)
        found, place = vault.variable(name) if given[0] == names[0] else vault.file(name)
        secret = kind.read(found.rstrip("\r\n"))
        if name and secret is None:
            self.note(f"{given[0]} = {_shown(name)}: must name {place} with {kind.allowed}")
        return secret or kind.fallback

    def refuse_unknown(self) -> None:
        """Note every key that nothing has asked for."""
        for key in sorted(self.table.keys() - self.known):
            # Its value stays unsaid: it may be a secret written where only its name belongs.
            self.note(f"unknown key {_shown(key)}: allowed are {', '.join(sorted(self.known))}")

    def note(self, trouble: str) -> None:
        """Remember one problem of this section."""
        self.problems.append(f"[{self.title}] {trouble}" if self.title else trouble)


def one_of(names: Iterable[str]) -> Kind[str]:
    """Allow one of a few words."""
    known = sorted(names)
    allowed = f"one of {', '.join(known)}" if known else "one that the file describes"
    return Kind(allowed, lambda value: str(value) if value in known else None, "")


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        return None
    return value if value.isprintable() else None


def _label(value: object) -> str | None:
    return "" if value == "" else _text(value)


def _header_word(value: object) -> str | None:
    # A line break in a header would be refused with a message that repeats the header.
    good = isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value)
    return str(value) if good else None


def _project_id(value: object) -> str | None:
    word = _header_word(value)
    return word if word and len(word) <= 128 else None


def _password(value: object) -> str | None:
    return value if isinstance(value, str) and value and value.isprintable() else None


def _rate(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 1 <= value <= 1000 else None


def _interval(value: object) -> int | None:
    parts = re.fullmatch(r"([0-9]{1,6})([smh])", value) if isinstance(value, str) else None
    seconds = int(parts[1]) * _SECONDS[parts[2]] if parts else 0
    return seconds if 60 <= seconds <= 24 * 3600 else None


def _time_zone(value: object) -> str | None:
    try:
        return ZoneInfo(value).key if isinstance(value, str) and value else None
    except (KeyError, ValueError, OSError):
        return None


def _endpoint(value: object) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
        return None
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        return None
    secure = url.scheme == "https" or (url.scheme == "http" and _loopback(host))
    if not secure or not host or re.search(r"[@?#\\]", value):
        return None
    netloc = f"[{host}]" if ":" in host else host
    if port not in (None, {"https": 443, "http": 80}[url.scheme]):
        netloc += f":{port}"
    return f"{url.scheme}://{netloc}{url.path.rstrip('/')}"


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "?" for c in text)
    text = re.sub(r"//.*@", "//•••@", text)
    return text if len(text) <= 100 else f"{text[:99]}…"


TEXT = Kind("a text of 1 to 200 printable characters", _text, "")
LABEL = Kind("a text of at most 200 printable characters", _label, "")
PROJECT_ID = Kind("1 to 128 visible ASCII characters", _project_id, "")
HEADER_SECRET = Kind("a secret: one line of visible ASCII characters", _header_word, "")
PASSWORD = Kind("a secret: one line of text", _password, "")
RATE = Kind("a number of calls per second from 1 to 1000", _rate, 1.0)
INTERVAL = Kind('a text such as "90s", "15m" or "1h", from 1m to 24h', _interval, 60)
TIME_ZONE = Kind('an IANA time zone such as "Europe/Berlin"', _time_zone, "")
ENDPOINT = Kind(
    "an https:// address (http:// only to loopback) without user, query or fragment",
    _endpoint,
    "",
)
