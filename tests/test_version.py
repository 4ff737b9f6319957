"""The version of the code: one constant, shown where operators look."""

import tomllib
from pathlib import Path

import dashboard
from tests.factories import make_project

ROOT = Path(__file__).parent.parent


def test_the_version_is_written_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    attribute = project["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "dashboard.__version__" and dashboard.__version__.count(".") == 2


def test_the_health_check_shows_the_version_and_needs_no_database(client, django_db_blocker):
    assert client.get("/healthz").content.decode() == f"ok\nversion: {dashboard.__version__}\n"


def test_the_health_check_needs_no_database_for_a_signed_in_browser_either(
    web, django_assert_num_queries
):
    with django_assert_num_queries(0):
        assert web.get("/healthz").status_code == 200


def test_every_page_shows_the_version_in_the_user_menu(web):
    for path in ("/", "/restores/", "/lookup/", "/time-zone/"):
        assert f"Version {dashboard.__version__}" in web.get(path, follow=True).content.decode()


def test_sync_status_shows_the_version(web):
    make_project()
    html = "".join(web.get("/sync-status/").content.decode().split())
    assert f"<dt>Version</dt><dd>{dashboard.__version__}</dd>" in html


def test_signed_out_pages_do_not_show_the_version(client, db):
    assert dashboard.__version__ not in client.get("/login/").content.decode()
