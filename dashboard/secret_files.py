"""Secrets in files: ``NAME_FILE`` names a file with the value of the variable ``NAME``.

Imports no Django: ``./run`` uses it, too.
"""

from collections.abc import Mapping
from pathlib import Path

FROM_FILES = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "TOKEN_KEY",
    "TOKEN_KEY_FALLBACKS",
    "DATABASE_URL",
    "REDIS_URL",
    "OIDC_CLIENT_SECRET",
    "METRICS_TOKEN",
)


class UnusableSecretFile(ValueError):
    """A ``…_FILE`` variable that gives no value: its name, the problem and what is allowed."""

    def __init__(self, name: str, problem: str, allowed: str) -> None:
        super().__init__(f"{name} {problem}; it must be {allowed}")
        self.name, self.problem, self.allowed = name, problem, allowed


def read_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with each ``NAME_FILE`` replaced by ``NAME`` and the file's text."""
    values = dict(environ)
    for name in FROM_FILES:
        path = values.pop(f"{name}_FILE", "").strip()
        if path and values.get(name, "").strip():
            problem = f"is set as well as {name}"
            raise UnusableSecretFile(f"{name}_FILE", problem, "the only one of the two")
        if path:
            values[name] = _read(f"{name}_FILE", path)
    return values


def _read(name: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    else:
        if text:
            return text
        problem = "is empty"
    raise UnusableSecretFile(
        name, f"names {path!r}, which {problem}", "the path of a readable file with the value"
    )
