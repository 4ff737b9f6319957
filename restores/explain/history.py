"""How a restore compares with the earlier ones of its instance, in one sentence."""

from collections.abc import Sequence
from itertools import takewhile

from .durations import on_day
from .facts import Facts

_ENOUGH = 10  # earlier successes that make a rank worth telling
_FAR = 90  # per cent of them that must be shorter, or longer


def history(facts: Facts) -> str:
    """What is notable against the past; empty when nothing is."""
    if facts.status == "failed":
        return _failure(facts)
    if facts.status != "succeed":
        return ""
    failures = _run(facts.past, "failed")
    if failures:
        return f"The first success after {_count(failures, 'failed restore')} in a row."
    return _pace(facts)


def _failure(facts: Facts) -> str:
    if facts.created is None:
        return ""
    begin = facts.records_begin
    since = f" since our records begin on {on_day(begin)}" if begin else ""
    if not facts.past:
        return f"The first restore of this instance{since}."
    failures = _run(facts.past, "failed")
    if failures:
        return f"{failures + 1} failures in a row{'' if failures < len(facts.past) else since}."
    successes = _run(facts.past, "succeed")
    told = f"First failure after {_count(successes, 'successful restore')}"
    all_failures = sum(status == "failed" for status in facts.past)
    if not all_failures:
        return f"{told}{since}."
    return f"{told} in a row; {_count(all_failures, 'earlier failure')}{since}."


def _pace(facts: Facts) -> str:
    took, earlier = facts.took, facts.earlier
    if took is None or len(earlier) < _ENOUGH:
        return ""
    shorter = 100 * sum(length < took for length in earlier) // len(earlier)
    longer = 100 * sum(length > took for length in earlier) // len(earlier)
    share, word = max((shorter, "Slower"), (longer, "Faster"))
    if share < _FAR:
        return ""
    than = f"all {len(earlier)}" if share == 100 else f"{share} % of {len(earlier)}"
    return f"{word} than {than} earlier successful restores of this instance."


def _run(past: Sequence[str], status: str) -> int:
    """How many restores at the end of the past have this status."""
    return sum(1 for _ in takewhile(lambda other: other == status, reversed(past)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
