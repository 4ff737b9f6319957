"""The lookup: what is found for a reader, and why the rest is not."""

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.models import Backup, Instance, Membership
from tests.factories import (
    NOW,
    make_account,
    make_instance,
    make_project,
    make_restore,
    update_instances,
)

RESTORE = "0ad91043-4c33-4c0c-af93-c43f03fdb873"
OTHER = "77c1e0aa-90d1-4c1f-8d5f-0a4b1c7d2e9f"
INSTANCE = "e0dea2a1-233d-4104-8d12-b1248047b3b3"
BACKUP = "5d1c9f40-7b1e-4f0a-9c3d-1e2f3a4b5c6d"
PROJECT = "1089aa7332194fe1a2e862d8d31892f6"
UNKNOWN = "ffffffff-0000-4000-8000-000000000000"
KEYS = ["restores", "backups", "instances", "projects", "codes", "times", "not_found", "url"]
DULL = "\n" + "The cache is empty and nobody knows why. " * 6
# A second thing to be found: a single one would lead to its page.
LONG = f"{DULL} dcs.08.0001"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(web):
    """A project with a failed and a succeeded restore, a single-node instance, two backups."""
    project = make_project("kaiyo-live", project_id=PROJECT, customer="海洋ネット")
    instance = make_instance(
        "カート-本番-03", instance_id=INSTANCE, project=project, ip="10.20.0.15",
        domain="redis-e0dea2a1.dcs.eu-de.example",
    )  # fmt: skip
    make_instance("single", instance_id="i-single", project=project, single_node=True)
    make_restore(
        RESTORE,
        instance=instance,
        status="failed",
        error_code="dcs.08.0007",
        backup_id=BACKUP,
        backup_name="backup_20261122013000",
        search=f"{RESTORE} {BACKUP} backup_20261122013000 restore_20261123155900 dcs.08.0007",
        restore_name="restore_20261123155900",
    )
    make_restore(
        OTHER,
        instance=instance,
        created_at=NOW - timedelta(days=2),
        search=OTHER,
        restore_name="",
    )
    for number, backup_id in ((1, BACKUP), (2, "b-never")):
        Backup.objects.create(
            instance=instance, backup_id=backup_id, backup_name=f"nightly {number}",
            first_seen_at=NOW, changed_at=NOW,
        )  # fmt: skip
    return web


def look_up(client, text):
    response = client.post("/lookup.json", {"text": text})
    assert response.status_code == 200
    return response.json()


def texts(html):
    """The text of a page, on one line."""
    main = html.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def page(client, text):
    """The text of the page that a long text leads to."""
    response = client.post("/lookup/", {"text": text + LONG})
    assert response.status_code == 200, response.headers.get("Location")
    return texts(response.content.decode())


def test_json_has_a_row_for_everything_and_the_link_to_it(world, settings):
    text = f"{RESTORE} {BACKUP} {INSTANCE} {PROJECT} dcs.08.0007 {UNKNOWN} 2026-11-23 15:59 UTC"
    found = look_up(world, text)
    base = settings.BASE_URL
    link = found.pop("url")
    assert link.startswith(f"{base}/lookup/?q={RESTORE},") and UNKNOWN in link
    assert found == {
        "restores": [
            {
                "restore_id": RESTORE,
                "instance_id": INSTANCE,
                "status": "failed",
                "url": f"{base}/restores/{RESTORE}/",
            }
        ],
        "backups": [
            {
                "backup_id": BACKUP,
                "instance_id": INSTANCE,
                "restored": 1,
                "last_status": "failed",
                "url": f"{base}/restores/?ids={BACKUP}",
            }
        ],
        "instances": [
            {
                "instance_id": INSTANCE,
                "project": "kaiyo-live",
                "last_status": "failed",
                "restorable": True,
                "url": f"{base}/instances/{INSTANCE}/",
            }
        ],
        "projects": [
            {
                "project_id": PROJECT,
                "name": "kaiyo-live",
                "monitored": True,
                "url": f"{base}/sync-status/?project=kaiyo-live",
            }
        ],
        "codes": [{"code": "dcs.08.0007", "url": f"{base}/codes/dcs.08.0007/"}],
        "times": [
            {
                "text": "2026-11-23 15:59 UTC",
                "from": "2026-11-23T14:59:00Z",
                "to": found["times"][0]["to"],
                "zone": "UTC",
                "ambiguous": False,
            }
        ],
        "not_found": [UNKNOWN],
    }


