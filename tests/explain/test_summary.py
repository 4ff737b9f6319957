"""One sentence says what happened; a list row says it in a few words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.summary import Facts, history, line, percentage, verdict

CREATED = datetime(2026, 11, 23, 15, 26, 1, tzinfo=UTC)
ENDED = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
NINE = (420, 440, 450, 460, 500, 520, 540, 560, 600)


def facts(status, after=3 * 60 + 10, **known):
    return Facts(**{"status": status, "now": CREATED + timedelta(seconds=after),
                    "created": CREATED} | known)  # fmt: skip


def failed(**known):
    return facts(
        "failed", 5000, **{"ended": ENDED, "progress": 63.0, "code": "dcs.08.0007"} | known
    )


def said(known):
    return verdict(known).sentence


def test_a_failure_says_when_why_how_far_and_what_came_after():
    assert said(failed()) == (
        "Failed after 11 min 40 s, at 15:37:41 UTC on 23 Nov 2026, while data was being "
        "synchronised (dcs.08.0007). It stopped at 63 %. "
        "No later restore of this instance has succeeded."
    )


def test_the_code_stands_apart_so_that_it_can_be_a_link():
    segments = verdict(failed()).segments
    assert [code for _, code in segments] == [None, "dcs.08.0007", None]
    assert [text for text, code in segments if code] == ["dcs.08.0007"]


def test_a_recovered_failure_says_when():
    later = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
    assert said(failed(recovered=later)).endswith(
        "A later restore of this instance succeeded at 16:40:00 UTC on 23 Nov 2026."
    )


def test_an_unknown_code_is_shown_as_it_came():
    assert "with a code that is not in our list (X <b>.9)." in said(failed(code="X <b>.9"))


def test_a_failure_without_code_or_times_says_so():
    sentence = said(failed(code="", ended=None, progress=None))
    assert sentence == (
        "Failed at a time the cloud does not give, without an error code. It was created at "
        "15:26:01 UTC on 23 Nov 2026. No later restore of this instance has succeeded."
    )
    assert said(failed(created=None)).startswith("Failed at 15:37:41 UTC on 23 Nov 2026, while")


def test_times_that_contradict_each_other_are_told_and_not_subtracted():
    sentence = said(failed(ended=CREATED - timedelta(seconds=1)))
    assert "after" not in sentence
    assert "the cloud's times contradict each other" in sentence


def test_a_success_says_how_long_it_took():
    done = facts("succeed", 5000, ended=CREATED + timedelta(seconds=372), progress=100)
    assert said(done) == "Succeeded after 6 min 12 s, at 15:32:13 UTC on 23 Nov 2026."
    assert line(done) == ""


def test_a_success_below_100_per_cent_is_trusted_and_shown():
    done = facts("succeed", 5000, ended=ENDED, progress=63)
    assert said(done).endswith("The cloud's progress stayed at 63 %.")


def test_a_running_restore_tells_its_progress_and_its_probable_rest():
    running = facts("restoring", progress=42, earlier=NINE)
    assert said(running) == (
        "Restoring for 3 min, 42 % done; probably 4–7 min left "
        "(9 earlier restores of this instance)."
    )
    assert line(running) == "42 % after 3 min · 4–7 min left, from 9 earlier restores"


def test_a_running_restore_without_history_promises_nothing():
    assert said(facts("restoring", progress=42)) == "Restoring for 3 min, 42 % done."
    assert line(facts("restoring", progress=42)) == "42 % after 3 min"


def test_a_stuck_restore_says_both_reasons():
    running = facts("restoring", 25 * 60, progress=63, unchanged=660, earlier=NINE)
    assert said(running) == (
        "Restoring for 25 min, 63 % done; probably stuck: no change for 11 min, usually done in "
        "7–10."
    )
    assert line(running) == "63 % after 25 min · no change for 11 min, usually done in 7–10"


def test_100_per_cent_and_still_restoring_is_finishing_not_done():
    running = facts("restoring", progress=100, earlier=NINE)
    assert said(running) == "Restoring for 3 min, at 100 %: finishing."
    assert line(running) == "100 % after 3 min · finishing"


def test_where_a_cloud_reports_no_steps_0_per_cent_is_not_told_as_progress():
    running = facts("restoring", progress=0, steps=False, unchanged=190, earlier=NINE)
    assert said(running).startswith("Restoring for 3 min, no progress reported; probably")
    assert line(running).startswith("restoring after 3 min · ")


def test_waiting_expects_no_progress():
    assert said(facts("waiting", 130)) == "Waiting for 2 min; no progress expected yet."
    assert line(facts("waiting", 130)) == "queued, no progress expected yet"
    assert said(facts("waiting", 2040)) == (
        "Waiting for 34 min; probably stuck, it should have started."
    )


def test_an_unknown_status_is_quoted():
    assert said(facts("PAUSED")) == (
        "The cloud reports the status “PAUSED”, which we do not know. "
        "It was created at 15:26:01 UTC on 23 Nov 2026."
    )
    assert "“" + "x" * 60 + "…”" in said(facts("x" * 5000))
    assert said(facts("", created=None)) == "The cloud gives no status for this restore."


def test_a_code_on_anything_but_a_failure_is_still_told():
    segments = verdict(facts("restoring", progress=1, code="dcs.08.0002")).segments
    assert ("dcs.08.0002", "dcs.08.0002") in segments


@pytest.mark.parametrize(
    ("progress", "text"),
    [(None, "–"), (0, "0 %"), (63.0, "63 %"), (63.25, "63.2 %"), (99.99, "99.9 %"), (100, "100 %")],
)
def test_a_percentage_is_short_and_100_only_when_it_is(progress, text):
    assert percentage(progress) == text


BEGIN = datetime(2025, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("past", "sentence"),
    [
        (
            ["succeed"] * 14,
            "First failure after 14 successful restores since our records begin on 12 Jan 2025.",
        ),
        (
            ["succeed"],
            "First failure after 1 successful restore since our records begin on 12 Jan 2025.",
        ),
        ([], "The first restore of this instance since our records begin on 12 Jan 2025."),
        (
            ["failed", "succeed", "succeed"],
            "First failure after 2 successful restores in a row; 1 earlier failure since our "
            "records begin on 12 Jan 2025.",
        ),
        (["succeed", "failed", "failed"], "3 failures in a row."),
        (["failed"], "2 failures in a row since our records begin on 12 Jan 2025."),
    ],
)
def test_a_failure_is_set_against_the_past(past, sentence):
    assert history(failed(past=past, records_begin=BEGIN)) == sentence


def test_a_success_is_set_against_failures_and_usual_lengths():
    done = facts("succeed", 5000, ended=ENDED, past=["succeed", "failed", "failed"])
    assert history(done) == "The first success after 2 failed restores in a row."
    slow = facts("succeed", 5000, ended=ENDED, past=["succeed"] * 10, earlier=[300] * 10)
    assert history(slow) == "Slower than all 10 earlier successful restores of this instance."
    usual = facts("succeed", 5000, ended=ENDED, past=["succeed"], earlier=[300] * 9)
    assert history(usual) == ""


MOMENTS = st.none() | st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)
)


@settings(max_examples=200)
@given(
    st.builds(
        Facts,
        status=st.sampled_from(["failed", "succeed", "restoring", "waiting", ""]) | st.text(),
        now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        created=MOMENTS,
        ended=MOMENTS,
        recovered=MOMENTS,
        records_begin=MOMENTS,
        progress=st.none() | st.floats(0, 100),
        code=st.sampled_from(["", "dcs.08.0007"]) | st.text(),
        unchanged=st.none() | st.floats(0, 1e6),
        steps=st.booleans(),
        earlier=st.lists(st.floats(0, 1e5), max_size=12),
        past=st.lists(st.sampled_from(["failed", "succeed", "paused"]), max_size=5),
    )
)
def test_whatever_is_known_makes_sentences_without_holes(known):
    known_text = known.status + known.code
    for sentence in (said(known), line(known), history(known)):
        assert "None" not in sentence or "None" in known_text
        assert "  " not in sentence or "  " in known.code
    assert said(known).endswith(".")
