"""IDs wherever they are given and shown: in filters, lists, exports and pages."""

import csv
import io
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine

from restores.models import Backup, Membership, Project
from tests.factories import NOW, make_instance, make_project, make_restore

RESTORE = "0ad91043-4c33-4c0c-af93-c43f03fdb873"
BACKUP = "b114e246-e18c-4aec-8d92-99437c198c30"
NEVER = "77c1e0aa-90d1-4c1f-8d5f-0a4b1c7d2e9f"
INSTANCE = "8a71f7f2-2ca9-4b37-b619-33e790733e1d"
PROJECT = "0f3a5b7c9d1e4f60a2b4c6d8e0f21436"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def make_backup(backup_id, instance, **given):
    values = {"created_at": NOW, "first_seen_at": NOW, "changed_at": NOW}
    return Backup.objects.create(backup_id=backup_id, instance=instance, **values | given)


@pytest.fixture
def world(web):
    """A restore, a restore of a known backup, one of a known instance, and two others."""
    make_project("other-prod", project_id="not-this-one")
    project = make_project("kaiyo-live", project_id=PROJECT, customer="Kaiyo")
    known = make_instance("cart-03", instance_id=INSTANCE, project=project)
    make_backup(BACKUP, make_instance("orders"))
    make_backup(NEVER, make_instance("orders"))
    make_restore(RESTORE, instance=make_instance("cart-prod"), status="failed")
    make_restore("of-backup", instance=make_instance("orders"), backup_id=BACKUP)
    make_restore("of-instance", instance=known)
    make_restore("unrelated-1", instance=make_instance("cart-prod"))
    make_restore("unrelated-2", instance=make_instance("orders"))
    return web


def listed(web, **query):
    """The ids of the restores that the JSON lists."""
    rows = web.get("/restores.json", query).json()["restores"]
    return sorted(row["restore_id"] for row in rows)


def words(web, url):
    response = web.get(url)
    if response.status_code == 302:
        # The client would follow it with its commas encoded, which is not canonical.
        response = web.get(response["Location"])
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


THREE = [RESTORE, "of-backup", "of-instance"]
SEPARATORS = [",", ", ", " ", ";", " ; ", "\n", "\r\n", "\t", ",\n"]


@pytest.mark.parametrize("separator", SEPARATORS, ids=repr)
def test_ids_of_restores_backups_and_instances_are_separated_as_in_a_ticket(world, separator):
    ids = separator.join([RESTORE, BACKUP, INSTANCE])
    assert listed(world, ids=ids) == sorted(THREE)
    canonical = world.get("/restores/", {"ids": ids})["Location"]
    assert canonical == f"/restores/?ids={RESTORE},{INSTANCE},{BACKUP}"


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        lambda one: one.replace("-", ""),
        lambda one: f"{{{one}}}",
        lambda one: f"“{one}”",
        lambda one: f"`{one.upper()}`",
    ],
)
def test_an_id_is_found_however_a_ticket_spells_it(world, spell):
    assert listed(world, ids=",".join(map(spell, [RESTORE, BACKUP, INSTANCE]))) == sorted(THREE)


def test_every_format_has_the_same_restores_for_the_same_ids(world):
    query = {"ids": f"{RESTORE.upper()} {BACKUP}\n{INSTANCE}"}
    rows = csv.DictReader(io.StringIO(world.get("/restores.csv", query).getvalue().decode()))
    assert sorted(row["restore_id"] for row in rows) == sorted(THREE)
    text = world.get("/restores.md", query).content.decode()
    html = words(world, f"/restores/?{urlencode(query)}")
    assert all(one in html and one in text for one in THREE)
    assert "unrelated" not in html and "unrelated" not in text
    facets = words(world, f"/facets/?{urlencode(query)}")
    assert 'value="cart-03"' in facets and "<b>1</b>" in facets


def test_a_hundred_ids_are_taken_and_one_more_is_refused(world):
    ids = [RESTORE, *(f"id-{number}" for number in range(99))]
    assert listed(world, ids=",".join(ids)) == [RESTORE]
    assert len(world.get("/restores.json", {"ids": ",".join(ids)}).json()["not_found"]) == 99
    refused = world.get("/restores.json", {"ids": ",".join([*ids, "id-99"])})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["reason"] == "has too many IDs (max. 100)"