def test_json_by_get_is_the_same_and_empty_without_a_text(world):
    found = world.get(f"/lookup.json?{urlencode({'q': RESTORE})}").json()
    assert list(found) == KEYS
    assert found == look_up(world, RESTORE)
    empty = world.get("/lookup.json").json()
    assert list(empty) == KEYS and not any(empty[key] for key in KEYS[:-1])
    assert world.get("/lookup.json?q=a&q=b").status_code == 400
    assert world.get("/lookup/?q=a&q=b").status_code == 400


# What was misleading or slow when people looked for the record of a ticket.


def test_an_id_broken_over_two_chat_lines_is_found(world):
    make_restore(f"{RESTORE[:14]}4000-8000-000000000000")  # its beginning alone could mean either
    text = f"[14:05] anna: restore {RESTORE[:14]}\n[14:05] anna: {RESTORE[14:]} failed"
    found = look_up(world, text)
    assert [one["restore_id"] for one in found["restores"]] == [RESTORE]
    assert found["not_found"] == []


@pytest.mark.parametrize("address", ["10.20.0.15:6379", "redis-e0dea2a1.dcs.eu-de.example:6379"])
def test_an_instance_is_found_by_host_and_port(world, address):
    found = look_up(world, f"ECONNREFUSED {address}")
    assert [one["instance_id"] for one in found["instances"]] == [INSTANCE]


def test_an_unknown_host_and_port_is_not_found_and_says_so(world):
    found = look_up(world, "ECONNREFUSED 10.99.0.1:6379 from 10.99.0.2:51342")
    assert found["not_found"] == ["10.99.0.1:6379"]
    assert "No instance that you can see has this address." in page(world, "10.99.0.1:6379")


def test_an_id_behind_a_quote_mark_is_found(world):
    assert look_up(world, f"> {RESTORE}")["restores"]
    assert look_up(world, f">> see {RESTORE[:20]}\n>> {RESTORE[20:]}")["restores"]


def test_a_list_longer_than_200_characters_is_not_cut(world):
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(12)]
    for one in ids:
        make_restore(one)
    for separator in (",", ";", " ", "\n", "\t", " / ", " | ", ", and "):
        found = look_up(world, separator.join(one.upper() for one in ids))
        assert [one["restore_id"] for one in found["restores"]] == ids
    assert page(world, "\n".join(ids)).startswith("Lookup 13 found 0 not found")


def test_a_single_node_instance_says_that_it_cannot_be_restored(world):
    found = look_up(world, "“single”")
    assert found["instances"][0]["restorable"] is False
    assert "Single-node, can’t be restored" in page(world, "“single”")


@pytest.mark.parametrize("spelled", [PROJECT, PROJECT.upper(), "“kaiyo-live”"])
def test_a_project_is_found_by_id_and_by_name_and_says_whether_it_is_monitored(world, spelled):
    assert [one["monitored"] for one in look_up(world, spelled)["projects"]] == [True]
    assert "Project kaiyo-live · Monitored" in page(world, spelled)


def test_a_backup_that_was_never_restored_is_found(world):
    found = look_up(world, "b-never")
    assert [(one["restored"], one["last_status"]) for one in found["backups"]] == [(0, None)]
    assert found["not_found"] == []
    assert "Backup of カート-本番-03 · Never restored" in page(world, "b-never")


def test_a_backup_says_how_often_it_was_restored_and_how_that_ended(world):
    assert "Restored once, last 23 Nov 15:59 UTC: failed · unresolved" in page(world, BACKUP)


@pytest.mark.parametrize("spelled", ["DCS.4097", "dcs.4097", "111400097"])
def test_a_refusal_is_found_by_its_code(world, spelled):
    assert [one["code"] for one in look_up(world, spelled)["codes"]] == ["DCS.4097"]
    assert world.get("/lookup/", {"q": spelled}).headers["Location"] == "/codes/DCS.4097/"
    assert world.get("/codes/DCS.4097/").status_code == 200
    assert "Refusal DCS.4097 · A restore of this instance is already running." in page(
        world, spelled
    )


