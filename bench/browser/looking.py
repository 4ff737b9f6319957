"""Opens the list as a reader does and asks the browser what it painted and when."""

from __future__ import annotations

import statistics
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from bench.figures import Sheet
from bench.pages.questions import past

# What people take for at once: a second to follow a thought, a tenth to have done it oneself.
PAINTED, ANSWERED = 1000, 100
_TIMES = 5
_VIEWS = {
    "first page": "",
    "status": "?status=failed",
    "in progress during a day": "?on=running&from=2025-09-27T12:00:00Z&to=2025-09-28T12:00:00Z",
    "page 200": "?page=200",
    "common text": "?q=maintenance",
    "three months ago": past(),
}
_WATCH = """
window.vitals = { painted: 0, answered: 0, of: "" };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) vitals.painted = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.interactionId || entry.duration <= vitals.answered) continue;
    Object.assign(vitals, { answered: entry.duration, of: entry.name });
  }
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
_SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"


def look(sheet: Sheet, url: str, browser: str) -> None:
    """Print the largest contentful paint of each view, and the interaction to next paint."""
    # First, for the browser's driver runs a loop in which Django asks no database.
    cookie = {**_session(), "url": url}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser)
        sheet.note(f"Chromium {chromium.version}, 1440 × 900, signed in")
        page = _page(chromium, cookie)
        sheet.add("first page, nothing cached: LCP", _painted(page, url, ""), "ms", most=PAINTED)
        for name, query in _VIEWS.items():
            times = [_painted(page, url, query) for _ in range(_TIMES)]
            sheet.add(f"{name}: LCP", statistics.median(times), "ms", most=PAINTED)
        slowest, what = _answered(page, url)
        sheet.add(f"keys and clicks on the first page: INP ({what})", slowest, "ms", most=ANSWERED)
        chromium.close()


def _session() -> dict[str, str]:
    """The cookie of somebody who is signed in and sees all."""
    user, _ = User.objects.get_or_create(username="bench", defaults={"is_superuser": True})
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value}


def _page(chromium: Browser, cookie: dict[str, str]) -> Page:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.add_init_script(_WATCH)
    return context.new_page()


def _painted(page: Page, url: str, query: str) -> float:
    """Milliseconds from the begin of the navigation until the largest part was there."""
    page.goto("about:blank")
    page.goto(f"{url}/restores/{query}", wait_until="load")
    page.evaluate(_SETTLED)
    page.locator("main tbody tr[id]").first.wait_for()
    return float(_vitals(page)["painted"])


def _answered(page: Page, url: str) -> tuple[float, str]:
    """The slowest of a reader's usual acts; with so few of them that is what INP means."""
    page.goto(f"{url}/restores/")
    for key in ["j"] * 12 + ["x", "k", "x", "Escape", "t", "Escape", "?", "Escape"]:
        page.keyboard.press(key)
        page.evaluate(_SETTLED)
    page.get_by_text("+ Filter").click()
    page.locator("main [data-slot] input[type=checkbox]").first.wait_for()
    page.locator("main [data-slot] input[type=checkbox]").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("cache-000", delay=20)
    page.locator("details.columns summary").click()
    page.evaluate(_SETTLED)
    found = _vitals(page)
    return float(found["answered"]), str(found["of"] or "below 16 ms each")


def _vitals(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("() => window.vitals")
    return found
