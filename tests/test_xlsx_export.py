"""Files for Excel: typed cells, text that stays text, and what they are about."""

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from restores.csv_export import COLUMNS, INSTANCE_COLUMNS, csv_lines
from restores.models import Event, Membership
from restores.running_exports import _running
from restores.xlsx_export import Link, Sheet, blocks, cell_text, write_xlsx
from tests.factories import NOW, make_account, make_instance, make_project, make_restore

TOKYO = ZoneInfo("Asia/Tokyo")
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\r\n=1", "＝1", "=cmd|' /C calc'!A0"]
ODD = [
    "<r><t>x</t></r>",
    "<r>&</r>",
    "_x0041_",
    "http://x.example",
    "internal:Sheet2!A1",
    "1234",
    " a ",
    "a\nb",
    "</t></is></c>",
    "{=1}",
]
TEXTS = st.sampled_from([*FORMULAS, *ODD]) | st.text(
    st.characters(exclude_categories=()) | st.sampled_from("=+-@\t\r\n\0\x0b_x<>&"), max_size=40
)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def written(*rows, zone=TOKYO, columns=None, **options):
    columns = columns or [f"c{number}" for number in range(len(rows[0]) if rows else 1)]
    sheet = Sheet(name="Restores", columns=columns, rows=rows, **options)
    return b"".join(blocks(write_xlsx(sheet, [("From", "there")], zone)))


def read(content):
    """The first sheet as openpyxl reads it, which leaves escaped letters as they are."""
    return list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows())


def unescaped(text):
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def download(web, url):
    response = web.get(url)
    assert response.status_code == 200
    assert response.headers["Content-Type"].endswith("spreadsheetml.sheet")
    return load_workbook(io.BytesIO(response.getvalue()))


# Creating a file takes long, so it has many strings.
@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=20, max_size=40))
def test_every_text_stays_a_text_that_reads_back_the_same(texts):
    _, *rows = read(written(*([number, text] for number, text in enumerate(texts))))
    for (number, cell), text in zip(rows, texts, strict=True):
        assert number.data_type == "n" and cell.hyperlink is None
        assert cell.data_type in ("s", "inlineStr") or cell.value is None
        assert unescaped(cell.value or "") == cell_text(text)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_no_text_of_a_csv_begins_a_formula(texts):
    _, line = csv_lines(["a"], [[[text] for text in texts]])
    for text in texts:
        if re.match("[=+\\-@\t\r\n＝]", text.replace("\0", "")):
            assert "'" + text.replace("\0", "")[0] in line


def test_no_part_of_a_file_has_a_formula(tmp_path):
    content = written([*FORMULAS, *ODD])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<f " not in sheet and "hyperlink" not in sheet


def test_characters_that_xml_cannot_hold_are_replaced_visibly():
    assert cell_text("a\0b\x0bc\x1fd\ud800\uffff") == "a�b�c�d��"
    assert cell_text("a\r\nb\rc\td") == "a\nb\nc\td"


def test_a_long_text_is_cut_to_what_a_cell_takes():
    ((cell,),) = read(written(["x" * 40_000]))[1:]
    assert len(cell.value) == 32_000 and cell.value.endswith("…")


def test_cells_have_the_type_of_their_value_and_times_the_zone_of_the_header():
    at = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
    header, row = read(
        written(
            [at, 37.5, 3, True, None, "", "12", float("nan")],
            columns=["created_at", "b", "c", "d", "e", "f", "g", "h"],
        )
    )
    assert header[0].value == "created_at (Asia/Tokyo)" and header[1].value == "b"
    assert [cell.value for cell in row] == [
        datetime(2026, 11, 24, 1, 59),
        *(37.5, 3, True, None, None, "12", "nan"),
    ]
    assert row[0].is_date and row[0].number_format == "yyyy-mm-dd hh:mm:ss"


@pytest.mark.parametrize("year", [1, 1899, 9999])
def test_a_day_that_excel_does_not_have_is_a_text(year):
    at = datetime(year, 12, 31, 23, tzinfo=UTC)
    ((cell,),) = read(written([at]))[1:]
    assert cell.value == f"{year:04}-12-31T23:00:00Z"


def test_a_total_is_below_the_rows():
    rows = read(written(["a", 1], ["b", 2], total=["Total", 3]))
    assert [cell.value for cell in rows[-1]] == ["Total", 3] and rows[-1][0].font.bold


def test_an_empty_table_has_its_header():
    assert [[cell.value for cell in row] for row in read(written(columns=["a", "b"]))] == [
        ["a", "b"]
    ]


def test_a_link_leads_to_the_page():
    about = [("Link", Link("http://x.example/restores/?a=1&b=2"))]
    content = write_xlsx(Sheet(name="A", columns=["a"], rows=[]), about, TOKYO)
    cell = load_workbook(content).worksheets[1]["B1"]
    assert cell.hyperlink.target == cell.value == "http://x.example/restores/?a=1&b=2"