def test_each_id_is_told_apart_and_those_not_found_are_named(world):
    ids = [RESTORE, BACKUP, NEVER, INSTANCE, "nowhere"]
    html = words(world, f"/restores/?ids={','.join(ids)}")
    assert "5 IDs: 1 not found" in html
    for one, text in zip(
        ids,
        (
            "– restore",
            "– backup, restored once",
            "– backup, never restored",
            "– instance <bdi>cart-03</bdi>",
            "– no access or not found",
        ),
        strict=True,
    ):
        assert f'<li> <bdi class="mono">{one}</bdi> {text}' in html
    found = world.get("/restores.json", {"ids": ",".join(ids)}).json()
    assert found["not_found"] == ["nowhere"]
    assert {one["id"]: (one["found"], one["restored"]) for one in found["ids"]} == {
        RESTORE: (["restore"], None),
        BACKUP: (["backup"], 1),
        NEVER: (["backup"], 0),
        INSTANCE: (["instance"], None),
        "nowhere": ([], None),
    }


def test_a_backup_that_was_never_restored_exists(world):
    html = words(world, f"/restores/?ids={NEVER}")
    assert "1 ID: all found" in html and "backup, never restored" in html
    assert "No access" not in html and "It doesn’t exist" not in html
    found = world.get("/restores.json", {"ids": NEVER}).json()
    assert (found["not_found"], found["restores"]) == ([], [])


def test_a_restore_that_another_filter_leaves_out_is_found_but_not_listed(world):
    html = words(world, f"/restores/?ids={RESTORE}&status=succeed")
    assert "– restore, not in this list: left out by the time range or a filter" in html
    query = {"ids": RESTORE, "to": "2020-01-01"}
    (one,) = world.get("/restores.json", query).json()["ids"]
    assert (one["found"], one["listed"]) == (["restore"], False)
    (one,) = world.get("/restores.json", {"ids": RESTORE}).json()["ids"]
    assert one["listed"] is True


def test_an_export_says_how_many_and_which_were_not_found(world):
    query = {"ids": f"{RESTORE},nowhere,neither", "project": "no-such-project"}
    assert world.get("/restores.csv", query)["X-Not-Found"] == "3"
    assert world.get("/restores.csv", {"ids": RESTORE})["X-Not-Found"] == "0"
    text = world.get("/restores.md", query).content.decode()
    assert "no access or not found: no-such-project, neither, nowhere" in text.replace("\\", "")


def test_an_id_of_another_project_is_like_one_that_does_not_exist(world, django_user_model):
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=Project.objects.get(name="kaiyo-live"))
    world.force_login(user)
    found = world.get("/restores.json", {"ids": f"{RESTORE},{BACKUP},{NEVER},{INSTANCE}"}).json()
    assert sorted(found["not_found"]) == sorted([RESTORE, BACKUP, NEVER])
    assert [row["restore_id"] for row in found["restores"]] == ["of-instance"]


@pytest.mark.parametrize("value", ["kaiyo-live", PROJECT, PROJECT.upper()])
def test_a_project_is_given_by_its_name_or_its_id(world, value):
    query = {"project": value}
    assert listed(world, **query) == ["of-instance"]
    found = world.get("/restores.json", query).json()
    assert (found["not_found"], found["renamed"]) == ([], {})
    rows = world.get("/restores.csv", query).getvalue().decode().splitlines()
    assert len(rows) == 2 and "of-instance" in rows[1]
    text = world.get("/restores.md", query).content.decode()
    assert "of-instance" in text and RESTORE not in text
    instances = world.get("/instances.json", query).json()
    assert [row["instance_name"] for row in instances["instances"]] == ["cart-03"]
    assert instances["not_found"] == []
    status = world.get("/sync-status.json", query).json()
    assert [row["instance_name"] for row in status["instances"]] == ["cart-03"]


def test_a_project_that_is_chosen_by_its_id_is_counted_in_its_facet(world):
    html = words(world, f"/facets/?project={PROJECT}")
    option = html[html.index(f'value="{PROJECT}"') :].partition("</label>")[0]
    assert "checked" in option
    assert "<bdi>kaiyo-live</bdi>" in option and "<b>1</b>" in option
    assert 'value="kaiyo-live"' not in html.partition("f-project-list")[0]