def test_a_code_that_only_a_restore_has_is_found_and_another_is_not(world):
    make_restore("r-odd", status="failed", error_code="dcs.08.0099")
    found = look_up(world, "dcs.08.0099 and dcs.09.0001")
    assert [one["code"] for one in found["codes"]] == ["dcs.08.0099"]
    assert found["not_found"] == ["dcs.09.0001"]


def test_our_own_url_leads_to_what_it_names(world):
    url = f"https://restores.example/restores/{RESTORE}/?status=failed"
    assert [one["restore_id"] for one in look_up(world, url)["restores"]] == [RESTORE]
    response = world.get("/lookup/", {"q": f"https://restores.example/restores/{RESTORE}/"})
    assert response.headers["Location"] == f"/restores/{RESTORE}/"


@pytest.mark.parametrize(
    "spelled", [str.upper, "{{{}}}".format, "“{}”".format, lambda text: text.replace("-", "")]
)
def test_a_single_hit_redirects_to_its_page(world, spelled):
    # A mark at the end of an address is taken off first.
    chain = world.get("/lookup/", {"q": spelled(RESTORE)}, follow=True).redirect_chain
    assert chain[-1] == (f"/restores/{RESTORE}/", 302)
    response = world.post("/lookup/", {"text": spelled(RESTORE) + DULL})
    assert response.headers["Location"] == f"/restores/{RESTORE}/"


@pytest.mark.parametrize("text", ["cart timeout", "60%", "a“b", "Ünï"])
def test_a_short_text_without_anything_in_it_is_a_search(world, text):
    response = world.get("/lookup/", {"q": f" {text}"})
    url = urlsplit(response.headers["Location"])
    assert url.path == "/restores/" and parse_qs(url.query) == {"q": [text]}


def test_a_long_text_without_anything_in_it_says_nothing_about_restores(world):
    text = texts(world.post("/lookup/", {"text": DULL}).content.decode())
    assert "No ID, name, address, error code or time was recognized" in text
    assert "No restores" not in text


def test_a_short_text_is_part_of_the_address_and_a_long_one_is_not(world):
    response = world.post("/lookup/", {"text": f" {RESTORE} {OTHER}\n"})
    assert response.headers["Location"] == f"/lookup/?q={RESTORE}+{OTHER}"
    response = world.post("/lookup/", {"text": f"{RESTORE} {OTHER}{LONG}"})
    assert response.status_code == 200


def test_an_unknown_id_says_why(world):
    text = page(world, UNKNOWN)
    assert "1 found 1 not found" in text
    assert "it’s unknown, or in a project you don’t have access to" in text
    assert "Data is only complete up to 23 Nov 16:59 UTC" in text
    assert "Data complete up to 16:59 UTC" in text


def test_nothing_is_called_complete_before_the_first_sync(world):
    from restores.models import Instance

    update_instances(Instance.objects.all(), complete_to=None)
    assert "Not all data has been synced yet" in page(world, UNKNOWN)


def test_the_beginning_of_an_id_is_enough_if_only_one_has_it(world):
    assert [one["restore_id"] for one in look_up(world, f"{RESTORE[:13]}…")["restores"]] == [
        RESTORE
    ]
    assert [one["instance_id"] for one in look_up(world, INSTANCE[:8])["instances"]] == [INSTANCE]
    assert [one["project_id"] for one in look_up(world, PROJECT[:8])["projects"]] == [PROJECT]
    make_restore(f"{RESTORE[:13]}-4000-8000-000000000000")
    found = look_up(world, RESTORE[:13])
    assert found["restores"] == [] and found["not_found"] == [RESTORE[:13]]
    assert "2 IDs match this." in page(world, RESTORE[:13])


def test_an_id_is_found_whatever_its_case_and_form(world):
    make_restore("R-Odd_1", search="r-odd_1")
    for spelled in ("R-Odd_1", "r-odd_1", "R-ODD_1"):
        assert [one["restore_id"] for one in look_up(world, spelled)["restores"]] == ["R-Odd_1"]


