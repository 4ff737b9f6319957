"""A real browser against the real stack: ./run with simulator, broker, worker, beat and web."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
# The headless shell first: it takes half the CPU time of the whole browser.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _BROWSERS)), None)

# The browser's driver runs a loop in our thread, so Django mistakes the tests for coroutines.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let one worker run all that share the stack. First, as xdist's own hook reads the groups."""
    here = [item for item in items if Path(item.fspath).is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.e2e)
        group = "stack" if "stack" in item.fixturenames else "browser"
        item.add_marker(pytest.mark.xdist_group(group))
        if CHROMIUM is None and os.environ.get("E2E") != "required":
            reason = "no Chromium on PATH: apt-get install chromium, or set E2E=required to fail"
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Stack:
    """Where the running product is, and the simulated cloud behind it."""

    url: str
    login: str
    cloud: str

    def begin(self, **order):
        """Begin a restore in the simulated cloud and return its description."""
        request = urllib.request.Request(
            f"{self.cloud}/_restores", data=json.dumps(order).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The whole product on free ports and an empty data folder."""
    folder, port = tmp_path_factory.mktemp("stack"), _free_port()
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    process = subprocess.Popen(
        [ROOT / "run", "--port", str(port), "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={name: os.environ[name] for name in keep if name in os.environ},
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ready: "):
                break
        else:
            pytest.fail("./run ended early:\n" + "".join(lines[-40:]))
        _keep_reading(process, lines)
        file = (folder / "projects.toml").read_text()
        cloud = re.search(r'endpoint\s*=\s*"([^"]+)"', file)[1]
        yield Stack(f"http://127.0.0.1:{port}", line.split()[1], cloud)
    finally:
        process.send_signal(signal.SIGINT)
        ended = process.wait(30)
        assert ended == 0, f"./run ended with {ended}:\n" + "".join(lines)[-20_000:]


def _keep_reading(process, lines):
    """Keep reading what ./run prints, so that it never blocks."""
    threading.Thread(target=lines.extend, args=[process.stdout], daemon=True).start()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(chromium, stack):
    """The cookies of somebody who followed the printed link."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(stack.login)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{stack.url}/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_page(chromium, stack, signed_in):
    """Open a path of the product in a fresh, signed-in browser window."""
    contexts = []

    def opened(path, **options):
        options = {"viewport": {"width": 1440, "height": 900}} | options
        context = chromium.new_context(storage_state=signed_in, base_url=stack.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.script_errors = []
        page.on("pageerror", lambda error: page.script_errors.append(str(error)))
        page.on(
            "console",
            lambda message: message.type == "error" and page.script_errors.append(message.text),
        )
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def visit(live_server, chromium, django_user_model):
    """Open a path of a web process without a sync as somebody, in some time zone."""
    from django.conf import settings
    from django.test import Client

    contexts = []

    def visited(name, zone, url, **options):
        user, _ = django_user_model.objects.get_or_create(username=name, is_superuser=True)
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        options = {"viewport": {"width": 1440, "height": 900}} | options
        context = chromium.new_context(timezone_id=zone, base_url=live_server.url, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield visited
    for context in contexts:
        context.close()


def refresh(page):
    """Refresh the whole page as it refreshes itself, and wait until it has."""
    page.evaluate(
        "() => new Promise((done) => {"
        " delete document.querySelector('main').dataset.tag;"
        " document.addEventListener('refreshed', () => setTimeout(done), { once: true });"
        " document.dispatchEvent(new Event('refresh-now')) })"
    )


# The simulated cloud changes: every half minute a restore begins and another ends. What was created
# before yesterday has ended, so that these rows stay as they are while a test reads them.
STILL = "/restores/?to=now-2d/d"


@pytest.fixture
def listed(open_page):
    """The list of rows that stay as they are, once its scripts are at work."""

    def opened(path=STILL, **options):
        from playwright.sync_api import expect

        page = open_page(path, **options)
        expect(page.locator("[data-keys]")).not_to_have_attribute("hidden", "")
        return page

    return opened
