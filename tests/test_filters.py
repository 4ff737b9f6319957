"""What the URL of a list may ask, and how it is read."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.filters import ORDER, read
from restores.timerange import instant
from tests.factories import NOW

NAMES = [*ORDER, "around", "win", "statsu"]
WORDS = [
    "failed",
    "no",
    "2",
    "50",
    "now-1h",
    "now",
    "UTC",
    "Europe/Berlin",
    "-ended",
    "any",
    "",
    " ",
]


def asked(query):
    return read(QueryDict(query), NOW)


def reasons(query):
    return {problem.param: problem.reason for problem in asked(query).problems}


def test_nothing_asked_is_everything_newest_first():
    view = asked("")
    assert (view.sort, view.size, view.page, view.canonical) == ("-created", 50, 1, "")
    assert (view.window.start, view.window.end, view.problems) == (None, None, ())


def test_parameters_are_written_in_one_order_with_repeated_values_sorted():
    query = "page=2&status=waiting&status=failed&project=b&project=a&project=b&customer=Shopwell"
    expected = "?customer=Shopwell&project=a&project=b&status=failed&status=waiting&page=2"
    assert asked(query).canonical == expected


def test_defaults_and_empty_values_are_left_out():
    assert asked("sort=-created&size=50&page=1&q=&status=&from=&on=created&tz=UTC").canonical == ""


def test_instants_stay_readable_in_the_address():
    query = "from=2026-11-22T14%3A00%3A00Z&tz=Europe%2FBerlin&ids=b%2Ca"
    expected = "?ids=a,b&from=2026-11-22T14:00:00Z&tz=Europe/Berlin"
    assert asked(query).canonical == expected


def test_any_code_absorbs_the_others():
    assert asked("code=dcs.08.0001&code=any").all("code") == ("any",)


def test_a_known_status_may_be_written_in_capitals_and_an_unknown_one_stays_verbatim():
    assert asked("status=FAILED&status=Aborted").all("status") == ("Aborted", "failed")


def test_around_becomes_a_window():
    assert asked("around=2026-11-23T14:00Z&win=1h").canonical == (
        "?from=2026-11-23T13:00:00Z&to=2026-11-23T15:00:00Z"
    )


def test_asof_ends_a_window_without_end():
    window = asked("from=now-1h&asof=2026-11-23T14:00:00Z").window
    noon = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert (window.start, window.end) == (noon - timedelta(hours=1), noon)


@pytest.mark.parametrize(
    ("query", "param", "part"),
    [
        ("size=9", "size", "not within 10 and 200"),
        ("size=201", "size", "not within"),
        ("size=-5", "size", "not a whole number"),
        ("size=50.0", "size", "not a whole number"),
        ("size=٥٠", "size", "not a whole number"),
        ("page=0", "page", "not within"),
        ("page=1000001", "page", "not within 1 and 1,000,000"),
        ("page=1000000000000", "page", "not a whole number"),
        ("sort=nope", "sort", "must be one of"),
        ("cols=created,nope", "cols", "must be one of"),
        ("recovered=maybe", "recovered", "must be one of yes, no"),
        ("on=begun", "on", "must be one of"),
        ("from=2026-02-30", "from", "no such date"),
        ("to=yesterdayish", "to", "not a time we can read"),
        ("tz=Mars/Base", "tz", "not a time zone"),
        ("asof=2027-01-01T00:00:00Z", "asof", "future"),
        ("from=2026-11-23&to=2026-11-22", "from", "not before the end"),
        ("win=2h", "win", "around is missing"),
        ("page=1&page=2", "page", "more than once"),
        ("q=a&q=a", "q", "more than once"),
        ("from=now-1h&from=now-2h", "from", "more than once"),
        ("after=abc", "after", "not a place in this list"),
        ("before=abc", "before", "not a place in this list"),
        ("q=" + "x" * 201, "q", "longer than 200"),
        ("project=" + "x" * 129, "project", "longer than 128"),
        ("ids=" + "x" * 129, "ids", "longer than 128"),
        ("ids=" + ",".join(map(str, range(101))), "ids", "more than 100"),
        ("&".join(f"code={n}" for n in range(21)), "code", "more than 20"),
        ("q=a%00b", "q", "no text has"),
        ("instance=%00", "instance", "no text has"),
        ("from=%00", "from", "no text has"),
        ("foo=" + "x" * 9000, "", "address is longer"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(query, param, part):
    assert part in reasons(query)[param]


def test_all_problems_are_named_at_once():
    assert reasons("size=x&from=x&sort=x").keys() == {"size", "from", "sort"}


def test_a_lone_surrogate_is_refused():
    query = QueryDict(mutable=True)
    query["q"] = "a\ud800b"
    (problem,) = read(query, NOW).problems
    assert (problem.param, problem.value) == ("q", "a?b")


def test_a_long_value_is_repeated_shortened():
    (problem,) = asked("q=" + "x" * 5000).problems
    assert len(problem.value) == 201


def test_a_near_miss_is_suggested():
    (problem,) = asked("sort=-creatd").problems
    assert problem.suggestion == {"sort": "-created"}


def test_a_correction_keeps_the_readable_part_of_the_window():
    view = asked("from=2026-11-22&tz=Europe/Berln&status=failed")
    assert view.corrected(view.problems[0]) == "?status=failed&from=2026-11-22&tz=Europe/Berlin"


def test_unknown_parameters_are_kept_in_the_address_but_not_in_links():
    view = asked("statsu=failed&status=failed&foo=")
    assert view.canonical == "?status=failed&statsu=failed&foo="
    assert view.query(asof=None) == "?status=failed"


def test_a_change_leads_back_to_the_first_page():
    assert asked("page=7&q=x").query(asof=None, sort="created") == "?q=x&sort=created"
    assert asked("page=7&q=x").query(asof=None, page="8") == "?q=x&page=8"


def test_every_link_says_as_of_when_and_a_young_one_is_live():
    moment = instant(NOW)
    assert asked("q=x").query() == f"?q=x&asof={moment}"
    young = asked("q=x&from=now-1h&asof=2026-11-23T16:57:01Z")
    assert (young.window.asof, young.window.end) == (None, None)
    assert young.canonical == "?q=x&from=now-1h&asof=2026-11-23T16:57:01Z"
    assert young.query() == f"?q=x&from=now-1h&asof={moment}"
    old = asked("q=x&asof=2026-11-23T16:57:00Z&page=3")
    assert old.window.end == old.window.asof == NOW - timedelta(minutes=2)
    assert old.query() == "?q=x&asof=2026-11-23T16:57:00Z&page=3"
    assert old.live == "?q=x&page=3"


values = st.one_of(st.text(max_size=12), st.sampled_from(WORDS))
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=8)


@settings(max_examples=200, deadline=None)
@given(pairs)
def test_reading_never_fails_and_a_canonical_address_is_its_own(parameters):
    try:
        query = urlencode(parameters)
    except UnicodeEncodeError:
        return
    view = asked(query)
    if not view.problems:
        again = asked(view.canonical.lstrip("?"))
        assert (again.problems, again.canonical) == ((), view.canonical)
        assert (again.params, again.window) == (view.params, view.window)
