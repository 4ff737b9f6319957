"""Notices for operators lead to the section of docs/operations.md that says what to do."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from restores.models import Heartbeat
from restores.sync_errors import KINDS, describe_kind
from tests.factories import make_instance

ROOT = Path(__file__).parent.parent
DOCS = "https://git.example/dcs-restores/docs"


def operations():
    return (ROOT / "docs/operations.md").read_text()


def anchors():
    """The anchors of the headings, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.*)$", operations(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def test_every_section_that_a_notice_leads_to_exists():
    texts = [file.read_text() for file in (ROOT / "templates").rglob("*.html")]
    named = set(re.findall(r'operator_help "([^"]+)"', " ".join(texts)))
    assert len(named) >= 6 and named <= anchors()


def test_every_link_within_the_page_leads_to_a_section():
    linked = set(re.findall(r"\]\(#([^)]+)\)", operations()))
    assert linked <= anchors()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_sync_error_is_explained(kind):
    section = operations().partition("### Sync errors\n")[2].partition("\n## ")[0]
    assert f"| {describe_kind(kind).label} |" in section


def stopped(web):
    Heartbeat.objects.create(pk=1, at=timezone.now() - timedelta(hours=1))
    return web.get("/").content.decode()


def test_a_notice_links_to_its_section_where_docs_url_says_they_are(web, settings):
    settings.DOCS_URL = DOCS
    assert f'<a href="{DOCS}/operations.md#data-hasnt-been-updated">' in stopped(web)


def test_without_docs_url_there_is_no_link(web):
    assert "operations.md" not in stopped(web)


def test_problems_of_the_sync_and_of_the_database_link_too(web, settings):
    settings.DOCS_URL = DOCS
    make_instance(sync_error_kind="gone", sync_error_since=timezone.now())
    assert f'href="{DOCS}/operations.md#sync-errors"' in web.get("/sync-status/").content.decode()
    assert f'href="{DOCS}/operations.md#database-unavailable"' in render_to_string("503.html")