def test_the_first_and_last_characters_of_an_id_are_enough(world):
    make_restore(f"{RESTORE[:8]}-4000-8000-0000-000000000000")
    found = look_up(world, f"{RESTORE[:8]}…{RESTORE[-4:]}")
    assert [one["restore_id"] for one in found["restores"]] == [RESTORE]


def test_names_of_instances_restores_and_backups_are_found_in_any_script(world):
    found = look_up(
        world, "restore_20261123155900 and backup_20261122013000 and restore_20260101000000"
    )
    assert [one["restore_id"] for one in found["restores"]] == [RESTORE]
    assert [one["backup_id"] for one in found["backups"]] == [BACKUP]
    assert found["not_found"] == ["restore_20260101000000"]
    for text in (
        "the instance カート-本番-03 is",
        "昨日からカート-本番-03が落ちています。",
        "「カート-本番-03」",
    ):
        assert [one["instance_id"] for one in look_up(world, text)["instances"]] == [INSTANCE]
    assert [one["backup_id"] for one in look_up(world, "“nightly 2”")["backups"]] == ["b-never"]


def test_ordinary_words_are_not_taken_for_names(world):
    make_instance("may", project=make_project("support"))
    found = look_up(world, "The support team may help.")
    assert found["instances"] == found["projects"] == found["not_found"] == []


def test_each_time_has_a_range_and_ambiguous_ones_have_each_meaning(world):
    found = look_up(world, "since 2026-11-23 15:59 UTC, or was it 3/4/26 08:00?")
    assert [(one["text"], one["ambiguous"]) for one in found["times"]] == [
        ("2026-11-23 15:59 UTC", False),
        ("3/4/26 08:00", True),
        ("3/4/26 08:00", True),
    ]
    text = page(world, f"{RESTORE} 2026-11-23 15:59 UTC, 3/4/26 08:00")
    assert "Which one?" in text
    assert "Suggested range 23 Nov, 14:59" in text and "Show 1 created then" in text


def test_the_suggested_range_is_for_the_instance_that_was_found(world):
    instance = Instance.objects.get(restores__restore_id=RESTORE)
    text = f"{instance.instance_id} 2026-11-23 15:59 UTC"
    html = world.get("/lookup/", {"q": text}).content.decode()
    assert "for the instance found" in html
    assert f"/restores/?instance={instance.instance_id}&amp;on=running&amp;from=" in html


def test_the_link_carries_everything_found_or_not(world):
    text = f"{RESTORE} {OTHER} {UNKNOWN} dcs.08.0007 “カート-本番-03” 10.99.0.1:6379"
    found = look_up(world, f"{text} 2026-11-23 15:59 UTC")
    again = world.get(found["url"].removeprefix("http://127.0.0.1:8000").replace("/?", ".json?"))
    for key in KEYS[:-1]:
        if key != "times":
            assert again.json()[key] == found[key]
    assert again.json()["url"] == found["url"]


def test_the_text_is_marked_and_stays_text(world):
    hostile = f"<script>alert(1)</script> {RESTORE} & {UNKNOWN} “<b>” {OTHER}"
    html = world.post("/lookup/", {"text": hostile + LONG}).content.decode()
    assert f'<mark class="found">{RESTORE}</mark>' in html
    assert f'<mark class="missing">{UNKNOWN}</mark>' in html
    assert "<script>alert" not in html and "<b>”" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark" in html


def test_a_short_text_keeps_its_punctuation(world):
    text = f"what about {RESTORE} and {OTHER}?"
    response = world.get("/lookup/", {"q": text})
    assert response.status_code == 200
    assert response.context["text"] == text


def test_rows_of_another_customer_say_so(world):
    make_restore("r-theirs", instance=make_instance("auth", project=make_project("nimbus-lab")))
    text = page(world, f"{RESTORE} “r-theirs”")
    assert text.count("another customer, not 海洋ネット: check before you reply") == 1


