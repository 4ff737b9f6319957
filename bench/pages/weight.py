"""What a reader who has nothing yet fetches for the list: the page and all that it names."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles.finders import find

from bench.figures import Sheet
from bench.pages import visitor

_NAMED = re.compile(r'(?:src|href)="/static/([^"#]+)')
_WITHIN = re.compile(r'(?:from|import) "\./([^"]+)"|url\("([^"]+)"\)')


def measure(sheet: Sheet) -> None:
    """Add up the page and its assets as they are sent."""
    page = visitor.client().get("/restores/").content
    names, read = set(_NAMED.findall(page.decode())), set[str]()
    while names - read:
        name = (names - read).pop()
        read.add(name)
        if name.endswith((".js", ".css")) and "vendor/" not in name:
            found = _WITHIN.findall(_file(name).read_text())
            names |= {module or asset for module, asset in found}
    sizes = {name: _sent(name) for name in sorted(names)}
    total = len(gzip.compress(page, 6)) + sum(sizes.values())
    largest = ", ".join(
        f"{name.rpartition('/')[2]} {size / 1000:.1f}"
        for name, size in sorted(sizes.items(), key=lambda one: -one[1])[:3]
    )
    sheet.add(f"the list with {len(names)} assets, cold, gzip", total / 1000, "kB", most=60)
    sheet.note(f"The largest: {largest} kB")


def _sent(name: str) -> int:
    body = _file(name).read_bytes()
    return len(body if name.endswith(".woff2") else gzip.compress(body, 6))


def _file(name: str) -> Path:
    path = find(name)
    assert path, f"{name} is named and not there"
    return Path(path)
