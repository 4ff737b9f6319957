"""The downtime report: minutes in restore per instance, for support and for a customer."""

import csv
import io
import random
import re
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
import time_machine
from openpyxl import load_workbook

from restores import downtime_report
from restores.models import Event, Membership, Project
from restores.statuses import FINAL
from restores.timerange import to_iso
from restores.views.downtime import COLUMNS, CUSTOMER_COLUMNS
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_observation,
    make_project,
    make_restore,
    update_instances,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAY = "from=2026-11-23T00:00:00Z"
URLS = ["/reports/downtime/", "/reports/downtime.json", "/reports/downtime.csv"]
URLS += ["/reports/downtime.xlsx"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def restore(restore_id=None, instance="cart-prod", begin=60, length=6, **given):
    """A restore that began this many minutes ago and was seen to run from its creation on."""
    created = NOW - begin * MINUTE
    values = {"created_at": created, "restoring_after": created, "restoring_by": created}
    if given.get("status", "succeed") in FINAL:
        values["ended_at"] = created + length * MINUTE
    if isinstance(instance, str):
        instance = make_instance(instance)
    return make_restore(restore_id, instance=instance, **values | given)


def report(web, query=DAY):
    return web.get(f"/reports/downtime.json?{query}").json()


def minutes(web, query=DAY):
    """The minimum and the maximum of minutes in total."""
    totals = report(web, query)["totals"]
    return totals["minutes_min"], totals["minutes_max"]


def page(web, query=DAY):
    response = web.get(f"/reports/downtime/?{query}")
    assert response.status_code == 200, response.headers.get("Location")
    return response.content.decode()


def text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def body(response):
    return response.getvalue() if response.streaming else response.content


def rows_of(web, query=DAY):
    return list(csv.reader(io.StringIO(body(web.get(f"/reports/downtime.csv?{query}")).decode())))


def workbook(web, query=DAY):
    return load_workbook(io.BytesIO(body(web.get(f"/reports/downtime.xlsx?{query}"))))


def test_each_instance_has_a_row_with_what_is_certain_and_what_is_possible(web):
    created = NOW - HOUR
    restore(restoring_after=created + MINUTE, restoring_by=created + 2 * MINUTE)
    found = report(web)
    assert found["rows"] == [
        {
            "instance_id": "id-of-cart-prod",
            "instance_name": "cart-prod",
            "project": "shop-prod",
            "customer": "Shopwell",
            "restores": 1,
            "running": 0,
            "uncounted": 0,
            "minutes_min": 4.0,
            "minutes_max": 5.0,
        }
    ]
    assert found["totals"] == {
        "instances": 1,
        "restores": 1,
        "running": 0,
        "uncounted": 0,
        "minutes_min": 4.0,
        "minutes_max": 5.0,
    }
    assert found["time_range"] == {
        "on": "running",
        "from": "2026-11-23T00:00:00Z",
        "to": None,
        "asof": None,
    }
    assert found["complete_to"] == to_iso(NOW)


def test_overlapping_restores_of_an_instance_count_once(web):
    restore(begin=60, length=10)
    restore(begin=55, length=10)
    restore(instance="other", begin=55, length=10)
    found = report(web)
    assert [row["minutes_min"] for row in found["rows"]] == [15.0, 10.0]
    assert found["totals"]["minutes_max"] == 25.0


def test_downtime_outside_the_range_is_not_counted(web):
    restore(begin=60, length=20)
    restore(instance="other", begin=300, length=6)
    at = NOW - 60 * MINUTE
    between = f"from={to_iso(at + 5 * MINUTE)}&to={to_iso(at + 12 * MINUTE)}"
    assert minutes(web, between) == (7.0, 7.0)
    assert [row["instance_name"] for row in report(web, between)["rows"]] == ["cart-prod"]


def test_a_running_restore_counts_up_to_now_and_is_marked(web):
    restore(status="restoring", begin=30)
    found = report(web)
    assert (found["rows"][0]["running"], found["totals"]["minutes_min"]) == (1, 30.0)
    html = page(web)
    assert "1 still running" in html
    assert "1 restore still running: counted up to 23 Nov 2026, 16:59:00 UTC" in text(html)
    assert "1 still running" not in page(web, f"{DAY}&to=2026-11-23T10:00:00Z")


def test_the_certain_downtime_ends_at_the_last_sync(web):
    instance = make_instance("late", project=make_project("late-prod", interval=60))
    restore("r", instance=instance, status="restoring", begin=30, changed_at=NOW - 20 * MINUTE)
    update_instances(Project.objects.get(name="late-prod").instances.all(),
                     complete_to=NOW - 20 * MINUTE)  # fmt: skip
    assert minutes(web) == (10.0, 30.0)


def test_a_queued_restore_is_not_downtime(web):
    restore(status="waiting", begin=30, restoring_by=None)
    assert (report(web)["rows"][0]["restores"], minutes(web)) == (1, (0.0, 0.0))


def test_projects_and_customers_have_sums(web):
    for name, customer, length in (
        ("a", "Mapster", 1),
        ("b", "Mapster", 2),
        ("c", "", 4),
    ):
        project = make_project(name, customer=customer)
        for number in range(2):
            instance = make_instance(f"{name}-{number}", project=project)
            restore(instance=instance, length=length)
    found = report(web)
    assert [(one["project"], one["minutes_max"]) for one in found["projects"]] == [
        ("c", 8.0),
        ("a", 2.0),
        ("b", 4.0),
    ]
    names = ("customer", "instances", "minutes_max")
    assert [tuple(one[name] for name in names) for one in found["customers"]] == [
        (None, 2, 8.0),
        ("Mapster", 4, 6.0),
    ]
    words = text(page(web))
    assert "Mapster · a 2 2.0 2.0" in words and "Total for Mapster 4 6.0 6.0" in words
    assert "Total 6 14.0 14.0" in words
    assert words.count("Total for") == 1


def test_restores_without_a_readable_time_are_counted_and_named(web):
    restore("no-start", created_at=None, ended_at=NOW, updated_at=NOW)
    restore("no-end", begin=10_000, ended_at=None, duration=None)
    restore("reversed", ended_at=NOW - 2 * HOUR, duration=None)
    restore("odd", status="rolling_back")
    restore("later", begin=-60, ended_at=None, duration=None)
    query = f"{DAY}&to={to_iso(NOW)}"
    found = report(web, query)
    assert {one["restore_id"]: one["reason"] for one in found["without_time"]} == {
        "no-start": "no usable creation time",
        "no-end": "no usable end time",
        "reversed": "ended before it was created",
        "odd": "unknown status",
    }
    assert (found["totals"]["restores"], found["totals"]["uncounted"]) == (2, 2)
    words = text(page(web, query))
    assert "no-end of cart-prod (no usable end time)" in words and "2 not counted" in words
    assert web.get(f"/reports/downtime.csv?{query}").headers["X-Without-Time"] == "4"


def test_it_says_whether_the_data_is_complete_for_the_range(web):
    restore()
    ended = f"{DAY}&to={to_iso(NOW)}"
    assert report(web, ended)["complete"] is True
    assert "All restores in this range are known." in page(web, ended)
    make_instance("late", complete_to=NOW - HOUR)
    assert report(web, ended)["complete"] is False
    assert "Restores may be missing" in page(web, ended)
    earlier = f"{DAY}&to={to_iso(NOW - 2 * HOUR)}"
    assert report(web, earlier)["complete"] is True


def test_no_restores_is_claimed_only_if_it_is_certain(web):
    make_instance()
    ended = f"{DAY}&to={to_iso(NOW)}"
    assert "No restores were running in this time range" in page(web, ended)
    make_instance("never", complete_to=None)
    words = text(page(web, ended))
    assert "No restores were running" not in words and "Can’t tell yet" in words
    words = text(page(web, f"customer=nobody&{ended}"))
    assert "No access or not found: nobody" in words and "No restores were running" not in words
    assert report(web, f"customer=nobody&{ended}")["not_found"] == ["nobody"]
    assert report(web, f"customer=nobody&{ended}")["complete"] is False


def test_an_instance_that_has_moved_to_another_project_counts_once(web):
    for name, deleted_at in (("old", NOW), ("new", None)):
        instance = make_instance(
            name, instance_id="i", project=make_project(name), deleted_at=deleted_at
        )
        restore("r", instance=instance)
    found = report(web)
    assert [row["project"] for row in found["rows"]] == ["new"]
    assert [row["project"] for row in report(web, f"project=old&{DAY}")["rows"]] == ["old"]


def test_a_snapshot_reports_what_was_known_then(web):
    begin = NOW - HOUR
    one = restore("r", begin=60, length=20, first_seen_at=begin, moved_at=begin + 20 * MINUTE)
    make_observation(one, begin, status="restoring")
    make_observation(one, begin + 20 * MINUTE, status="succeed", ended_at=one.ended_at)
    restore("found-later", instance="other", first_seen_at=NOW)
    asof = f"{DAY}&asof={to_iso(begin + 5 * MINUTE)}"
    found = report(web, asof)
    assert (minutes(web), minutes(web, asof)) == ((26.0, 26.0), (5.0, 5.0))
    assert [row["running"] for row in found["rows"]] == [1]
    assert (found["complete"], found["complete_to"]) == (None, None)
    assert "Snapshot 23 Nov 16:04:00 UTC" in text(page(web, asof))
    assert "Live" in text(page(web)) and "Snapshot" not in text(page(web))


@pytest.mark.parametrize("asof", [None, NOW - 100 * MINUTE])
def test_the_minutes_are_those_of_an_oracle_that_looks_at_every_minute(web, asof):
    rng = random.Random(11)
    instances = [
        make_instance(f"{project}-{number}", project=make_project(project, customer=customer))
        for project, customer in (("a", "Mapster"), ("b", "Mapster"), ("c", "Shopwell"))
        for number in range(3)
    ]
    now = asof or NOW
    start, end = NOW - 300 * MINUTE, NOW - 30 * MINUTE
    expected = defaultdict(lambda: (set(), set()))
    for number in range(120):
        begin, instance = NOW - rng.randrange(1, 500) * MINUTE, rng.choice(instances)
        after = begin + rng.randrange(10) * MINUTE
        by = after + rng.randrange(10) * MINUTE
        ended = by + rng.randrange(-5, 60) * MINUTE
        running = ended > NOW
        one = restore(
            f"r-{number}",
            instance=instance,
            created_at=begin,
            restoring_after=after,
            restoring_by=by,
            status="restoring" if running else rng.choice(FINAL),
            ended_at=None if running else max(ended, begin),
            duration=None if running else max(ended - begin, 0 * MINUTE).total_seconds(),
            first_seen_at=begin,
            moved_at=NOW if running else max(ended, begin),
        )
        make_observation(one, begin, status="restoring")
        if not running:
            make_observation(one, one.moved_at, status=one.status, ended_at=one.ended_at)
        if begin > now:
            continue
        over = one.ended_at is not None and one.ended_at <= now
        stop = one.ended_at if over else now
        begun = after if after <= now else begin
        edges = ((by, stop), (min(begun, by), stop))
        for minutes_of, (first, last) in zip(expected[instance.name], edges, strict=True):
            minutes_of |= {
                minute
                for minute in range(300)
                if max(first, start) <= start + minute * MINUTE < min(last, end)
            }
    query = f"from={to_iso(start)}&to={to_iso(end)}" + (f"&asof={to_iso(asof)}" if asof else "")
    found = report(web, query)
    shown = {
        row["instance_name"]: (row["minutes_min"], row["minutes_max"]) for row in found["rows"]
    }
    for name, (least, most) in expected.items():
        assert shown.get(name, (0, 0)) == (len(least), len(most)), name
    for sums in ([found["totals"]], found["projects"], found["customers"]):
        assert sum(one["minutes_max"] for one in sums) == sum(
            len(most) for _, most in expected.values()
        )
    assert all(least <= most for least, most in shown.values())


def test_a_selection_of_restores_has_a_sum_of_its_own(web):
    for number in range(3):
        restore(f"r-{number}", begin=60 - 5 * number, length=10)
    assert minutes(web, "ids=r-0,r-1") == (15.0, 15.0)


def test_the_estimate_of_a_row_of_the_list_is_the_same(web):
    created = NOW - HOUR
    restore("r", restoring_after=created + MINUTE, restoring_by=created + 2 * MINUTE)
    restore("q", instance="other", status="restoring", begin=7)
    restore("u", instance="odd", status="rolling_back")
    cells = re.findall(
        r'<td class="num side">(?:<time[^>]*>)?([^<]*)',
        web.get("/restores/?cols=created,downtime").content.decode(),
    )
    assert sorted(cells) == ["4:00–5:00", "7:00 so far", "–"]
    assert (report(web, f"instance=cart-prod&{DAY}")["totals"]["minutes_min"]) == 4.0


def test_a_row_leads_to_the_restores_that_it_counts(web):
    restore()
    restore(begin=3000)
    (url,) = re.findall(r'href="(/restores/\?[^"]*instance=id-of-cart-prod[^"]*)"', page(web))
    listed = web.get(url.replace("&amp;", "&"))
    assert listed.status_code == 200 and listed.content.decode().count('<tr id="r') == 1


def test_the_report_is_reached_with_its_range_in_the_link(web):
    html = web.get("/").content.decode()
    assert 'href="/reports/downtime/?from=now-7d" data-go="d">' in html


def test_without_a_range_it_is_about_any_time(web):
    restore(begin=100_000)
    assert minutes(web, "") == (6.0, 6.0)
    assert "Downtime: any time" in page(web, "")


def test_the_url_is_canonical_and_endpoints_never_redirect(web):
    response = web.get("/reports/downtime/?to=2026-11-23&from=2026-11-01")
    assert response.headers["Location"] == (
        "/reports/downtime/?from=2026-11-01T00:00:00Z&to=2026-11-24T00:00:00Z"
    )
    response = web.get("/reports/downtime/?from=1+Nov+2026")
    assert response.headers["Location"] == "/reports/downtime/?from=2026-11-01T00:00:00Z"
    for url in URLS[1:]:
        assert web.get(f"{url}?to=2026-11-23&from=2026-11-01").status_code == 200


@pytest.mark.parametrize(
    ("query", "param", "reason"),
    [
        ("from=Feb+30", "from", "isn’t a valid date or time"),
        ("from=2026-11-23&to=2026-11-01", "from", "must be before"),
        ("tz=Mars", "tz", "is an unknown time zone"),
        ("asof=2027-01-01T00:00:00Z", "asof", "is in the future"),
        ("audience=public", "audience", "must be customer"),
        ("audience=customer", "audience", "can only be given with exactly one customer"),
        ("customer=a&customer=b&audience=customer", "audience", "exactly one customer"),
        (f"customer={'x' * 200}", "customer", "is longer than 128 characters"),
        ("from=2026-11-01&from=2026-11-02", "from", "can only be given once"),
    ],
)
def test_an_invalid_value_is_named_and_nothing_is_shown(web, query, param, reason):
    restore()
    for url in URLS:
        response = web.get(f"{url}?{query}")
        assert response.status_code == 400
        content = body(response).decode()
        if url.endswith(".json"):
            (error,) = response.json()["errors"]
            assert error["param"] == param
            content = error["reason"]
        assert reason in content and "cart-prod" not in content


def test_an_unknown_parameter_is_ignored_with_a_note(web):
    restore()
    assert "Unknown parameter ignored" in page(web, f"{DAY}&status=failed")
    assert report(web, f"{DAY}&status=failed")["ignored"] == ["status"]


def test_a_range_with_too_many_restores_is_refused_with_what_to_do(web, monkeypatch):
    monkeypatch.setattr(downtime_report, "MAX_RESTORES", 2)
    for _ in range(3):
        restore()
    for url in URLS:
        response = web.get(f"{url}?{DAY}")
        assert response.status_code == 400
        assert "Choose a shorter range, a customer or a project" in body(response).decode()


def test_of_many_instances_the_page_lists_those_with_the_longest_downtime(web, monkeypatch):
    monkeypatch.setattr("restores.views.downtime.MAX_SHOWN", 2)
    for number in range(4):
        restore(instance=f"i-{number}", length=number + 1)
    words = text(page(web))
    assert "i-3" in words and "i-2" in words and "i-1" not in words
    assert "The totals and the files include 2 more." in words and "Total 4 10.0 10.0" in words
    assert len(report(web)["rows"]) == 4


def test_csv_and_xlsx_have_the_rows_of_the_json(web):
    for number in range(3):
        restore(instance=f"i-{number}", length=number + 1.5)
    found = report(web)
    header, *lines = rows_of(web)
    assert header == list(COLUMNS)
    assert [line[1] for line in lines] == [row["instance_name"] for row in found["rows"]]
    assert [float(line[-1]) for line in lines] == [row["minutes_max"] for row in found["rows"]]
    sheet, about = workbook(web).worksheets
    header, *rows, total = sheet.iter_rows(values_only=True)
    assert header == COLUMNS
    assert [dict(zip(COLUMNS, row, strict=True)) for row in rows] == found["rows"]
    assert total == ("Total", None, None, None, 3, 0, 0, 7.5, 7.5)
    pairs = dict(about.iter_rows(values_only=True))
    assert pairs["Exported by"] == "root" and pairs["Data complete up to"] == datetime(
        2026, 11, 23, 16, 59
    )
    assert pairs["Link"].endswith("/reports/downtime/?from=2026-11-23T00:00:00Z"
                                  "&asof=2026-11-23T16:59:00Z")  # fmt: skip


def test_the_files_are_audited_limited_and_named_after_the_range(web, root):
    restore()
    for url in URLS[2:]:
        response = web.get(f"{url}?{DAY}")
        ending = url.rpartition(".")[2]
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="downtime_20261123T000000Z_20261123T165900Z.{ending}"'
        )
    assert Event.objects.filter(what="exported", user=root).count() == 2
    refused = web.get(f"{URLS[3]}?{DAY}")
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "30"


