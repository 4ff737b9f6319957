"""Exports: the list as CSV and text, a restore as text; who may, and the audit log."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from restores.csv_export import COLUMNS
from restores.models import Event, Membership, Restore
from restores.running_exports import RunningExport, TooManyExports
from restores.serializers import restore_json
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_observation,
    make_project,
    make_restore,
)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def body(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


def table(web, query=""):
    return list(csv.DictReader(io.StringIO(body(web.get(f"/restores.csv{query}")), newline="")))


def ids(web, query=""):
    return [row["restore_id"] for row in table(web, query)]


def json_ids(web, query):
    return [row["restore_id"] for row in web.get(f"/restores.json{query}").json()["restores"]]


def test_the_first_line_names_the_columns_even_of_an_empty_list(web):
    assert body(web.get("/restores.csv")) == ",".join(COLUMNS) + "\r\n"


def test_the_columns_are_those_of_the_json(web):
    restore = make_restore("r-1", status="failed", error_code="dcs.08.0007")
    found = restore_json(Restore.objects.get(pk=restore.pk))
    (row,) = table(web)
    assert list(row) == list(found)
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    assert {name: row[name] for name in texts} == texts
    assert (row["listed"], row["stale"], row["progress"]) == ("true", "false", "100.0")
    assert row["backup_id"] == ""


@pytest.mark.parametrize(
    "query", ["", "?sort=duration", "?sort=-ended", "?status=failed", "?q=r-1"]
)
def test_it_has_every_row_of_the_list_in_order(web, query):
    for number in range(23):
        status = ("succeed", "failed", "waiting", "restoring")[number % 4]
        at = None if number == 7 else NOW - timedelta(minutes=number % 5)
        make_restore(f"r-{number}", status=status, created_at=at, duration=number % 3 or None)
    first = query or "?"
    pages = [json_ids(web, f"{first}&size=10&page={page}") for page in (1, 2, 3)]
    assert ids(web, f"{first}&size=10&page=2") == [one for page in pages for one in page]


def test_the_time_range_is_in_header_and_file_name(web):
    make_instance(complete_to=NOW - timedelta(minutes=5))
    response = web.get("/restores.csv?from=now-24h")
    assert response.headers["X-Time-Range"] == (
        "on=created; from=2026-11-22T16:59:00Z; to=; asof=; complete_to=2026-11-23T16:54:00Z"
    )
    assert response.headers["Content-Disposition"] == (
        "attachment; filename="
        '"restores_created_20261122T165900Z_20261123T165900Z_complete_20261123T165400Z.csv"'
    )
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1"])
def test_no_spreadsheet_reads_a_text_as_a_formula(web, text):
    make_restore("r-1", restore_remark=text)
    assert table(web)[0]["restore_remark"] == f"'{text}"


def test_numbers_stay_numbers_and_quotes_and_line_breaks_stay_in_their_cell(web):
    make_restore("r-1", restore_remark='a "b",\r\nc', progress=0.0)
    (row,) = table(web)
    assert (row["restore_remark"], row["progress"]) == ('a "b",\r\nc', "0.0")


def test_exports_have_visible_rows_only(client, django_user_model):
    ours = make_project("ours")
    make_restore("mine", instance=make_instance("a", project=ours))
    other = make_project("other", account=make_account("bank"))
    make_restore("theirs", instance=make_instance("b", project=other))
    user = django_user_model.objects.create_user("support")
    Membership.objects.create(user=user, project=ours)
    client.force_login(user)
    assert ids(client) == ["mine"]
    assert "theirs" not in body(client.get("/restores.md"))
    assert client.get("/restores/theirs.md").status_code == 404


URLS = ["/restores.csv", "/restores.md", "/restores/r-1.md"]


@pytest.mark.parametrize("url", URLS)
def test_an_export_is_audited(web, root, url):
    make_restore("r-1")
    body(web.get(f"{url}?status=failed"))
    event = Event.objects.get(what="exported")
    assert (event.user, event.subject) == (root, f"{url}?status=failed")
    web.head(url)
    assert Event.objects.filter(what="exported").count() == 1


@pytest.mark.parametrize("url", URLS)
def test_a_signed_out_script_gets_401_in_plain_text(client, db, url):
    response = client.get(url)
    assert (response.status_code, response.content) == (401, b"Authentication required.\n")


@pytest.mark.parametrize("url", URLS[:2])
def test_invalid_values_are_named_one_per_line(web, url):
    response = web.get(f"{url}?size=5&from=x")
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    size, start = body(response).splitlines()
    assert size == "size: 5: must be a whole number from 10 to 200"
    assert start.startswith("from: x: isn’t a valid date or time")


def test_the_list_as_markdown_has_time_range_completeness_link_and_rows(web):
    make_restore("r-1", status="failed", error_code="dcs.08.0007")
    make_restore("r-2", created_at=NOW - timedelta(days=2))
    text = body(web.get("/restores.md?from=now-24h"))
    assert text.startswith(
        "**Restores created since 2026-11-22 16:59:00 UTC, as of 2026-11-23 16:59:00 UTC**"
    )
    assert "- **Data as of:** 23 Nov 2026 at 16:59:00 UTC\n" in text
    assert "| Failed | cart-prod | Shopwell | Data sync failed; data may be partial (dcs.08" in text
    assert "r-2" not in text
    assert text.endswith("/restores/?from=now-24h&asof=2026-11-23T16:59:00Z>\n")


def test_the_list_as_text_has_the_requested_page(web):
    for number in range(12):
        make_restore(f"r-{number}", created_at=NOW - timedelta(minutes=number))
    text = body(web.get("/restores.md?size=10&page=2"))
    assert "11–12 of 12" in text and text.count("Succeeded") == 2
    assert "page=2" in text.splitlines()[-1]


@pytest.mark.parametrize("form", ["markdown", "jira", "html", "plain", "customer", "provider"])
@pytest.mark.parametrize("url", URLS[1:])
def test_every_format_works_without_javascript(web, url, form):
    make_restore("r-1", status="failed", ended_at=NOW)
    response = web.get(f"{url}?format={form}")
    kind = "text/html" if form == "html" else "text/plain"
    assert (response.status_code, response.headers["Content-Type"]) == (
        200,
        f"{kind}; charset=utf-8",
    )
    assert "16:59:00 UTC" in body(response) and body(response).endswith("\n")


def test_texts_for_the_provider_never_name_a_customer(web):
    make_restore(
        "r-1",
        instance=make_instance(project=make_project("maps", project_id="p-1", customer="Shopwell")),
    )
    query = "format=provider&customer=Shopwell&project=maps&q=r-1"
    text = body(web.get(f"/restores.md?{query}"))
    assert "r-1" in text and "Shopwell" not in text and "maps" not in text


def test_the_customer_summary_counts_all_pages_and_mentions_filters(web):
    for number in range(13):
        make_restore(f"r-{number}", status="failed" if number % 2 else "succeed")
    text = body(web.get("/restores.md?format=customer&size=10&page=2"))
    assert "7 completed, 6 failed." in text
    assert "only some" not in text
    text = body(web.get("/restores.md?format=customer&status=failed"))
    assert "6 failed." in text and "completed," not in text
    assert "This covers only some of the restores in this time range." in text


@pytest.mark.parametrize("url", URLS[1:])
def test_an_unknown_format_is_refused(web, url):
    make_restore("r-1")
    response = web.get(url, {"format": "do\r\ncx"})
    assert response.status_code == 400
    assert body(response).startswith("format: do cx: must be one of markdown, jira")


def test_a_list_of_several_customers_is_not_counted_for_one_of_them(web):
    for name in ("Shopwell", "Raga Music"):
        project = make_project(f"p-{name}", customer=name)
        make_restore(instance=make_instance(f"cart-{name}", project=project))
    refused = web.get("/restores.md?format=customer")
    assert refused.status_code == 400
    assert body(refused) == (
        "format: customer: these restores belong to several customers; select one of them first\n"
    )
    assert "1 completed." in body(web.get("/restores.md?format=customer&customer=Shopwell"))
    assert "1 completed." in body(web.get("/restores.md?format=customer&q=Raga"))


def test_texts_are_in_the_time_zone_of_the_page_and_in_utc(web):
    make_restore("r-1", created_at=NOW)
    text = body(web.get("/restores.md?from=now-1h&tz=Asia/Kolkata"))
    assert "| Created (Kolkata time) |" in text
    assert "| [2026-11-23 22:29:00+05:30 (16:59:00 UTC)](" in text
    text = body(web.get("/restores/r-1.md?tz=Asia/Kolkata"))
    assert "- **Created:** 2026-11-23 22:29:00+05:30 (16:59:00 UTC)\n" in text
    assert web.get("/restores/r-1.md?tz=nowhere").status_code == 400


def test_a_customers_count_is_by_their_clock(web):
    project = make_project("in", customer="Raga Music", time_zone="Asia/Kolkata")
    make_restore("r-1", instance=make_instance(project=project))
    text = body(web.get("/restores.md?format=customer&from=2026-11-23T10:00:00Z"))
    assert text.startswith(
        "Restores of your instances created since 2026-11-23 15:30:00+05:30 (10:00:00 UTC)"
    )


def test_the_handover_names_what_the_next_shift_must_know(web):
    hour = timedelta(hours=1)
    stuck = make_restore("stuck", status="waiting", created_at=NOW - 2 * hour)
    make_restore("moving", status="restoring", progress=42, created_at=NOW - hour / 60)
    other = make_instance("other")
    for name, recovered_at in (("failing", None), ("back", NOW - hour), ("old", NOW - 30 * hour)):
        make_restore(
            name,
            instance=other,
            status="failed",
            error_code="dcs.08.0007",
            created_at=NOW - 40 * hour,
            ended_at=NOW - 39 * hour,
            recovered_at=recovered_at,
        )
    make_restore("fine", created_at=NOW - hour)

    text = body(web.get("/restores.md?format=handover&status=succeed"))

    blocks = text.split("\n\n")
    assert [block.split("\n")[0] for block in blocks[1:-1]] == [
        "Stuck (1)",
        "In progress (1)",
        "Unresolved (1)",
        "Recovered since 2026-11-23 04:59:00 UTC (1)",
    ]
    for block, name in zip(blocks[1:], ("stuck", "moving", "failing", "back"), strict=False):
        assert f"/restores/{name}/?asof=2026-11-23T16:59:00Z" in block
    assert f"- {stuck.instance} (Shopwell): Still queued after 2 h." in text
    assert "(dcs.08.0007). Failed 2026-11-22 01:59:00 UTC." in text
    assert "/old/" not in text and "/fine/" not in text


def test_an_empty_handover_claims_no_restores_only_if_it_is_certain(web):
    make_instance()
    assert "Stuck: none\n" in body(web.get("/restores.md?format=handover"))
    make_instance("new", complete_to=None)
    text = body(web.get("/restores.md?format=handover"))
    assert "Some data is missing" in text and "Stuck: none found so far\n" in text


def test_a_restore_has_no_handover(web):
    make_restore("r-1")
    assert web.get("/restores/r-1.md?format=handover").status_code == 400


@pytest.mark.parametrize("form", ["markdown", "customer", "provider"])
def test_the_list_as_text_takes_no_more_queries_with_more_rows(
    web, django_assert_max_num_queries, form
):
    for number in range(30):
        project = make_project(f"p-{number}", account=make_account(f"a-{number}"))
        make_restore(instance=make_instance(project=project), status="restoring")
    with django_assert_max_num_queries(15):
        body(web.get(f"/restores.md?format={form}"))


def test_a_restore_as_text_links_to_a_snapshot_from_now(web):
    make_restore("../x", status="failed")
    text = body(web.get("/restores/..~2Fx.md"))
    assert "/restores/..~2Fx/?asof=2026-11-23T16:59:00Z>" in text


def moved():
    """A restore that was restoring an hour ago and has failed since."""
    early = NOW - timedelta(hours=1)
    at = {"first_seen_at": early - timedelta(minutes=5), "moved_at": NOW - timedelta(minutes=10)}
    restore = make_restore(
        "r-1", status="failed", created_at=at["first_seen_at"], error_code="dcs.08.0007", **at
    )
    seen = ((at["first_seen_at"], "restoring", ""), (at["moved_at"], "failed", "dcs.08.0007"))
    for when, status, code in seen:
        make_observation(restore, when, status=status, error_code=code)
    return "2026-11-23T15:59:00Z"


def test_exports_of_a_snapshot_have_what_was_known_then(web):
    asof = moved()
    (row,) = table(web, f"?asof={asof}")
    assert (row["status"], row["error_code"], row["ended_at"]) == ("restoring", "", "")
    assert ids(web, f"?asof={asof}&status=restoring") == ["r-1"]
    assert ids(web, f"?asof={asof}&status=failed") == []
    text = body(web.get(f"/restores.md?asof={asof}"))
    assert "| Restoring |" in text and "Now: Failed dcs.08.0007" in text
    text = body(web.get(f"/restores/r-1.md?asof={asof}"))
    assert "**Restore of cart-prod: Restoring**" in text and "Now: Failed dcs.08.0007" in text
    assert text.endswith(f"/restores/r-1/?asof={asof}>\n")
    assert web.get("/restores/r-1.md?asof=x").status_code == 400


def test_of_restores_that_share_an_id_one_must_be_chosen(web):
    make_restore("r-1", instance=make_instance("a"))
    make_restore("r-1", instance=make_instance("b"))
    assert web.get("/restores/r-1.md").status_code == 300
    text = body(web.get("/restores/r-1.md?instance=id-of-b"))
    assert "(id-of-b)" in text and "instance=id-of-b&project=shop-prod&asof=" in text


def test_the_pages_link_to_every_export(web):
    make_restore("r-1")
    page = web.get("/restores/?from=now-24h").content.decode()
    for url in ("/restores.csv", "/restores.json", "/restores.md"):
        assert f'href="{url}?from=now-24h&amp;asof=2026-11-23T16:59:00Z"' in page
    assert "/restores.md?from=now-24h&amp;asof=2026-11-23T16:59:00Z&amp;format=jira" in page
    page = web.get("/restores/r-1/").content.decode()
    anchored = "asof=2026-11-23T16:59:00Z"
    assert f'href="/restores/r-1.md?{anchored}&amp;format=customer"' in page
    assert f'href="/restores/r-1.json?{anchored}"' in page


def test_the_time_range_form_offers_around_and_other_time_zones(web):
    make_project("cn", time_zone="Asia/Shanghai")
    page = web.get("/restores/?from=now/d&to=now/d").content.decode()
    assert 'name="around"' in page and 'value="2h"' in page
    same = "from=2026-11-23T00:00:00Z&amp;to=2026-11-24T00:00:00Z"
    assert f'href="/restores/?{same}&amp;tz=Asia/Shanghai&amp;asof=2026-11-23T16:59:00Z"' in page


def test_a_third_export_at_once_is_refused_until_one_has_ended(web):
    make_restore("r-1")
    running = [web.get("/restores.csv") for _ in range(2)]
    refused = web.get("/restores.csv")
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "30"
    assert body(refused).startswith("You already have 2 exports running.")
    assert Event.objects.count() == 2
    body(running[0])
    assert ids(web) == ["r-1"]


def test_exports_of_others_do_not_count(web):
    running = [web.get("/restores.csv") for _ in range(2)]
    other = Client()
    other.force_login(User.objects.create_superuser("other"))
    assert all(each.status_code == 200 for each in (*running, other.get("/restores.csv")))


def test_an_export_that_fails_or_is_not_read_to_its_end_stops_counting():
    def fail():
        raise RuntimeError

    for _ in range(5):
        with pytest.raises(RuntimeError):
            RunningExport(1, fail)
        export = RunningExport(1, lambda: (line for line in ("a", "b")))
        assert next(iter(export)) == "a"
        export.close()
        export.close()
    assert [RunningExport(1, lambda: (line for line in ())) for _ in range(2)]
    with pytest.raises(TooManyExports):
        RunningExport(1, fail)
