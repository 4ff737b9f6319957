"""A BASE_URL with a path: the dashboard shares its host with others.

A server with one is in tests/faults/test_configuration.py, C2.
"""

import re
from pathlib import Path

import pytest
from django.test.utils import override_script_prefix

from tests.factories import NOW, make_restore

ROOT = Path(__file__).parent.parent
PAGES = ["/", "/restores/", "/restores/r-1/", "/instances/", "/instances/i-1/", "/codes/",
         "/codes/dcs.08.0007/", "/sync-status/", "/reports/downtime/", "/lookup/?q=r-1",
         "/restores/?size=x", "/restores/?q=nothing", "/nowhere/",
         "/time-zone/", "/account/", "/account/tokens/"]  # fmt: skip


@pytest.fixture
def below_dcs(settings):
    """The settings of ``BASE_URL=https://host.example/dcs``."""
    settings.BASE_URL, settings.FORCE_SCRIPT_NAME = "https://host.example", "/dcs"
    settings.STATIC_URL = "/dcs/static/"
    settings.STATIC_ROOT = settings.STATIC_ROOT  # so that the storage reads STATIC_URL again
    with override_script_prefix("/dcs/"):
        yield


@pytest.fixture
def restore(below_dcs, db):
    restore = make_restore("r-1", status="failed", error_code="dcs.08.0007", created_at=NOW)
    restore.instance.instance_id = "i-1"
    restore.instance.save()
    return restore


def addresses(text):
    """Every address in a page that begins with a slash, or with the host's name."""
    named = r'(?:href|src|action|data-(?:live|permalink|copy-text|copy-href))="([^"]*)"'
    host = "https://host.example"
    found = [address.removeprefix(host) for address in re.findall(named, text)]
    found += re.findall(rf"{host}([^\s\"'<>)]*)", text)
    return {address for address in found if address.startswith("/")}


@pytest.mark.parametrize("path", PAGES)
def test_every_address_in_a_page_begins_with_the_path(restore, web, path):
    page = web.get(path, follow=True)
    found = addresses(page.content.decode())
    assert "/dcs/" in found and any(link.startswith("/dcs/static/") for link in found)
    assert not [link for link in found if not link.startswith("/dcs/") or "/dcs/dcs/" in link]


@pytest.mark.parametrize(
    "path", ["/restores.json?size=10", "/restores.md", "/restores/r-1.md", "/restores/r-1.json",
             "/restores.md?format=handover", "/lookup.md?q=r-1", "/codes/dcs.08.0007.json"]
)  # fmt: skip
def test_what_is_copied_leads_to_the_path(restore, web, path):
    found = addresses(web.get(path).content.decode())
    assert found and all(link.startswith("/dcs/") for link in found)


def test_redirects_stay_below_the_path(restore, client, django_user_model):
    django_user_model.objects.create_user("mia", password="a long secret")
    asked = client.get("/restores/?status=failed")
    assert asked.headers["Location"] == "/dcs/login/?next=/dcs/restores/%3Fstatus%3Dfailed"
    given = {"username": "mia", "password": "a long secret"}
    assert client.post("/login/", given).headers["Location"] == "/dcs/"
    canonical = client.get("/restores/?status=failed&size=50&tz=")
    assert canonical.headers["Location"].startswith("/dcs/restores/?")
    damaged = client.get("/restores/?status=failed&amp;code=any")
    assert damaged.headers["Location"].startswith("/dcs/restores/?")
    chosen = client.post("/time-zone/", {"zone": "Europe/Berlin", "next": "//evil.example"})
    assert chosen.headers["Location"] == "/dcs/"
    assert client.post("/logout/").headers["Location"] == "/dcs/login/"


def test_no_script_names_an_address_of_its_own():
    for file in (ROOT / "static").glob("*.js"):
        assert not re.findall(r"""[`"']/[a-z-]+[/.?][^`"']*""", file.read_text()), file.name
