import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.faults import FaultError, Faults
from simulator.kinds import KINDS


def switch_on(ask, *faults):
    answer = ask.plain("/_faults", "POST", json=list(faults))
    assert answer.status_code == 200, answer.text


def test_faults_are_switched_on_shown_and_off(ask):
    switch_on(ask, {"kind": "status", "status": 503})
    assert ask(ask.project()).status_code == 503
    assert ask.plain("/_faults").json() == [
        {"kind": "status", "status": 503, "times": None, "struck": 1}
    ]
    assert ask.plain("/_faults", "DELETE").json() == []
    assert ask(ask.project()).status_code == 200


def test_a_fault_strikes_only_so_many_times(ask):
    switch_on(ask, {"kind": "status", "status": 500, "times": 2})
    assert [ask(ask.project()).status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_strikes_only_where_it_matches(ask):
    here, there = ask.busiest(0), ask.busiest(1)
    for narrowed in (
        {"match": here.instance_id},
        {"match": f"{here.instance_id}.*limit=1$"},
        {"instance": here.name},
        {"instance": here.instance_id},
        {"project": "shopwell-prod"},
        {"project": here.project.project_id, "method": "GET"},
    ):
        switch_on(ask, {"kind": "status", "status": 502, **narrowed})
        assert ask(ask.instance(here), params={"limit": 1}).status_code == 502, narrowed
        assert ask(ask.instance(there)).status_code == 200, narrowed
        ask.plain("/_faults", "DELETE")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "DCS.4800"),
        (401, "APIGW.0301"),
        (403, "DCS.2003"),
        (404, "DCS.3022"),
        (429, "APIGW.0308"),
        (500, "DCS.5079"),
    ],
)
def test_a_status_comes_with_its_documented_body(ask, status, code):
    switch_on(ask, {"kind": "status", "status": status, "headers": {"Retry-After": "7"}})
    answer = ask(ask.project())
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers["Retry-After"] == "7"


def test_a_gateway_breakdown_comes_as_html(ask):
    switch_on(ask, {"kind": "status", "status": 502})
    assert "text/html" in ask(ask.project()).headers["Content-Type"]


@pytest.mark.parametrize(
    ("body", "sent"),
    [({"total_num": -1}, b'{"total_num": -1}'), ("<html>", b"<html>"), ([1], b"[1]"), (None, b"")],
)
def test_an_answer_can_be_scripted_whole(ask, body, sent):
    headers = {"content-type": "text/plain", "X-Request-Id": "mine"}
    switch_on(ask, {"kind": "answer", "status": 203, "body": body, "headers": headers})
    answer = ask(ask.project())
    assert (answer.status_code, answer.content) == (203, sent)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["X-Request-Id"] == "mine"


