import json
from datetime import timedelta

import pytest

from simulator.server import Simulator

from .conftest import BORN, Asking


def refusal(answer):
    return answer.status_code, answer.json()["error_code"]


def ids(answer):
    return [record["restore_id"] for record in answer.json()["restore_record_response"]]


def digits(instant):
    return f"{instant:%Y%m%d%H%M%S}"


def idle(ask):
    busy = {each for each, _ in ask.world.running(ask.clock())}
    there = ask.world.instances_of(ask.world.projects[0])
    return next(each for each in there if each.restorable and each not in busy)


def order(ask, instance, **body):
    return ask(ask.instance(instance), "POST", body=json.dumps(body))


def sound_backup(ask, instance):
    now = ask.clock()
    found = ask.world.backups(instance, now)
    return next(each.backup_id for each in found if each.status(now) == "succeed")


def test_restores_come_newest_first_ten_to_a_page(ask, clock):
    each = ask.busiest()
    answer = ask(ask.instance(each))
    expected = ask.world.restores(each, clock())
    assert answer.json() == {"restore_record_response": expected[:10], "total_num": len(expected)}


def test_offset_counts_records(ask, clock):
    each = ask.busiest()
    expected = [record["restore_id"] for record in ask.world.restores(each, clock())]
    answer = ask(ask.instance(each), params={"offset": 3, "limit": 4})
    assert ids(answer) == expected[3:7]
    past = ask(ask.instance(each), params={"offset": 9999})
    assert past.json() == {"restore_record_response": [], "total_num": len(expected)}


def test_the_window_is_utc_and_includes_both_ends(ask):
    each = ask.busiest()
    begun = [plan.begins for plan in ask.world.plans(each, ask.clock())]
    begin, end = begun[9].replace(microsecond=0), begun[4] + timedelta(seconds=1)
    window = {"begin_time": digits(begin), "end_time": digits(end), "limit": 1000}
    answer = ask(ask.instance(each), params=window)
    assert answer.json()["total_num"] == len(ids(answer)) == 6
    exact = {"end_time": digits(begun[4].replace(microsecond=0)), "begin_time": digits(begin)}
    assert ask(ask.instance(each), params=exact).json()["total_num"] == 5


def test_other_spellings_of_the_window_are_ignored(ask):
    each = ask.busiest()
    answer = ask(ask.instance(each), params={"beginTime": "20990101000000", "begin_Time": "x"})
    assert answer.json()["total_num"] == len(ask.world.plans(each, ask.clock()))


def test_nothing_is_204_without_a_body(ask):
    single = next(each for each in ask.world.instances if each.mode == "single")
    ask.key = single.project.account.key
    for call in ("/restores", "/backups"):
        answer = ask(ask.instance(single, call))
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Content-Length" not in answer.headers


def test_a_window_without_restores_is_204_too(ask):
    empty = {"begin_time": "20991231000000"}
    assert ask(ask.instance(ask.busiest()), params=empty).status_code == 204


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"limit": "0"}, "DCS.4800"),
        ({"limit": "1001"}, "DCS.4800"),
        ({"limit": "ten"}, "DCS.4800"),
        ({"limit": ""}, "DCS.4800"),
        ({"offset": "-1"}, "DCS.4800"),
        ({"offset": "²"}, "DCS.4800"),
        ({"begin_time": "2026-11-01"}, "DCS.4062"),
        ({"end_time": "20261301000000"}, "DCS.4062"),
        ({"begin_time": "20261102000000", "end_time": "20261101000000"}, "DCS.4025"),
    ],
)
@pytest.mark.parametrize("call", ["/restores", "/backups"])
def test_bad_parameters_are_named_in_a_400(ask, call, params, code):
    answer = ask(ask.instance(ask.busiest(), call), params=params)
    assert refusal(answer) == (400, code)
    assert answer.json()["error_ext_msg"] is None
    if len(params) == 1:
        assert next(iter(params)) in answer.json()["error_msg"]


def test_what_does_not_exist_is_told_apart(ask):
    project = ask.project()
    unknown = "00000000-0000-4000-8000-000000000000"
    assert refusal(ask(f"{project}/{unknown}/restores")) == (404, "DCS.3022")
    assert refusal(ask(f"{project}/nonsense/restores")) == (400, "DCS.4061")
    assert refusal(ask(f"{project}/{unknown}/nonsense")) == (404, "APIGW.0101")
    assert refusal(ask("/v2/nonsense/instances")) == (400, "DCS.4002")
    assert refusal(ask(f"/v2/{'0' * 32}/instances")) == (401, "DCS.1004")
    elsewhere = ask.busiest(1)
    assert refusal(ask(f"{project}/{elsewhere.instance_id}/restores")) == (404, "DCS.3022")


