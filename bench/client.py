"""A process that creates the world of a benchmark and requests its pages.

It reads one JSON request per line and writes one JSON result per line. ``Client`` is the other
end.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

from bench import databases

if TYPE_CHECKING:
    from django.test import Client as TestClient

USERS = ("superuser", "one", "four", "fifty", "quiet")
SAMPLES = 20
# A world that is kept becomes too old for pages that show the last few days.
OLDEST = timedelta(days=7)
# A row's ID: in a link of the product, an attribute in a stock page, a field in JSON.
# A list item describes one of an instance's fifty bars.
IDS = {
    name: rf'<(?:a class="go"|li><a) href="/{name}s/([^/"?]+)/|data-id="([^"]+)"'
    rf'|"{name}_id": "([^"]+)"'
    for name in ("restore", "instance")
}


class Client:
    """Requests pages on one database, as the users in ``USERS``.

    ``world`` describes the data: ``database``, ``size``, ``count`` (of restores), ``epoch`` (when
    the newest restore was created), ``biggest`` (the id of the instance with the most restores)
    and for each user the ``count`` of restores and some ``projects``, their ``customers``,
    ``instances`` and ``restores``.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.world = self._read()

    def get(self, url: str, user: str, **options: Any) -> dict[str, Any]:
        """Request a page; exit if its status says that it failed.

        ``rows``: "restore" or "instance", whose ids are returned. ``repeated``: keep what is
        cached. ``unchanged``: send the page's ETag. ``sync_errors``: how many instances have one.
        ``lines``: read at least this many lines of a stream instead of all.
        """
        result = self.ask(url=url, user=user, **options)
        expected = 304 if options.get("unchanged") else 200
        if expected == 304 and result["status"] == 200:
            # A new minute began between the page and this request.
            result = self.ask(url=url, user=user, **options)
        if result["status"] != expected:
            sys.exit(f"{url} as {user}: status {result['status']}, not {expected}")
        return result

    def cursor(self, user: str, row: int) -> str:
        """Return the cursor just before this row of the user's list, counted from 0."""
        cursor: str = self.ask(user=user, cursor=row)["cursor"]
        return cursor

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send any request and return its result."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit("A process that requests pages has ended; its error is above.")
        result: dict[str, Any] = json.loads(line)
        return result


