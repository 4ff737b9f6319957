"""Searches for leaked cloud credentials in everything that is stored, logged, sent or shown."""

import base64
import re
from contextlib import suppress
from pathlib import Path

PAGES = (
    "/",
    "/restores/",
    "/instances/",
    "/codes/",
    "/sync-status/",
    "/codes/",
    "/overview.json",
    "/restores.json",
    "/restores.csv",
    "/reports/downtime/",
    "/sync-status.json",
    "/admin/",
    "/no/such/page",
    "/restores/?from=nonsense",
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def every_fault(world):
    """Return faults of every kind, each for one call, and responses that repeat our secrets.

    A cloud can repeat only the secrets of the account that calls it.
    """
    statuses = [{"kind": "status", "status": status} for status in (400, 401, 403, 500, 502, 503)]
    others = [
        {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
        {"kind": "answer", "status": 200, "body": "<html>no JSON</html>"},
        {"kind": "drip", "bytes": 2000, "seconds": 0.01},
        {"kind": "truncate"},
        {"kind": "reset"},
        {"kind": "gzip_bomb", "megabytes": 20},
    ]
    faults = [*_echoes(world), *({"times": 1, **fault} for fault in (*statuses, *others))]
    return [{"match": "/restores", **fault} for fault in faults]


def _echoes(world):
    for project in world.projects:
        account = project.account
        aksk = account.method == "aksk"
        secrets = (account.key.access, account.key.secret) if aksk else (account.password,)
        for status in (400, 403, 500):
            body = {"error_code": "DCS.5079", "error_msg": f"not accepted: {' '.join(secrets)}"}
            yield {
                "kind": "status",
                "status": status,
                "body": body,
                "project": project.name,
                "times": 1,
            }


def find_leaks(product, secrets, site=None):
    """Return the places where one of the secrets was found."""
    needles = [secret.encode() for secret in secrets]
    found = []
    for place, content in _places(product, site):
        plain = content + b"\n".join(_decoded(content))
        found += [place for needle in needles if needle in plain]
    return found


def _places(product, site):
    for log in sorted(product.folder.glob("*.log")):
        yield log.name, log.read_bytes()
    yield "database", _dump(product.database)
    if product.redis:
        yield "broker", _stored_in(product.redis)
    for program in product.programs:
        for process in _family(program.process.pid):
            yield f"arguments of {program.log.name}", _read(process / "cmdline")
            if not program.log.name.startswith("worker"):
                yield f"environment of {program.log.name}", _read(process / "environ")
    if site:
        for path in PAGES:
            page = site.get(path)
            assert page.status < 500, path
            yield path, page.text.encode()


def _decoded(content):
    """Yield what is in it as base64, like the bodies of messages."""
    for blob in _BASE64.findall(content):
        with suppress(ValueError):
            yield base64.b64decode(blob + b"=" * (-len(blob) % 4))


def _dump(database):
    if database.url.startswith("sqlite"):
        return b"".join(_read(file) for file in database.file.parent.glob(f"{database.file.name}*"))
    tables = database.rows("select tablename from pg_tables where schemaname = 'public'")
    return repr([database.rows(f'select * from "{table}"') for (table,) in tables]).encode()


def _stored_in(redis):
    keys = re.findall(r"\r\n\$\d+\r\n([^\r]+)", redis.ask("KEYS", "*"))
    ways = (("LRANGE", "0", "-1"), ("HGETALL",), ("SMEMBERS",), ("GET",))
    parts = [redis.ask(way, key, *rest) for key in keys for way, *rest in ways]
    # And what was in it before: the commands with their arguments, as far as the slow log goes.
    return "\n".join([*keys, *parts, redis.ask("SLOWLOG", "GET", "10000")]).encode()


def _family(pid):
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            group = int(status.read_text().rpartition(")")[2].split()[2])
            if group == pid:
                yield status.parent


def _read(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""
