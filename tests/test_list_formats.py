"""List, JSON, CSV, Markdown and count have the same rows: those that match the filters."""

import csv
import io
import random
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.http import QueryDict

from restores.filters import ListParams
from restores.models import Restore
from restores.statuses import FINAL, IN_PROGRESS
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_project, make_restore

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MILLI = timedelta(milliseconds=1)
STATES = ["succeed"] * 6 + ["failed"] * 5 + ["restoring", "waiting", "Aborted"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(web):
    """Sixty restores of four instances in three projects, many at edges of common ranges."""
    rng = random.Random(7)
    shop, maps = make_project(), make_project("maps", region="eu-nl", customer="Mapster")
    instances = [make_instance("cart-prod", project=shop), make_instance("geo", project=maps)]
    instances += [make_instance("tile", project=make_project("atlas", customer="Mapster"))]
    instances += [make_instance("geo", project=shop, instance_id="another-geo")]
    for number in range(60):
        status = rng.choice(STATES)
        created = NOW - rng.choice([HOUR, 5 * HOUR, DAY, 3 * DAY]) + rng.choice([-1, 0, 1]) * MILLI
        ended = created + rng.choice([0, 6, 90]) * timedelta(minutes=1) if status in FINAL else None
        make_restore(
            f"t-{number:02}",
            instance=rng.choice(instances),
            status=status,
            error_code=rng.choice(["dcs.08.0007", "dcs.08.0002"]) if status == "failed" else "",
            recovered_at=NOW if status == "failed" and rng.random() < 0.5 else None,
            restore_remark=rng.choice(["before 412", "Nightly", ""]),
            backup_id=f"b-{number % 9}",
            created_at=created if number % 20 else None,
            ended_at=ended,
            changed_at=ended or created,
        )
    return web


PARAMETERS = {
    "customer": ["Shopwell", "Mapster", "nobody"],
    "region": ["eu-de", "eu-nl"],
    "project": ["shop-prod", "maps", "atlas"],
    "instance": ["cart-prod", "geo", "another-geo", "id-of-tile"],
    "status": ["failed", "FAILED", "succeed", "restoring", "waiting", "Aborted", "gone"],
    "code": ["any", "dcs.08.0007", "dcs.08.0099"],
    "recovered": ["yes", "no"],
    "q": ["412", "nightly geo", "t-1", "zz", "o"],
    "ids": ["t-01,b-3", "another-geo", "t-05,t-07,nope"],
    "on": ["created", "ended", "running", "changed"],
    "from": ["now-1h", "now-5h", "now-1d", "now-1d/d", to_iso(NOW - 3 * DAY), "2026-02-30"],
    "to": ["now", "now-1h", to_iso(NOW - 5 * HOUR), "2026-11-22", "now-1d"],
    "tz": ["Europe/Berlin", "Asia/Kolkata", "Mars/Base"],
    "sort": ["created", "-ended", "duration", "status", "-instance", "code"],
}
REPEATED = {"customer", "region", "project", "instance", "status", "code"}


def random_queries(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        names = rng.sample(sorted(PARAMETERS), rng.choice((0, 1, 1, 2, 2, 3, 4)))
        pairs = []
        for name in names:
            times = 2 if name in REPEATED and rng.random() < 0.3 else 1
            pairs += [(name, value) for value in rng.sample(PARAMETERS[name], times)]
        yield urlencode(pairs)


def matches(restore, params):
    """Whether a restore matches the params, judged by its own values alone."""
    project, instance = restore.project, restore.instance
    values = {
        "customer": {project.customer},
        "region": {project.region},
        "project": {project.name},
        "instance": {instance.name, instance.instance_id},
        "status": {restore.status},
        "code": {restore.error_code, "any"} if restore.error_code else set(),
        "recovered": {"yes" if restore.recovered_at else "no"}
        if restore.status == "failed"
        else (),
    }
    text = f"{restore.search} {instance.search}"
    return (
        all(
            set(params.getlist(name)) & set(allowed)
            for name, allowed in values.items()
            if params.getlist(name)
        )
        and all(word in text for word in params.get("q").casefold().split())
        and (
            not params.ids
            or {restore.restore_id, restore.backup_id, instance.instance_id} & {*params.ids}
        )
        and in_range(restore, params.time_range)
    )


def in_range(restore, time_range):
    start, end = time_range.start, time_range.end
    if time_range.on == "running":
        return was_running(restore, start, end)
    if time_range.on == "changed" and not (start and end):
        # It was seen before the end, and its last change is not before the start.
        return (not start or restore.changed_at >= start) and (
            not end or restore.first_seen_at < end
        )
    at = getattr(restore, f"{time_range.on}_at")
    if at is None:
        return time_range.on == "created" and not (start or end)
    return (not start or at >= start) and (not end or at < end)


def was_running(restore, start, end):
    created, ended = restore.created_at, restore.ended_at
    if created is None or (end and created >= end):
        return False
    unknown = restore.status not in FINAL and start
    unknown = unknown and restore.changed_at >= start - DAY and created >= start - 7 * DAY
    running = restore.status in IN_PROGRESS or unknown
    return not start or running or created >= start or bool(ended and ended > start)


def json_rows(web, query):
    rows, url = [], f"/restores.json?{query}&size=25"
    while url:
        page = web.get(url).json()
        rows, url = rows + page["restores"], page["next"]
    assert page["total"] == len(rows)
    return [row["restore_id"] for row in rows]


def page_rows(web, query):
    """The IDs on the page; checks the totals that it states."""
    response = web.get(f"/restores/?{query}&size=200")
    if response.status_code == 302:
        response = web.get(response.headers["Location"])
    html = response.content.decode()
    rows = re.findall(r'<td class="t"><a class="go" href="/restores/([^/]+)/', html)
    [total] = re.findall(r'<a [^>]*aria-current="true"[^>]*><bdi>[^<]*</bdi> <b>(\d+)', html) or [
        None
    ]
    footer = re.search(r"of (\d+)</span>", html)
    assert not rows or footer[1] == str(len(rows))
    assert total is None or int(total) == len(rows)
    return rows


def csv_rows(web, query):
    content = b"".join(web.get(f"/restores.csv?{query}").streaming_content).decode()
    return [row["restore_id"] for row in csv.DictReader(io.StringIO(content, newline=""))]


def markdown_rows(web, query):
    text = web.get(f"/restores.md?{query}&size=200").content.decode()
    return re.findall(r"^\| \[[^]]*\]\([^)]*/restores/([^/]+)/", text, flags=re.MULTILINE)


def assert_formats_agree(web, query):
    """Every format has the matching rows and no others; if the params are invalid, it has none."""
    params = ListParams.parse(QueryDict(query), NOW)
    if params.errors:
        page, as_json = web.get(f"/restores/?{query}"), web.get(f"/restores.json?{query}")
        assert params.normalized_query or page.status_code == 400, query
        assert as_json.status_code == 400 and "restores" not in as_json.json(), query
        assert '<tr id="r' not in page.content.decode(), query
        return
    rows = page_rows(web, query)
    everything = Restore.objects.select_related("instance", "project")
    expected = {one.restore_id for one in everything if matches(one, params)}
    assert set(rows) == expected and len(rows) == len(expected), query
    assert json_rows(web, query) == rows, query
    assert csv_rows(web, query) == rows, query
    assert markdown_rows(web, query) == rows, query


def test_every_format_of_a_list_has_the_matching_rows_and_no_others(world):
    for query in random_queries(30, seed=11):
        assert_formats_agree(world, query)


@pytest.mark.long
def test_every_format_of_a_list_has_the_matching_rows_for_many_more_queries(world):
    for query in random_queries(500, seed=12):
        assert_formats_agree(world, query)


DAYS = [
    ("UTC", "2026-11-20", "2026-11-20T00:00Z", "2026-11-21T00:00Z"),
    ("Europe/Berlin", "2026-11-20", "2026-11-19T23:00Z", "2026-11-20T23:00Z"),
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
    ("America/New_York", "2026-11-20", "2026-11-20T05:00Z", "2026-11-21T05:00Z"),
    ("America/New_York", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
    ("America/New_York", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
    ("Asia/Kolkata", "2026-11-20", "2026-11-19T18:30Z", "2026-11-20T18:30Z"),
]


@pytest.mark.parametrize("on", ["created", "ended", "changed"])
@pytest.mark.parametrize(("tz", "day", "start", "end"), DAYS)
def test_a_day_starts_and_ends_to_the_millisecond_in_every_format(web, on, tz, day, start, end):
    first, after = datetime.fromisoformat(start), datetime.fromisoformat(end)
    edges = {"early": first - MILLI, "first": first, "last": after - MILLI, "late": after}
    for name, at in edges.items():
        make_restore(name, created_at=at, ended_at=at, changed_at=at)
    query = urlencode({"on": on, "from": day, "to": day, "tz": tz})
    for rows_of in (page_rows, json_rows, csv_rows, markdown_rows):
        assert sorted(rows_of(web, query)) == ["first", "last"], rows_of
    html = web.get(f"/restores/?{query}", follow=False)
    page = " ".join(web.get(html.headers["Location"]).content.decode().split())
    assert len(re.findall('data-step="(previous|next)"', page)) == 2
    for direction, row in (("previous", "early"), ("next", "late")):
        [step] = re.findall(f'data-step="{direction}" href="/restores/\\?([^"]+)"', page)
        assert page_rows(web, step.replace("&amp;", "&")) == [row], direction


EQUIVALENT = [
    ("status=failed&project=maps", "project=maps&status=FAILED&status=failed&page=1"),
    ("from=2026-11-22&to=2026-11-23", "to=2026-11-24T00:00Z&from=2026-11-22T01:00%2B01:00"),
    ("around=2026-11-23T14:00Z&win=1h", "from=20261123130000&to=1795446000"),
    ("cols=status,created&size=50", "sort=-created&cols=created&cols=status&q=+"),
    ("code=any&code=dcs.08.0007", "code=any"),
    ("ids=b,a&tz=europe/berlin", "tz=Europe/Berlin&ids=a, b,a"),
    ("from=now-1440m&on=running", "on=running&from=now-1440m&to="),
]


@pytest.mark.parametrize(("one", "other"), EQUIVALENT)
def test_equivalent_urls_give_the_same_bytes(world, one, other):
    def bytes_of(query):
        response = world.get(f"/restores/?{query}")
        if response.status_code == 302:
            response = world.get(response.headers["Location"])
        # Django masks the token of the sign-out form anew on each page.
        token = rb'name="csrfmiddlewaretoken" value="[^"]+"'
        return response.status_code, re.sub(token, b"", response.content)

    assert (
        ListParams.parse(QueryDict(one), NOW).canonical_query
        == ListParams.parse(QueryDict(other), NOW).canonical_query
    )
    assert bytes_of(one) == bytes_of(other)
    assert bytes_of(one)[0] == 200
    responses = [world.get(f"/restores.json?{query}").content for query in (one, other)]
    assert responses[0] == responses[1]
