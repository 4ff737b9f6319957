"""What the page of one restore says, top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from restores.beside import beside, now_words
from restores.explain import codes, timeline_svg
from restores.explain.summary import Facts, Summary, compare, customer_message, summarize
from restores.models import Observation, Restore
from restores.pages import evidence
from restores.pages.freshness import Freshness, freshness, known_until
from restores.pages.past import facts_of, present, seen_by
from restores.pages.progress import Progress, progress
from restores.pages.timing import Time, times
from restores.past import Past
from restores.serializers import observation_json, then_and_now_json
from restores.statuses import FAILED, IN_PROGRESS, Status, status_of

OUTCOMES = {
    "failed": "failed",
    "succeed": "succeeded",
    "restoring": "running",
    "waiting": "queued",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePage:
    """One restore, explained, with the evidence."""

    restore: Restore
    status: Status
    verdict: Summary
    history: str
    progress: Progress | None
    strip: timeline_svg.TimelineSvg | None
    times: list[Time]
    freshness: Freshness
    code: codes.Code | None
    message: str
    record: list[evidence.Field]
    raw: str
    status_history: list[evidence.ObservedChange]
    past: Past | None
    now: str

    @property
    def name(self) -> str:
        """What the instance is called."""
        return self.restore.instance.name or self.restore.instance.instance_id

    @property
    def outcome(self) -> str:
        """What became of it, for the title; empty where the cloud's word is unknown."""
        return OUTCOMES.get(self.restore.status, "")

    @property
    def live(self) -> bool:
        """Whether the page has reason to change soon."""
        return self.restore.status in IN_PROGRESS


def restore_page(restore: Restore, now: datetime, past: Past | None = None) -> RestorePage:
    """Prepare one visible restore as it is known at ``now``, or was known in the past.

    While nobody can look, every sentence speaks of the last look instead.
    """
    pair = beside([restore], past)[0]
    restore, at = pair.then, past.asof if past else now
    seen, fresh = seen_by(restore, past), freshness(restore, now)
    recorded_at = at if past else known_until(restore, now)
    facts = facts_of(restore, seen, recorded_at)
    told = present(pair, now) or facts
    failed = restore.status == FAILED.value
    return RestorePage(
        restore=restore,
        status=_status(restore, facts),
        verdict=summarize(facts),
        history=compare(facts),
        progress=progress(restore, facts),
        strip=_strip(facts, seen),
        times=times(restore, recorded_at),
        freshness=fresh,
        code=codes.explain(restore.error_code) if failed else None,
        message=customer_message(told, restore.instance.name, restore.project.time_zone, now),
        record=evidence.record(restore),
        raw=evidence.raw_json(restore),
        status_history=evidence.status_history(seen),
        past=past,
        now=now_words(pair.then, pair.now, UTC, now) if pair.now else "",
    )


def restore_page_json(restore: Restore, past: Past | None = None) -> dict[str, Any]:
    """One restore for its twin, with the record as it came and every observation."""
    pair = beside([restore], past)[0]
    return {
        **then_and_now_json(pair),
        "raw": evidence.raw_value(restore),
        "observations": [observation_json(one) for one in seen_by(restore, past)],
    }


def _status(restore: Restore, facts: Facts) -> Status:
    if facts.stuck:
        return Status(restore.status, "Possibly stuck", "stuck")
    return status_of(restore.status)


def _strip(facts: Facts, seen: list[Observation]) -> timeline_svg.TimelineSvg | None:
    drawn = timeline_svg.draw(
        facts.created_at,
        facts.ended_at,
        facts.now,
        [
            timeline_svg.ObservedState(
                at=one.seen_at, after=one.seen_after, status=one.status, progress=one.progress
            )
            for one in seen
        ],
    )
    return drawn if drawn and drawn.shows_data else None
