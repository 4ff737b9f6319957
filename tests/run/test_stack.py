"""The real ./run over a toy project: what starts, what is restarted, what stops, what is left."""

import json
import os
import signal
import stat
import subprocess

import pytest

from .conftest import eventually

pytestmark = pytest.mark.run


def leaving(said):
    return [line.split()[2] for line in said.splitlines() if line.endswith(" leaves")]


def test_it_says_ready_with_the_sign_in_link_on_a_line_of_its_own(running):
    assert (
        f"Ready: http://127.0.0.1:{running.port}/login/once/token/" in running.said().splitlines()
    )


def test_ctrl_c_stops_web_first_and_leaves_no_process(toy):
    toy.started()
    os.killpg(toy.process.pid, signal.SIGINT)
    assert toy.process.wait(timeout=20) == 0
    assert leaving(toy.said()) == ["web", "beat", "worker", "simulator"]
    eventually(lambda: not toy.living())


def test_sigterm_during_the_start_stops_what_has_started(toy):
    toy.start()
    eventually(lambda: "simulator" in toy.living())
    toy.process.terminate()
    assert toy.process.wait(timeout=20) == 0
    eventually(lambda: not toy.living())


def test_kill_9_leaves_no_process_not_even_a_childs_child(toy):
    toy.started()
    toy.process.kill()
    eventually(lambda: not toy.living())


def test_after_kill_9_the_next_start_waits_for_the_last_process_and_goes_on(toy):
    toy.started()
    toy.process.kill()
    toy.process.wait()
    toy.started()


def test_a_killed_worker_starts_again_and_its_pool_does_not_outlive_it(toy):
    toy.started()
    worker, pool = toy.pid("worker"), toy.pid("pool")
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: "worker was killed by signal 9; it starts again in 1 s." in toy.said())
    eventually(lambda: toy.said().count("worker lives") == 2 and "pool" in toy.living())
    assert pool != toy.pid("pool")


def test_a_second_ctrl_c_does_not_wait_for_a_stubborn_child(toy):
    toy.started(LC_STUBBORN="web")
    toy.process.send_signal(signal.SIGINT)
    eventually(lambda: "Stopping …" in toy.said())
    toy.process.send_signal(signal.SIGINT)
    assert toy.process.wait(timeout=5) == 0
    eventually(lambda: not toy.living())


def test_only_worker_and_commands_know_the_clouds_secrets(running):
    known = {
        name: json.loads((running.root / f"{name}.env").read_text())
        for name in ("web", "beat", "worker", "simulator")
    }
    for name in ("web", "beat", "simulator"):
        assert not {"TOY_AK", "DCS_PROJECTS", "SOMETHING", "PYTHONPATH"} & known[name].keys()
        assert known[name]["DISPLAY_TIME_ZONE"] == "Asia/Tokyo"
    assert known["worker"]["TOY_AK"] == "toy"
    assert {name for name in known if "REDIS_URL" in known[name]} == {"worker", "beat"}


def test_a_command_gets_the_same_world_and_passes_its_status_on(running):
    status, output = running.once("manage", "show")
    shown = json.loads(output)
    assert status == 0
    assert shown["BASE_URL"] == f"http://127.0.0.1:{running.port}"
    assert shown["TOY_AK"] == "toy" and shown["DCS_PROJECTS"].endswith("/var/projects.toml")
    assert running.once("manage", "fail")[0] == 7


def test_a_second_run_keeps_secret_key_and_simulator_port(toy):
    kept = []
    for _ in range(2):
        toy.started()
        simulator = json.loads((toy.root / "var" / "simulator.json").read_text())
        kept.append(((toy.root / "var" / "secret_key").read_text(), simulator["port"]))
        toy.process.send_signal(signal.SIGINT)
        assert toy.process.wait(timeout=20) == 0
    assert kept[0] == kept[1]


def test_what_holds_secrets_is_for_its_owner_only(running):
    for name in ("secret_key", "simulator.json", "projects.toml", "logs/web.log"):
        assert stat.S_IMODE((running.root / "var" / name).stat().st_mode) == 0o600, name


def test_the_sign_in_link_is_not_in_the_logs(running):
    for log in (running.root / "var" / "logs").iterdir():
        assert "token" not in log.read_text()


def test_a_second_run_over_the_same_folder_is_refused_in_words(running):
    status, said = running.once("--port", str(running.port + 1))
    assert status == 1
    assert f"Another ./run (process {running.process.pid}" in said and "--data DIR" in said
    assert "Traceback" not in said


def test_a_failing_command_stops_the_start_and_everything_with_it(toy):
    manage = toy.root / "manage.py"
    broken = 'if command == "migrate": sys.exit("no such table")\n'
    manage.write_text(manage.read_text().replace("if command", broken + "if command", 1))
    toy.start()
    assert toy.process.wait(timeout=20) == 1
    assert "migrate | no such table" in toy.said()
    assert "`manage.py migrate --noinput -v0` ended with status 1." in toy.said()
    eventually(lambda: not toy.living())


def test_a_closed_terminal_does_not_stop_it(toy):
    toy.started()
    toy.process.send_signal(signal.SIGINT)
    toy.process.wait(timeout=20)
    command = [toy.root / "run", "--port", str(toy.port)]
    environment = toy.environment(REDIS_URL="redis://127.0.0.1:1/0")
    toy.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    toy.process.stdout.readline()
    toy.process.stdout.close()
    eventually(lambda: {"web", "worker"} <= toy.living())