def test_a_member_sees_the_downtime_of_their_projects_only(client, django_user_model):
    ours = make_project("ours", customer="Shopwell")
    restore(instance=make_instance("mine", project=ours))
    other = make_project("other", customer="Bankhaus", account=make_account("bank"))
    restore(instance=make_instance("secret", project=other))
    user = django_user_model.objects.create_user("support")
    Membership.objects.create(user=user, project=ours)
    client.force_login(user)
    assert [row["instance_name"] for row in report(client)["rows"]] == ["mine"]
    html = page(client)
    assert "secret" not in html and "Bankhaus" not in html
    assert report(client, f"customer=Bankhaus&{DAY}")["rows"] == []


INTERNAL = re.compile(
    r"\b(sync|snapshot|provider|project|asof|as of|record|live|complete up to|dashboard|observed)",
    re.IGNORECASE,
)


@pytest.fixture
def two_customers(web):
    """Two customers, one of them in Tokyo."""
    tokyo = make_project("sakura-internal", customer="Sakura", time_zone="Asia/Tokyo")
    restore("r-1", instance=make_instance("koi", project=tokyo), length=6)
    restore("r-2", instance=make_instance("koi", project=tokyo), status="restoring", begin=9)
    restore("r-3", instance=make_instance("koi", project=tokyo), created_at=None, ended_at=NOW)
    other = make_project("bank-internal", customer="Bankhaus", account=make_account("bank"))
    restore(instance=make_instance("vault", project=other))
    return web


