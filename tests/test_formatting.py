"""How times, sizes and intervals are formatted."""

from datetime import timedelta

import pytest
import time_machine

from restores import formatting
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def test_times_are_formatted_in_utc():
    assert formatting.format_datetime(NOW) == "23 Nov 2026, 16:59:00 UTC"
    assert formatting.format_short(NOW) == "23 Nov 16:59"


def test_a_short_time_has_the_year_if_it_is_another():
    assert formatting.format_short(NOW - timedelta(days=365)) == "23 Nov 2025 16:59"


def test_a_customers_time_has_the_date_if_it_is_another():
    assert formatting.format_customer_time(NOW, "Europe/Berlin") == "17:59:00 Berlin"
    assert formatting.format_customer_time(NOW, "Asia/Tokyo") == "24 Nov, 01:59:00 Tokyo"
    assert formatting.format_customer_time(NOW, "America/New_York") == "11:59:00 New York"


@pytest.mark.parametrize("zone", ["", "UTC", "Mars/Olympus", "../etc"])
def test_an_unknown_time_zone_has_no_customers_time(zone):
    assert formatting.format_customer_time(NOW, zone) == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "–"), (0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (2_684_354_560, "2.68 GB")],
)
def test_sizes_are_formatted_in_the_usual_units(size, text):
    assert formatting.format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90 s"), (900, "15 min"), (3600, "1 h"), (7200, "2 h")]
)
def test_intervals_are_formatted_as_in_the_projects_file(seconds, text):
    assert formatting.format_interval(seconds) == text


def test_the_text_of_a_time_is_escaped():
    element = formatting.time_element(NOW, "<b>")
    assert element == '<time datetime="2026-11-23T16:59:00Z">&lt;b&gt;</time>'
    assert formatting.time_element(None, "") == "–"
