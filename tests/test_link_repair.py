"""URLs that ticket systems and mail programs have damaged lead to the intended page."""

import re
from itertools import cycle
from urllib.parse import quote, urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from restores.filters import ORDER
from restores.link_repair import repaired_path, repaired_query
from tests.factories import make_instance, make_project, make_restore

PUNCTUATION = [")", ",", ".", ">", '"', "'", ";", "!", "]", "}", ":", "`", "*", "|", "\\", "”", "»",
               ").", ">.", '">', "'),", "...", "?", " ", "\u00a0", "\u200b"]  # fmt: skip
PAGES = ["/restores/", "/instances/", "/sync-status/", "/restores/r-1/", "/instances/i-1/", "/"]
WANTED = "/restores/?project=shop&status=failed"


@pytest.fixture
def world(web):
    instance = make_instance("i-1", project=make_project("shop"))
    make_restore("r-1", instance=instance, status="failed")
    make_restore("r-2", instance=instance, status="succeed")
    return web


def arrival(web, url):
    """The address at which a browser arrives, and the page there."""
    page = web.get(url, follow=True)
    assert all(status == 302 for _, status in page.redirect_chain)
    request = page.request
    query = request["QUERY_STRING"]
    return request["PATH_INFO"] + (f"?{query}" if query else ""), page


@pytest.mark.parametrize("page", [page for page in PAGES if page != "/"] + ["/admin/"])
def test_h5_a_missing_slash_is_added(world, page):
    assert arrival(world, page.rstrip("/"))[0] == page


# Each of them after one of the pages, in turn.
@pytest.mark.parametrize(("added", "page"), list(zip(PUNCTUATION, cycle(PAGES), strict=False)))
def test_h5_punctuation_after_a_path_is_dropped(world, page, added):
    for damaged in (page + added, page.rstrip("/") + added):
        assert arrival(world, quote(damaged, safe="/"))[0] == page


@pytest.mark.parametrize("added", PUNCTUATION)
@pytest.mark.parametrize("path", ["/restores/", "/restores"])
def test_h5_punctuation_after_a_query_is_dropped(world, added, path):
    for text in {added.replace(" ", "+"), quote(added)}:
        url, page = arrival(world, f"{path}?project=shop&status=failed{text}")
        assert (url, page.status_code) == (WANTED, 200)
        assert arrival(world, f"/restores/?q=shop{text}")[0] == "/restores/?q=shop"
        assert arrival(world, f"/instances/i-1/?project=shop{text}")[0] == (
            "/instances/i-1/?project=shop"
        )


def test_h5_punctuation_that_belongs_to_a_name_is_kept(world):
    for name in ("ACME Inc.", "Shop (old)", 'The "shop"', "Shop!", "5'", "a>"):
        make_instance(project=make_project(f"of {name}", customer=name))
        for text in (quote(name), quote(name, safe=" .()!'").replace(" ", "+")):
            page = arrival(world, f"/restores/?customer={text}")[1]
            assert QueryDict(page.request["QUERY_STRING"])["customer"] == name
            assert not page.context["scope"].not_found
    for text in ("(a)", "[x]", '"a b"', "<b>", "a'b'"):
        assert QueryDict(arrival(world, f"/restores/?q={quote(text)}")[1].request[
            "QUERY_STRING"])["q"] == text  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "project=shop&amp;status=failed",
        "project=shop&amp;amp;status=failed",
        "project=shop&amp%3Bstatus=failed",
        "project=shop&AMP;status=failed",
        "project%3Dshop%26status%3Dfailed",
        "project%3dshop%26status%3dfailed",
        "project%3Dshop&status%3Dfailed",
        "project=shop&status%3Dfailed",
        "project=shop%26status=failed",
        "project=shop%26status%3Dfailed",
        "project=shop%26amp%3Bstatus=failed",
        "project%3Dshop%26amp%3Bstatus%3Dfailed",
        "project%253Dshop%2526status%253Dfailed",
        "project=shop%2526status%253Dfailed",
        "project=shop;status=failed",
        "project=shop\\u0026status=failed",
        "project=shop%5Cu0026status=failed",
        "project=shop&%2338;status=failed",
        "amp;project=shop&status=failed",
        "?project=shop&status=failed",
        "%3Fproject=shop&status=failed",
        "project=shop&status=3Dfailed",
        "project=shop&amp;status=failed).",
    ],
)
def test_h5_what_a_mail_program_encoded_is_decoded(world, query):
    assert arrival(world, f"/restores/?{query}")[0] == WANTED
    refused = world.get(f"/restores.json?{query}")
    assert refused.status_code == 400 and "errors" in refused.json()
    assert world.get(f"/restores.csv?{query}").status_code == 400