FOR_SAKURA = f"customer=Sakura&{DAY}&to=2026-11-24T00:00:00Z&audience=customer"


def test_a_customer_reads_it_in_their_words_and_zone(two_customers):
    html = page(two_customers, FOR_SAKURA)
    words = text(html)
    assert "Sakura 23 Nov 2026, 09:00 – 24 Nov 2026, 09:00 (Tokyo time)" in words
    assert "koi 2 15.0 15.0" in words and "Total 2 15.0 15.0" in words
    assert "One restore hadn’t finished by 01:59 on 24 Nov 2026 (Tokyo time)" in words
    assert "One restore isn’t included because we don’t know when it began or ended." in words
    assert "More restores may be added." in words
    zone = page(two_customers, FOR_SAKURA.replace("&audience", "&tz=Europe/Berlin&audience"))
    assert "(Berlin time)" in zone and "Tokyo" not in zone


def test_a_customers_report_has_no_internal_words_no_links_and_no_other_customer(two_customers):
    shown = [page(two_customers, FOR_SAKURA)]
    shown.append(body(two_customers.get(f"/reports/downtime.csv?{FOR_SAKURA}")).decode())
    book = workbook(two_customers, FOR_SAKURA)
    shown += [str([list(sheet.values) for sheet in book.worksheets])]
    for content in shown:
        assert "koi" in content
        assert "Bankhaus" not in content and "vault" not in content and "internal" not in content
        assert "<a " not in content and "http" not in content and "<script" not in content
        assert not INTERNAL.search(re.sub(r"<(?:link|meta)[^>]*>|class=\"[^\"]*\"", "", content))
    assert [row[0] for row in book.worksheets[0].iter_rows(values_only=True, max_row=1)] == [
        CUSTOMER_COLUMNS[0]
    ]
    assert set(report(two_customers, FOR_SAKURA)) == {
        *("rows", "totals", "time_range", "complete_to", "complete"),
    }


