"""Texts for tickets: what they say, and that foreign text stays text in every format."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores import ticket_text
from restores.explain.summary import Facts
from restores.ticket_text import Case, Line, Listed, Note, Row, escapes

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
ENDED = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
URL = "https://restores.example/restores/r-1/?asof=2026-11-23T16:59:00Z"
CASE = Case(
    facts=Facts(
        status="failed",
        now=NOW,
        created=ENDED - timedelta(minutes=11, seconds=40),
        ended=ENDED,
        progress=63,
        code="dcs.08.0007",
    ),
    url=URL,
    restore_id="r-1",
    restore_name="restore_cart",
    remark="a | b <b>*bold*</b>",
    instance="cart-prod",
    instance_id="i-1",
    project="shop-prod",
    project_id="p-1",
    region="eu-de",
    customer="Shopwell",
    backup_id="b-1",
    zone="Europe/Berlin",
    recorded_at=NOW,
    status="Failed",
)
LINE = Line(
    url=URL,
    restore_id="r-1",
    created="2026-11-23 15:26:01",
    value="failed",
    status="Failed",
    instance="cart|prod",
    instance_id="i-1",
    project_id="p-1",
    region="eu-de",
    customer="Shopwell",
    outcome="Data sync failed, data may be partial",
    code="dcs.08.0007",
    took="11:40",
    since="Still failed",
)
LISTED = Listed(
    url="https://restores.example/restores/?asof=2026-11-23T16:59:00Z",
    on="created",
    window="since 2026-11-22 16:59:00 UTC",
    asked="status failed",
    complete="16:59:00 UTC on 23 Nov 2026",
    total="1",
    first=1,
    lines=(LINE,),
)
LETTERS = st.text(
    st.sampled_from("\\`*_{}[]()<>#+-.!|~$&@:;/?^=%'\"\r\n\t\0 ab1wWdDpPhq\u202e\u2066é漢")
)


def test_a_restore_as_markdown():
    assert ticket_text.markdown(ticket_text.case_note(CASE)) == (
        "**Restore of cart-prod: Failed**\n\n"
        "Failed after 11 min 40 s, at 15:37:41 UTC on 23 Nov 2026, while data was being "
        "synchronised (dcs.08.0007). It stopped at 63 %. No later restore of this instance has "
        "succeeded.\n\n"
        "- **Customer:** Shopwell\n"
        "- **Instance:** cart-prod (i-1)\n"
        "- **Project:** shop-prod (eu-de)\n"
        "- **Restore:** restore\\_cart (r-1)\n"
        "- **Backup:** b-1\n"
        "- **Remark:** a \\| b \\<b\\>\\*bold\\*\\</b\\>\n"
        "- **Error code:** dcs.08.0007, synchronising data failed during the restore\n"
        "- **Window:** 2026-11-23 15:26:01 UTC → 2026-11-23 15:37:41 UTC (11 min 40 s)\n"
        "- **Complete to:** 2026-11-23 16:59:00 UTC\n\n"
        f"<{URL}>\n"
    )


def test_a_restore_as_jira():
    text = ticket_text.jira(ticket_text.case_note(CASE))
    assert text.startswith("*Restore of cart-prod: Failed*\n\nFailed after 11 min 40 s")
    assert "\n* *Remark:* a \\| b <b>\\*bold\\*</b>\n" in text
    assert text.endswith(f"\n\n[{URL}]\n")


def test_a_restore_as_html():
    text = ticket_text.html(ticket_text.case_note(CASE))
    assert "<li><strong>Remark:</strong> a | b &lt;b&gt;*bold*&lt;/b&gt;</li>" in text
    assert text.endswith(f'<p><a href="{URL}">{URL}</a></p>\n')


def test_a_restore_for_its_customer_names_nothing_of_ours():
    text = ticket_text.customer_text(CASE)
    assert text == (
        "The restore of your instance cart-prod did not complete. It stopped at 15:37:41 UTC "
        "(16:37:41 your time). We are checking the data and will contact you before any further "
        "restore.\n"
        "Window: 2026-11-23 15:26:01 UTC → 2026-11-23 15:37:41 UTC (11 min 40 s)\n"
        "Complete to: 2026-11-23 16:59:00 UTC\n"
    )
    for inner in ("r-1", "i-1", "p-1", "shop-prod", "dcs.08", "https://", "Shopwell"):
        assert inner not in text


def test_a_restore_for_the_provider_has_every_id_and_no_customer():
    text = ticket_text.escalation(CASE)
    for needed in ("r-1", "i-1", "p-1", "b-1", "eu-de", "dcs.08.0007", "63 %", "failed", URL):
        assert needed in text
    assert "Shopwell" not in text and "cart" not in text


def test_an_unfinished_restore_says_that_it_has_not_ended():
    running = replace(
        CASE, facts=Facts(status="restoring", now=NOW, created=ENDED), recorded_at=None
    )
    text = ticket_text.plain(ticket_text.case_note(running))
    assert "Window: 2026-11-23 15:37:41 UTC → not ended, as far as is known" in text
    assert "Complete to: not known" in text


def test_a_list_as_markdown():
    assert ticket_text.markdown(ticket_text.list_note(LISTED)) == (
        "**Restores created since 2026-11-22 16:59:00 UTC; complete to 16:59:00 UTC on "
        "23 Nov 2026**\n\n"
        "- **Window:** created since 2026-11-22 16:59:00 UTC\n"
        "- **Filters:** status failed\n"
        "- **Complete to:** 16:59:00 UTC on 23 Nov 2026\n"
        "- **Shown:** 1–1 of 1\n\n"
        "| Created (UTC) | Status | Instance | Customer "
        "| Progress or reason | Took | Since then |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"| [2026-11-23 15:26:01]({URL}) | Failed | cart\\|prod | Shopwell "
        "| Data sync failed, data may be partial (dcs.08.0007) | 11:40 | Still failed |\n\n"
        "<https://restores.example/restores/?asof=2026-11-23T16:59:00Z>\n"
    )


def test_a_list_as_jira_keeps_its_empty_cells():
    text = ticket_text.jira(ticket_text.list_note(replace(LISTED, lines=(replace(LINE, took=""),))))
    assert "\n||Created \\(UTC\\)||Status||" in text
    row = next(
        line for line in text.splitlines() if line.startswith(f"| [2026-11-23 15:26:01|{URL}")
    )
    assert "| cart\\|prod | Shopwell |" in row and "|   | Still failed |" in row


def test_a_list_in_every_text_names_window_and_proof():
    texts = [write(ticket_text.list_note(LISTED)) for write in ticket_text.FORMATS.values()]
    for text in (*texts, ticket_text.customer_summary(LISTED), ticket_text.list_escalation(LISTED)):
        assert "2026-11-22 16:59:00 UTC" in text.replace("\\", "")
        assert "16:59:00 UTC on 23 Nov 2026" in text.replace("\\", "")


def test_a_list_for_a_customer_counts_and_names_nobody():
    counts = {"succeed": 1_200, "failed": 1, "waiting": 2, "restoring": 1}
    told = ticket_text.customer_summary(replace(LISTED, counts=counts))
    assert told.startswith(
        "Restores created since 2026-11-22 16:59:00 UTC: "
        "1,200 completed, 1 did not complete, 3 not ended yet."
    )
    for inner in ("cart", "r-1", "Shopwell", "https://", "status failed"):
        assert inner not in told


def test_a_list_for_the_provider_has_ids_and_no_customer():
    text = ticket_text.list_escalation(LISTED)
    assert "2026-11-23 15:26:01 · r-1 · i-1 · p-1 · eu-de · failed · dcs.08.0007" in text
    assert "Shopwell" not in text and "status failed" not in text


def noted(text):
    row = Row(url=URL, cells=("then", text, text))
    return Note(
        title=f"T {text}",
        url=URL,
        sentences=(f"S {text}",),
        facts=(("Remark", text),),
        heads=("a", "b", "c"),
        rows=(row,),
    )


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_foreign_text_adds_no_line_to_any_format(text):
    for write in ticket_text.FORMATS.values():
        assert write(noted(text)).count("\n") == write(noted("x")).count("\n")


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_markdown_without_its_backslashes_is_the_text_and_nothing_special_stands_bare(text):
    marked = escapes.markdown(text)
    assert re.sub(r"\\(.)", r"\1", marked) == escapes.tidy(text)
    bare = re.sub(r"\\.", "", marked)
    assert not re.search(r"[`*_\[\]<>|~$&@!#{}]|://", bare)
    assert not re.match(r"[-+=]|\d+[.)]", marked)


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_jira_unescaped_is_the_text_and_nothing_special_stands_bare(text):
    marked = escapes.jira(text)
    assert unescape(re.sub(r"\\(.)", r"\1", marked)) == escapes.tidy(text)
    bare = re.sub(r"\\.|&#\d+;|&amp;", "", marked)
    assert not re.search(r"[{}\[\]*_^~!|\\]|://", bare)
    assert not re.match(r"(h[1-6]|bq)\.", marked, re.IGNORECASE)


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_html_unescaped_is_the_text(text):
    marked = ticket_text.html(Note(title="", url="", sentences=(text,)))
    inner = marked.splitlines()[1].removeprefix("<p>").removesuffix("</p>")
    assert unescape(inner) == escapes.tidy(text) and not re.search(r"[<>\"']", inner)


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\0", "\x1b", "\ud800"])
def test_what_turns_or_hides_text_is_left_out(mark):
    for write in ticket_text.FORMATS.values():
        assert mark not in write(noted(f"a{mark}b"))


def test_the_texts_need_no_more_of_the_house_than_its_insight():
    for file in Path(ticket_text.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                ours = node.module.split(".")[0] in ("restores", "django", "dashboard")
                assert not ours or node.module.startswith("restores.explain"), f"{file}"
