"""Environment variables, read by type, with a clear error for an invalid value."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


class InvalidSetting(ImproperlyConfigured):
    """An environment variable with an invalid value."""

    def __init__(self, name: str, problem: str, allowed: str) -> None:
        super().__init__(f"{name} {problem}; it must be {allowed}")


class Env:
    """The environment; an empty value counts as absent."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None, allowed: str = "set") -> str:
        """Return the value, else ``default``; without a default the variable is required."""
        value = self._environ.get(name, "").strip() or default
        if value is None:
            raise InvalidSetting(name, "is not set", allowed)
        return value

    def secret(self, name: str, default: str | None, minimum: int) -> str:
        """Return a secret of at least ``minimum`` characters; errors never repeat its value."""
        allowed = f"a secret of {minimum} characters or more"
        value = self.text(name, default, allowed)
        if len(value) < minimum:
            raise InvalidSetting(name, f"has {len(value)} characters", allowed)
        return value

    def flag(self, name: str) -> bool:
        """Return whether the variable is on; absent means off."""
        value = self.text(name, "0")
        if value.lower() not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
            raise _invalid(name, value, "1, true, yes, on or 0, false, no, off")
        return value.lower() in {"1", "true", "yes", "on"}

    def names(self, name: str, default: str) -> list[str]:
        """Return a comma-separated list of host names."""
        hosts = [part.strip() for part in self.text(name, default).split(",") if part.strip()]
        if any(set(host) & set(" /:?#@") and not host.startswith("[") for host in hosts):
            raise _invalid(name, ",".join(hosts), "host names without scheme or port")
        return hosts

    def url(self, name: str, default: str) -> str:
        """Return an http(s) origin without a path."""
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            raise _invalid(name, value, "https://host or http://host:port, without a path")
        return value

    def database(self, name: str, default: str) -> str:
        """Return the URL of a SQLite or PostgreSQL database."""
        value = self.text(name, default)
        scheme = value.partition(":")[0]
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            # The URL may contain a password: only its scheme is repeated.
            raise _invalid(name, scheme, "sqlite:///… or postgres://…")
        return value


def _invalid(name: str, value: str, allowed: str) -> InvalidSetting:
    return InvalidSetting(name, f"is {value[:80]!r}", allowed)
