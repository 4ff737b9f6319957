import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.faults import KINDS, Faults, InvalidFault


def switch_on(api, *faults):
    response = api.plain("/_faults", "POST", json=list(faults))
    assert response.status_code == 200, response.text


def test_faults_are_switched_on_listed_and_switched_off(api):
    switch_on(api, {"kind": "status", "status": 503})
    assert api(api.project()).status_code == 503
    assert api.plain("/_faults").json() == [
        {"kind": "status", "status": 503, "times": None, "hits": 1}
    ]
    assert api.plain("/_faults", "DELETE").json() == []
    assert api(api.project()).status_code == 200


def test_a_fault_applies_only_so_many_times(api):
    switch_on(api, {"kind": "status", "status": 500, "times": 2})
    assert [api(api.project()).status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_applies_only_to_matching_requests(api):
    here, there = api.busiest(0), api.busiest(1)
    for narrowed in (
        {"match": here.instance_id},
        {"match": f"{here.instance_id}.*limit=1$"},
        {"instance": here.name},
        {"instance": here.instance_id},
        {"project": "shopwell-prod"},
        {"project": here.project.project_id, "method": "GET"},
    ):
        switch_on(api, {"kind": "status", "status": 502, **narrowed})
        assert api(api.instance(here), params={"limit": 1}).status_code == 502, narrowed
        assert api(api.instance(there)).status_code == 200, narrowed
        api.plain("/_faults", "DELETE")


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
def test_a_status_comes_with_its_documented_body(api, status, code):
    switch_on(api, {"kind": "status", "status": status, "headers": {"Retry-After": "7"}})
    response = api(api.project())
    assert (response.status_code, response.json()["error_code"]) == (status, code)
    assert response.headers["Retry-After"] == "7"


def test_a_gateway_failure_is_html(api):
    switch_on(api, {"kind": "status", "status": 502})
    assert "text/html" in api(api.project()).headers["Content-Type"]


@pytest.mark.parametrize(
    ("body", "sent"),
    [({"total_num": -1}, b'{"total_num": -1}'), ("<html>", b"<html>"), ([1], b"[1]"), (None, b"")],
)
def test_a_response_can_be_scripted_completely(api, body, sent):
    headers = {"content-type": "text/plain", "X-Request-Id": "mine"}
    switch_on(api, {"kind": "answer", "status": 203, "body": body, "headers": headers})
    response = api(api.project())
    assert (response.status_code, response.content) == (203, sent)
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["X-Request-Id"] == "mine"


def test_a_delay_holds_the_whole_response_back(api):
    switch_on(api, {"kind": "delay", "seconds": 0.3})
    began = time.monotonic()
    assert api(api.project()).status_code == 200
    assert time.monotonic() - began >= 0.3


def test_a_drip_delivers_everything_slowly(api):
    usual = api(api.project()).content
    switch_on(api, {"kind": "drip", "seconds": 0.01, "bytes": len(usual) // 20})
    began = time.monotonic()
    assert api(api.project()).content == usual
    assert time.monotonic() - began >= 0.2


def test_a_truncated_response_ends_before_its_length(api):
    switch_on(api, {"kind": "truncate", "bytes": 100, "times": 1})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api(api.project())
    assert api(api.project()).status_code == 200


def test_a_reset_aborts_the_connection(api):
    switch_on(api, {"kind": "reset"})
    with pytest.raises(requests.ConnectionError):
        api(api.project())


def test_a_hanging_response_never_arrives(api):
    switch_on(api, {"kind": "hang"})
    with pytest.raises(requests.ReadTimeout):
        requests.get(api.simulator.url + api.project(), timeout=0.3)


def test_a_hang_can_end_without_a_response(api):
    switch_on(api, {"kind": "hang", "seconds": 0.05})
    with pytest.raises(requests.ConnectionError):
        api(api.project())


def test_a_gzip_bomb_is_small_on_the_wire_and_large_unpacked(api):
    switch_on(api, {"kind": "gzip_bomb", "megabytes": 3})
    response = requests.get(api.simulator.url + api.project(), stream=True, timeout=9)
    assert int(response.headers["Content-Length"]) < 10_000
    assert len(response.content) > 3 * 2**20


def test_a_skewed_clock_shows_in_the_date_and_breaks_signatures(api, clock):
    switch_on(api, {"kind": "clock_skew", "seconds": 600})
    response = api(api.project())
    shown = parsedate_to_datetime(response.headers["Date"])
    assert response.status_code == 200 and (shown - clock()).total_seconds() == 600
    switch_on(api, {"kind": "clock_skew", "seconds": 600})
    assert api(api.project()).json()["error_code"] == "APIGW.0303"


def test_a_throttle_lets_so_many_calls_through_each_second(api):
    switch_on(api, {"kind": "throttle", "per_second": 3, "retry_after": 2})
    responses = [api(api.project()) for _ in range(5)]
    assert [each.status_code for each in responses] == [200, 200, 200, 429, 429]
    assert responses[-1].headers["Retry-After"] == "2"
    assert "limit:3" in responses[-1].json()["error_msg"]


def test_faults_combine(api):
    switch_on(
        api,
        {"kind": "status", "status": 500, "times": 1},
        {"kind": "delay", "seconds": 0.1},
        {"kind": "truncate", "times": 1},
    )
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api(api.project())
    assert api(api.project()).status_code == 200


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
        ({"kind": "reset", "color": 1}, "color"),
        ({"kind": "reset", "match": 7}, "match"),
        ({"kind": "answer", "headers": {"a": 1}}, "strings"),
    ],
)
def test_an_invalid_fault_is_refused_and_none_is_switched_on(api, fault, word):
    response = api.plain("/_faults", "POST", json=[{"kind": "reset"}, fault])
    assert response.status_code == 400 and word in response.json()["error"]
    assert api.plain("/_faults").json() == []


@settings(max_examples=60, deadline=None)
@given(
    described=st.dictionaries(
        st.sampled_from(["kind", "match", "times", "status", "seconds", "project", "headers"]),
        st.sampled_from([*KINDS, 0, 1, -1, 1e9, None, True, "x", [], {}, {"a": "b"}]),
    )
)
def test_any_description_is_accepted_or_refused_but_never_crashes(described):
    faults = Faults()
    try:
        faults.add(described)
    except InvalidFault as error:
        assert str(error)
    assert isinstance(faults.to_json(), list)


@pytest.mark.parametrize(
    ("edit", "rows", "total"),
    [
        ({"remove": 1}, -1, -1),
        ({"insert": [{"instance_id": "new"}]}, 1, 1),
        ({"cap": 2}, None, 0),
        ({"total": -1}, 0, None),
    ],
)
def test_a_list_can_be_edited(api, edit, rows, total):
    usual = api(api.project()).json()
    switch_on(api, {"kind": "edit", **edit})
    body = api(api.project()).json()
    changed = len(body["instances"]) - len(usual["instances"])
    assert changed == rows if rows is not None else len(body["instances"]) == 2
    more = body["instance_num"] - usual["instance_num"]
    assert more == total if total is not None else body["instance_num"] == -1


def test_rows_can_be_doubled_shuffled_and_changed_with_the_total_kept(api):
    usual = api(api.project()).json()
    switch_on(api, {"kind": "edit", "shuffle": 3, "double": True, "set": {"name": 7}})
    body = api(api.project()).json()
    assert body["instance_num"] == usual["instance_num"]
    ids = [row["instance_id"] for row in body["instances"]]
    assert ids != sorted(ids) and len(ids) == 2 * len(set(ids)) == 2 * len(usual["instances"])
    assert {row["name"] for row in body["instances"]} == {7}


def test_an_edit_leaves_other_responses_alone(api):
    switch_on(api, {"kind": "edit", "remove": 1})
    assert api(api.project() + "/status").status_code == 200
    assert api(api.project(), "POST").status_code == 405


def test_an_unannounced_truncation_looks_like_the_end(api):
    switch_on(api, {"kind": "truncate", "bytes": 100, "announced": False})
    assert len(api(api.project()).content) == 100