@pytest.mark.parametrize(
    ("damaged", "meant"),
    [
        ("/restores/r-1/&quot;", "/restores/r-1/"),
        ("/restores/r-1&gt;", "/restores/r-1/"),
        ("/restores/r-1/%20", "/restores/r-1/"),
        ("/restores/r-1/%0A", "/restores/r-1/"),
        ("/restores/r-1/|smart-link", "/restores/r-1/"),
        ("/restores/r-1/](http://x.example/restores/r-1/", "/restores/r-1/"),
        ("/restores/r-1/_", "/restores/r-1/"),
        ("/restores//r-1/", "/restores/r-1/"),
        ("/restores//", "/restores/"),
        ("/Restores/", "/restores/"),
        ("/SYNC-STATUS", "/sync-status/"),
    ],
)
def test_h5_marks_and_slashes_that_programs_added_to_a_path_are_dropped(world, damaged, meant):
    # Quoted once more, because what is encoded here reaches us encoded twice.
    assert arrival(world, quote(damaged, safe="/"))[0] == meant


def test_h5_slashes_at_the_beginning_lead_to_no_other_host():
    assert repaired_path("//restores//r-1/") == ("/restores/r-1/", "")
    assert repaired_path("//evil.example/") is None


def test_h5_a_question_mark_in_the_path_begins_the_query(world):
    assert arrival(world, "/restores/%3Fproject=shop%26status=failed")[0] == WANTED
    assert arrival(world, "/restores%3Fproject%3Dshop&status=failed")[0] == WANTED


def test_h5_an_endpoint_says_what_was_meant_and_never_redirects(world):
    for damaged in ("/restores.json)", "/restores.json/", "/restores/r-1.json.", "/restores.csv,"):
        response = world.get(damaged)
        assert response.status_code == 404
        assert f"Did you mean {damaged.rstrip('),./')}?" in response.content.decode()
    assert world.get("/restores.json?status=failed)").status_code == 400
    assert world.get("/restores.json?project=shop.").status_code == 400
    assert world.get("/restores.json?q=shop.").status_code == 200


def test_a_search_for_an_ampersand_is_not_changed(world):
    for text in ("a&b", "a&status=failed", "a&amp;b", "x=y", "%3D", "a%26status"):
        url = f"/restores/?q={quote(text)}"
        assert QueryDict(arrival(world, url)[1].request["QUERY_STRING"])["q"] == text


def test_a_page_that_was_requested_before_signing_in_keeps_its_query(client, db):
    response = client.get("/restores?project=shop&amp;status=failed", follow=True)
    assert response.context["next"] == WANTED


def test_only_get_and_head_are_redirected(world):
    assert world.head("/restores").status_code == 302
    for method in (world.post, world.put, world.delete):
        assert method("/restores").status_code == 404


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/", "/restores/unknown/", "/static/x.css",
                                  "/.", "/restores/unknown.json"])  # fmt: skip
def test_an_unknown_address_stays_unknown(world, path):
    response = world.get(path, follow=True)
    assert response.status_code == 404 or response.request["PATH_INFO"] == "/"


@given(
    st.lists(
        st.tuples(st.sampled_from(ORDER), st.text(st.characters(codec="utf-8"), max_size=12)),
        max_size=4,
    )
)
def test_links_that_we_write_are_never_changed(pairs):
    """Except for a value that looks like several parameters, or like quoted-printable."""
    query = urlencode(pairs, safe=":/,")
    odd = re.compile("&|%(?:25)*26|^3D")
    if not any(odd.search(value) and name != "q" for name, value in pairs):
        assert repaired_query(query) == query


@given(st.text(max_size=30))
def test_any_path_is_repaired_once_and_never_to_another_host(path):
    found = repaired_path(f"/{path}")
    assert found is None or repaired_path(found[0]) is None
    assert found is None or not found[0].startswith("//")


# In quadratic time, these would take minutes.
@pytest.mark.parametrize(
    "marks", ["_", "_.", "&quot;", "%20", "&#1", "](", "|smart-link", ");", "/"]
)
@pytest.mark.parametrize("end", ["", "x"])
def test_h5_an_address_of_marks_alone_is_read_at_once(marks, end):
    assert repaired_path("/nowhere/" + marks * 20_000 + end) is None
    repaired_query(marks * 10_000 + end)