@contextmanager
def client(url: str, rows: int) -> Iterator[Client]:
    """Start a process on the database at this URL; it creates the world if there is none."""
    print(f"Preparing {rows:,} restores; the first time this takes minutes.", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.client", str(rows)],
        cwd=databases.ROOT,
        env=databases.environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Client(process)
    finally:
        process.terminate()
        process.wait()


def serve(rows: int) -> None:
    """Create the world, then handle requests until standard input ends."""
    import django

    django.setup()
    make_world(rows)
    _write(describe_world())
    clients = {user: signed_in(user) for user in USERS}
    for line in sys.stdin:
        request = json.loads(line)
        if "cursor" in request:
            _write({"cursor": _cursor(request["user"], request["cursor"])})
        else:
            _write(_get(clients[request.pop("user")], **request))


def make_world(rows: int) -> None:
    """Seed the database and add the users, unless that was done recently."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from restores.models import Restore

    call_command("migrate", verbosity=0)
    newest = Restore.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    # The users are created last.
    complete = User.objects.count() == len(USERS)
    if not complete or newest is None or newest < datetime.now(UTC) - OLDEST:
        call_command("flush", verbosity=0, interactive=False)
        call_command("seed", restores=rows, sync_errors=0, stdout=StringIO())
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM ANALYZE")
            else:
                # No ANALYZE: the product doesn't run one either.
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _make_users()
    set_sync_errors(0)


def _make_users() -> None:
    from django.contrib.auth.models import User

    from restores.models import Membership, Project

    projects = list(Project.objects.order_by("pk"))
    # The first project has the biggest instance, the last ones are quiet.
    member_of = {
        "superuser": [],
        "one": projects[1:2],
        "four": projects[:4],
        "fifty": projects[:50],
        "quiet": projects[-2:],
    }
    for username in USERS:
        user = User.objects.create(username=username, is_superuser=username == "superuser")
        some = member_of[username]
        Membership.objects.bulk_create(Membership(user=user, project=one) for one in some)


def describe_world() -> dict[str, Any]:
    """Return what ``Client.world`` holds."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.db.models import Exists, OuterRef

    from restores.models import Instance, Project, Restore

    newest = Restore.objects.order_by("-created_at")[0]
    counts = [model.objects.count() for model in (Restore, Instance, Project)]
    world: dict[str, Any] = {
        "database": f"{connection.display_name} "
        + ".".join(map(str, connection.get_database_version())),
        "size": "{:,} restores, {:,} instances, {} projects".format(*counts),
        "count": counts[0],
        "epoch": newest.created_at.isoformat(),
        "biggest": Instance.objects.order_by("pk")[0].instance_id,
    }
    for name in USERS:
        user = User.objects.get(username=name)
        # Not the quiet ones, whose last months are empty.
        recent = Restore.objects.filter(
            project=OuterRef("pk"), created_at__gt=newest.created_at - timedelta(days=30)
        )
        projects = Project.objects.visible_to(user).filter(Exists(recent)).order_by("pk")
        instances = Instance.objects.visible_to(user).monitored().order_by("pk")
        visible = Restore.objects.visible_to(user)
        restores = visible.order_by("-created_at", "-pk")[: 97 * SAMPLES : 97]
        world[name] = {
            "count": visible.count(),
            "projects": [project.name for project in projects[:SAMPLES]],
            "customers": sorted({project.customer for project in projects[:SAMPLES]} - {""}),
            # The first is the biggest, for those who may see it.
            "instances": [instance.instance_id for instance in instances[1 : SAMPLES + 1]],
            "restores": [restore.restore_id for restore in restores],
        }
    return world


def set_sync_errors(count: int) -> None:
    """Give this many small instances next to the biggest a failed last sync, and no others."""
    from restores.models import NO_SYNC_ERROR, Instance
    from restores.sync.project_state import recount

    Instance.objects.exclude(sync_error_kind="").update(**NO_SYNC_ERROR)
    biggest = Instance.objects.order_by("pk")[0]
    others = Instance.objects.monitored().filter(project=biggest.project, pk__gt=biggest.pk)
    chosen = list(others.order_by("pk").values_list("pk", flat=True)[:count])
    Instance.objects.filter(pk__in=chosen).update(
        sync_error_kind="unreachable",
        sync_error_message="The connection to the provider timed out after 20 s.",
        sync_error_since=datetime.now(UTC),
    )
    recount(biggest.project_id)


def signed_in(username: str) -> TestClient:
    """Return Django's test client, signed in as one of ``USERS``."""
    from django.contrib.auth.models import User
    from django.test import Client as TestClient

    browser = TestClient()
    browser.force_login(User.objects.get(username=username))
    return browser


def _get(
    browser: TestClient,
    *,
    url: str,
    rows: str = "",
    repeated: bool = False,
    unchanged: bool = False,
    sync_errors: int = 0,
    lines: int = 0,
) -> dict[str, Any]:
    from django.core.cache import cache
    from django.db import connection

    from restores.models import Instance

    if Instance.objects.exclude(sync_error_kind="").count() != sync_errors:
        set_sync_errors(sync_errors)
    headers = {}
    if unchanged:
        headers["If-None-Match"] = browser.get(url).headers["ETag"]
    if not repeated:
        # No view may benefit from what an earlier one counted.
        cache.clear()
    queries = []

    def count(execute: Any, *arguments: Any) -> Any:
        queries.append(arguments)
        return execute(*arguments)

    with connection.execute_wrapper(count):
        begin = time.perf_counter()
        response = browser.get(url, headers=headers)
        body = _first_lines(response, lines) if response.streaming else response.content
        milliseconds = 1000 * (time.perf_counter() - begin)
    response.close()
    found = re.findall(IDS[rows], body.decode()) if rows else []
    return {
        "ms": milliseconds,
        "status": response.status_code,
        "queries": len(queries),
        "bytes": len(body),
        "rows": list(dict.fromkeys("".join(groups) for groups in found)),
    }


def _first_lines(response: Any, lines: int) -> bytes:
    body = b""
    for part in response.streaming_content:
        body += part
        if body.count(b"\n") >= lines:
            break
    return body


def _cursor(username: str, row: int) -> str:
    """Return the cursor just before this row of a user's list."""
    from django.contrib.auth.models import User

    from restores.filters.cursors import Cursor
    from restores.models import Restore

    visible = Restore.objects.visible_to(User.objects.get(username=username))
    keys = visible.order_by("-created_at", "-pk").values_list("created_at", "pk")
    return str(Cursor("-created", *keys[row - 1]))


def _write(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