def test_an_id_tells_whose_ticket_it_is_before_a_name_of_several_customers(world):
    theirs = make_project("nimbus-lab", customer="Nimbus Lab")
    make_restore("r-theirs", instance=make_instance("カート-本番-03", project=theirs))
    text = page(world, "カート-本番-03 is down, see “r-theirs”")
    assert text.count("another customer, not Nimbus Lab: check before you reply") == 1
    assert "not 海洋ネット" not in text


def test_the_text_for_a_ticket_has_every_row(world):
    query = urlencode({"q": f"{RESTORE},{UNKNOWN}", "format": "plain"})
    response = world.get(f"/lookup.md?{query}")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = response.content.decode()
    assert text.startswith("Lookup: 1 found, 1 not found\n")
    assert RESTORE in text and f"Not found: {UNKNOWN}" in text and "Failed · unresolved" in text
    assert world.get("/lookup.md?q=x&format=odd").status_code == 400
    twice = world.get("/lookup.md?q=x&q=y")
    assert (twice.status_code, twice.content) == (400, b"q: can only be given once\n")
    html = world.post("/lookup/", {"text": f"{RESTORE} {OTHER}" + LONG}).content.decode()
    (url,) = re.findall(r'href="(/lookup\.md[^"]*)"', html)
    assert RESTORE in world.get(unescape(url)).content.decode()


# Access, limits and malformed input.


@pytest.fixture
def member(client, django_user_model):
    """A client that sees one of two projects."""
    mine = make_project("mine", account=make_account("a"), project_id="a" * 30 + "01")
    theirs = make_project("theirs", account=make_account("b"), project_id=PROJECT)
    make_restore(OTHER, instance=make_instance("cart-1", project=mine))
    hidden = make_instance("cart-2", instance_id=INSTANCE, project=theirs, ip="10.20.0.15")
    make_restore(
        RESTORE, instance=hidden, backup_id=BACKUP, error_code="dcs.77.0001",
        restore_name="restore_20261123155900", search=f"restore_20261123155900 {RESTORE}",
    )  # fmt: skip
    Backup.objects.create(instance=hidden, backup_id="b-theirs", first_seen_at=NOW, changed_at=NOW)
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=mine)
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("theirs", "unknown"),
    [
        (RESTORE, UNKNOWN),
        (INSTANCE, UNKNOWN),
        (BACKUP, UNKNOWN),
        (PROJECT, "f" * 31 + "0"),
        (f"{RESTORE[:13]}…", "fffffff0-0000…"),
        (f"{RESTORE[:8]}…{RESTORE[-4:]}", "fffffff0…0000"),
        ("restore_20261123155900", "restore_20261123155901"),
        ("10.20.0.15:6379", "10.20.0.16:6379"),
        ("dcs.77.0001", "dcs.77.0002"),
        ("“b-theirs”", "“b-nobody”"),
        ("“cart-2”", "“cart-9”"),
        ("cart-2", "cart-9"),
        ("“theirs”", "“others”"),
    ],
)
def test_what_is_in_a_project_without_access_looks_as_if_it_did_not_exist(member, theirs, unknown):
    answers = []
    for text in (theirs, unknown):
        found = json.dumps(look_up(member, f"{OTHER} {text}"), ensure_ascii=False)
        html = page(member, f"{OTHER} {text}")
        bare = text.strip("“”…")
        answers.append([one.replace(bare, "X").replace(quote(bare), "X") for one in (found, html)])
    assert answers[0] == answers[1]


def test_queries_do_not_grow_with_what_is_found(world):
    counts = []
    instance = make_instance("many", project=make_project("many-live"))
    for size in (3, 50):
        ids = [f"{number:08x}-{size:04x}-4000-8000-000000000000" for number in range(size)]
        for one in ids:
            make_restore(one, instance=instance, search=one, backup_id=f"b-{one}")
        parts = [*ids, *(f"b-{one}" for one in ids), f"{ids[0][:20]}…", "カート-本番-03が",
                 "dcs.08.0099", INSTANCE, PROJECT, "10.20.0.15:6379", "2026-11-23"]  # fmt: skip
        with CaptureQueriesContext(connection) as captured:
            page(world, " ".join(parts))
        counts.append(len(captured))
    assert counts[1] <= counts[0] <= 20


