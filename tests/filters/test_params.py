"""The parameters of the lists: what is accepted, and how it is written canonically."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.filters import ORDER, ListParams
from restores.timerange import to_iso
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


def params(query):
    return ListParams.parse(QueryDict(query), NOW)


def reasons(query):
    return {error.param: error.reason for error in params(query).errors}


def test_no_parameters_list_everything_newest_first():
    view = params("")
    assert (view.sort, view.size, view.page, view.canonical_query) == ("-created", 50, 1, "")
    assert (view.time_range.start, view.time_range.end, view.errors) == (None, None, [])


def test_parameters_are_written_in_one_order_with_repeated_values_sorted():
    query = "page=2&status=waiting&status=failed&project=b&project=a&project=b&customer=Shopwell"
    expected = "?customer=Shopwell&project=a&project=b&status=failed&status=waiting&page=2"
    assert params(query).canonical_query == expected


def test_defaults_and_empty_values_are_left_out():
    query = "sort=-created&size=50&page=1&q=&status=&from=&on=created"
    assert params(query).canonical_query == ""


def test_utc_stays_in_a_url_that_names_it():
    # Without it, times would be in the zone that the reader has chosen.
    assert params("tz=utc").canonical_query == "?tz=UTC"


def test_times_stay_readable_in_the_url():
    query = "from=2026-11-22T14%3A00%3A00Z&tz=Europe%2FBerlin&ids=b%2Ca"
    expected = "?ids=a,b&from=2026-11-22T14:00:00Z&tz=Europe/Berlin"
    assert params(query).canonical_query == expected


def test_any_code_replaces_the_others():
    assert params("code=dcs.08.0001&code=any").getlist("code") == ("any",)


def test_a_known_status_may_be_written_in_capitals_and_an_unknown_one_stays_verbatim():
    assert params("status=FAILED&status=Aborted").getlist("status") == ("Aborted", "failed")


def test_around_becomes_a_range():
    assert params("around=2026-11-23T14:00Z&win=1h").canonical_query == (
        "?from=2026-11-23T13:00:00Z&to=2026-11-23T15:00:00Z"
    )


def test_asof_ends_a_range_without_an_end():
    time_range = params("from=now-1h&asof=2026-11-23T14:00:00Z").time_range
    noon = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert (time_range.start, time_range.end) == (noon - timedelta(hours=1), noon)


@pytest.mark.parametrize(
    ("query", "param", "part"),
    [
        ("size=9", "size", "must be a whole number from 10 to 200"),
        ("size=201", "size", "must be a whole number"),
        ("size=-5", "size", "must be a whole number"),
        ("size=50.0", "size", "must be a whole number"),
        ("size=٥٠", "size", "must be a whole number"),
        ("page=0", "page", "must be a whole number"),
        ("page=1000001", "page", "from 1 to 1,000,000"),
        ("page=1000000000000", "page", "must be a whole number"),
        ("sort=nope", "sort", "must be one of"),
        ("cols=created,nope", "cols", "must be one of"),
        ("recovered=maybe", "recovered", "must be one of yes, no"),
        ("on=begun", "on", "must be one of"),
        ("from=2026-02-30", "from", "doesn’t exist (February 2026 has 28 days)"),
        ("to=yesterdayish", "to", "isn’t a valid date or time"),
        ("tz=Mars/Base", "tz", "unknown time zone"),
        ("asof=2027-01-01T00:00:00Z", "asof", "future"),
        ("from=2026-11-23&to=2026-11-22", "from", "must be before “To”"),
        ("win=2h", "win", "needs a time in “Around a time”"),
        ("page=1&page=2", "page", "only be given once"),
        ("q=a&q=a", "q", "only be given once"),
        ("from=now-1h&from=now-2h", "from", "only be given once"),
        ("after=abc", "after", "valid page link"),
        ("before=abc", "before", "valid page link"),
        ("q=" + "x" * 201, "q", "longer than 200"),
        ("project=" + "x" * 129, "project", "longer than 128"),
        ("ids=" + "x" * 129, "ids", "longer than 128"),
        ("ids=" + ",".join(map(str, range(101))), "ids", "max. 100"),
        ("&".join(f"code={n}" for n in range(21)), "code", "max. 20"),
        ("q=a%00b", "q", "invalid character"),
        ("instance=%00", "instance", "invalid character"),
        ("from=%00", "from", "invalid character"),
        ("foo=" + "x" * 9000, "", "address is longer"),
    ],
)
def test_an_invalid_value_is_named_with_its_reason(query, param, part):
    assert part in reasons(query)[param]


def test_all_errors_are_named_at_once():
    assert reasons("size=x&from=x&sort=x").keys() == {"size", "from", "sort"}


def test_a_lone_surrogate_is_an_error():
    query = QueryDict(mutable=True)
    query["q"] = "a\ud800b"
    (error,) = ListParams.parse(query, NOW).errors
    assert (error.param, error.value) == ("q", "a?b")


def test_a_long_value_is_repeated_shortened():
    (error,) = params("q=" + "x" * 5000).errors
    assert len(error.value) == 201


def test_a_near_miss_is_suggested():
    (error,) = params("sort=-creatd").errors
    assert error.suggestion == {"sort": "-created"}


def test_a_correction_keeps_the_valid_part_of_the_range():
    view = params("from=2026-11-22&tz=Europe/Berln&status=failed")
    assert view.corrected_query(view.errors[0]) == "?status=failed&from=2026-11-22&tz=Europe/Berlin"


def test_unknown_parameters_are_kept_in_the_canonical_url_but_not_in_links():
    view = params("statsu=failed&status=failed&foo=")
    assert view.canonical_query == "?status=failed&statsu=failed&foo="
    assert view.query(asof=None) == "?status=failed"


def test_a_change_of_the_view_leads_to_the_first_page():
    assert params("page=7&q=x").query(asof=None, sort="created") == "?q=x&sort=created"
    assert params("page=7&q=x").query(asof=None, page="8") == "?q=x&page=8"


def test_every_link_carries_asof_and_a_recent_one_opens_live():
    now = to_iso(NOW)
    assert params("q=x").query() == f"?q=x&asof={now}"
    young = params("q=x&from=now-1h&asof=2026-11-23T16:57:01Z")
    assert (young.time_range.asof, young.time_range.end) == (None, None)
    assert young.canonical_query == "?q=x&from=now-1h&asof=2026-11-23T16:57:01Z"
    assert young.query() == f"?q=x&from=now-1h&asof={now}"
    old = params("q=x&asof=2026-11-23T16:57:00Z&page=3")
    assert old.time_range.end == old.time_range.asof == NOW - timedelta(minutes=2)
    assert old.query() == "?q=x&asof=2026-11-23T16:57:00Z&page=3"
    assert old.live_query == "?q=x&page=3"


values = st.one_of(st.text(max_size=12), st.sampled_from(WORDS))
pairs = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=8)


@settings(max_examples=200, deadline=None)
@given(pairs)
def test_parsing_never_fails_and_a_canonical_url_is_its_own(parameters):
    try:
        query = urlencode(parameters)
    except UnicodeEncodeError:
        return
    view = params(query)
    if not view.errors:
        again = params(view.canonical_query.lstrip("?"))
        assert (again.errors, again.canonical_query) == ([], view.canonical_query)
        assert (again.values, again.time_range) == (view.values, view.time_range)
