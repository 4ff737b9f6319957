"""Settings read from the environment, checked, with words for a bad value."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


class BadSetting(ImproperlyConfigured):
    """An environment variable whose value cannot be used."""

    def __init__(self, name: str, value: str | None, allowed: str) -> None:
        got = "is not set" if value is None else f"is {value[:80]!r}"
        super().__init__(f"{name} {got}; allowed: {allowed}")


class Env:
    """The environment, read by type; an empty value counts as absent."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str | None = None, allowed: str = "any text") -> str:
        """Return the value, else ``default``; without a default the variable is required."""
        value = self._environ.get(name, "").strip() or default
        if value is None:
            raise BadSetting(name, None, allowed)
        return value

    def secret(self, name: str, default: str | None, least: int) -> str:
        """Return a secret of at least ``least`` characters; its value is never repeated."""
        value = self.text(name, default, f"a secret text of {least} characters or more")
        if len(value) < least:
            raise BadSetting(name, f"{len(value)} characters", f"{least} characters or more")
        return value

    def flag(self, name: str) -> bool:
        """Return whether the variable says yes; absent means no."""
        value = self.text(name, "0")
        if value.lower() not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
            raise BadSetting(name, value, "1, true, yes, on or 0, false, no, off")
        return value.lower() in {"1", "true", "yes", "on"}

    def names(self, name: str, default: str) -> list[str]:
        """Return a list of host names, commas between."""
        hosts = [part.strip() for part in self.text(name, default).split(",") if part.strip()]
        if any(set(host) & set(" /:?#@") and not host.startswith("[") for host in hosts):
            raise BadSetting(name, ",".join(hosts), "host names without scheme or port")
        return hosts

    def url(self, name: str, default: str) -> str:
        """Return an http(s) origin without a path, as links are built on."""
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            raise BadSetting(name, value, "https://host or http://host:port, without a path")
        return value

    def database(self, name: str, default: str) -> str:
        """Return a database URL of a kind that the dashboard runs on."""
        value = self.text(name, default)
        if value.partition(":")[0] not in {"sqlite", "postgres", "postgresql"}:
            # The URL may hold a password: only its scheme is repeated.
            raise BadSetting(name, value.partition(":")[0], "sqlite:///… or postgres://…")
        return value