def test_a_paste_of_five_megabytes_is_answered_and_says_what_was_cut(world):
    text = f"{RESTORE}\n" + "x-1 is empty\n" * 400_000
    assert len(text) > 5_000_000
    response = world.post("/lookup/", {"text": text})
    assert len(response.content) < 200_000
    html = texts(response.content.decode())
    (cut,) = re.findall(r"Only the first 49,9\d\d of 5,200,037 characters were searched\.", html)
    found = world.post("/lookup.json", urlencode({"text": text}),
                       content_type="application/x-www-form-urlencoded").json()  # fmt: skip
    assert [one["restore_id"] for one in found["restores"]] == [RESTORE]
    assert found["cut"] == [cut]


def test_ten_thousand_ids_are_answered_and_say_how_many_were_looked_up(world):
    ids = [RESTORE, *(f"{number:08x}-0000-4000-8000-000000000000" for number in range(10_000))]
    html = page(world, "\n".join(ids))
    assert "1 found 199 not found" in html
    assert "The first 200 IDs were looked up, 1,151 more were not." in html


def test_a_form_beyond_sixteen_megabytes_is_refused(world):
    response = world.generic(
        "POST", "/lookup/", b"text=" + b"x" * 16_777_216, "application/x-www-form-urlencoded"
    )
    assert response.status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        bytes(range(256)).decode("latin-1") * 20,
        "\0" * 300,
        "\u202e" * 300 + RESTORE,
        "\ufffd" * 300,
        "“\0”" * 100,
        "𝟎" * 300,
        "e\u0301" * 300,
        "'; DROP TABLE restores_restore; --" * 10,
        "%" * 300,
        "_" * 300,
        "\\" * 300,
    ],
)
def test_no_text_causes_an_error(world, text):
    assert world.post("/lookup.json", {"text": text}).status_code == 200
    assert world.post("/lookup/", {"text": text}).status_code in (200, 302)
    assert world.get("/lookup/", {"q": text[:500]}).status_code in (200, 302)


FRAGMENTS = st.sampled_from(
    [RESTORE, RESTORE[:14], RESTORE[14:], RESTORE[:8], "…", "“", "”", "\n", "> ", "dcs.08.0007",
     "DCS.4097", "10.20.0.15:6379", "カート", "\0", "%", "\\", "restore_20261123155900",
     "2026-11-23 15:59"]
)  # fmt: skip


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(FRAGMENTS | st.text(st.characters(codec="utf-8"), max_size=5), max_size=25))
def test_whatever_is_pasted_has_an_answer(world, parts):
    text = "".join(parts)
    found = look_up(world, text)
    assert list(found) == KEYS
    assert world.post("/lookup/", {"text": text}).status_code in (200, 302)
    assert world.get(found["url"].removeprefix("http://127.0.0.1:8000")).status_code in (200, 302)


def test_the_text_is_neither_stored_nor_logged(world, caplog):
    from restores.models import Event

    page(world, f"my secret is 4711 {RESTORE} {OTHER}")
    look_up(world, f"my secret is 4711 {RESTORE}")
    assert "4711" not in caplog.text and not Event.objects.exists()
    assert "4711" not in json.dumps(dict(world.session))


def test_the_page_needs_a_token_and_the_json_does_not(root):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(root)
    assert strict.post("/lookup/", {"text": RESTORE}).status_code == 403
    assert strict.post("/lookup.json", {"text": RESTORE}).status_code == 200


def test_signed_out_json_is_a_401_whatever_the_method(client, db):
    assert client.post("/lookup.json", {"text": RESTORE}).status_code == 401
    assert client.get("/lookup.json").status_code == 401
    assert client.put("/lookup.json").status_code == 405


def test_the_search_box_is_on_every_page(world):
    for url in (
        "/",
        "/restores/",
        f"/restores/{RESTORE}/",
        "/instances/",
        "/sync-status/",
        "/lookup/",
    ):
        html = world.get(url).content.decode()
        assert 'placeholder="Search or paste a ticket"' in html
        assert 'method="post" action="/lookup/" enctype="multipart/form-data"' in html
