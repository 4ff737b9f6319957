"""One restore as a ticket wants to read it, as its customer may, and as the provider must."""

from dataclasses import dataclass
from datetime import UTC, datetime

from restores.explain import codes, customer
from restores.explain.durations import words
from restores.explain.facts import Facts
from restores.explain.verdict import verdict

from .formats import plain
from .note import Note

_COMPLETE = "whether the data of the instance is complete."
_ASKED = {
    "failed": f"A restore failed. Please tell us why, and {_COMPLETE}",
    "succeed": f"A restore succeeded. Please tell us {_COMPLETE}",
}
_ASKED_OTHERWISE = "A restore needs your attention. Please tell us its state and when it will end."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What texts about one restore need beyond its facts.

    ``recorded_at``: its last complete look; ``told``: when the text is written; ``present``: what
    is known by then, if the others are of the past and it is something else.
    """

    facts: Facts
    url: str
    restore_id: str
    instance_id: str
    project: str
    project_id: str
    restore_name: str = ""
    remark: str = ""
    instance: str = ""
    region: str = ""
    customer: str = ""
    zone: str = ""
    backup_id: str = ""
    backup_name: str = ""
    recorded_at: datetime | None = None
    told: datetime | None = None
    present: Facts | None = None
    status: str = ""  # the state in our words
    since: str = ""  # what it has become since, if that is something else


def case_note(case: Case) -> Note:
    """All of a restore that helps a colleague."""
    facts = [
        ("Customer", case.customer),
        ("Instance", _named(case.instance, case.instance_id)),
        ("Project", _named(case.project, case.region)),
        ("Restore", _named(case.restore_name, case.restore_id)),
        ("Backup", _named(case.backup_name, case.backup_id)),
        ("Remark", case.remark),
        ("Error code", _code(case)),
        *_times(case.facts, case.recorded_at),
    ]
    return Note(
        title=f"Restore of {case.instance or case.instance_id}: {case.status}",
        url=case.url,
        sentences=tuple(filter(None, [verdict(case.facts).sentence, _since(case)])),
        facts=_given(facts),
    )


def escalation(case: Case) -> str:
    """A request to the provider: every id, the times, what we ask; no customer is named."""
    facts = [
        ("Restore id", case.restore_id),
        ("Instance id", case.instance_id),
        ("Project id", case.project_id),
        ("Region", case.region),
        ("Backup id", case.backup_id),
        ("Status", case.facts.status),
        ("Progress", "" if case.facts.progress is None else f"{case.facts.progress:g} %"),
        ("Error code", case.facts.code),
        *_times(case.facts, case.recorded_at),
    ]
    sentence = _ASKED.get(case.facts.status, _ASKED_OTHERWISE)
    title = f"Redis restore {case.restore_id}: {case.status}"
    return plain(Note(title=title, url=case.url, sentences=(sentence,), facts=_given(facts)))


def customer_text(case: Case) -> str:
    """The message to the customer with its window; no link, no name and no id of ours."""
    facts = case.present or case.facts
    message = customer.message(facts, case.instance, case.zone, case.told)
    return plain(Note(title=message, url="", facts=_given(_times(facts, case.recorded_at))))


def instant(at: datetime) -> str:
    """A time in UTC for a fact: ``2026-11-23 15:37:41 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _times(facts: Facts, recorded_at: datetime | None) -> list[tuple[str, str]]:
    created, ended = facts.created, facts.ended
    took = "" if facts.took is None else f" ({words(facts.took)})"
    since = instant(created) if created else "not given"
    until = f"{instant(ended)}{took}" if ended else "not ended, as far as is known"
    known = instant(recorded_at) if recorded_at else "not known"
    return [("Window", f"{since} → {until}"), ("Complete to", known)]


def _code(case: Case) -> str:
    code = case.facts.code
    return f"{code}, {codes.explain(code).meaning.rstrip('.')}" if code else ""


def _since(case: Case) -> str:
    return f"So it was at {instant(case.facts.now)}; {case.since}." if case.since else ""


def _named(name: str, other: str) -> str:
    return f"{name} ({other})" if name and other and name != other else name or other


def _given(facts: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in facts if value)
