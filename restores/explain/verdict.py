"""What happened to a restore: one sentence to paste, and a few words for a list row."""

from dataclasses import dataclass

from .codes import explain
from .durations import at_time, roughly, words
from .facts import Facts

QUEUED, NO_PROGRESS = "queued, no progress expected yet", "progress not given"

Segment = tuple[str, str | None]

_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence as segments of text, each with the error code it names or None."""

    segments: tuple[Segment, ...]

    @property
    def sentence(self) -> str:
        """The whole as plain text."""
        return "".join(text for text, _ in self.segments)


def verdict(facts: Facts) -> Verdict:
    """What happened to a restore, or what is happening."""
    tell = {"failed": _failed, "succeed": _succeeded, "restoring": _restoring, "waiting": _waiting}
    segments = tell.get(facts.status, _unknown)(facts)
    if facts.code and facts.status != "failed":
        segments += [(" The cloud also gives the error code ", None), _code(facts), (".", None)]
    return Verdict(tuple(segments))


def line(facts: Facts) -> str:
    """The reason or the progress for a list row; empty for a success."""
    if facts.status == "failed":
        return explain(facts.code).reason
    if facts.status == "waiting":
        return facts.stuck.reason if facts.stuck else QUEUED
    if facts.status != "restoring":
        return ""
    percent = percentage(facts.progress) if _telling(facts) else "restoring"
    after = "" if facts.elapsed is None else f" after {roughly(facts.elapsed)}"
    return " · ".join(filter(None, [percent + after, _outlook(facts)]))


def percentage(progress: float | None) -> str:
    """``63 %``, with a decimal only if there is one; ``–`` when it is not known."""
    if progress is None:
        return "–"
    return f"{min(round(progress, 1), 100 if progress >= 100 else 99.9):g} %"


def _failed(facts: Facts) -> list[Segment]:
    told = f"{_opening('Failed', facts)} {explain(facts.code).during}"
    rest = (")." if facts.code else ".") + _contradiction(facts)
    if facts.progress is not None:
        rest += f" It stopped at {percentage(facts.progress)}."
    if facts.recovered:
        rest += f" A later restore of this instance succeeded at {at_time(facts.recovered)}."
    elif facts.created:
        rest += " No later restore of this instance has succeeded."
    else:
        rest += " The cloud does not say when it was created, so nobody knows what came later."
    if not facts.code:
        return [(told + rest, None)]
    return [(f"{told} (", None), _code(facts), (rest, None)]


def _succeeded(facts: Facts) -> list[Segment]:
    text = _opening("Succeeded", facts).rstrip(",") + "." + _contradiction(facts)
    if facts.progress is not None and facts.progress < 100:
        text += f" The cloud's progress stayed at {percentage(facts.progress)}."
    return [(text, None)]


def _restoring(facts: Facts) -> list[Segment]:
    head = "Restoring" + ("" if facts.elapsed is None else f" for {roughly(facts.elapsed)}")
    if facts.progress == 100:
        end = f"; probably stuck: {facts.stuck.reason}." if facts.stuck else ": finishing."
        return [(f"{head}, at 100 %{end}", None)]
    done = f"{percentage(facts.progress)} done" if _telling(facts) else "no progress reported"
    if facts.stuck:
        more = f"; probably stuck: {facts.stuck.reason}"
    elif found := facts.estimate:
        more = f"; probably {found.left} ({found.count} earlier restores of this instance)"
    else:
        more = ""
    return [(f"{head}, {done}{more}.", None)]


def _waiting(facts: Facts) -> list[Segment]:
    head = "Waiting" + ("" if facts.elapsed is None else f" for {roughly(facts.elapsed)}")
    more = "probably stuck, it should have started" if facts.stuck else "no progress expected yet"
    return [(f"{head}; {more}.", None)]


def _unknown(facts: Facts) -> list[Segment]:
    status = " ".join(facts.status.split())
    if len(status) > _QUOTED:
        status = f"{status[:_QUOTED]}…"
    text = f"The cloud reports the status “{status}”, which we do not know."
    if not status:
        text = "The cloud gives no status for this restore."
    if facts.created:
        text += f" It was created at {at_time(facts.created)}."
    if facts.progress is not None:
        text += f" Its progress is {percentage(facts.progress)}."
    return [(text, None)]


def _opening(outcome: str, facts: Facts) -> str:
    if facts.ended is None:
        return f"{outcome} at a time the cloud does not give,"
    if facts.took is None:
        return f"{outcome} at {at_time(facts.ended)},"
    return f"{outcome} after {words(facts.took)}, at {at_time(facts.ended)},"


def _contradiction(facts: Facts) -> str:
    if facts.created is None or facts.took is not None:
        return ""
    given = f" It was created at {at_time(facts.created)}"
    return given + ("." if facts.ended is None else ": the cloud's times contradict each other.")


def _outlook(facts: Facts) -> str:
    if facts.stuck:
        return facts.stuck.reason
    if facts.progress == 100:
        return "finishing"
    return facts.estimate.text if facts.estimate else ""


def _telling(facts: Facts) -> bool:
    """Whether the progress says anything: where a cloud reports no steps, 0 doesn't."""
    return facts.progress is not None and (facts.steps or facts.progress > 0)


def _code(facts: Facts) -> Segment:
    return facts.code, facts.code
