"""Environment variables, read by type, with a clear error for an invalid value."""

import hashlib
import importlib.util
import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import make_conninfo

from dashboard.group_access import GroupAccess, InvalidGroups, read_groups
from dashboard.secret_files import UnusableSecretFile, read_secret_files


class InvalidSetting(ImproperlyConfigured):
    """An environment variable with an invalid value."""

    def __init__(self, name: str, problem: str, allowed: str) -> None:
        super().__init__(f"{name} {problem}; it must be {allowed}")


class Env:
    """The environment; an empty value counts as absent."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @classmethod
    def with_secret_files(cls, environ: Mapping[str, str]) -> Self:
        """Return the environment, with the values of ``…_FILE`` variables read from their files."""
        try:
            return cls(read_secret_files(environ))
        except UnusableSecretFile as error:
            raise InvalidSetting(error.name, error.problem, error.allowed) from error

    def text(self, name: str, default: str | None = None, allowed: str = "set") -> str:
        """Return the value, else ``default``; without a default the variable is required."""
        value = self._environ.get(name, "").strip() or default
        if value is None:
            raise InvalidSetting(name, "is not set", allowed)
        return value

    def label(self, name: str, default: str) -> str:
        """Return a short string for pages."""
        value = self.text(name, default)
        if len(value) > 50 or not value.isprintable():
            raise _invalid(name, value, "1 to 50 printable characters")
        return value

    def secret(self, name: str, default: str | None, minimum: int) -> str:
        """Return a secret of at least ``minimum`` characters; errors never repeat its value."""
        allowed = f"a secret of {minimum} characters or more"
        value = self.text(name, default, allowed)
        if len(value) < minimum:
            raise InvalidSetting(name, f"has {len(value)} characters", allowed)
        return value

    def secrets(self, name: str, minimum: int) -> list[str]:
        """Return secrets separated by spaces or line breaks; none by default."""
        values = self.text(name, "").split()
        if short := [len(value) for value in values if len(value) < minimum]:
            allowed = f"secrets of {minimum} characters or more, separated by spaces or line breaks"
            raise InvalidSetting(name, f"has a secret of {short[0]} characters", allowed)
        return values

    def token(self, name: str, minimum: int) -> str:
        """Return a secret that clients send as ``Authorization: Bearer``, "" if there is none."""
        value = self.text(name, "")
        allowed = f"{minimum} or more letters, digits and any of -._~+/="
        if value and not re.fullmatch(r"[A-Za-z0-9._~+/=-]*", value):
            raise InvalidSetting(name, "has invalid characters", allowed)
        if 0 < len(value) < minimum:
            raise InvalidSetting(name, f"has {len(value)} characters", allowed)
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of the allowed values; the first is the default."""
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise _invalid(name, value, " or ".join(allowed))
        return value

    def flag(self, name: str) -> bool:
        """Return whether the variable is on; absent means off."""
        value = self.text(name, "0")
        if value.lower() not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
            raise _invalid(name, value, "1, true, yes, on or 0, false, no, off")
        return value.lower() in {"1", "true", "yes", "on"}

    def names(self, name: str, default: str) -> list[str]:
        """Return a comma-separated list of host names."""
        value = self.text(name, default)
        hosts = [part.strip() for part in value.split(",") if part.strip()]
        if not hosts or not all(host == "*" or _is_host(host.removeprefix(".")) for host in hosts):
            raise _invalid(name, value, "host names without scheme or port, separated by commas")
        return hosts

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Return a comma-separated list of IP addresses and networks; none by default."""
        parts = [part.strip() for part in self.text(name, "").split(",") if part.strip()]
        try:
            return [ip_network(part) for part in parts]
        except ValueError as error:
            allowed = "IP addresses or networks such as 10.0.0.0/8, separated by commas"
            raise _invalid(name, ",".join(parts), allowed) from error

    def url(self, name: str, default: str) -> str:
        """Return an http(s) URL as browsers write it, without a trailing slash.

        With the default "", the variable is optional.
        """
        value = self.text(name, default)
        if not value:
            return ""
        parts = _split(value.rstrip("/"))
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or not _is_host(_host(parts))
            or not re.fullmatch(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", parts.path)
            or parts.query
            or "@" in parts.netloc
            or set(value) & set("?#")
        ):
            allowed = "https://host or http://host:port, with or without a path such as /dcs"
            raise _invalid(name, value, allowed)
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = f":{parts.port}" if parts.port not in (None, usual) else ""
        return f"{parts.scheme}://{_host(parts)}{port}{parts.path}"

    def issuer(self, name: str) -> str:
        """Return the URL of an OpenID Connect provider, "" if there is none."""
        value = self.text(name, "")
        if not value:
            return ""
        parts = _split(value)
        loopback = parts is not None and parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if (
            parts is None
            or (parts.scheme != "https" and not (parts.scheme == "http" and loopback))
            or not _is_host(_host(parts))
            or "@" in parts.netloc
            or "/.well-known" in parts.path
            or set(value) & set("?#")
        ):
            allowed = (
                "the issuer's https:// URL, without /.well-known/openid-configuration "
                "(http:// only for loopback)"
            )
            raise _invalid(name, value, allowed)
        return value.rstrip("/")

    def groups(self, name: str) -> dict[str, GroupAccess]:
        """Return what each group of a groups file grants."""
        allowed = "the path of a groups file (docs/operations.md)"
        path = self.text(name, allowed=allowed)
        try:
            return read_groups(path)
        except InvalidGroups as error:
            raise InvalidSetting(name, f"names {path!r}, which {error}", allowed) from error

    def refuse_without(self, needed: str, *names: str) -> None:
        """Refuse these variables while ``needed`` isn't set: they would have no effect."""
        for name in names:
            if self.text(name, "") and not self.text(needed, ""):
                raise InvalidSetting(name, f"is set without {needed}", f"set with {needed}")

    def require_allauth(self, *names: str) -> None:
        """Refuse these variables while django-allauth isn't installed."""
        if importlib.util.find_spec("allauth") is None:
            name = next(name for name in names if self.text(name, ""))
            problem = "needs packages that are not installed"
            raise InvalidSetting(name, problem, "unset unless requirements-sso.txt is installed")

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's settings for a SQLite or PostgreSQL database, given by its URL."""
        value = self.text(name, default)
        parts = _split(value)
        invalid = _invalid(
            name,
            value,
            "sqlite:///path or postgres://user:password@host:port/name, "
            "with special characters percent-encoded",
        )
        if parts is None:
            raise invalid
        if parts.scheme == "sqlite":
            if parts.netloc or parts.path in ("", "/") or parts.query or parts.fragment:
                raise invalid
        elif parts.scheme in {"postgres", "postgresql"}:
            # Without a host, libpq connects to the local server's socket.
            socket = not parts.hostname and parts.port is None
            socket = socket or unquote(parts.hostname or "").startswith("/")
            if not (socket or _is_host(_host(parts))) or not re.fullmatch("/[^/]+", parts.path):
                raise invalid
            if parts.fragment or (parts.query and not _are_connection_options(parts.query)):
                raise invalid
        else:
            raise invalid
        found: dict[str, Any] = dict(dj_database_url.parse(_lower_scheme(value)))
        return found

    def broker(self, name: str) -> str:
        """Return the URL of a Redis or Valkey server, "" if there is none.

        TLS is always verified, against the CA of ``ssl_ca_certs`` if given.
        """
        value = self.text(name, "")
        if not value:
            return ""
        parts = _split(value)
        if parts is None or not _is_broker(parts):
            raise _invalid(
                name,
                value,
                "redis://user:password@host:port/0, rediss://… (TLS; with ?ssl_ca_certs=FILE for "
                "a CA of your own) or redis+socket:///path?virtual_host=0, with special "
                "characters percent-encoded",
            )
        for option, file in parse_qsl(parts.query):
            if option in _TLS_FILES and not Path(file).is_file():
                raise InvalidSetting(name, f"has {option}={file!r}", "a file that exists")
        url = _lower_scheme(value)
        if parts.scheme == "rediss" and "ssl_cert_reqs=" not in parts.query:
            # Without it, Celery would not verify the server (kombu 5.7, Connection._init_params).
            url += ("&" if parts.query else "?") + "ssl_cert_reqs=required"
        return url

    def prefix(self, name: str, default: str) -> str:
        """Return a prefix for names on a shared server."""
        value = self.text(name, default)
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", value):
            raise _invalid(name, value, "1 to 63 letters, digits, '-', '_' and '.'")
        return value

    def folder(self, name: str, default: str) -> str:
        """Return the path of a folder, which need not exist."""
        value = self.text(name, default)
        # os.path, because Path fails for a folder inside one that this user may not open.
        if os.path.exists(value) and not os.path.isdir(value):
            raise _invalid(name, value, "the path of a folder")
        return value


