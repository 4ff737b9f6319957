"""A few sentences say what happened; a list row says it in a few words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.codes import CATALOG
from restores.explain.estimates import usual_of
from restores.explain.summary import (
    Facts,
    compare,
    customer_message,
    details,
    format_percent,
    summarize,
)

CREATED = datetime(2026, 11, 23, 15, 26, 1, tzinfo=UTC)
ENDED = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
NINE = (420, 440, 450, 460, 500, 520, 540, 560, 600)


def facts(status, after=3 * 60 + 10, **known):
    now = CREATED + timedelta(seconds=after)
    return Facts(**{"status": status, "now": now, "created_at": CREATED} | known)


def stuck(status, after, **known):
    return facts(status, after, stuck=True, **known)


def failed(**known):
    defaults = {"ended_at": ENDED, "progress": 63.0, "error_code": "dcs.08.0007"}
    return facts("failed", 5000, **defaults | known)


def summary(known):
    return summarize(known).text


def test_a_failure_says_when_why_how_far_and_what_came_after():
    assert summary(failed()) == (
        "Failed on 23 Nov 2026 at 15:37:41 UTC after 11 min 40 s, during data synchronization "
        "(dcs.08.0007), at 63% progress. "
        "The instance hasn’t been restored successfully since."
    )


def test_the_code_is_a_segment_of_its_own_so_that_it_can_be_a_link():
    segments = summarize(failed()).segments
    assert [code for _, code in segments] == [None, "dcs.08.0007", None]
    assert [text for text, code in segments if code] == ["dcs.08.0007"]


def test_a_recovered_failure_says_when():
    later = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
    assert summary(failed(recovered_at=later)).endswith(
        "A later restore of this instance succeeded on 23 Nov 2026 at 16:40:00 UTC."
    )


def test_an_unknown_code_is_shown_verbatim():
    text = summary(failed(error_code="X <b>.9"))
    assert "with an unknown error code (X <b>.9), at 63% progress." in text


def test_a_failure_without_code_or_times_says_so():
    assert summary(failed(error_code="", ended_at=None, progress=None)) == (
        "Failed (no usable end time reported), with no error code reported. Created on 23 Nov 2026 "
        "at 15:26:01 UTC. The instance hasn’t been restored successfully since."
    )
    assert summary(failed(created_at=None)) == (
        "Failed on 23 Nov 2026 at 15:37:41 UTC, during data synchronization (dcs.08.0007), at 63% "
        "progress. The provider reported no usable creation time, so we can’t tell whether a later "
        "restore worked."
    )


def test_inconsistent_times_are_reported_and_not_subtracted():
    text = summary(failed(ended_at=CREATED - timedelta(seconds=1)))
    assert "after" not in text
    assert "Created on 23 Nov 2026 at 15:26:01 UTC; the reported times are inconsistent." in text


def test_a_success_says_how_long_it_took():
    done = facts("succeed", 5000, ended_at=CREATED + timedelta(seconds=372), progress=100)
    assert summary(done) == "Succeeded on 23 Nov 2026 at 15:32:13 UTC after 6 min 12 s."
    assert details(done) == ""


def test_a_success_below_100_percent_is_trusted_and_shown():
    done = facts("succeed", 5000, ended_at=ENDED, progress=63)
    assert summary(done).endswith("The provider still reports 63% progress.")


def test_a_running_restore_has_its_progress_and_the_estimated_time_left():
    running = facts("restoring", progress=42, usual=usual_of(NINE))
    assert summary(running) == (
        "Running for 3 min, 42% complete. 4–7 min left (based on 9 earlier restores)."
    )
    assert details(running) == "42% · 4–7 min left"
    almost = facts("restoring", 560, progress=98, usual=usual_of(NINE))
    assert "98% complete. Less than 1 min left (" in summary(almost)


def test_a_running_restore_without_history_has_no_estimate():
    running = facts("restoring", progress=42)
    assert summary(running) == "Running for 3 min, 42% complete."
    assert details(running) == "42%"


def test_a_stuck_restore_gives_both_reasons():
    running = stuck("restoring", 25 * 60, progress=63, unchanged_for=660, usual=usual_of(NINE))
    assert summary(running) == (
        "Running for 25 min, 63% complete. Possibly stuck: no progress for 11 min; usually takes "
        "7–10 min."
    )
    assert details(running) == "63% for 11 min · usually takes 7–10 min"


def test_a_stuck_restore_without_history_gives_the_one_reason_there_is():
    running = stuck("restoring", 35 * 60, progress=63, unchanged_for=660)
    assert summary(running).endswith("Possibly stuck: no progress for 11 min.")
    assert details(running) == "63% for 11 min"


def test_100_percent_and_still_restoring_is_finishing_not_done():
    running = facts("restoring", progress=100, usual=usual_of(NINE))
    assert summary(running) == "Running for 3 min, 100% complete and finishing."
    assert details(running) == "Finishing"


def test_where_a_cloud_reports_no_progress_0_percent_is_not_shown_as_progress():
    running = facts(
        "restoring",
        progress=0,
        reports_progress=False,
        unchanged_for=190,
        usual=usual_of(NINE),
    )
    assert summary(running).startswith("Running for 3 min, no progress reported. 4–7 min left")
    assert details(running) == "Running for 3 min · 4–7 min left"


def test_where_a_cloud_reports_no_progress_a_stuck_restore_is_compared_with_its_history():
    long = stuck("restoring", 40 * 60, progress=0, reports_progress=False)
    assert summary(long) == (
        "Running for 40 min, no progress reported. Possibly stuck: should have finished by now."
    )
    assert details(long) == "Running for 40 min"
    known = stuck("restoring", 40 * 60, progress=0, reports_progress=False, usual=usual_of(NINE))
    assert summary(known).endswith("Possibly stuck: usually takes 7–10 min.")
    assert details(known) == "Running for 40 min · usually takes 7–10 min"


def test_a_waiting_restore_is_queued():
    assert summary(facts("waiting", 130)) == "Queued for 2 min."
    assert details(facts("waiting", 130)) == "Queued for 2 min"
    assert details(facts("waiting", created_at=None)) == "Queued"
    assert summary(stuck("waiting", 2040)) == (
        "Queued for 34 min. Possibly stuck: should have started by now."
    )
    assert details(stuck("waiting", 2040)) == "Still queued after 34 min"


def test_an_unknown_status_is_quoted():
    assert summary(facts("PAUSED", progress=12)) == (
        "The provider reports an unknown status, “PAUSED”. "
        "Created on 23 Nov 2026 at 15:26:01 UTC. Progress: 12%."
    )
    assert "“" + "x" * 60 + "…”" in summary(facts("x" * 5000))
    assert summary(facts("", created_at=None)) == (
        "The provider reports no status for this restore."
    )


def test_a_code_on_anything_but_a_failure_is_still_shown():
    running = facts("restoring", progress=1, error_code="dcs.08.0002")
    assert ("dcs.08.0002", "dcs.08.0002") in summarize(running).segments
    assert summary(running).endswith("The provider also reported error code dcs.08.0002.")


@pytest.mark.parametrize(
    ("progress", "text"),
    [(None, "–"), (0, "0%"), (63.0, "63%"), (63.25, "63.2%"), (99.99, "99.9%"), (100, "100%")],
)
def test_a_percentage_is_short_and_100_only_when_it_is(progress, text):
    assert format_percent(progress) == text


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (
            ["succeed"] * 14,
            "First failure since records began on 12 Jan 2025, after 14 consecutive successes.",
        ),
        (["succeed"], "First failure since records began on 12 Jan 2025, after a success."),
        ([], "First recorded restore of this instance."),
        (
            ["failed", "succeed", "succeed"],
            "First failure after 2 consecutive successes. 1 earlier failure since records began "
            "on 12 Jan 2025.",
        ),
        (["succeed", "failed", "failed"], "Third consecutive failure."),
        (
            ["failed"],
            "Second consecutive failure, with no success since records began on 12 Jan 2025.",
        ),
        (["succeed"] + ["failed"] * 10, "11th consecutive failure."),
        (["succeed"] + ["failed"] * 21, "22nd consecutive failure."),
    ],
)
def test_a_failure_is_compared_with_earlier_restores(earlier, text):
    begin = datetime(2025, 1, 12, tzinfo=UTC)
    assert compare(failed(earlier_statuses=earlier, records_begin=begin)) == text


def test_a_success_is_compared_with_failures_and_usual_durations():
    done = facts("succeed", ended_at=ENDED, earlier_statuses=["succeed", "failed", "failed"])
    assert compare(done) == "First success after 2 consecutive failures."
    recovered = facts("succeed", ended_at=ENDED, earlier_statuses=["succeed", "failed"])
    assert compare(recovered) == "First success after a failure."
    slow = facts(
        "succeed",
        ended_at=ENDED,
        earlier_statuses=["succeed"] * 10,
        earlier_durations=[300] * 10,
    )
    assert compare(slow) == "Slower than all 10 previous successful restores."
    slower = facts("succeed", ended_at=ENDED, earlier_durations=[300] * 19 + [900])
    assert compare(slower) == "Slower than 95% of the 20 previous successful restores."
    usual = facts("succeed", ended_at=ENDED, earlier_durations=[300] * 9)
    assert compare(usual) == ""


@pytest.mark.parametrize(
    ("earlier", "text"),
    [
        (["succeed"] * 3, "First failure in the last 3 restores, after 3 consecutive successes."),
        (["failed"] * 3, "Fourth consecutive failure, with no success in the last 3 restores."),
    ],
)
def test_of_a_long_history_only_the_compared_part_is_claimed(earlier, text):
    assert compare(failed(earlier_statuses=earlier, history_cut=True)) == text
    slow = facts("succeed", ended_at=ENDED, earlier_durations=[300] * 10, history_cut=True)
    assert compare(slow) == "Slower than all of the last 10 successful restores."


def message(status, zone="Asia/Tokyo", now=NOW, **known):
    known = Facts(status=status, now=now, created_at=CREATED, **known)
    return customer_message(known, "session-eu-2", zone)


def test_the_message_about_a_failure_is_in_the_customers_time_zone():
    text = message("failed", ended_at=ENDED, error_code="dcs.08.0007", progress=63)
    assert text == (
        "The restore of your instance session-eu-2 did not complete; it stopped at 00:37:41 Tokyo "
        "time (15:37:41 UTC). We’re checking your data and will contact you "
        "before starting another restore."
    )


def test_a_message_written_on_a_later_day_has_dates():
    known = Facts(status="failed", now=NOW, created_at=CREATED, ended_at=ENDED)
    text = customer_message(known, "cart", written_at=datetime(2026, 11, 25, tzinfo=UTC))
    assert "it stopped at 15:37:41 UTC on 23 Nov 2026." in text


def test_a_time_on_the_evening_before_in_the_customers_zone_has_dates():
    started = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    known = Facts(status="restoring", now=NOW, created_at=started)
    text = customer_message(known, "cart", "America/New_York")
    assert "since 21:00:00 New York time on 22 Nov 2026 (02:00:00 UTC on 23 Nov 2026)" in text


def test_on_a_later_day_both_dates_are_given():
    text = message("failed", ended_at=ENDED, now=datetime(2026, 11, 25, tzinfo=UTC))
    assert "at 00:37:41 Tokyo time on 24 Nov 2026 (15:37:41 UTC on 23 Nov 2026)." in text


def test_the_message_about_a_recovered_failure_promises_no_check():
    recovered = datetime(2026, 11, 23, 16, tzinfo=UTC)
    text = message("failed", zone="", ended_at=ENDED, recovered_at=recovered)
    assert text.endswith("A later restore was completed at 16:00:00 UTC.")


def test_the_message_about_any_other_status_is_plain():
    assert message("succeed", zone="UTC", ended_at=ENDED) == (
        "The restore of your instance session-eu-2 was completed at 15:37:41 UTC."
    )
    assert message("restoring") == (
        "The restore of your instance session-eu-2 has been running since 00:26:01 Tokyo time "
        "(15:26:01 UTC). The instance is unavailable until it finishes. "
        "We’ll let you know as soon as it does."
    )
    assert message("waiting", now=ENDED) == (
        "The restore of your instance session-eu-2 was queued at 00:26:01 Tokyo time "
        "(15:26:01 UTC) and hasn’t started yet. We’ll let you know when it finishes."
    )
    assert message("PAUSED").endswith("We’re checking its status.")


def test_the_message_about_a_stuck_restore_says_that_it_takes_longer():
    late = datetime(2026, 11, 23, 18, 59, tzinfo=UTC)
    running = message("restoring", "", now=late, stuck=True)
    assert "which is longer than usual. The instance is unavailable" in running
    assert message("waiting", "", now=late, stuck=True).endswith(
        "should have started by now. We’re looking into it and will keep you informed."
    )


@pytest.mark.parametrize(
    "contradiction",
    [
        {"status": "succeed", "ended_at": CREATED - timedelta(hours=1)},
        {"status": "failed", "ended_at": CREATED - timedelta(hours=1)},
        {"status": "succeed", "ended_at": ENDED, "progress": 57},
    ],
)
def test_the_message_repeats_nothing_that_contradicts_itself(contradiction):
    assert message(**contradiction) == (
        "The restore of your instance session-eu-2 has ended. We’re checking its result and will "
        "let you know."
    )


@pytest.mark.parametrize("zone", ["", "UTC", "nowhere", "Europe", "../x", "\0"])
def test_without_a_real_zone_the_message_has_only_utc(zone):
    text = message("failed", zone, ended_at=ENDED)
    assert "15:37:41 UTC. We" in text


@settings(max_examples=100)
@given(
    st.sampled_from(["failed", "succeed", "restoring", "waiting", "", "paused"]),
    st.sampled_from([None, ENDED]),
    st.sampled_from([None, CREATED, datetime(2026, 11, 20, tzinfo=UTC)]),
    st.sampled_from(["", "cart-prod", "推荐-缓存-生产"]),
    st.sampled_from([*CATALOG, "", "internal.error"]),
)
def test_a_message_contains_nothing_internal(status, ended_at, created_at, name, code):
    known = Facts(
        status=status,
        now=NOW,
        created_at=created_at,
        ended_at=ended_at,
        progress=63.5,
        unchanged_for=4000,
        error_code=code,
    )
    text = customer_message(known, name, "Asia/Tokyo")
    inner = ("dcs.", "internal", "63", "None", "partial", "stuck", "sync", "http", "  ")
    assert not any(word in text for word in inner)


TIMES = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@settings(max_examples=200)
@given(
    st.builds(
        Facts,
        status=st.sampled_from(["failed", "succeed", "restoring", "waiting", ""]) | st.text(),
        now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        created_at=TIMES,
        ended_at=TIMES,
        recovered_at=TIMES,
        records_begin=TIMES,
        progress=st.none() | st.floats(0, 100),
        error_code=st.sampled_from(["", "dcs.08.0007"]) | st.text(),
        unchanged_for=st.none() | st.floats(0, 1e6),
        reports_progress=st.booleans(),
        usual=st.lists(st.floats(0, 1e6), max_size=12).map(usual_of),
        earlier_durations=st.lists(st.floats(0, 1e5), max_size=12),
        earlier_statuses=st.lists(st.sampled_from(["failed", "succeed", "paused"]), max_size=5),
    )
)
def test_any_facts_make_complete_sentences(known):
    known_text = known.status + known.error_code
    for sentence in (summary(known), details(known), compare(known)):
        assert "None" not in sentence or "None" in known_text
        assert "  " not in sentence or " " in known.error_code
    assert summary(known).endswith(".")
