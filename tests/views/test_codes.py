"""The pages of error codes: what they mean, how often they occur, and for whom."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.urls import reverse
from django.utils.html import strip_tags

from restores.explain.codes import CATALOG
from restores.explain.refusals import REFUSALS
from restores.models import Membership
from tests.factories import NOW, make_instance, make_project, make_restore

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOSTILE = '<script>alert(1)</script> "/../%2e\u202e любой'


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def member(client, django_user_model):
    """A client of a user who sees the project ``shop-prod`` of Shopwell alone."""
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=make_project())
    client.force_login(user)
    return client


def failed(code="dcs.08.0007", ago=MINUTE, customer="Shopwell", instance="cart-prod", **given):
    project = make_project(f"{customer.casefold()}-prod" if customer != "Shopwell" else "shop-prod")
    type(project).objects.filter(pk=project.pk).update(customer=customer)
    return make_restore(
        instance=make_instance(instance, project=project),
        status="failed",
        error_code=code,
        created_at=NOW - ago,
        **given,
    )


def words(web, url, status=200):
    response = web.get(url)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def url_of(code):
    return reverse("code-detail", args=[code])


@pytest.mark.parametrize("code", [*CATALOG, *REFUSALS])
def test_every_documented_code_has_a_page_that_keeps_meaning_advice_and_message_apart(web, code):
    found = web.get(f"/codes/{code}.json").json()
    html = words(web, f"/codes/{code}/")
    assert found["known"] and found["code"] == code
    meaning = html.index('id="meaning"')
    advice, message = html.index('id="advice"'), html.index('id="customer-message"')
    assert found["meaning"] in html[meaning:advice]
    assert found["advice"] in " ".join(strip_tags(html[advice:message]).split())
    assert found["customer_message"] in html[message:]
    for name in ("data_at_risk", "retry", "owner"):
        assert found[name].casefold() in html[advice:message].casefold()
    assert code not in found["customer_message"]


def test_the_message_for_the_customer_is_the_one_of_a_restore(web):
    make_restore("r-1", status="failed", error_code="dcs.08.0007", instance=make_instance(""))
    message = web.get("/codes/dcs.08.0007.json").json()["customer_message"]
    opening, _, rest = message.partition(". ")
    assert opening == "The restore did not complete"
    assert rest in words(web, "/restores/r-1/")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("DCS.08.0007", "dcs.08.0007"),
        ("Dcs.08.0007", "dcs.08.0007"),
        ("dcs.4097", "DCS.4097"),
        ("111400097", "DCS.4097"),
    ],
)
def test_another_spelling_leads_to_the_page_and_json_answers_at_once(web, path, canonical):
    response = web.get(f"/codes/{path}/")
    assert (response.status_code, response["Location"]) == (302, f"/codes/{canonical}/")
    assert web.get(f"/codes/{path}.json").json()["code"] == canonical


def test_an_unknown_code_is_found_however_it_is_capitalized(web):
    failed("Redis.Err.07")
    response = web.get("/codes/redis.ERR.07/")
    assert response["Location"] == "/codes/Redis.Err.07/"
    assert web.get("/codes/rEDIS.err.07.json").json()["periods"][0]["restores"] == 1


def test_capitals_and_small_letters_are_counted_together(web):
    failed("dcs.08.0007")
    failed("DCS.08.0007", instance="orders")
    found = web.get("/codes/dcs.08.0007.json").json()
    assert found["spellings"] == ["DCS.08.0007", "dcs.08.0007"]
    assert found["periods"][0]["restores"] == 2
    (row,) = [one for one in web.get("/codes.json").json()["codes"] if one["code"] == "dcs.08.0007"]
    assert row["restores"]["1_hour"] == 2


def test_an_unknown_code_without_restores_says_both(web):
    make_instance()
    html = words(web, "/codes/dcs.08.0555/")
    assert "Unknown error code" in html and "We don’t know this code" in html
    assert "No restores with this code in the last 30 days as of" in html
    assert web.get("/codes/dcs.08.0555.json").json()["known"] is False


def test_an_unknown_code_shows_its_restores(web):
    failed("dcs.08.0099", instance="cart-prod")
    html = words(web, "/codes/dcs.08.0099/")
    assert "We don’t know this code" in html
    assert "cart-prod" in html and "1 restore with this code in the last hour" in html


def test_none_is_not_claimed_before_the_data_is_complete(web):
    make_instance(complete_to=None)
    html = words(web, "/codes/dcs.08.0001/")
    assert "Can’t tell yet" in html
    assert "No restores with this code" not in html


@pytest.mark.parametrize("text", ["x y z", "é", "<b>", "-", "x" * 129, "a;b"])
def test_a_malformed_error_code_is_refused_with_an_example(web, text):
    path = f"/codes/{quote(text)}"
    html = words(web, f"{path}/", status=400)
    assert "isn’t an error code. Error codes look like dcs.08.0007 or DCS.4097" in html
    response = web.get(f"{path}.json")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["param"], error["value"]) == ("code", text)


def test_a_refused_restore_leaves_no_record_so_nothing_is_counted(web):
    html = words(web, "/codes/DCS.4097/")
    assert "A restore of this instance is already running." in html
    assert "Not counted: when a restore is refused, the provider creates no record of it." in html
    assert "111400097" in html
    assert "No restores with this code" not in html


def test_a_refusal_that_a_restore_reports_nevertheless_is_counted(web):
    failed("DCS.4097")
    assert "1 restore with this code in the last hour" in words(web, "/codes/DCS.4097/")


def storm():
    """Nine failures at three of four customers within an hour; usually one in ten days."""
    for number in range(9):
        customer = ("Shopwell", "Fanline", "Mapster")[number % 3]
        failed(ago=number * MINUTE, customer=customer, instance=f"i-{number}")
    make_instance("quiet", project=make_project("bank", customer="Bankhaus"))
    for days in (5, 15, 25):
        failed(ago=days * DAY)
    make_restore("first", created_at=NOW - 400 * DAY)


def test_a_code_is_called_platform_wide_in_a_sentence_with_its_numbers(web):
    storm()
    found = web.get("/codes/dcs.08.0007.json").json()
    assert found["platform_wide"] is True
    assert found["summary"] == (
        "Platform-wide: 9 restores with this code in the last hour, on 9 instances of 3 of the 4 "
        "customers you can see; usually less than 1."
    )
    assert found["summary"] in words(web, "/codes/dcs.08.0007/")
    assert found["periods"] == [
        {
            "period": name,
            "restores": restores,
            "restores_capped": False,
            "instances": instances,
            "customers": 3,
            "usual": usual,
        }
        for name, restores, instances, usual in (
            ("1_hour", 9, 9, 0.0),
            ("24_hours", 9, 9, 0.1),
            ("30_days", 12, 10, 0.0),
        )
    ]


def test_a_member_of_one_customer_is_told_that_others_cannot_be_seen(member):
    storm()
    found = member.get("/codes/dcs.08.0007.json").json()
    assert found["platform_wide"] is None
    assert found["periods"][0]["restores"] == 3
    assert "You can only see projects of one customer" in found["summary"]
    assert "Fanline" not in words(member, "/codes/dcs.08.0007/")


def test_a_member_who_sees_nothing_of_a_code_is_not_told_that_it_exists(member):
    make_restore("theirs", instance=make_instance())
    failed("Secret.Code.1", customer="Fanline", instance="hidden")
    failed("weird code", customer="Fanline", instance="hidden")
    assert "Secret.Code.1" not in words(member, "/codes/")
    assert member.get("/codes/secret.code.1.json").json()["code"] == "secret.code.1"
    assert member.get("/codes/Secret.Code.1.json").json()["total"] == 0
    assert member.get(url_of("weird code")).status_code == 400
    hidden, unknown = (
        member.get(f"/codes/{one}.Code.1.json").content for one in ("Secret", "Nobody")
    )
    assert hidden == unknown.replace(b"Nobody", b"Secret")


def test_a_user_without_projects_gets_the_meaning_and_no_numbers(client, django_user_model):
    failed()
    client.force_login(django_user_model.objects.create_user("new"))
    html = words(client, "/codes/dcs.08.0007/")
    assert "Data synchronization failed during the restore." in html
    assert "Not monitored" in html
    assert client.get("/codes.json").json()["codes"][6]["restores"]["30_days"] == 0


def test_the_codes_need_a_signed_in_user(client, db):
    assert client.get("/codes/").status_code == 302
    assert client.get("/codes.json").status_code == 401
    assert client.get("/codes/dcs.08.0007.json").status_code == 401


def test_the_links_of_a_code_lead_to_lists_without_other_filters(web):
    failed()
    html = words(web, "/codes/dcs.08.0007/")
    links = [
        "/restores/?code=dcs.08.0007&amp;asof=2026-11-23T16:59:00Z",
        "/restores/?code=dcs.08.0007&amp;from=now-1h&amp;asof=2026-11-23T16:59:00Z",
        "/restores/?code=dcs.08.0007&amp;from=now-24h&amp;asof=2026-11-23T16:59:00Z",
        "/restores/?code=dcs.08.0007&amp;from=now-30d&amp;asof=2026-11-23T16:59:00Z",
    ]
    assert all(f'href="{link}"' in html for link in links)


def test_the_counts_are_those_of_the_lists_that_they_link_to(web):
    storm()
    for days in (0, 2, 40, 90):
        failed(ago=days * DAY + 2 * HOUR, instance="more")
    found = web.get("/codes/dcs.08.0007.json").json()
    for period, start in zip(found["periods"], ("now-1h", "now-24h", "now-30d"), strict=True):
        listed = web.get(f"/restores.json?code=dcs.08.0007&from={start}").json()
        assert period["restores"] == listed["total"]
    assert found["total"] == web.get("/restores.json?code=dcs.08.0007").json()["total"]


def test_the_median_time_to_the_next_success_counts_from_the_end_of_the_failure(web):
    for minutes in (10, 20, 90):
        ended = NOW - DAY
        failed(
            ago=DAY + HOUR,
            instance=f"i-{minutes}",
            ended_at=ended,
            recovered_at=ended + minutes * MINUTE,
        )
    failed(ago=DAY, instance="open")
    found = web.get("/codes/dcs.08.0007.json").json()
    assert found["median_seconds_to_next_success"] == 20 * 60
    assert (found["recovered"], found["unresolved"], found["sampled"]) == (3, 1, 4)
    assert "20 min" in words(web, "/codes/dcs.08.0007/")


def test_the_newest_restores_are_listed_with_their_outcome(web):
    for number in range(12):
        failed(ago=number * HOUR, instance=f"i-{number:02}", recovered_at=NOW if number else None)
    html = words(web, "/codes/dcs.08.0007/")
    assert all(f"i-{number:02}" in html for number in range(10)) and "i-10" not in html
    assert "View all 12" in html
    assert html.count("Failed · unresolved") == 1 and html.count("Failed → recovered") == 9
    latest = web.get("/codes/dcs.08.0007.json").json()["latest"]
    assert [row["instance_name"] for row in latest] == [f"i-{number:02}" for number in range(10)]


def test_a_restore_without_a_time_is_said_to_be_in_no_period(web):
    failed()
    make_restore("undated", status="failed", error_code="dcs.08.0007", created_at=None)
    found = web.get("/codes/dcs.08.0007.json").json()
    assert (found["without_time"], found["total"]) == (1, 2)
    assert "1 restore without a usable time" in words(web, "/codes/dcs.08.0007/")


def test_all_codes_are_listed_with_their_counts_and_unknown_ones_last(web):
    failed("dcs.08.0007")
    failed("dcs.08.0007", ago=2 * DAY)
    failed("dcs.01.0001", ago=90 * DAY)
    found = web.get("/codes.json").json()
    assert [row["code"] for row in found["codes"]] == [*CATALOG, "dcs.01.0001"]
    counts = {row["code"]: row["restores"] for row in found["codes"]}
    assert counts["dcs.08.0007"] == {"1_hour": 1, "24_hours": 1, "30_days": 2}
    assert counts["dcs.01.0001"] == {"1_hour": 0, "24_hours": 0, "30_days": 0}
    assert found["codes"][-1]["last_created_at"] == "2026-08-25T16:59:00Z"
    assert [row["code"] for row in found["refusals"]] == list(REFUSALS)
    html = words(web, "/codes/")
    assert 'href="/codes/dcs.01.0001/"' in html and 'href="/codes/DCS.4842/"' in html
    assert '<a href="/codes/" aria-current="page" data-go="c">' in html


def test_only_the_newest_restores_with_a_code_are_counted_and_the_page_says_so(web, monkeypatch):
    monkeypatch.setattr("restores.views.codes.COUNT_LIMIT", 3)
    for number in range(5):
        failed(ago=number * MINUTE)
    found = web.get("/codes.json").json()
    assert found["counted_all"] is False
    html = words(web, "/codes/")
    assert "only the newest 3 with a code were counted" in html
    assert ">3+</a>" in html
    assert "3+ restores" in words(web, "/codes/dcs.08.0007/")


def test_a_cloud_with_a_code_for_each_failure_does_not_make_the_list_endless(web):
    for number in range(300):
        failed(f"dcs.{number:03}" + "<" * 245, ago=(400 - number) * MINUTE)
    response = web.get("/codes/")
    assert len(response.content) < 1_000_000
    html = words(web, "/codes/")
    assert "only the newest 200 undocumented codes are listed, 100 more aren’t" in html
    found = web.get("/codes.json").json()
    assert found["codes_left_out"] == 100
    listed = [row["code"] for row in found["codes"]]
    assert listed[: len(CATALOG)] == list(CATALOG)
    assert [code[:7] for code in listed[len(CATALOG) :]] == [f"dcs.{n}" for n in range(100, 300)]


def test_a_code_of_any_text_has_a_page_and_stays_text(web):
    failed(HOSTILE)
    assert url_of(HOSTILE) in words(web, "/codes/")
    assert url_of(HOSTILE) in words(web, "/restores/")
    html = words(web, url_of(HOSTILE))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    found = web.get(reverse("code-detail-json", args=[HOSTILE])).json()
    assert (found["code"], found["periods"][0]["restores"]) == (HOSTILE, 1)
    listed = web.get("/restores.json", {"code": HOSTILE}).json()
    assert listed["total"] == 1


@pytest.mark.parametrize("code", ["any", "x" * 200])
def test_a_code_that_no_list_can_be_filtered_by_is_counted_without_a_link(web, code):
    failed(code)
    failed("dcs.08.0001", instance="other")
    found = web.get(reverse("code-detail-json", args=[code])).json()
    assert found["total"] == 1
    assert "?code=" not in words(web, url_of(code))


def test_a_code_links_to_its_page_wherever_it_stands(web):
    restore = failed(instance="cart-prod")
    link = 'href="/codes/dcs.08.0007/"'
    pages = (
        "/",
        "/restores/?q=cart&status=failed",
        "/facets/",
        f"/restores/{restore.restore_id}/",
        f"/instances/{restore.instance.instance_id}/",
    )
    for page in pages:
        assert link in web.get(page, follow=True).content.decode(), page
