"""Asks every question of us and of the rivals, same rows first, and judges the ratios."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from django.db import connection
from django.test import Client

from bench.figures import Sheet, require_same
from bench.pages import visitor
from bench.pages.questions import Question, past, questions
from bench.pages.timing import Timed, timed, timed_in_turn

_OURS, _STOCK = re.compile(rb'<tr id="r(\d+)"'), re.compile(rb'data-pk="(\d+)"')
_ADMIN = re.compile(rb'name="_selected_action" value="(\d+)"')
_DEEP = 1000
_GROWTH = 1.5
# How many of our times a stock page and the admin must take, by database and by rows.
_GOALS: dict[tuple[str, int], tuple[int | None, int | None]] = {
    ("postgresql", 10**6): (6, 8),
    ("sqlite", 10**6): (4, None),
    ("postgresql", 10**7): (20, 35),
}
# With more rows the goal is that of the page as such: a stock page counts a few rows at once.
_EVERY = 10**6
_FLOORS, _RARE, _WALK = 6, 40, 1.5


def run(sheet: Sheet, rows: int, figures: Path) -> None:
    """Measure all; ``figures`` holds those of a smaller table and takes these."""
    client = visitor.client()
    found = {one.name: _asked(sheet, client, one, rows) for one in questions(rows)}
    found["deep page"] = _deep(sheet, client, rows)
    found["three months ago"] = timed(client, f"/restores/{past()}")
    sheet.note(f"{'three months ago':<28}{found['three months ago'].words}")
    _unchanged(sheet, client, found["first page"])
    before = json.loads(figures.read_text())
    for name, one in found.items():
        if name in before and "text" not in name:
            sheet.add(f"{name}: times as long", one.wall / before[name], most=_GROWTH)
    figures.write_text(json.dumps({name: one.wall for name, one in found.items()}))


def _asked(sheet: Sheet, client: Client, one: Question, rows: int) -> Timed:
    query = f"?{urlencode(one.asked)}"
    urls = [f"/restores/{one.query}", f"/stock/{query}", f"/lazy/{query}", f"/floor/{query}"]
    if one.admin is not None:
        urls.append(f"/stock-admin/restores/restore/?{urlencode(one.admin)}")
    ours, stock, lazy, floor, *admins = timed_in_turn(client, *urls)
    require_same(_keys(_OURS, ours), _keys(_STOCK, stock), f"{one.name}: our page and the stock")
    theirs = [row[0] for row in json.loads(floor.body)["rows"]]
    require_same(_keys(_OURS, ours), theirs, f"{one.name}: our page and the floor")
    for name, timing in (("", ours), ("  stock", stock), ("  lazy", lazy), ("  floor", floor)):
        sheet.note(f"{name or one.name:<28}{timing.words}")
    admin = next(iter(admins), None)
    if admin:
        require_same(_keys(_OURS, ours), _keys(_ADMIN, admin), f"{one.name}: our page and admin's")
        sheet.note(f"{'  admin':<28}{admin.words}")
    if goals := _GOALS.get((connection.vendor, rows)):
        goals = goals if rows <= _EVERY or one.name == "first page" else (None, None)
        _judge(sheet, one, ours, stock, lazy, floor, admin, goals)
    return ours


def _judge(
    sheet: Sheet, one: Question, ours: Timed, stock: Timed, lazy: Timed, floor: Timed,
    admin: Timed | None, goals: tuple[int | None, int | None],
) -> None:  # fmt: skip
    if one.name == "rare text":
        sheet.add(f"{one.name}: stock / ours", stock.wall / ours.wall, least=_RARE)
    elif "text" in one.name:
        sheet.add(f"{one.name}: ours / lazy", ours.wall / lazy.wall, most=_WALK)
    else:
        least, least_admin = goals
        sheet.add(f"{one.name}: stock / ours", stock.wall / ours.wall, least=least)
        if admin:
            sheet.add(f"{one.name}: admin / ours", admin.wall / ours.wall, least=least_admin)
        sheet.add(f"{one.name}: ours / floor", ours.wall / floor.wall, most=_FLOORS)


def _deep(sheet: Sheet, client: Client, rows: int) -> Timed:
    """The page with the number ``_DEEP``, or the last but one, by cursor."""
    page = min(_DEEP, rows // 50 - 1)
    before = client.get("/restores/", {"page": page - 1})
    (token,) = parse_qs(urlsplit(_next(before.content)).query).get("after", [""])
    query = f"?after={token}" if token else f"?page={page}"
    ours, stock = timed_in_turn(client, f"/restores/{query}", f"/stock/?page={page}")
    require_same(_keys(_OURS, ours), _keys(_STOCK, stock), "deep page: our page and the stock")
    sheet.note(f"{f'page {page:,}':<28}{ours.words}")
    sheet.note(f"{'  stock':<28}{stock.words}")
    if goals := _GOALS.get((connection.vendor, rows)):
        least, _ = goals
        sheet.add("deep page: stock / ours", stock.wall / ours.wall, least=least)
    return ours


def _unchanged(sheet: Sheet, client: Client, full: Timed) -> None:
    tag = client.get("/restores/").headers["ETag"]
    known = timed(client, "/restores/", 304, **{"if-none-match": tag})
    sheet.note(f"{'304':<28}{known.words}")
    sheet.add("304: of the full page", known.wall / full.wall, most=0.25)


def _next(body: bytes) -> str:
    found = re.search(r'rel="next" href="([^"]*)"', body.decode())
    return found[1].replace("&amp;", "&") if found else ""


def _keys(pattern: re.Pattern[bytes], page: Timed) -> list[int]:
    return [int(key) for key in pattern.findall(page.body)]
