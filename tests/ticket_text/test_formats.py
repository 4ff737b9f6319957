"""Foreign text stays text in every format."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.ticket_text import FORMATS, Document, Row, escapes, html

URL = "https://restores.example/restores/r-1/?asof=2026-11-23T16:59:00Z"
LETTERS = st.text(
    st.sampled_from("\\`*_{}[]()<>#+-.!|~$&@:;/?^=%'\"\r\n\t\0 ab1wWdDpPhq\u202e\u2066é漢")
)


def document(text):
    row = Row(url=URL, cells=("then", text, text))
    return Document(
        title=f"T {text}",
        url=URL,
        sentences=(f"S {text}",),
        facts=(("Remark", text),),
        heads=("a", "b", "c"),
        rows=(row,),
    )


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_foreign_text_adds_no_line_in_any_format(text):
    for write in FORMATS.values():
        assert write(document(text)).count("\n") == write(document("x")).count("\n")


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_markdown_without_its_backslashes_is_the_text_and_nothing_special_is_unescaped(text):
    marked = escapes.markdown(text)
    assert re.sub(r"\\(.)", r"\1", marked) == escapes.clean(text)
    bare = re.sub(r"\\.", "", marked)
    assert not re.search(r"[`*_\[\]<>|~$&@!#{}]|://", bare)
    assert not re.match(r"[-+=]|\d+[.)]", marked)


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_jira_unescaped_is_the_text_and_nothing_special_is_unescaped(text):
    marked = escapes.jira(text)
    assert unescape(re.sub(r"\\(.)", r"\1", marked)) == escapes.clean(text)
    bare = re.sub(r"\\.|&#\d+;|&amp;", "", marked)
    assert not re.search(r"[{}\[\]*_^~!|\\]|://", bare)
    assert not re.match(r"(h[1-6]|bq)\.", marked, re.IGNORECASE)


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_html_unescaped_is_the_text(text):
    marked = html(Document(title="", url="", sentences=(text,)))
    inner = marked.splitlines()[1].removeprefix("<p>").removesuffix("</p>")
    assert unescape(inner) == escapes.clean(text) and not re.search(r"[<>\"']", inner)


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\0", "\x1b", "\ud800"])
def test_marks_that_reverse_or_hide_text_are_removed(mark):
    for write in FORMATS.values():
        assert mark not in write(document(f"a{mark}b"))
