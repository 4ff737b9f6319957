"""The steps of a restore: which there were, for how long, and which is next."""

from datetime import UTC, datetime, timedelta

import pytest

from restores.explain.estimates import Usual
from restores.explain.steps import format_span, steps_of
from restores.explain.summary import Facts

CREATED = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


def at(seconds):
    return CREATED + timedelta(seconds=seconds)


def steps(status, after=None, by=None, **given):
    given.setdefault("now", at(960))
    facts = Facts(status=status, created_at=CREATED, **given)
    after, by = (None if seconds is None else at(seconds) for seconds in (after, by))
    return [(step.name, step.state) for step in steps_of(facts, after, by)]


def test_a_failure_stopped_where_it_was_restoring():
    assert steps("failed", 2, 4, ended_at=at(81), progress=0.0) == [
        ("Created", "done"),
        ("Queued 2–4 s", "done"),
        ("Restoring about 1 min", "stopped"),
        ("Failed at 0%", "failed"),
    ]
    assert steps("failed", 2, 4, ended_at=at(81), recovered_at=at(900))[-1] == (
        "Failed",
        "recovered",
    )


def test_a_restore_in_progress_has_its_end_ahead():
    given = {"progress": 42.0, "usual": Usual(p10=60, p90=180, count=9)}
    facts = Facts(status="restoring", created_at=CREATED, now=at(960), **given)
    *_, restoring, end = steps_of(facts, at(4), at(8))
    assert (restoring.name, restoring.state) == ("Restoring 15 min, 42%", "current")
    assert (end.name, end.state, end.lead, end.times) == (
        "Finished",
        "ahead",
        "usually by",
        (at(180),),
    )


def test_a_restore_in_progress_has_run_for_as_long_as_its_start_allows():
    assert steps("restoring", 0, 600)[2] == ("Restoring 6 min – 16 min", "current")
    assert steps("restoring", 590, 600)[2] == ("Restoring 6 min", "current")


def test_a_stuck_restore_says_for_how_long_nothing_changed():
    facts = Facts(
        status="restoring",
        created_at=CREATED,
        now=at(960),
        progress=42.0,
        unchanged_for=420,
        stuck=True,
    )
    step = steps_of(facts, at(4), at(8))[2]
    assert (step.name, step.state, step.note) == (
        "Restoring 15 min, 42%",
        "stuck",
        "no change for 7 min",
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("waiting",), ["Created", "Queued 16 min", "Restoring", "Finished"]),
        (("restoring",), ["Created", "Queued and restoring 16 min", "Finished"]),
        (("rolling_back",), ["Created", "Unknown status"]),
    ],
)
def test_only_what_is_known_is_a_step(given, expected):
    assert [name for name, _ in steps(*given)] == expected


def test_times_that_contradict_each_other_make_no_lengths():
    assert steps("failed", 2, 4, ended_at=at(-60)) == [("Created", "done"), ("Failed", "failed")]
    assert steps("succeed", 900, 950, ended_at=at(81), progress=57.0) == [
        ("Created", "done"),
        ("Queued and restoring 1 min 21 s", "done"),
        ("Succeeded at 57%", "done"),
    ]


def test_without_any_time_the_steps_say_so():
    facts = Facts(status="succeed", now=at(0), progress=100.0)
    assert [(step.name, step.note) for step in steps_of(facts, None, None)] == [
        ("Created", "time unknown"),
        ("Succeeded", "no usable time reported"),
    ]


def test_a_length_beyond_all_dates_has_no_usual_end():
    facts = Facts(
        status="waiting",
        created_at=CREATED,
        now=at(9),
        usual=Usual(p10=0, p90=10**12, count=3),
    )
    assert steps_of(facts, None, None)[-1].times == ()


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ((4, 4.5), "4 s"),
        ((19, 29), "19–29 s"),
        ((55, 65), "about 1 min"),
        ((331, 341), "about 5 min"),
        ((60, 600), "1 min – 10 min"),
    ],
)
def test_a_span_is_as_exact_as_it_can_be(span, text):
    assert format_span(*span) == text