def test_a_customer_is_told_of_no_restores_only_if_it_is_certain(web):
    make_instance("koi", project=make_project("p", customer="Sakura"))
    query = f"customer=Sakura&{DAY}&to={to_iso(NOW)}&audience=customer"
    assert "None of your instances was being restored in this period." in page(web, query)
    make_instance("late", project=make_project("p"), complete_to=NOW - HOUR)
    assert "None of your instances" not in page(web, query)
    words = text(page(web, f"customer=Sakura&project=x&{DAY}&to={to_iso(NOW)}&audience=customer"))
    assert "We couldn’t find some of the instances" in words and "None of" not in words


def test_the_page_offers_the_customers_report_of_the_same_range(two_customers):
    html = page(two_customers, "customer=Sakura&from=now-1d/d&to=now/d")
    (url,) = re.findall(r'href="(\?[^"]*audience=customer)"', html)
    assert url == (
        "?customer=Sakura&amp;from=2026-11-22T00:00:00Z&amp;to=2026-11-24T00:00:00Z"
        "&amp;tz=Asia/Tokyo&amp;asof=2026-11-23T16:59:00Z&amp;audience=customer"
    )
    assert "audience=customer" not in page(two_customers)


def test_hostile_names_stay_text(web):
    name = '<img src=x>"=1+1'
    restore(instance=make_instance(name, project=make_project("p", customer=name)))
    for query in (DAY, f"customer=%3Cimg+src%3Dx%3E%22%3D1%2B1&{DAY}&audience=customer"):
        html = page(web, query)
        assert "<img" not in html and "&lt;img src=x&gt;&quot;=1+1" in html
        rows = [*rows_of(web, query), *workbook(web, query).worksheets[0].values]
        assert not any(str(cell).startswith("=") for row in rows for cell in row)
