import json
from datetime import timedelta

import pytest

from simulator.server import Simulator

from .conftest import EPOCH, Client


def error_of(response):
    return response.status_code, response.json()["error_code"]


def ids(response):
    return [record["restore_id"] for record in response.json()["restore_record_response"]]


def digits(instant):
    return f"{instant:%Y%m%d%H%M%S}"


def idle(api):
    busy = {each for each, _ in api.world.running(api.clock())}
    there = api.world.instances_of(api.world.projects[0])
    return next(each for each in there if each.restorable and each not in busy)


def start_restore(api, instance, **body):
    return api(api.instance(instance), "POST", body=json.dumps(body))


def successful_backup(api, instance):
    now = api.clock()
    found = api.world.backups(instance, now)
    return next(each.backup_id for each in found if each.status(now) == "succeed")


def test_restores_come_newest_first_ten_to_a_page(api, clock):
    each = api.busiest()
    response = api(api.instance(each))
    expected = api.world.records(each, clock())
    assert response.json() == {"restore_record_response": expected[:10], "total_num": len(expected)}


def test_offset_counts_records(api, clock):
    each = api.busiest()
    expected = [record["restore_id"] for record in api.world.records(each, clock())]
    response = api(api.instance(each), params={"offset": 3, "limit": 4})
    assert ids(response) == expected[3:7]
    past = api(api.instance(each), params={"offset": 9999})
    assert past.json() == {"restore_record_response": [], "total_num": len(expected)}


def test_the_time_range_is_utc_and_includes_both_ends(api):
    each = api.busiest()
    created = [each.created_at for each in api.world.restores(each, api.clock())]
    begin, end = created[9].replace(microsecond=0), created[4] + timedelta(seconds=1)
    between = {"begin_time": digits(begin), "end_time": digits(end), "limit": 1000}
    response = api(api.instance(each), params=between)
    assert response.json()["total_num"] == len(ids(response)) == 6
    exact = {"end_time": digits(created[4].replace(microsecond=0)), "begin_time": digits(begin)}
    assert api(api.instance(each), params=exact).json()["total_num"] == 5


def test_other_spellings_of_the_time_range_are_ignored(api):
    each = api.busiest()
    response = api(api.instance(each), params={"beginTime": "20990101000000", "begin_Time": "x"})
    assert response.json()["total_num"] == len(api.world.restores(each, api.clock()))


def test_an_empty_list_is_a_204_without_a_body(api):
    single = next(each for each in api.world.instances if each.mode == "single")
    api.key = single.project.account.key
    for call in ("/restores", "/backups"):
        response = api(api.instance(single, call))
        assert (response.status_code, response.content) == (204, b"")
        assert "Content-Length" not in response.headers


def test_a_time_range_without_restores_is_a_204_too(api):
    empty = {"begin_time": "20991231000000"}
    assert api(api.instance(api.busiest()), params=empty).status_code == 204


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
def test_bad_parameters_are_named_in_a_400(api, call, params, code):
    response = api(api.instance(api.busiest(), call), params=params)
    assert error_of(response) == (400, code)
    assert response.json()["error_ext_msg"] is None
    if len(params) == 1:
        assert next(iter(params)) in response.json()["error_msg"]


def test_each_unknown_thing_has_its_own_error(api):
    project = api.project()
    unknown = "00000000-0000-4000-8000-000000000000"
    assert error_of(api(f"{project}/{unknown}/restores")) == (404, "DCS.3022")
    assert error_of(api(f"{project}/nonsense/restores")) == (400, "DCS.4061")
    assert error_of(api(f"{project}/{unknown}/nonsense")) == (404, "APIGW.0101")
    assert error_of(api("/v2/nonsense/instances")) == (400, "DCS.4002")
    assert error_of(api(f"/v2/{'0' * 32}/instances")) == (401, "DCS.1004")
    elsewhere = api.busiest(1)
    assert error_of(api(f"{project}/{elsewhere.instance_id}/restores")) == (404, "DCS.3022")


def test_a_project_of_the_other_account_is_refused(api):
    assert error_of(api(api.project(5))) == (401, "DCS.1004")


