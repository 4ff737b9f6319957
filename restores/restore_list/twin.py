"""The list as JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from restores.beside import Beside, beside
from restores.filters import ListParams, Scope
from restores.models import Restore
from restores.restore_list.counts import CAP, tally
from restores.restore_list.leaf import nearest, next_query
from restores.serializers import RELATED, coverage_json, now_json, restore_json


def listing_json(params: ListParams, scope: Scope) -> dict[str, Any]:
    """The page's rows in the page's order, and the envelope around them."""
    # Before the rows: it must not tell of a moment that they do not hold.
    coverage = _coverage(scope)
    read, source = nearest(params, scope, lambda part: part.select_related(*RELATED))
    shown = beside(read.rows, scope.past)
    following = next_query(params, read, shown[-1].then if shown else None, counted=False)
    total = tally(source.restores, more=source is not scope)
    path = settings.BASE_URL + reverse("restore-list-json")
    return {
        "restores": [_row(one) for one in shown],
        "total": min(total.number, CAP),
        "total_capped": total.capped,
        "window": params.resolved_range,
        **coverage,
        "ignored": sorted(params.unknown),
        "not_found": [value for _, value in scope.not_found],
        "next": path + following if following else None,
    }


def _coverage(scope: Scope) -> dict[str, Any]:
    """How far the rows are complete; how far they were at another time is not kept."""
    covered = coverage_json(scope.coverage())
    return covered | {"complete_to": None} if scope.past else covered


def _row(restore: Beside[Restore]) -> dict[str, Any]:
    """The restore as it was by then; where it is another by now, that too."""
    if restore.now is None:
        return restore_json(restore.then)
    return restore_json(restore.then) | {"now": now_json(restore.then, restore.now)}


def problems_json(params: ListParams) -> dict[str, Any]:
    """The body of an answer 400."""
    return {
        "errors": [
            {"param": problem.param, "value": problem.value, "reason": problem.reason}
            for problem in params.errors
        ]
    }