def test_a_project_id_of_another_project_is_not_found(world, django_user_model):
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=Project.objects.get(name="other-prod"))
    world.force_login(user)
    for url in ("/restores.json", "/instances.json", "/sync-status.json"):
        assert world.get(url, {"project": PROJECT}).json()["not_found"] == [PROJECT]


def test_one_of_several_restores_with_an_id_is_chosen_by_the_id_of_its_project(world):
    other = make_instance("cart-02", project=make_project("other-prod"))
    make_restore("of-instance", instance=other)
    assert len(world.get("/restores/of-instance.json").json()["restores"]) == 2
    found = world.get(f"/restores/of-instance.json?project={PROJECT}").json()
    assert found["project_id"] == PROJECT


@pytest.mark.parametrize("value", ["cart-03", INSTANCE, INSTANCE.upper(), f"{{{INSTANCE}}}"])
def test_an_instance_is_given_by_its_name_or_its_id(world, value):
    assert listed(world, instance=value) == ["of-instance"]


@pytest.mark.parametrize("stored", [NEVER.upper(), "DCS-Odd_1"])
def test_the_id_of_an_instance_is_found_whatever_its_case(world, stored):
    make_restore("of-odd", instance=make_instance("odd", instance_id=stored))
    for value in (stored, stored.lower(), stored.upper()):
        assert listed(world, instance=value) == ["of-odd"]


@pytest.mark.parametrize(
    "page", [f"/instances/{INSTANCE}/", "/restores/of-instance/", "/sync-status/"]
)
def test_the_id_of_a_project_can_be_copied_from_the_pages_that_name_it(world, page):
    html = words(world, page)
    element = html.partition(f">{PROJECT}</bdi>")[0].rpartition('id="')[2].rstrip('"')
    assert f'data-copy="{element}" aria-label="Copy project ID"' in html


def test_the_json_of_an_instance_has_the_id_of_its_project(world):
    assert world.get(f"/instances/{INSTANCE}.json").json()["project_id"] == PROJECT


def test_ids_of_a_restore_can_be_copied_from_its_page(world):
    html = words(world, "/restores/of-backup/")
    for what, value in (("restore", "of-backup"), ("backup", BACKUP), ("instance", "id-of-orders")):
        assert f'id="{what}-id">{value}</bdi>' in html
        assert f'data-copy="{what}-id" aria-label="Copy {what} ID"' in html


def test_the_id_of_a_restore_is_a_column_to_choose(world):
    assert (
        "Restore ID"
        not in words(world, "/restores/").partition("<tbody")[0].rpartition("<thead")[2]
    )
    html = words(world, "/restores/?cols=created,id")
    assert f"<bdi>{RESTORE}</bdi>" in html


def test_backups_are_listed_with_their_ids_and_how_often_they_were_restored(world):
    orders = make_instance("orders")
    make_restore("again", instance=make_instance("cart-prod"), backup_id=BACKUP)
    html = words(world, f"/instances/{orders.instance_id}/")
    for backup_id in (BACKUP, NEVER):
        assert f">{backup_id}</bdi>" in html
    assert html.count('aria-label="Copy backup ID"') == 2
    link = f"/restores/?ids={BACKUP}&amp;asof=2026-11-23T16:59:00Z"
    assert f'<a href="{link}"> restored 2 times </a>' in html
    assert html.count("never restored") == 1
    assert listed(world, ids=BACKUP) == ["again", "of-backup"]
    found = world.get(f"/instances/{orders.instance_id}.json").json()["backups"]
    assert {row["backup_id"]: row["restored"] for row in found} == {BACKUP: 2, NEVER: 0}


def test_restores_that_a_user_may_not_see_are_not_counted(world, django_user_model):
    hidden = make_instance("hidden", project=make_project("other-prod"))
    make_restore("hidden", instance=hidden, backup_id=BACKUP)
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=make_project())
    world.force_login(user)
    html = words(world, "/instances/id-of-orders/")
    assert "restored once" in html and "restored 2 times" not in html


def test_many_backups_are_cut_with_their_number(world):
    orders = make_instance("orders")
    for number in range(60):
        make_backup(f"b-{number}", orders, created_at=NOW - timedelta(days=number))
    html = words(world, f"/instances/{orders.instance_id}/")
    assert "The newest 50 of 62." in html
    assert html.count('aria-label="Copy backup ID"') == 50
