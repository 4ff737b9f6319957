"""Records and pages as the parser returns them; each takes only what matters to a test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from restores.dcs.records import Page, RestoreRecord

BEGUN = datetime(2026, 11, 23, 15, 26, 1, tzinfo=UTC)


def make_record(restore_id="r-1", **given):
    status = given.get("status", "succeed")
    final = status in ("succeed", "failed")
    values = {
        "restore_name": f"restore of {restore_id}",
        "backup_id": "b-1",
        "backup_name": "backup_20261122020000",
        "restore_remark": "",
        "backup_remark": "",
        "status": status,
        "progress": 100.0 if final else 0.0,
        "error_code": "",
        "created_at": BEGUN,
        "updated_at": BEGUN + timedelta(minutes=6) if final else None,
    }
    values |= given
    return RestoreRecord(restore_id=restore_id, raw=str(values), **values)


def make_page(*rows, total=None, at=BEGUN + timedelta(hours=1), skipped=0, limit=1000):
    total = len(rows) + skipped if total is None else total
    return Page(rows=rows, skipped=skipped, total=total, server_time=at, limit=limit)


def with_digest(page, known):
    """The page as the client returns it: with its digest, and not parsed if that is known."""
    digest = sha256(repr((page.rows, page.skipped, page.total)).encode()).hexdigest()
    if digest == known:
        return Page(
            rows=(), skipped=0, total=0, server_time=page.server_time, digest=digest, unchanged=True
        )
    return replace(page, digest=digest)
