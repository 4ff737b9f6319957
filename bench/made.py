"""Made-up history: the cloud's rows by instance, always the same for the same id."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

Row = dict[str, object]

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_YEARS = 3 * 365 * 86_400


def instance_ids(count: int) -> list[str]:
    """Return ids in the cloud's spelling."""
    return [f"{number:08x}-0000-4000-8000-000000000000" for number in range(count)]


def restores(instance_id: str, count: int) -> list[Row]:
    """Return an instance's restoration records, newest first; all have ended."""
    dice = Random(instance_id)
    begun = sorted((dice.randrange(_YEARS) for _ in range(count)), reverse=True)
    return [_restore(dice, _NOW - timedelta(seconds=_YEARS - second)) for second in begun]


def listing(rows: Iterable[Row]) -> bytes:
    """Return the body with which the cloud answers."""
    listed = list(rows)
    return json.dumps({"restore_record_response": listed, "total_num": len(listed)}).encode()


def _restore(dice: Random, created: datetime) -> Row:
    failed = dice.random() < 0.08
    ended = created + timedelta(milliseconds=dice.randrange(60_000, 720_000))
    return {
        "backup_id": _uuid(dice),
        "restore_id": _uuid(dice),
        "backup_name": f"backup_{created:%Y%m%d}020000",
        "updated_at": _spelled(ended),
        "restore_remark": f"ticket {dice.randrange(10**6)}",
        "created_at": _spelled(created + timedelta(milliseconds=dice.randrange(1000))),
        "progress": f"{dice.randrange(15, 98) if failed else 100}.00",
        "error_code": f"dcs.08.000{dice.randrange(1, 9)}" if failed else None,
        "restore_name": f"restore_{created:%Y%m%d%H%M%S}",
        "backup_remark": None,
        "status": "failed" if failed else "succeed",
    }


def _uuid(dice: Random) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _spelled(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