def test_without_a_zone_in_the_url_a_file_has_the_one_chosen_in_the_header(web):
    make_restore("r-1")
    web.post("/time-zone/", {"zone": "Tokyo"})
    for url in ("/restores.xlsx", "/instances.xlsx"):
        sheet = download(web, url).worksheets[0]
        header = next(sheet.iter_rows(values_only=True))
        assert any(str(name).endswith(" (Asia/Tokyo)") for name in header), header
    list_about = dict(download(web, "/restores.xlsx").worksheets[1].iter_rows(values_only=True))
    assert list_about["Time zone"] == "Asia/Tokyo"


def test_the_list_has_every_row_and_says_what_it_is(web):
    make_instance(complete_to=NOW - timedelta(minutes=5))
    for number in range(60):
        make_restore(f"r-{number:02}", created_at=NOW - timedelta(minutes=number), progress=99.5)
    make_restore("old", created_at=NOW - timedelta(days=9))
    book = download(web, "/restores.xlsx?status=succeed&from=now-24h&tz=Asia/Tokyo&size=10")
    sheet, about = book.worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    assert [name.removesuffix(" (Asia/Tokyo)") for name in header] == list(COLUMNS)
    assert [row[0] for row in rows] == [f"r-{number:02}" for number in range(60)]
    first = dict(zip(header, rows[0], strict=True))
    assert first["created_at (Asia/Tokyo)"] == datetime(2026, 11, 24, 1, 59)
    assert (first["progress"], first["listed"]) == (99.5, True)
    pairs = dict(about.iter_rows(values_only=True))
    assert pairs == {
        "Exported at": datetime(2026, 11, 24, 1, 59),
        "Exported by": "root",
        "Time range": "last 24 hours",
        "Match by": "Created",
        "From": datetime(2026, 11, 23, 1, 59),
        "To": datetime(2026, 11, 24, 1, 59),
        "Time zone": "Asia/Tokyo",
        "Status": "succeed",
        "Data complete up to": datetime(2026, 11, 24, 1, 54),
        "Link": "http://127.0.0.1:8000/restores/?status=succeed&from=now-24h&tz=Asia/Tokyo"
        "&asof=2026-11-23T16:59:00Z&size=10",
    }


def test_the_file_says_what_it_leaves_out(web):
    make_restore("undated", created_at=None)
    book = download(web, "/restores.xlsx?from=now-24h")
    pairs = dict(book.worksheets[1].iter_rows(values_only=True))
    assert pairs["Not included"] == "1 restore without a usable time"


def test_instances_have_every_row(web):
    for number in range(12):
        make_instance(f"i-{number:02}", sync_error_kind="unreachable" if number == 1 else "")
    book = download(web, "/instances.xlsx?size=10&q=i-")
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    assert [name.removesuffix(" (UTC)") for name in header] == list(INSTANCE_COLUMNS)
    assert [row[1] for row in rows] == [f"i-{number:02}" for number in range(12)]
    assert rows[0][header.index("complete_to (UTC)")] == NOW.replace(tzinfo=None)
    assert dict(book.worksheets[1].iter_rows(values_only=True))["Search"] == "i-"
    lines = web.get("/instances.csv?size=10&q=i-").getvalue().decode().splitlines()
    assert lines[0] == ",".join(INSTANCE_COLUMNS) and len(lines) == 13


@pytest.mark.parametrize("name", ["restores", "instances"])
def test_above_the_limit_the_page_says_so_and_links_to_the_csv(web, monkeypatch, name):
    monkeypatch.setattr("restores.views.files.MAX_ROWS", 2)
    for number in range(3):
        make_restore(instance=make_instance(f"i-{number}"))
    response = web.get(f"/{name}.xlsx?q=i-")
    html = response.content.decode()
    assert response.status_code == 400 and "Too many rows for Excel" in html
    assert re.search(rf'href="/{name}\.csv\?q=i-[^"]*">Download CSV', html)
    assert not Event.objects.exists()


@pytest.mark.parametrize("url", ["/restores.xlsx", "/instances.xlsx", "/instances.csv"])
def test_permissions_limits_and_malformed_parameters_are_those_of_the_csv(
    client, django_user_model, url
):
    assert client.get(url).status_code == 401
    ours, other = make_project("ours"), make_project("other", account=make_account("bank"))
    make_restore("mine", instance=make_instance("mine", project=ours))
    make_restore("theirs", instance=make_instance("theirs", project=other))
    user = django_user_model.objects.create_user("support")
    Membership.objects.create(user=user, project=ours)
    client.force_login(user)
    if url.endswith("xlsx"):
        content = str([list(sheet.values) for sheet in download(client, url).worksheets])
    else:
        content = client.get(url).getvalue().decode()
    assert "mine" in content and "theirs" not in content
    assert Event.objects.get(what="exported").subject == url
    assert client.get(f"{url}?size=5").status_code == 400
    running = [client.get(url) for _ in range(2)]
    assert client.get(url).status_code == 429
    for response in running:
        response.close()
    assert _running[user.pk] == 0


def test_the_pages_link_to_the_files(web):
    make_restore("r")
    html = web.get("/restores/?from=now-24h").content.decode()
    assert 'href="/restores.xlsx?from=now-24h&amp;asof=2026-11-23T16:59:00Z"' in html
    html = web.get("/instances/?q=cart").content.decode()
    for name in ("csv", "xlsx", "json"):
        assert f'href="/instances.{name}?q=cart"' in html