def test_a_delay_holds_the_whole_answer_back(ask):
    switch_on(ask, {"kind": "delay", "seconds": 0.3})
    began = time.monotonic()
    assert ask(ask.project()).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_drip_delivers_everything_slowly(ask):
    usual = ask(ask.project()).content
    switch_on(ask, {"kind": "drip", "seconds": 0.01, "bytes": len(usual) // 20})
    began = time.monotonic()
    assert ask(ask.project()).content == usual
    assert time.monotonic() - began >= 0.2


def test_a_truncated_answer_ends_before_its_length(ask):
    switch_on(ask, {"kind": "truncate", "bytes": 100, "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(ask.project())
    assert ask(ask.project()).status_code == 200


def test_a_reset_breaks_the_connection_off(ask):
    switch_on(ask, {"kind": "reset"})
    with pytest.raises(requests.ConnectionError):
        ask(ask.project())


def test_a_hanging_answer_never_comes(ask):
    switch_on(ask, {"kind": "hang"})
    with pytest.raises(requests.ReadTimeout):
        requests.get(ask.simulator.url + ask.project(), timeout=0.3)


def test_a_hang_may_end_without_an_answer(ask):
    switch_on(ask, {"kind": "hang", "seconds": 0.05})
    with pytest.raises(requests.ConnectionError):
        ask(ask.project())


def test_a_gzip_bomb_is_small_on_the_wire_and_large_behind_it(ask):
    switch_on(ask, {"kind": "gzip_bomb", "megabytes": 3})
    answer = requests.get(ask.simulator.url + ask.project(), stream=True, timeout=9)
    assert int(answer.headers["Content-Length"]) < 10_000
    assert len(answer.content) > 3 * 2**20


def test_a_skewed_clock_shows_in_the_date_and_spoils_signatures(ask, clock):
    switch_on(ask, {"kind": "clock_skew", "seconds": 600})
    answer = ask(ask.project())
    shown = parsedate_to_datetime(answer.headers["Date"])
    assert answer.status_code == 200 and (shown - clock()).total_seconds() == 600
    switch_on(ask, {"kind": "clock_skew", "seconds": 600})
    assert ask(ask.project()).json()["error_code"] == "APIGW.0303"


def test_a_throttle_lets_so_many_through_each_second(ask):
    switch_on(ask, {"kind": "throttle", "per_second": 3, "retry_after": 2})
    answers = [ask(ask.project()) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert "limit:3" in answers[-1].json()["error_msg"]


def test_faults_combine(ask):
    switch_on(
        ask,
        {"kind": "status", "status": 500, "times": 1},
        {"kind": "delay", "seconds": 0.1},
        {"kind": "truncate", "times": 1},
    )
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(ask.project())
    assert ask(ask.project()).status_code == 200


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("flood", "object"),
        ({"kind": "flood"}, "status, answer"),
        ({"kind": ["status"]}, "status, answer"),
        ({"kind": "status"}, "needs status"),
        ({"kind": "status", "status": 99}, "99"),
        ({"kind": "status", "status": True}, "True"),
        ({"kind": "delay", "seconds": "long"}, "long"),
        ({"kind": "reset", "times": 0}, "above 0"),
        ({"kind": "reset", "colour": 1}, "colour"),
        ({"kind": "reset", "match": 7}, "match"),
        ({"kind": "answer", "headers": {"a": 1}}, "texts"),
    ],
)
def test_a_fault_described_wrongly_is_refused_and_none_is_switched_on(ask, fault, word):
    answer = ask.plain("/_faults", "POST", json=[{"kind": "reset"}, fault])
    assert answer.status_code == 400 and word in answer.json()["error"]
    assert ask.plain("/_faults").json() == []


@settings(max_examples=60, deadline=None)
@given(
    described=st.dictionaries(
        st.sampled_from(["kind", "match", "times", "status", "seconds", "project", "headers"]),
        st.sampled_from([*KINDS, 0, 1, -1, 1e9, None, True, "x", [], {}, {"a": "b"}]),
    )
)
def test_whatever_is_described_is_taken_or_refused_but_never_breaks(described):
    faults = Faults({})
    try:
        faults.add(described)
    except FaultError as error:
        assert str(error)
    assert isinstance(faults.printed(), list)


@pytest.mark.parametrize(
    ("edit", "rows", "total"),
    [
        ({"remove": 1}, -1, -1),
        ({"insert": [{"instance_id": "new"}]}, 1, 1),
        ({"cap": 2}, None, 0),
        ({"total": -1}, 0, None),
    ],
)
def test_a_list_can_be_edited(ask, edit, rows, total):
    usual = ask(ask.project()).json()
    switch_on(ask, {"kind": "edit", **edit})
    body = ask(ask.project()).json()
    changed = len(body["instances"]) - len(usual["instances"])
    assert changed == rows if rows is not None else len(body["instances"]) == 2
    more = body["instance_num"] - usual["instance_num"]
    assert more == total if total is not None else body["instance_num"] == -1


def test_rows_can_be_doubled_shuffled_and_spoiled_without_the_total_noticing(ask):
    usual = ask(ask.project()).json()
    switch_on(ask, {"kind": "edit", "shuffle": 3, "double": True, "set": {"name": 7}})
    body = ask(ask.project()).json()
    assert body["instance_num"] == usual["instance_num"]
    ids = [row["instance_id"] for row in body["instances"]]
    assert ids != sorted(ids) and len(ids) == 2 * len(set(ids)) == 2 * len(usual["instances"])
    assert {row["name"] for row in body["instances"]} == {7}


def test_an_edit_leaves_alone_what_is_no_list(ask):
    switch_on(ask, {"kind": "edit", "remove": 1})
    assert ask(ask.project() + "/status").status_code == 200
    assert ask(ask.project(), "POST").status_code == 405


def test_an_unannounced_truncation_looks_like_the_end(ask):
    switch_on(ask, {"kind": "truncate", "bytes": 100, "announced": False})
    assert len(ask(ask.project()).content) == 100
