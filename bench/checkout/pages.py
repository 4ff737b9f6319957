"""A process that requests pages of its checkout and says how long each took.

It reads one JSON object per line, a request, and writes one per line, its result.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client

# A row's restore id: in links of the product, as an attribute in the stock page.
ROW = re.compile(r'<a[^>]* href="/restores/([0-9a-f]{32})/|data-id="([0-9a-f]{32})"')
PAGE = 200


def main(rows: int) -> None:
    """Prepare the database, then serve requests until standard input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    settings.ROOT_URLCONF = "checkout.stock"
    settings.TEMPLATES[0]["DIRS"].append(str(Path(__file__).parent / "templates"))
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    settings.ALLOWED_HOSTS.append("testserver")
    call_command("migrate", verbosity=0)
    from checkout.data import fill

    fill(rows)
    version = ".".join(map(str, connection.get_database_version()))
    _write({"database": f"{connection.display_name} {version}"})
    clients = {name: _signed_in(name) for name in ("superuser", "member")}
    for line in sys.stdin:
        request = json.loads(line)
        client = clients[request["user"]]
        if "row" in request:
            _write({"cursors": _cursors(client, request["row"], request["count"])})
        else:
            _write(_get(client, request["url"], request.get("headers", {})))


def _signed_in(username: str) -> Client:
    from django.contrib.auth.models import User

    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def _get(client: Client, url: str, headers: dict[str, str]) -> dict[str, Any]:
    # No view may profit from what an earlier one has counted.
    cache.clear()
    queries = []

    def count(execute: Any, *arguments: Any) -> Any:
        queries.append(arguments)
        return execute(*arguments)

    with connection.execute_wrapper(count):
        begin = time.perf_counter()
        response = client.get(url, headers=headers)
        milliseconds = 1000 * (time.perf_counter() - begin)
    ids = [a or b for a, b in ROW.findall(response.content.decode())]
    return {
        "ms": milliseconds,
        "status": response.status_code,
        "queries": len(queries),
        "rows": list(dict.fromkeys(ids)),
        "etag": response.headers.get("ETag", ""),
    }


def _cursors(client: Client, row: int, count: int) -> list[str]:
    """Follow the list to about this row, and return the cursors of the ``count`` next pages."""
    url, passed = f"/restores.json?size={PAGE}", 0
    while passed < row:
        url = client.get(url).json()["next"]
        passed += PAGE
    found = []
    for _ in range(count):
        found.append(parse_qs(urlsplit(url).query)["after"][0])
        url = client.get(url).json()["next"]
    return found


def _write(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
