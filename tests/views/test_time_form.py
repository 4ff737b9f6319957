"""The time range form: it keeps what was chosen, and asks about what it can't be sure of."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine

from tests.factories import NOW, make_restore

URL = "/restores/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def form_of(response):
    """What the time range form sends if nothing is changed: names and values."""
    html = response.content.decode()
    [form] = [each for each in re.findall(r"<form.*?</form>", html, re.S) if 'id="around"' in each]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        field = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if field.get("type") != "radio" or re.search(r"\schecked", tag):
            sent[field["name"]] = field.get("value", "")
    return {name: value for name, value in sent.items() if value}


def note_of(response):
    html = response.content.decode()
    [note] = re.findall(r'<div class="note bad".*?</div>', html, re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", note))), re.findall(
        r'href="([^"]+)"', note
    )


CHOSEN = {"on": "running", "status": "failed", "tz": "Asia/Tokyo", "size": "100"}


def test_around_a_time_keeps_everything_else_that_was_chosen(web):
    page = web.get(URL, CHOSEN)
    page = web.get(page.headers["Location"]) if page.status_code == 302 else page
    response = web.get(URL, form_of(page) | {"around": "22.11. 14.05 Uhr", "win": "2h"})
    assert response.headers["Location"] == (
        "/restores/?status=failed&on=running&from=2026-11-22T03:05:00Z"
        "&to=2026-11-22T07:05:00Z&tz=Asia/Tokyo&size=100"
    )


@pytest.mark.parametrize("raw", ["04/05/2026 14:05", "nonsense", "24.11. 25.61 Uhr"])
def test_after_a_time_that_was_not_understood_everything_chosen_is_still_there(web, raw):
    asof = "2026-11-23T10:00:00Z"
    sent = {**CHOSEN, "asof": asof, "around": raw, "win": "2h"}
    response = web.get(URL, sent)
    assert response.status_code == 400
    assert form_of(response) == sent
    _, links = note_of(response)
    for link in links:
        target = unescape(web.get(unescape(link)).headers["Location"])
        assert "on=running" in target and "status=failed" in target and "tz=Asia/Tokyo" in target
        assert f"asof={asof}" in target


def test_a_restore_that_was_running_at_a_time_is_found_by_it(web):
    make_restore("r-1", created_at=NOW.replace(hour=14, minute=3), status="restoring")
    query = {"on": "running", "around": "23.11. 14:30", "win": "30m"}
    location = web.get(URL, query).headers["Location"]
    assert 'href="/restores/r-1/' in web.get(location).content.decode()


def test_the_fields_come_back_in_the_chosen_zone(web):
    response = web.get(URL, {"from": "22.11. 15.00 Uhr", "to": "22 Nov", "tz": "Berlin"})
    location = response.headers["Location"]
    assert location == (
        "/restores/?from=2026-11-22T14:00:00Z&to=2026-11-22T23:00:00Z&tz=Europe/Berlin"
    )
    sent = form_of(web.get(location))
    assert (sent["from"], sent["to"], sent["tz"]) == (
        "22 Nov 2026 15:00",
        "22 Nov 2026",
        "Europe/Berlin",
    )
    assert web.get(URL, sent).headers["Location"] == location


def test_a_time_with_several_meanings_is_one_sentence_with_a_link_for_each(web):
    note, links = note_of(web.get(URL, {"from": "04/05/2026 09:00", "tz": "Asia/Tokyo"}))
    assert "From “ 04/05/2026 09:00 ” is ambiguous. Use 4 May 2026, 09:00 or" in note
    assert note.count("ambiguous") == 1 and len(links) == 2
    times = [unescape(web.get(unescape(link)).headers["Location"]) for link in links]
    assert times == [
        "/restores/?from=2026-05-04T00:00:00Z&tz=Asia/Tokyo",
        "/restores/?from=2026-04-05T00:00:00Z&tz=Asia/Tokyo",
    ]


@pytest.mark.parametrize("raw", ["gestern", "22 Nov", "2026-11-22", "now-1d/d"])
def test_there_is_no_around_a_day_but_the_day_itself_is_offered(web, raw):
    note, [link] = note_of(web.get(URL, {"around": raw, "win": "2h", "on": "running"}))
    assert f"Around a time “ {raw} ” needs a time of day. Use all of it ." in note
    response = web.get(unescape(link))
    location = response.headers.get("Location", unescape(link))
    assert location in (
        "/restores/?on=running&from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z",
        "/restores/?on=running&from=now-1d/d&to=now-1d/d",
    )


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"to": "yesterdy"}, "To “ yesterdy ” isn’t a valid date or time. Try"),
        ({"to": "yesterdy"}, "Use yesterday ."),
        ({"tz": "Toyko"}, "Time zone “ Toyko ” is an unknown time zone. Try a city"),
        ({"tz": "Toyko"}, "Use Asia/Tokyo ."),
        ({"tz": "IST"}, "Use Kolkata (UTC+5:30) or Jerusalem (UTC+2) or Dublin (UTC+0) ."),
        ({"around": "sun"}, "Around a time “ sun ” isn’t a valid date or time."),
        (
            {"around": "22 Nov 14:05", "from": "now-1h"},
            "can’t be combined with “From” and “To”. "
            "Use only “Around a time” or only “From” and “To” .",
        ),
        ({"win": "1d"}, "needs a time in “Around a time”"),
        ({"on": "begun"}, "Match by “ begun ” must be one of"),
    ],
)
def test_messages_use_the_words_of_the_form(web, query, said):
    response = web.get(URL, query)
    assert response.status_code == 400
    assert said in note_of(response)[0]


def test_each_of_several_errors_is_asked_about_none_is_dropped(web):
    query = {"from": "04/05/2026", "to": "06/05/2026", "size": "5", "recovered": "maybe"}
    for _ in range(3):
        response = web.get(URL, query)
        assert response.status_code == 400
        _, links = note_of(response)
        query = dict(parse_qsl(urlsplit(unescape(links[0])).query))
    assert query == {
        "recovered": "maybe",
        "from": "2026-05-04",
        "to": "2026-05-06",
        "size": "10",
    }


def test_the_filter_form_keeps_a_time_that_is_not_understood_yet(web):
    html = web.get(URL, {"around": "04/05/2026 14:05", "win": "2h"}).content.decode()
    [form] = [
        each for each in re.findall(r"<form.*?</form>", html, re.S) if 'name="status"' in each
    ]
    assert '<input type="hidden" name="around" value="04/05/2026 14:05">' in form
    assert '<input type="hidden" name="win" value="2h">' in form


def test_what_was_written_clearly_is_no_error_next_to_one(web):
    response = web.get(URL, {"from": "gestern 14 Uhr", "to": "nonsense"})
    note, _ = note_of(response)
    assert "nonsense" in note and "gestern" not in note
    assert form_of(response)["from"] == "gestern 14 Uhr"


def test_scripts_are_told_every_meaning(web):
    errors = web.get("/restores.json", {"from": "04/05/2026"}).json()["errors"]
    assert [error["param"] for error in errors] == ["from", "from"]
    assert {error["reason"] for error in errors} == {
        "is ambiguous. It could mean 4 May 2026 or 5 Apr 2026"
    }
