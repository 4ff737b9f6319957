"""Measures the list in a browser, on the database that DATABASE_URL names, filled with rows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.collector import scene
from bench.figures import Sheet, busy
from bench.pages.history import fill

_ROOT = Path(__file__).parent.parent.parent
_PORT = 8990
_PATIENCE = 30


def main(arguments: list[str]) -> int:
    """Serve the product as ./run does and look at it; the exit status says if all goals hold."""
    rows, browser = int(arguments[0]), arguments[1]
    scene.ready(migrated=True)
    fill(rows)
    from bench.browser.looking import look

    sheet = Sheet()
    sheet.title(f"{scene.database()}, {rows:,} restores, in a browser")
    if load := busy():
        sheet.note(load)
    with _served() as url:
        look(sheet, url, browser)
    return 0 if sheet.holds else 1


@contextmanager
def _served() -> Iterator[str]:
    """The web part alone, as ./run starts it; BASE_URL is its own address."""
    url = f"http://127.0.0.1:{_PORT}"
    environment = {**os.environ, "BASE_URL": url, "ALLOWED_HOSTS": "127.0.0.1"}
    manage = [sys.executable, str(_ROOT / "manage.py"), "collectstatic", "--noinput", "-v0"]
    subprocess.run(manage, env=environment, check=True, cwd=_ROOT)
    gunicorn = [sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{_PORT}",
                "--workers", "2", "--threads", "4", "--limit-request-line", "8190",
                "--log-level", "error", "--no-control-socket"]  # fmt: skip
    with subprocess.Popen(gunicorn, env=environment, cwd=_ROOT) as server:
        try:
            _wait(f"{url}/readyz")
            yield url
        finally:
            server.terminate()


def _wait(url: str) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            urllib.request.urlopen(url).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
