"""What every spelling of a time range means, and that nothing invalid passes as one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restores.timerange import InvalidTimeRange, parse, to_iso, to_params

NOW = datetime(2026, 11, 23, 16, 59, 10, tzinfo=UTC)
BERLIN, NEW_YORK, KOLKATA = "Europe/Berlin", "America/New_York", "Asia/Kolkata"


def parsed(now=NOW, **params):
    return parse({name.rstrip("_"): value for name, value in params.items()}, now)


def errors(now=NOW, **params):
    with pytest.raises(InvalidTimeRange) as caught:
        parsed(now, **params)
    return caught.value.errors


# One spelling, its zone, and the instant it means as `from` and as `to` (None: the same).
SPELLINGS = [
    ("2025-03-05T14:03:22Z", "", "2025-03-05T14:03:22Z", None),
    ("2025-03-05T14:03:22z", "", "2025-03-05T14:03:22Z", None),
    ("2025-03-05t14:03Z", "", "2025-03-05T14:03:00Z", None),
    ("2025-03-05T14Z", "", "2025-03-05T14:00:00Z", None),
    ("2025-03-05T14:03:22.7Z", "", "2025-03-05T14:03:22.700Z", None),
    ("2025-03-05T14:03:22,721Z", "", "2025-03-05T14:03:22.721Z", None),
    ("2025-03-05T14:03:22.721999Z", "", "2025-03-05T14:03:22.721Z", None),
    ("2025-03-05T14:03:22.000000001Z", "", "2025-03-05T14:03:22Z", None),
    ("2025-03-05T14:03:22Z", BERLIN, "2025-03-05T14:03:22Z", None),
    ("2025-03-05T14:03:22+01:00", "", "2025-03-05T13:03:22Z", None),
    ("2025-03-05T14:03:22 01:00", "", "2025-03-05T13:03:22Z", None),
    ("2025-03-05T14:03:22 0100", "", "2025-03-05T13:03:22Z", None),
    ("2025-03-05T14:03:22-05:30", "", "2025-03-05T19:33:22Z", None),
    ("2025-03-05T14:03+0545", "", "2025-03-05T08:18:00Z", None),
    ("2025-03-05 14:03:22 UTC", BERLIN, "2025-03-05T14:03:22Z", None),
    ("2025-03-05 14:03", "", "2025-03-05T14:03:00Z", None),
    ("2025-03-05T14:03", BERLIN, "2025-03-05T13:03:00Z", None),
    ("2025-07-05T14:03", BERLIN, "2025-07-05T12:03:00Z", None),
    ("2025-03-05T14:03", KOLKATA, "2025-03-05T08:33:00Z", None),
    ("2025-03-05T14:03", NEW_YORK, "2025-03-05T19:03:00Z", None),
    ("  2025-03-05T14:03Z ", "", "2025-03-05T14:03:00Z", None),
    # days and months: whole in `to`
    ("2025-03-05", "", "2025-03-05T00:00:00Z", "2025-03-06T00:00:00Z"),
    ("20250305", "", "2025-03-05T00:00:00Z", "2025-03-06T00:00:00Z"),
    ("2025-03-05", KOLKATA, "2025-03-04T18:30:00Z", "2025-03-05T18:30:00Z"),
    ("2025-03-05", "Asia/Shanghai", "2025-03-04T16:00:00Z", "2025-03-05T16:00:00Z"),
    ("2025-03-30", BERLIN, "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"),
    ("2025-10-26", BERLIN, "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"),
    ("2025-03-09", NEW_YORK, "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z"),
    ("2025-11-02", NEW_YORK, "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"),
    ("2024-02-29", "", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
    ("2025-12-31", "", "2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("2025-03", "", "2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"),
    ("2025-12", "", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("2025-03", BERLIN, "2025-02-28T23:00:00Z", "2025-03-31T22:00:00Z"),
    ("2000-01-01", "", "2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z"),
    ("2100-12-31", "", "2100-12-31T00:00:00Z", "2101-01-01T00:00:00Z"),
    # a midnight that does not exist (Beirut) or occurs twice (Havana): days still touch
    ("2025-03-30", "Asia/Beirut", "2025-03-29T22:00:00Z", "2025-03-30T21:00:00Z"),
    ("2025-11-01", "America/Havana", "2025-11-01T04:00:00Z", "2025-11-02T04:00:00Z"),
    ("2025-11-02", "America/Havana", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"),
    # clock changes: skipped times, and times that occur twice
    ("2025-03-30T01:59", BERLIN, "2025-03-30T00:59:00Z", None),
    ("2025-03-30T02:00", BERLIN, "2025-03-30T01:00:00Z", None),
    ("2025-03-30T02:30", BERLIN, "2025-03-30T01:00:00Z", None),
    ("2025-03-30T02:59:59.999", BERLIN, "2025-03-30T01:00:00Z", None),
    ("2025-03-30T03:00", BERLIN, "2025-03-30T01:00:00Z", None),
    ("2025-03-09T02:30", NEW_YORK, "2025-03-09T07:00:00Z", None),
    ("2025-10-26T01:59", BERLIN, "2025-10-25T23:59:00Z", None),
    ("2025-10-26T02:00", BERLIN, "2025-10-26T00:00:00Z", "2025-10-26T01:00:00Z"),
    ("2025-10-26T02:30", BERLIN, "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"),
    ("2025-10-26T03:00", BERLIN, "2025-10-26T02:00:00Z", None),
    ("2025-11-02T01:30", NEW_YORK, "2025-11-02T05:30:00Z", "2025-11-02T06:30:00Z"),
    ("20251026023000", BERLIN, "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"),
    ("2025-10-26T02:30+02:00", BERLIN, "2025-10-26T00:30:00Z", None),
    # digits
    ("20250305140322", "", "2025-03-05T14:03:22Z", None),
    ("20250305140322", KOLKATA, "2025-03-05T08:33:22Z", None),
    ("1741183402", "", "2025-03-05T14:03:22Z", None),
    ("1741183402", KOLKATA, "2025-03-05T14:03:22Z", None),
    ("1741183402721", "", "2025-03-05T14:03:22.721Z", None),
    ("0946684800", "", "2000-01-01T00:00:00Z", None),
    # relative to Monday 23 November 2026, 16:59:10 UTC
    ("now", "", "2026-11-23T16:59:10Z", None),
    ("now-30m", "", "2026-11-23T16:29:10Z", None),
    ("now-24h", "", "2026-11-22T16:59:10Z", None),
    ("now+1h", "", "2026-11-23T17:59:10Z", None),
    ("now 1h", "", "2026-11-23T17:59:10Z", None),
    ("now-7d", "", "2026-11-16T16:59:10Z", None),
    ("now-2w", "", "2026-11-09T16:59:10Z", None),
    ("now-1M", "", "2026-10-23T16:59:10Z", None),
    ("now-9M", "", "2026-02-23T16:59:10Z", None),
    ("now-1y", "", "2025-11-23T16:59:10Z", None),
    ("now-1d-2h+5m", "", "2026-11-22T15:04:10Z", None),
    ("now/m", "", "2026-11-23T16:59:00Z", "2026-11-23T17:00:00Z"),
    ("now/h", "", "2026-11-23T16:00:00Z", "2026-11-23T17:00:00Z"),
    ("now/h", KOLKATA, "2026-11-23T16:30:00Z", "2026-11-23T17:30:00Z"),
    ("now/d", "", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
    ("now/d", KOLKATA, "2026-11-22T18:30:00Z", "2026-11-23T18:30:00Z"),
    ("now-1d/d", "", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
    ("now-1d/d+8h", "", "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"),
    ("now/w", "", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
    ("now-1d/w", "", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
    ("now/M", "", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ("now-1M/M", BERLIN, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    ("now/y", "", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("raw", "tz", "as_from", "as_to"), SPELLINGS)
def test_a_spelling_means_one_time_at_each_edge(raw, tz, as_from, as_to):
    assert to_iso(parsed(from_=raw, tz=tz).start) == as_from
    assert to_iso(parsed(to=raw, tz=tz).end) == (as_to or as_from)


@pytest.mark.parametrize(
    ("now", "raw", "tz", "start", "end"),
    [
        # a day back by the wall clock is 23 or 25 hours over a clock change; 24 hours are 24
        ("2025-03-30T10:00Z", "now-1d", BERLIN, "2025-03-29T11:00:00Z", None),
        ("2025-03-30T10:00Z", "now-24h", BERLIN, "2025-03-29T10:00:00Z", None),
        ("2025-10-26T10:00Z", "now-1d", BERLIN, "2025-10-25T09:00:00Z", None),
        ("2025-10-26T10:00Z", "now/d", BERLIN, "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"),
        ("2025-10-26T00:40Z", "now/h", BERLIN, "2025-10-26T00:00:00Z", "2025-10-26T01:00:00Z"),
        ("2025-10-26T01:40Z", "now/h", BERLIN, "2025-10-26T01:00:00Z", "2025-10-26T02:00:00Z"),
        ("2025-03-31T12:00Z", "now-1M", "", "2025-02-28T12:00:00Z", None),
        ("2024-02-29T12:00Z", "now-1y", "", "2023-02-28T12:00:00Z", None),
        ("2025-01-31T12:00Z", "now-1M/M", "", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z"),
        ("2025-03-05T00:00Z", "now/d", "", "2025-03-05T00:00:00Z", "2025-03-06T00:00:00Z"),
    ],
)
def test_relative_times_follow_the_wall_clock_of_their_zone(now, raw, tz, start, end):
    now = datetime.fromisoformat(now)
    assert to_iso(parsed(now, from_=raw, tz=tz).start) == start
    assert to_iso(parsed(now, to=raw, tz=tz).end) == (end or start)


def test_no_parameters_mean_any_time():
    got = parsed()
    assert (got.on, got.start, got.end, got.tz, got.asof) == ("created", None, None, "", None)
    assert to_params(got) == {}


def test_an_empty_or_blank_value_counts_as_absent():
    assert parsed(from_="", to=" ", tz="", asof="", on="", around="", win="") == parsed()


def test_now_means_asof_and_the_range_ends_there():
    got = parsed(from_="now-1h", asof="2026-11-20T10:00:00Z")
    assert to_iso(got.start) == "2026-11-20T09:00:00Z"
    assert got.end == got.asof == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert to_params(got) == {"from": "now-1h", "asof": "2026-11-20T10:00:00Z"}


def test_a_given_end_wins_over_asof():
    got = parsed(to="2026-11-19", asof="2026-11-20T10:00:00Z")
    assert to_iso(got.end) == "2026-11-20T00:00:00Z"


def test_asof_may_be_five_minutes_ahead_and_no_more():
    assert parsed(asof="2026-11-23T17:04:10Z").asof
    [error] = errors(asof="2026-11-23T17:04:11Z")
    assert (error.param, error.reason) == ("asof", "is in the future")


def test_absolute_edges_become_utc_times_and_relative_ones_stay():
    params = to_params(
        parsed(on="running", to="2025-03-05", from_="2025-03-01", tz="Asia/Shanghai")
    )
    assert list(params.items()) == [
        ("on", "running"),
        ("from", "2025-02-28T16:00:00Z"),
        ("to", "2025-03-05T16:00:00Z"),
        ("tz", "Asia/Shanghai"),
    ]
    assert to_params(parsed(from_="now-024h", to="now")) == {"from": "now-24h", "to": "now"}


def test_a_zone_is_found_whatever_its_letter_case_and_utc_stays():
    assert to_params(parsed(tz="europe/berlin")) == {"tz": BERLIN}
    assert to_params(parsed(tz="utc")) == {"tz": "UTC"}


def test_around_becomes_a_range_on_both_sides():
    got = parsed(around="2026-11-23T14:05:00Z", win="2h")
    assert to_params(got) == {"from": "2026-11-23T12:05:00Z", "to": "2026-11-23T16:05:00Z"}
    assert to_params(parsed(around="now-1h")) == {
        "from": "2026-11-23T15:29:10Z",
        "to": "2026-11-23T16:29:10Z",
    }


def test_a_note_says_that_a_time_was_skipped():
    [note] = parsed(from_="2025-03-30T02:30", tz=BERLIN).notes
    assert "02:30 on 30 Mar 2025 doesn’t exist in Europe/Berlin" in note
    assert "Using 03:00" in note


def test_a_note_says_that_a_time_occurs_twice_also_from_the_canonical_link():
    time_range = parsed(to="2025-10-26T02:30", tz=BERLIN)
    [note] = time_range.notes
    assert "occurs twice in Europe/Berlin" in note and "second, 01:30 UTC" in note
    assert parse(to_params(time_range), NOW).notes == time_range.notes


def test_an_end_in_the_future_is_noted_but_today_is_not():
    assert parsed(to="2026-12-01").notes == ("The range ends in the future.",)
    assert parsed(from_="2026-12-01").notes == ("The range starts in the future.",)
    assert parsed(from_="now/d", to="now/d").notes == ()


def test_an_end_before_the_start_is_an_error_that_offers_to_swap_them():
    [error] = errors(from_="2025-03-05", to="2025-03-01")
    assert error.param == "from"
    assert error.suggestion == {"from": "2025-03-01", "to": "2025-03-05"}
    [error] = errors(from_="2025-03-05T00:00Z", to="2025-03-05T00:00Z")
    assert error.suggestion == {}


def test_a_range_that_starts_after_its_asof_is_an_error():
    [error] = errors(from_="2026-11-21", asof="2026-11-20T10:00:00Z")
    assert error.param == "from"


def test_every_error_is_reported_at_once():
    found = errors(on="creatd", tz="Europ/Berlin", asof="2030-01-01T00:00Z", from_="x", to="24h")
    assert [error.param for error in found] == ["on", "tz", "asof", "from", "to"]
    assert [dict(error.suggestion) for error in found] == [
        {"on": "created"},
        {"tz": BERLIN},
        {"asof": ""},
        {},
        {"to": "now-24h"},
    ]


@pytest.mark.parametrize(
    ("raw", "reason", "suggestion"),
    [
        ("2025-02-30", "doesn’t exist (February 2025 has 28 days)", "2025-02-28"),
        ("2025-02-29T10:00", "doesn’t exist", "2025-02-28T10:00"),
        ("2025-13-01", "doesn’t exist", ""),
        ("2025-00", "doesn’t exist", ""),
        ("2025-03-05T25:00Z", "doesn’t exist", ""),
        ("2025-03-05T14:60Z", "doesn’t exist", ""),
        ("2025-03-05T14:03:60Z", "doesn’t exist", ""),
        ("2025-03-05T14:03+25:00", "doesn’t exist", ""),
        ("0000-01-01", "between 2000 and 2100", ""),
        ("1999-12-31", "between 2000 and 2100", ""),
        ("1999-12-31T23:59:59.999Z", "between 2000 and 2100", ""),
        ("2101-01-02", "between 2000 and 2100", ""),
        ("9999-12-31", "between 2000 and 2100", ""),
        ("9999-12", "between 2000 and 2100", ""),
        ("0000000001", "between 2000 and 2100", ""),
        ("9999999999999", "between 2000 and 2100", ""),
        ("now-99999d", "between 2000 and 2100", ""),
        ("now-99999999999d", "between 2000 and 2100", ""),
        ("now-9999999999999999999999999999999999999999999999999999M", "between 2000 and 2100", ""),
        ("now+9999999999999999999999999999999999999999999999999999y", "between 2000 and 2100", ""),
        ("now-999999999999999999999h", "between 2000 and 2100", ""),
        ("now-2026y", "between 2000 and 2100", ""),
        ("2025", "isn’t a valid date or time", "2025-01"),
        ("2025-3-5", "must be written as 2025-03-05", "2025-03-05"),
        ("2025-0305", "isn’t a valid date or time", ""),
        ("05.03.2025", "must be written as", "2025-03-05"),
        ("2025/03/05", "must be written as", "2025-03-05"),
        ("202503051403", "isn’t a valid date or time", "2025-03-05T14:03"),
        ("1741183402721123", "isn’t a valid date or time", "1741183402721"),
        ("yesterday", "must be written as", "now-1d/d"),
        ("7 days", "must be written as", "now-7d"),
        ("now-5x", "isn’t a valid date or time", ""),
        ("now-", "isn’t a valid date or time", ""),
        ("now - 5h", "must be written as", "now-5h"),
        ("now-1.5h", "isn’t a valid date or time", ""),
        ("NOW", "isn’t a valid date or time", ""),
        ("٢٠٢٥-٠٣-٠٥", "isn’t a valid date or time", ""),
        ("-1741183402", "isn’t a valid date or time", ""),
        ("2025-03-05T14:03Z\n; drop", "isn’t a valid date or time", "2025-03-05T14:03:00Z"),
        ("\0", "isn’t a valid date or time", ""),
        ("\ud800", "isn’t a valid date or time", ""),
        ("9" * 100_000, "longer than", ""),
        ("now" + "-1d" * 50, "longer than", ""),
    ],
)
def test_an_invalid_time_is_an_error_and_never_a_range(raw, reason, suggestion):
    for param in ("from", "to"):
        [error] = errors(**{param: raw})
        assert error.param == param
        assert reason in error.reason
        assert dict(error.suggestion) == ({param: suggestion} if suggestion else {})
        error.value.encode()
        assert "\0" not in error.value and len(error.value) <= 201


@pytest.mark.parametrize(
    "tz", ["nowhere", "Europe", "../../etc/passwd", "/etc/localtime", "localtime", "Factory",
           "posix/UTC", "+15:00", "\0", "\ud800", "x" * 100_000, "Europe/Berlin\0"],
)  # fmt: skip
def test_an_unknown_time_zone_is_an_error(tz):
    assert [error.param for error in errors(tz=tz)] == ["tz"]


@pytest.mark.parametrize(
    ("params", "refused"),
    [
        ({"asof": "now"}, ["asof"]),
        ({"asof": "2025-03-05"}, ["asof"]),
        ({"asof": "2025-02-30T00:00Z"}, ["asof"]),
        ({"around": "2025-03-05"}, ["around"]),
        ({"around": "nonsense"}, ["around"]),
        ({"around": "2025-03-05T10:00Z", "win": "0m"}, ["win"]),
        ({"around": "2025-03-05T10:00Z", "win": "9999999999h"}, ["win"]),
        ({"around": "2025-03-05T10:00Z", "win": "9999w"}, ["win"]),
        ({"around": "2025-03-05T10:00Z", "from": "now-1h"}, ["around", "around"]),
        ({"win": "2h"}, ["win"]),
        ({"on": "deleted"}, ["on"]),
        ({"on": "CREATED"}, ["on"]),
    ],
)
def test_parameters_that_make_no_sense_are_named(params, refused):
    assert [error.param for error in errors(**params)] == refused


def test_milliseconds_are_written_only_when_there_are_some():
    at = datetime(2025, 3, 5, 14, 3, 22, 721_999, tzinfo=timezone(timedelta(hours=1)))
    assert to_iso(at) == "2025-03-05T13:03:22.721Z"
    assert to_iso(at.replace(microsecond=999)) == "2025-03-05T13:03:22Z"


ZONES = st.sampled_from(["", "UTC", BERLIN, NEW_YORK, KOLKATA, "Australia/Lord_Howe", "no/zone"])
RELATIVE = st.from_regex(r"\Anow([+-][0-9]{1,4}[mhdwMy]|/[mhdwMy]){0,3}\Z")
ABSOLUTE = st.datetimes(datetime(1999, 12, 1), datetime(2101, 2, 1)).map(lambda at: at.isoformat())
EDGE = st.one_of(
    st.sampled_from([raw for raw, *_ in SPELLINGS]), RELATIVE, ABSOLUTE, st.just(""),
    ABSOLUTE.map(lambda raw: raw[:10]), st.text(max_size=20),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(EDGE, EDGE, ZONES, st.one_of(st.just(""), ABSOLUTE, st.text(max_size=9)), st.datetimes(
    datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)))  # fmt: skip
@example("2100-12-31", "2100-12-31", "", "", NOW)
@example("2000-01-01", "now", "", "2026-11-23T16:59:10.721Z", NOW)
def test_whatever_can_be_parsed_survives_its_canonical_spelling(first, last, tz, asof, now):
    try:
        time_range = parsed(now, from_=first, to=last, tz=tz, asof=asof)
    except InvalidTimeRange as error:
        assert error.errors
        return
    params = to_params(time_range)
    assert parse(params, now) == time_range
    assert to_params(parse(params, now)) == params
    if time_range.start and time_range.end:
        assert time_range.start < time_range.end


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["on", "from", "to", "tz", "asof", "around", "win"]), st.text(), max_size=7
    )
)
def test_hostile_text_is_an_error_or_a_range(params):  # fmt: skip
    try:
        parse(params, NOW)
    except InvalidTimeRange as error:
        assert all(error.param in params for error in error.errors)
