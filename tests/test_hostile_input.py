"""Hostile text stays text wherever it is printed; hostile URLs never break a page."""

import csv
import io
import json
import random
import re
import time
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import quote, quote_plus, urlencode

import pytest
import time_machine
from django.http import QueryDict
from django.urls import reverse

from restores.dcs.records import storable
from restores.filters import ORDER, ListParams
from restores.models import Instance, Restore
from restores.ticket_text import FORMATS, Document, Row, escapes
from tests.factories import NOW, make_project, make_restore

FAMILIES = {
    "script": ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><b>", "<!--",
               "\"><svg/onload=alert(1)>", "' onmouseover='alert(1)", "</td></tr></table>",
               "javascript:alert(1)", "{{7*7}}", "{% debug %}", "&lt;b&gt;", "]]>", "<a href=//x>"],
    "formula": ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"//x\",\"y\")", "\t=1", "\r=1", "＝1",
                "=cmd|' /C calc'!A0", "\"=1", ",=1", "\n=1"],
    "markdown": ["*b*", "_i_", "`c`", "# h", "- item", "1. one", "[l](//x)", "![i](//x)", "|a|b|",
                 "> q", "<//x>", "~~s~~", "***", "http://x.example", "www.x.example", "\\*",
                 "@all"],
    "jira": ["{code}", "{noformat}", "[l|//x]", "[~admin]", "!i.png!", "||h||", "h1. t", "bq. q",
             "{color:red}", "----", "{quote}", "\\\\", ":)", "(/)", "^s^", "??c??", "{panel}"],
    "direction": ["\u202eevil", "\u2066a\u2069", "\u200f", "a\u202db\u202c", "عربي", "\u061c"],
    "nothing": ["\0", "a\0b", "\u200b", "\ufeff", "\u2060", "\u00ad", "\x1b[31m", "\x7f", "\x85"],
    "surrogate": ["\ud800", "a\udfffb", "\udc00\ud800", "😀", "e\u0301" * 20, "ﷺ", "𝕏"],
    "like": ["%", "_", "\\", "a%b", "' OR 1=1 --", "\";DROP TABLE x;", "%00", "[a-z]", "\\%"],
    "lines": ["a\r\nb", "a\nSet-Cookie: x", "a\rb", "\u2028", "\u2029", "a\x0bb", "a\x0cb", "\n\n"],
}  # fmt: skip
TEMPLATES = ["{}", "cart {} prod", "{0}{0}", "{}" + "x" * 120]
CORPUS = [template.replace("{0}", "{}").replace("{}", text) for texts in FAMILIES.values()
          for text in texts for template in TEMPLATES]  # fmt: skip
