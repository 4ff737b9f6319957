"""Lists that are not what they should be: rows too many or too few, odd values, lying totals."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from .answers import Answer
from .options import anything, flag, number, objects, table

# the rows' key -> the total's key
LISTS = {
    "restore_record_response": "total_num",
    "backup_record_response": "total_num",
    "instances": "instance_num",
    "projects": "",
}
OPTIONS: Mapping[str, Callable[[object], object]] = {
    "insert": objects,
    "remove": number(0, 10**6),
    "shuffle": number(0, 10**18),
    "double": flag,
    "set": table,
    "cap": number(0, 10**6),
    "total": anything,
}


def edited(options: Mapping[str, Any], answer: Answer) -> Answer:
    """Change the rows of a list, in the order of ``OPTIONS``; other answers pass.

    The total follows rows that are inserted or removed, and nothing else unless told.
    """
    body = json.loads(answer.body) if answer.status == 200 else None
    key = next((key for key in LISTS if isinstance(body, dict) and key in body), None)
    if body is None or key is None:
        return answer
    before = len(body[key])
    rows = [*options.get("insert", []), *body[key][int(options.get("remove", 0)) :]]
    total = body.get(LISTS[key], 0) + len(rows) - before
    body[LISTS[key] or "total"] = options.get("total", total)
    body[key] = _spoiled(rows, options)
    return replace(answer, body=json.dumps(body, ensure_ascii=False).encode())


def _spoiled(rows: list[dict[str, Any]], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "shuffle" in options:
        Random(options["shuffle"]).shuffle(rows)  # noqa: S311 - it must repeat, not surprise
    if options.get("double"):
        rows = [row for row in rows for _ in range(2)]
    rows = [{**row, **options.get("set", {})} for row in rows]
    return rows[: int(options.get("cap", len(rows)))]
