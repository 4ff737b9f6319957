"""How often an error code occurs, and whether that is platform-wide."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.explain.frequency import Case, frequencies, spread

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LONG_AGO = NOW - 400 * DAY
CUSTOMERS = ("Fanline", "Mapster", "Shopwell")


def case(customer="Shopwell", ago=MINUTE, instance=1, region="eu-de"):
    return Case(
        created_at=NOW - ago,
        instance=instance,
        name=f"cart-{instance}",
        customer=customer,
        region=region,
    )


def sentence(cases, customers=CUSTOMERS, regions=("eu-de",), since=LONG_AGO):
    return spread(cases, frequencies(cases, NOW, since, more=False), NOW, customers, regions)


def counted(cases, since=LONG_AGO, more=False):
    return [
        (one.restores, one.instances, one.customers, one.usual)
        for one in frequencies(cases, NOW, since, more=more)
    ]


def test_each_period_counts_restores_instances_and_customers():
    cases = [
        case(instance=1),
        case(instance=1, ago=2 * MINUTE),
        case("Mapster", ago=5 * 60 * MINUTE, instance=2),
        case("Fanline", ago=10 * DAY, instance=3),
    ]
    assert [one[:3] for one in counted(cases)] == [(2, 1, 1), (3, 2, 2), (4, 3, 3)]


def test_what_is_usual_comes_from_the_thirty_days_before_the_period():
    before = [case(ago=n * DAY + 2 * DAY) for n in range(28)]  # once a day
    hour, day, month = (one[3] for one in counted(before))
    assert hour == pytest.approx(28 / 720)
    assert day == pytest.approx(28 / 30)
    assert month == 0


def test_a_short_history_is_scaled_and_a_shorter_one_tells_nothing():
    cases = [case(ago=n * DAY + 2 * DAY) for n in range(9)]
    _, day, month = (one[3] for one in counted(cases, since=NOW - 11 * DAY))
    assert day == pytest.approx(9 / 10)
    assert month is None
    assert [one[3] for one in counted(cases, since=NOW - 7 * DAY)] == [None] * 3
    assert [one[3] for one in counted([], since=None)] == [None] * 3


def test_cases_that_were_not_read_do_not_make_the_past_look_quiet():
    cases = [case(ago=n * MINUTE) for n in range(100)]
    found = frequencies(cases, NOW, LONG_AGO, more=True)
    assert [one.more for one in found] == [False, True, True]
    assert [one.usual for one in found] == [None] * 3


@pytest.mark.parametrize(
    ("usual", "text"),
    [(0, "none"), (0.2, "less than 1"), (1.4, "about 1"), (1234.4, "about 1,234"), (None, "")],
)
def test_what_is_usual_is_said_in_words(usual, text):
    (one, *_) = frequencies([], NOW, LONG_AGO, more=False)
    assert replace(one, usual=usual).usually == text


def test_without_restores_there_is_no_sentence():
    assert sentence([]).kind == "none"
    assert sentence([case(ago=31 * DAY)]).text == ""


def test_one_instance_is_only_here():
    said = sentence([case(), case(ago=3 * MINUTE)])
    assert said.platform_wide is False
    assert said.text == (
        "One customer: 2 restores with this code in the last hour, on cart-1 of Shopwell, one of "
        "the 3 customers you can see; usually none."
    )


def test_several_instances_of_one_customer_are_only_here():
    said = sentence([case(instance=n) for n in range(1200)])
    assert said.text.startswith("One customer: 1,200 restores with this code in the last hour, ")
    assert "on 1,200 instances of Shopwell" in said.text


def test_more_than_usual_at_several_customers_is_platform_wide():
    cases = [case(one, instance=n) for n, one in enumerate(CUSTOMERS * 3)]
    said = sentence(cases, customers=[*CUSTOMERS, "Bankhaus"])
    assert said.platform_wide is True
    assert said.text == (
        "Platform-wide: 9 restores with this code in the last hour, on 9 instances of 3 of the 4 "
        "customers you can see; usually none."
    )
    assert "of all 3 customers you can see" in sentence(cases).text


def test_a_region_is_named_if_all_are_there_and_others_can_be_seen():
    cases = [case(one, instance=n) for n, one in enumerate(CUSTOMERS)]
    assert "all in eu-de; usually" in sentence(cases, regions=("eu-de", "eu-nl")).text
    assert "all in" not in sentence(cases, regions=("eu-de",)).text


def test_as_many_as_usual_is_no_incident():
    hourly = [case(CUSTOMERS[n % 3], ago=n * 60 * MINUTE, instance=n) for n in range(2, 24 * 40)]
    said = sentence(hourly)
    assert (said.kind, said.platform_wide) == ("usual", False)
    assert said.text == (
        "Nothing unusual: 23 restores with this code in the last 24 hours, on 23 instances of all "
        "3 customers you can see; usually about 24."
    )


def test_one_customer_with_nearly_all_of_them_is_mostly_here():
    said = sentence([case(instance=n) for n in range(50)] + [case("Mapster", instance=99)])
    assert said.platform_wide is False
    assert said.text == (
        "Mostly one customer: 51 restores with this code in the last hour, 50 of them for "
        "Shopwell; usually none."
    )


def test_two_restores_of_two_customers_are_too_few_to_tell():
    said = sentence([case(), case("Mapster", instance=2)])
    assert said.text.startswith("Several customers: 2 restores")
    assert said.platform_wide is False


def test_a_problem_of_the_last_day_outweighs_what_happened_in_the_last_hour():
    morning = [
        case(one, ago=8 * 60 * MINUTE, instance=n) for n, one in enumerate(CUSTOMERS * 3, 10)
    ]
    assert sentence([case(), *morning]).text.startswith(
        "Platform-wide: 10 restores with this code in the last 24 hours"
    )


def test_what_is_a_week_old_is_not_called_platform_wide():
    week = [case(one, ago=7 * DAY, instance=n) for n, one in enumerate(CUSTOMERS * 3)]
    said = sentence(week)
    assert said.text.startswith("Several customers: 9 restores with this code in the last 30 days")
    assert said.platform_wide is False


def test_a_reader_who_sees_one_customer_cannot_know():
    said = sentence([case(), case(instance=2)], customers=["Shopwell"])
    assert said.platform_wide is None
    assert said.text == (
        "2 restores with this code in the last hour, on 2 instances; usually none. "
        "You can only see projects of one customer, so others may be affected, too."
    )


CASES = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.integers(0, 60 * 24 * 60),
        st.integers(1, 5),
        st.sampled_from(["eu-de", "eu-nl", ""]),
    ),
    max_size=20,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES, st.sampled_from([LONG_AGO, NOW - 10 * DAY, None]))
def test_any_cases_give_one_consistent_sentence(drawn, since):
    cases = [case(one, ago * MINUTE, instance, region) for one, ago, instance, region in drawn]
    found = frequencies(cases, NOW, since, more=False)
    counts = [one.restores for one in found]
    assert counts == sorted(counts)
    assert all(one.customers <= one.instances * 3 <= one.restores * 3 for one in found)
    said = sentence(cases, regions=("eu-de", "eu-nl"), since=since)
    assert (said.kind == "none") is (counts[-1] == 0)
    assert said.text.count(":") <= 1 and "None" not in said.text
    if said.platform_wide:
        recent = [one for one in cases if NOW - one.created_at <= DAY]
        assert len({one.customer for one in recent}) >= 2 and len(recent) >= 3