VOID_ELEMENTS = {"br", "hr", "img", "input", "link", "meta", "use", "path", "col", "option", "rect"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(web):
    """A restore for each text, which is its name, its remark and the name of its instance."""
    texts, project = [storable(text) for text in CORPUS], make_project()
    instances = Instance.objects.bulk_create(
        Instance(project=project, instance_id=f"i-{number}", name=text[:200], complete_to=NOW)
        for number, text in enumerate(texts)
    )
    Restore.objects.bulk_create(
        Restore(
            instance=instances[number],
            project=project,
            restore_id=f"r-{number}",
            restore_name=text,
            restore_remark=text,
            backup_name=text,
            status="failed",
            error_code=text[:100],
            created_at=NOW - timedelta(minutes=number),
            first_seen_at=NOW,
            changed_at=NOW,
        )
        for number, text in enumerate(texts)
    )
    return web


class ParsedPage(HTMLParser):
    """A page as a browser parses it: elements with their attributes' names, texts and values."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.values, self.open = set(), [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add((tag, *sorted(name for name, _ in attrs)))
        self.values += [value for _, value in attrs if value]
        if tag == "bdi":
            self.texts.append("")
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.add((tag, *sorted(name for name, _ in attrs)))

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, text):
        if "bdi" in self.open:
            self.texts[-1] += text


def body(response):
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


def test_the_corpus_is_large():
    assert len(set(CORPUS)) >= 300


def test_a_list_of_hostile_texts_has_the_elements_of_a_harmless_one(world):
    url = "/restores/?cols=created,status,instance,restore,project,outcome&size=200"
    pages = [ParsedPage(body(world.get(f"{url}{page}"))) for page in ("", "&page=2")]
    texts = {text for page in pages for text in page.texts}
    values = {value for page in pages for value in page.values}
    for text in map(storable, CORPUS):
        assert not text or (text in texts and text in values)
    Restore.objects.update(restore_name="x", error_code="dcs.08.0007")
    harmless_page = ParsedPage(body(world.get(f"{url}")))
    added = {element for page in pages for element in page.elements} - harmless_page.elements
    assert not any(element[0] in ("script", "img", "svg", "b", "iframe") for element in added)
    assert not any(name.startswith("on") for element in added for name in element[1:])


def test_a_page_of_a_hostile_text_keeps_it_in_title_and_body(world, request):
    step = 1 if request.config.getoption("--long") else 17
    for number in range(0, len(CORPUS), step):
        html = body(world.get(f"/restores/r-{number}/"))
        page, text = ParsedPage(html), storable(CORPUS[number])
        assert html.count("<title>") == html.count("</title>") == 1
        assert not any(element[0] in ("img", "iframe") for element in page.elements)
        assert not any(name.startswith("on") for element in page.elements for name in element[1:])
        assert re.findall(r"<script(?! (?:type=\"module\"|defer) src=\"/static/)", html) == []
        assert not text.strip() or text.strip() in "\n".join(page.texts)


def test_json_has_hostile_texts_verbatim(world):
    rows, url = [], "/restores.json?size=200"
    while url:
        response = world.get(url)
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        found = json.loads(response.content)
        rows, url = rows + found["restores"], found["next"]
    assert [row["restore_remark"] or "" for row in rows] == [storable(text) for text in CORPUS]


def test_csv_has_them_as_cells_that_no_spreadsheet_evaluates(world):
    found = list(csv.DictReader(io.StringIO(body(world.get("/restores.csv")), newline="")))
    assert len(found) == len(CORPUS)
    for row, text in zip(found, map(storable, CORPUS), strict=True):
        guarded = re.match("[=+\\-@\t\r\n＝]", text) is not None
        assert row["restore_remark"] == ("'" if guarded else "") + text
        assert not any(re.match("[=+\\-@\t\r\n＝]", cell) for cell in row.values())


def test_a_markdown_table_has_one_line_per_restore(world):
    text = body(world.get("/restores.md?size=200"))
    rows = [line for line in text.split("\n") if line.startswith("| [")]
    assert len(rows) == 200
    # Seven cells: an unescaped pipe would make more.
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 8 for row in rows)
    assert not re.search(r"(?<!\\)<(?!http://)", text)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_for_tickets_lets_a_text_add_lines_or_markup(name):
    for text in CORPUS:
        row = Row(url="https://x/", cells=("then", text))
        document = Document(
            title=text, url="", facts=(("a", text),), headers=("a", "b"), rows=(row,)
        )
        written = FORMATS[name](document)
        assert len(written.splitlines()) == len(FORMATS[name](harmless()).splitlines())
        assert written.isprintable() or set(written) - set(text) or "\n" in written
        assert not re.search("[\0\r\u202a-\u202e\u2066-\u2069\ud800-\udfff]", written)
        if name == "plain":
            assert escapes.clean(text) in written


def harmless():
    row = Row(url="https://x/", cells=("then", "x"))
    return Document(title="x", url="", facts=(("a", "x"),), headers=("a", "b"), rows=(row,))


def test_a_hostile_name_in_a_url_breaks_no_page(world):
    for text in map(storable, CORPUS[:: len(CORPUS) // 10]):
        if not text.strip():
            continue
        response = world.get(f"/restores/?{urlencode({'instance': text.strip()[:128]})}")
        assert response.status_code in (200, 302)
    make_restore(restore_id='"><script>a?b#c', restore_name="odd")
    assert world.get(reverse("restore-detail", args=['"><script>a?b#c'])).status_code == 200


NAMES = [*ORDER, "around", "win", "format", "statsu", "", "[]", "a" * 300, "\u202e", "q\0"]
VALUES = [
    "", "1", "0", "-5", "10", "200", "10**12", "1e9", "99999999999999999999", "１２", "٣", "NaN",
    "failed", "succeed", "any", "yes", "no", "-created", "duration", "created,status", "changed",
    "now", "now-24h", "now/d", "now-1M/M", "now+99999999y", "now" + "-1d" * 40, "today", "3pm",
    "2026-02-30", "2026-03-29T02:30", "2026-10-25 02:30", "23.11.2026 15:26", "04/05/2026",
    "Nov 23 3:26 PM EST", "last monday", "0001-01-01T00:00Z", "9999-12-31T23:59:59.999Z",
    "1741183402", "1741183402721", "20250305140322", "2026-11", "2026-11-23T00:00:00+14:00",
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Mars/Base", "../../etc/passwd",
    "30m", "2h", "0m", "9999w", "x,y,,z", "shop-prod", "a" * 100_000, "a,b," * 300, "%", "\u2028",
]  # fmt: skip
RAW = ["%00", "%ED%A0%80", "%FF%FE", "%E2%80%AE", "%", "%zz", "%0D%0A", "+", "%2B", "%C0%AE"]


def queries(count, seed):
    """Query strings of known and unknown names, given once or often, with anything appended."""
    rng = random.Random(seed)
    values = [*VALUES, *CORPUS]
    for _ in range(count):
        parts = []
        for _ in range(rng.choice((1, 1, 2, 3, 6))):
            value = rng.choice(RAW) if rng.random() < 0.15 else encoded(rng.choice(values))
            if rng.random() < 0.1:
                value += rng.choice(RAW)
            name = rng.choice(ORDER if rng.random() < 0.8 else NAMES)
            parts += [f"{encoded(name)}={value}"] * (2 if rng.random() < 0.05 else 1)
        yield "&".join(parts)


def encoded(text):
    return quote_plus(text.encode(errors="surrogatepass"))


def assert_parsed_or_refused(query):
    params = ListParams.parse(QueryDict(query), NOW)
    if params.errors:
        assert all(problem.reason for problem in params.errors)
        return
    again = ListParams.parse(QueryDict(params.canonical_query.lstrip("?")), NOW)
    assert not again.errors and again.canonical_query == params.canonical_query
    assert (again.values, again.time_range.start, again.time_range.end) == (
        params.values,
        params.time_range.start,
        params.time_range.end,
    )


def test_any_query_string_is_parsed_or_refused():
    for query in queries(2_000, seed=1):
        assert_parsed_or_refused(query)


@pytest.mark.long
def test_a_hundred_thousand_query_strings_are_parsed_or_refused():
    for query in queries(100_000, seed=2):
        assert_parsed_or_refused(query)


PATHS = ["/restores/", "/facets/", "/restores.json", "/restores.csv", "/restores.md"]
PATHS += ["/reports/downtime/", "/reports/downtime.json", "/reports/downtime.csv"]


def request_pages(web, count, seed):
    rng = random.Random(seed)
    for query in queries(count, seed):
        path, start = rng.choice(PATHS), time.perf_counter()
        response = web.get(path, QUERY_STRING=query)
        text = body(response)
        assert response.status_code in (200, 302, 400), (path, query)
        assert len(text) < 1_000_000 and time.perf_counter() - start < 2, (path, query)
        if response.status_code == 400:
            assert '<tr id="r' not in text and "r-first" not in text, (path, query)


@pytest.fixture
def thirty_hostile(web):
    make_restore("r-first", status="failed", error_code="dcs.08.0007")
    for number in range(30):
        make_restore(f"r-{number}", restore_remark=storable(CORPUS[number]))
    return web


def test_no_query_string_breaks_a_page(thirty_hostile):
    request_pages(thirty_hostile, 150, seed=3)


@pytest.mark.long
def test_two_thousand_query_strings_break_no_page(thirty_hostile):
    request_pages(thirty_hostile, 2_000, seed=4)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
@pytest.mark.parametrize("name", ["q", "from", "status", "ids", "unknown"])
def test_a_very_long_value_is_refused_with_a_short_page(thirty_hostile, path, name):
    response = thirty_hostile.get(path, QUERY_STRING=f"{name}={quote('é' * 20_000)}")
    assert response.status_code == 400 and len(body(response)) < 100_000