def test_an_unsupported_method_is_a_405(api):
    for method, path in (("DELETE", api.instance(api.busiest())), ("POST", api.project())):
        assert error_of(api.plain(path, method)) == (405, "DCS.5001")


def test_a_weak_key_may_list_instances_but_no_restores(api):
    api.key = api.world.accounts[0].keys[2]
    assert api(api.project()).status_code == 200
    assert error_of(api(api.instance(api.busiest()))) == (403, "DCS.2003")


def test_instances_are_found_by_name_id_ip_and_status(api):
    each = api.busiest()
    for params in (
        {"name": each.name, "name_equal": "true"},
        {"instance_id": each.instance_id},
        {"ip": each.ip},
    ):
        found = api(api.project(), params=params).json()
        assert [row["instance_id"] for row in found["instances"]] == [each.instance_id]
        assert found["instance_num"] == 1
    part = api(api.project(), params={"name": each.name[:3], "limit": 1000}).json()["instances"]
    assert each.name in {row["name"] for row in part}
    assert api(api.project(), params={"name": each.name[:3], "name_equal": "true"}).json() == {
        "instance_num": 0,
        "instances": [],
    }


def test_restoring_instances_are_counted_and_listed(api, clock):
    each = idle(api)
    start_restore(api, each, backup_id=successful_backup(api, each))
    counts = api(f"{api.project()}/status").json()
    listed = api(api.project(), params={"status": "RESTORING", "limit": 1000}).json()
    assert counts["restoring_count"] == listed["instance_num"] >= 1
    assert each.instance_id in {row["instance_id"] for row in listed["instances"]}
    assert counts["redis"]["restoring_count"] + counts["memcached"]["restoring_count"] >= 1
    assert api(api.instance(each, "")).json()["status"] == "RESTORING"
    clock.forward(minutes=3)
    assert api(api.instance(each, "")).json()["update_at"]


def test_failed_creations_are_listed_on_request_only(clock):
    with Simulator(instances=2000, restores=0, epoch=EPOCH, clock=clock) as big:
        api = Client(big)
        usual, every = (
            api(api.project(), params={"limit": 1000, **more}).json()["instances"]
            for more in ({}, {"include_failure": "true"})
        )
    failed = {row["status"] for row in every} - {row["status"] for row in usual}
    assert failed == {"CREATEFAILED"}


def test_a_restore_starts_on_request_and_runs_to_its_end(api, clock):
    each = idle(api)
    started = start_restore(
        api, each, backup_id=successful_backup(api, each), remark="drill"
    ).json()
    seen = []
    for _ in range(8):
        record = api(api.instance(each)).json()["restore_record_response"][0]
        if record["restore_id"] == started["restore_id"]:
            seen.append(record["status"])
        clock.forward(seconds=10)
    assert seen[0] == "waiting" and "restoring" in seen and seen[-1] == "succeed"


def test_a_restore_is_refused_with_the_documented_codes(api):
    each, backup = idle(api), successful_backup(api, idle(api))
    single = next(each for each in api.world.instances if each.mode == "single")
    assert error_of(start_restore(api, each, backup_id="nope")) == (400, "DCS.4087")
    assert error_of(start_restore(api, each, backup_id=backup, remark="x" * 129)) == (
        400,
        "DCS.4098",
    )
    assert error_of(start_restore(api, each, remark="no backup")) == (400, "DCS.4062")
    assert start_restore(api, each, backup_id=backup, remark="x" * 128).status_code == 200
    assert error_of(start_restore(api, each, backup_id=backup)) == (400, "DCS.4097")
    api.key = single.project.account.key
    assert error_of(start_restore(api, single, backup_id=backup)) == (400, "DCS.4086")


def test_the_same_seed_and_clock_give_the_same_bytes_after_a_restart(api, clock):
    paths = [api.project(), f"{api.project()}/status"]
    paths += [api.instance(api.busiest(), call) for call in ("", "/restores", "/backups")]
    before = [api(path).content for path in paths]
    with Simulator(seed=7, instances=40, restores=900, epoch=EPOCH, clock=clock) as again:
        other = Client(again)
        assert [other(path).content for path in paths] == before
