import http.client
import signal
import subprocess
import sys
from email.utils import parsedate_to_datetime

import pytest
import requests
from django.core.management import CommandError, call_command

from simulator.server import Simulator


def test_every_response_has_the_simulated_date_and_a_request_id(api, clock):
    paths = [api.project(), "/nowhere", api.instance(api.busiest())]
    responses = [api(path) for path in paths]
    assert {parsedate_to_datetime(each.headers["Date"]) for each in responses} == {clock()}
    assert len({each.headers["X-Request-Id"] for each in responses}) == 3


def test_one_connection_serves_many_requests(simulator):
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=9)
    sockets = set()
    for _ in range(20):
        connection.request("GET", "/_healthz")
        assert connection.getresponse().read() == b'{"ok":true}'
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert len(sockets) == 1


def test_a_closed_simulator_ends_open_connections_too(clock):
    with requests.Session() as session:
        with Simulator(instances=6, restores=0, clock=clock) as running:
            assert session.get(f"{running.url}/_healthz", timeout=9).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{running.url}/_healthz", timeout=9)


def test_the_log_has_every_request_and_the_busiest_second(api, simulator):
    for _ in range(7):
        api(api.project(), params={"limit": 1})
    api.plain(api.project())
    log = api.plain("/_log", params={"n": 3}).json()
    assert log["total"] == 8 and log["by_status"] == {"200": 7, "401": 1}
    assert log["by_account"] == {"harbour": 7, "": 1} and len(log["requests"]) == 3
    assert log["requests"][0]["query"] == "limit=1"
    assert 1 <= simulator.log.busiest_second("harbour") <= 7
    api.plain("/_log", "DELETE")
    assert api.plain("/_log").json()["total"] == 0


def test_the_world_describes_itself_as_a_projects_file(api, simulator):
    import tomllib

    described = api.plain("/_world").json()
    file = tomllib.loads(described["projects_file"])
    assert {each["endpoint"] for each in file["accounts"].values()} == {simulator.url}
    assert [each["project_id"] for each in file["projects"].values()] == [
        project.project_id for project in simulator.world.projects
    ]
    named = {
        value
        for account in file["accounts"].values()
        for key, value in account.items()
        if key.endswith("_env")
    }
    assert named == described["environment"].keys()


def test_a_restore_of_any_duration_and_outcome_starts_on_request(api, clock):
    scenario = {"waiting": 1, "seconds": 4, "code": "dcs.08.0002", "remark": "for a test"}
    started = api.plain("/_restores", "POST", json=scenario).json()
    each = api.world.instance(started["instance_id"])
    clock.forward(seconds=6)
    record = next(
        record
        for record in api.world.records(each, clock())
        if record["restore_id"] == started["restore_id"]
    )
    assert (record["status"], record["error_code"]) == ("failed", "dcs.08.0002")


@pytest.mark.parametrize(
    "scenario", [{"instance": "nobody"}, {"color": 1}, {"seconds": "long"}, {"waiting": -1}]
)
def test_an_invalid_scenario_is_refused_with_a_reason(api, scenario):
    response = api.plain("/_restores", "POST", json=scenario)
    assert response.status_code == 400 and response.json()["error"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("port", "65536"),
        ("port", "-1"),
        ("port", "http"),
        ("instances", "0"),
        ("instances", "20001"),
        ("restores", "-5"),
        ("seed", "1.5"),
        ("max-limit", "0"),
        ("max-limit", "1001"),
        ("epoch", "yesterday"),
        ("epoch", "2999-01-01T00:00:00Z"),
    ],
)
def test_the_command_refuses_bad_values_by_name(option, value):
    with pytest.raises(CommandError) as refused:
        call_command("simulate_dcs", **{"port": "0", option.replace("-", "_"): value})
    assert f"--{option} {value}" in str(refused.value)
    assert "must " in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "word"),
    [("nonsense", "JSON"), ('{"kind": "flood"}', "flood"), ("@/no/such/file", "No such file")],
)
def test_the_command_refuses_bad_faults_with_a_reason(spec, word):
    with pytest.raises(CommandError, match=word):
        call_command("simulate_dcs", port="0", faults=spec, instances="6", restores="0")


def test_the_command_says_that_the_port_is_in_use(simulator):
    port = simulator.url.rpartition(":")[2]
    with pytest.raises(CommandError, match=f"--port {port}"):
        call_command("simulate_dcs", port=port, instances="6", restores="0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_stopped(number):
    faults = '[{"kind": "status", "status": 500, "match": "/v3/"}]'
    sizes = ["--port", "0", "--instances", "6", "--restores", "10", "--faults", faults]
    command = [sys.executable, "-u", "manage.py", "simulate_dcs", *sizes]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[-1]
        assert requests.get(f"{url}/_healthz", timeout=9).ok
        assert requests.get(f"{url}/v3/projects", timeout=9).status_code == 500
        process.send_signal(number)
        assert process.wait(9) == 0