def test_a_project_of_the_other_account_is_closed(ask):
    assert refusal(ask(ask.project(5))) == (401, "DCS.1004")


def test_a_method_that_is_not_offered_is_405(ask):
    for method, path in (("DELETE", ask.instance(ask.busiest())), ("POST", ask.project())):
        assert refusal(ask.plain(path, method)) == (405, "DCS.5001")


def test_a_weak_key_may_list_instances_but_no_restores(ask):
    ask.key = ask.world.accounts[0].keys[2]
    assert ask(ask.project()).status_code == 200
    assert refusal(ask(ask.instance(ask.busiest()))) == (403, "DCS.2003")


def test_instances_are_found_by_name_id_ip_and_status(ask):
    each = ask.busiest()
    for params in (
        {"name": each.name, "name_equal": "true"},
        {"instance_id": each.instance_id},
        {"ip": each.ip},
    ):
        found = ask(ask.project(), params=params).json()
        assert [row["instance_id"] for row in found["instances"]] == [each.instance_id]
        assert found["instance_num"] == 1
    part = ask(ask.project(), params={"name": each.name[:3], "limit": 1000}).json()["instances"]
    assert each.name in {row["name"] for row in part}
    assert ask(ask.project(), params={"name": each.name[:3], "name_equal": "true"}).json() == {
        "instance_num": 0,
        "instances": [],
    }


def test_restoring_instances_are_counted_and_named(ask, clock):
    each = idle(ask)
    order(ask, each, backup_id=sound_backup(ask, each))
    counts = ask(f"{ask.project()}/status").json()
    listed = ask(ask.project(), params={"status": "RESTORING", "limit": 1000}).json()
    assert counts["restoring_count"] == listed["instance_num"] >= 1
    assert each.instance_id in {row["instance_id"] for row in listed["instances"]}
    assert counts["redis"]["restoring_count"] + counts["memcached"]["restoring_count"] >= 1
    assert ask(ask.instance(each, "")).json()["status"] == "RESTORING"
    clock.forward(minutes=3)
    assert ask(ask.instance(each, "")).json()["update_at"]


def test_failed_creations_are_listed_on_request_only(clock):
    with Simulator(instances=2000, restores=0, born=BORN, clock=clock) as big:
        ask = Asking(big)
        usual, every = (
            ask(ask.project(), params={"limit": 1000, **more}).json()["instances"]
            for more in ({}, {"include_failure": "true"})
        )
    failed = {row["status"] for row in every} - {row["status"] for row in usual}
    assert failed == {"CREATEFAILED"}


def test_a_restore_begins_on_request_and_runs_to_its_end(ask, clock):
    each = idle(ask)
    begun = order(ask, each, backup_id=sound_backup(ask, each), remark="drill").json()
    seen = []
    for _ in range(8):
        record = ask(ask.instance(each)).json()["restore_record_response"][0]
        if record["restore_id"] == begun["restore_id"]:
            seen.append(record["status"])
        clock.forward(seconds=10)
    assert seen[0] == "waiting" and "restoring" in seen and seen[-1] == "succeed"


def test_a_restore_is_refused_with_the_documented_codes(ask):
    each, backup = idle(ask), sound_backup(ask, idle(ask))
    single = next(each for each in ask.world.instances if each.mode == "single")
    assert refusal(order(ask, each, backup_id="nope")) == (400, "DCS.4087")
    assert refusal(order(ask, each, backup_id=backup, remark="x" * 129)) == (400, "DCS.4098")
    assert refusal(order(ask, each, remark="no backup")) == (400, "DCS.4062")
    assert order(ask, each, backup_id=backup, remark="x" * 128).status_code == 200
    assert refusal(order(ask, each, backup_id=backup)) == (400, "DCS.4097")
    ask.key = single.project.account.key
    assert refusal(order(ask, single, backup_id=backup)) == (400, "DCS.4086")


def test_the_same_seed_and_clock_give_the_same_bytes_after_a_restart(ask, clock):
    paths = [ask.project(), f"{ask.project()}/status"]
    paths += [ask.instance(ask.busiest(), call) for call in ("", "/restores", "/backups")]
    before = [ask(path).content for path in paths]
    with Simulator(seed=7, instances=40, restores=900, born=BORN, clock=clock) as again:
        other = Asking(again)
        assert [other(path).content for path in paths] == before
