"""Foreign text stays text in every format."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypandoc import convert_text

from restores.ticket_text import FORMATS, Document, Row, escapes

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
        headers=("a", "b", "c"),
        rows=(row,),
    )


@given(LETTERS)
@settings(max_examples=300, deadline=None)
def test_foreign_text_adds_no_line_in_any_format(text):
    for write in FORMATS.values():
        assert write(document(text)).count("\n") == write(document("x")).count("\n")


def pandoc(text, syntax):
    """What a parser of the format reads: blocks as kind and text, with marks and links named."""
    return [_block(one) for one in json.loads(convert_text(text, "json", format=syntax))["blocks"]]


def _block(block):
    kind, content = block["t"], block.get("c")
    match kind:
        case "Para" | "Plain":
            return kind, _inline(content)
        case "BulletList":
            return kind, [_block(item[0])[1] for item in content]
        case "Table":
            head, bodies = content[3][1], [row for body in content[4] for row in body[3]]
            rows = [
                ["".join(_block(one)[1] for one in cell[4]) for cell in row[1]]
                for row in (*head, *bodies)
            ]
            return kind, rows
    return kind, content


def _inline(nodes):
    found = ""
    for node in nodes:
        match node["t"], node.get("c"):
            case "Str", text:
                found += text
            case "Space" | "SoftBreak", _:
                found += " "
            case "Link", (_, label, (url, _)):
                found += f"<{_inline(label)}: {url}>"
            case kind, content:
                found += f"<{kind}: {_inline(content) if isinstance(content, list) else content}>"
    return found


# Words of hostile marks: what renderers take for emphasis, links, lists, tables, HTML and code.
WORDS = (
    *("*b*", "**b**", "_i_", "__i__", "-x-", "+x+", "^x^", "~y~", "~~y~~", "??y??", "`c`"),
    *("a|b", "||h||", "|-|", "h1.", "bq.", "# x", "1. x", "1) x", "- x", "* x", "> x", "----"),
    *("{code}", "{{c}}", "{color:red}", "[x|http://a.example]", "[x](http://a.example)", "[^1]"),
    *("![x](y)", "!x.png!", "http://a.example", "www.a.example", "a@b.example", "@user", "#12"),
    *("<b>", "</td>", "<!--", "&amp;", "&#42;", "&copy;", "\\", "\\\\", "a\\*b", "$x$", "\\(x"),
    *(":)", ":D", ";)", "(y)", "(!)", "(/)", "(flag)", "(UTC)", "dcs.08.0007", "a-b_c", "夜間 é"),
    *("'", '"', "...", "--", "---", "=", "==", "%", "\u202e", "~", "|", "\0"),
)
HOSTILE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join) | LETTERS
SYNTAXES = {"markdown": "gfm", "jira": "jira", "html": "html"}


@pytest.mark.parametrize("name", SYNTAXES)
@given(texts=st.lists(HOSTILE.filter(escapes.clean), min_size=8, max_size=40))
@settings(max_examples=10, deadline=None)
def test_a_parser_of_the_format_reads_the_sentences_and_the_table_that_were_meant(name, texts):
    meant = list(map(escapes.clean, texts))
    written = Document(
        title="Title",
        url=URL,
        sentences=texts,
        facts=[("Remark", text) for text in texts],
        headers=("a", "b", "c"),
        rows=[Row(url=URL, cells=("then", text, "c")) for text in texts],
    )

    title, *sentences, facts, table, url = pandoc(FORMATS[name](written), SYNTAXES[name])

    assert title == ("Para", "<Strong: Title>")
    assert sentences == [("Para", text) for text in meant]
    assert facts == ("BulletList", [f"<Strong: Remark:> {text}" for text in meant])
    rows = [[f"<then: {URL}>", text, "c"] for text in meant]
    assert table == ("Table", [["a", "b", "c"], *rows])
    assert url == ("Para", f"<{URL}: {URL}>")


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\0", "\x1b", "\ud800"])
def test_marks_that_reverse_or_hide_text_are_removed(mark):
    for write in FORMATS.values():
        assert mark not in write(document(f"a{mark}b"))