def digest(*texts: str) -> str:
    """Return ten characters that tell deployments apart, from URLs without their passwords.

    The path of a SQLite database is relative to the current folder, as it is for SQLite.
    """
    bare = [_without_password(text) for text in texts]
    return hashlib.sha256("\0".join(bare).encode("utf-8", "surrogateescape")).hexdigest()[:10]


_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_BAD_ESCAPE = "%(?![0-9A-Fa-f]{2})|%00"


def _split(value: str) -> SplitResult | None:
    """Split a URL, or return None if it isn't one or has a part that can't be read."""
    if not re.fullmatch(r"[A-Za-z][\w+.-]*://[^\s\x00-\x1f\x7f]*", value, re.ASCII):
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    unreadable = port == 0 or parts.netloc.endswith(":") or re.search(_BAD_ESCAPE, value)
    return None if unreadable else parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _is_host(host: str) -> bool:
    if host.startswith("["):
        try:
            return ipaddress.ip_address(host[1:-1]).version == 6 and host.endswith("]")
        except ValueError:
            return False
    return re.fullmatch(r"(?![-.])[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", host) is not None


def _is_broker(parts: SplitResult) -> bool:
    allowed = {
        "redis": frozenset[str](),
        "rediss": _TLS_FILES | {"ssl_cert_reqs"},
        "redis+socket": frozenset({"virtual_host"}),
    }
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if (
        parts.scheme not in allowed
        or not options.keys() <= allowed[parts.scheme]
        or not len(options) == len(pairs) == len(parts.query.split("&")) * bool(parts.query)
        or options.get("ssl_cert_reqs", "required") != "required"
        or parts.fragment
    ):
        return False
    if parts.scheme == "redis+socket":
        return not parts.netloc and len(parts.path) > 1 and _is_number(options.get("virtual_host"))
    return _is_host(_host(parts)) and _is_number(parts.path.removeprefix("/") or None)


def _is_number(text: str | None) -> bool:
    return text is None or re.fullmatch("[0-9]{1,4}", text) is not None


def _are_connection_options(query: str) -> bool:
    """Return whether a query consists of libpq's connection options, each once."""
    options = parse_qsl(query, keep_blank_values=True)
    try:
        make_conninfo(**dict(options))
    except ProgrammingError:
        return False
    # libpq itself refuses these values only when it connects.
    valid = all(
        re.fullmatch("[0-9]{1,9}", value, re.ASCII)
        if re.search("timeout$|^keepalives", name)
        else value in _SSL_MODES or name != "sslmode"
        for name, value in options
    )
    return valid and 0 < len(dict(options)) == len(options)


def _lower_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme.lower()}{separator}{rest}"


def _without_password(url: str) -> str:
    parts = _split(url)
    if parts is None:
        return url
    userinfo, at, host = parts.netloc.rpartition("@")
    netloc = f"{userinfo.partition(':')[0]}{at}{host.lower()}"
    query = "&".join(p for p in parts.query.split("&") if not p.startswith("password="))
    scheme, path = parts.scheme.replace("postgresql", "postgres"), parts.path
    if scheme == "sqlite":
        path = "/" + quote(os.path.abspath(unquote(path.removeprefix("/"))))
    return urlunsplit((scheme, netloc, path, query, ""))


def _invalid(name: str, value: str, allowed: str) -> InvalidSetting:
    # Leave out anything that may be a password: a URL may be malformed in any way.
    shown = re.sub(r"^([\w+.-]*:/*)?.*@", r"\1•••@", value, flags=re.DOTALL)
    shown = re.sub(r"(?i)((?:password|passwd|pwd|secret|token)=)[^&]*", r"\1•••", shown)
    return InvalidSetting(name, f"is {shown[:80]!r}", allowed)
