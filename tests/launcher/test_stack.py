"""The real ./run on a toy project: what starts, what is restarted, what stops, what is left."""

import json
import os
import signal
import stat
import subprocess

import pytest

from .conftest import eventually

pytestmark = pytest.mark.run


def test_it_prints_ready_with_the_sign_in_link_on_a_line_of_its_own(running):
    link = f"http://127.0.0.1:{running.port}/login/once/token/"
    assert f"Ready: {link}" in running.output.splitlines()


def test_each_child_writes_a_log_file_of_its_own(running):
    for name in ("simulator", "worker", "beat", "web"):
        assert f"{name} started" in running.log(name)


def test_ctrl_c_stops_web_first_and_leaves_no_process(toy):
    toy.start_until_ready()
    os.killpg(toy.process.pid, signal.SIGINT)
    assert toy.process.wait(timeout=20) == 0
    stopped = (toy.root / "stopped.txt").read_text().split()
    assert stopped == ["web", "beat", "worker", "simulator"]
    eventually(lambda: not toy.alive())


def test_sigterm_during_the_start_stops_what_has_started(toy):
    toy.start()
    eventually(lambda: "simulator" in toy.alive())
    toy.process.terminate()
    assert toy.process.wait(timeout=20) == 0
    eventually(lambda: not toy.alive())


def test_kill_9_leaves_no_process_not_even_a_childs_child(toy):
    toy.start_until_ready()
    toy.process.kill()
    eventually(lambda: not toy.alive())


def test_kill_9_leaves_no_process_that_ignores_sigterm(toy):
    toy.start_until_ready(LC_STUBBORN="web pool")
    toy.process.kill()
    eventually(lambda: not toy.alive(), seconds=30)


def test_after_kill_9_the_next_start_waits_for_the_last_process_and_continues(toy):
    toy.start_until_ready()
    toy.process.kill()
    toy.process.wait()
    toy.start_until_ready()


def test_a_killed_worker_is_restarted_and_its_pool_does_not_outlive_it(toy):
    toy.start_until_ready()
    worker, pool = toy.pid("worker"), toy.pid("pool")
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: "worker was killed by signal 9; restarting in 1 s." in toy.output)
    eventually(lambda: toy.log("worker").count("worker started") == 2 and "pool" in toy.alive())
    assert pool != toy.pid("pool")


def test_a_second_ctrl_c_does_not_wait_for_a_stubborn_child(toy):
    toy.start_until_ready(LC_STUBBORN="web")
    toy.process.send_signal(signal.SIGINT)
    eventually(lambda: "Stopping…" in toy.output)
    toy.process.send_signal(signal.SIGINT)
    assert toy.process.wait(timeout=5) == 0
    eventually(lambda: not toy.alive())


def test_only_worker_and_commands_get_the_clouds_secrets(running):
    known = {
        name: json.loads((running.root / f"{name}.env").read_text())
        for name in ("web", "beat", "worker", "simulator")
    }
    for name in ("web", "beat", "simulator"):
        assert not {"TOY_AK", "DCS_PROJECTS", "SOMETHING", "PYTHONPATH"} & known[name].keys()
        assert known[name]["ALLOWED_HOSTS"] == "toy.example"
    assert known["worker"]["TOY_AK"] == "toy"
    assert {name for name in known if "REDIS_URL" in known[name]} == {"worker", "beat"}


def test_a_command_gets_the_same_settings_and_passes_its_status_on(running):
    status, output = running.run("manage", "show")
    shown = json.loads(output)
    assert status == 0
    assert shown["BASE_URL"] == f"http://127.0.0.1:{running.port}"
    assert shown["TOY_AK"] == "toy" and shown["DCS_PROJECTS"].endswith("/var/projects.toml")
    assert running.run("manage", "fail")[0] == 7


def test_a_second_run_keeps_secret_key_and_simulator_port(toy):
    kept = []
    for _ in range(2):
        toy.start_until_ready()
        simulator = json.loads((toy.root / "var" / "simulator.json").read_text())
        kept.append(((toy.root / "var" / "secret_key").read_text(), simulator["port"]))
        toy.process.send_signal(signal.SIGINT)
        assert toy.process.wait(timeout=20) == 0
    assert kept[0] == kept[1]


def test_files_with_secrets_are_readable_by_their_owner_only(running):
    for name in ("secret_key", "simulator.json", "projects.toml", "logs/web.log"):
        assert stat.S_IMODE((running.root / "var" / name).stat().st_mode) == 0o600, name


def test_the_sign_in_link_is_not_in_the_logs(running):
    for log in (running.root / "var" / "logs").iterdir():
        assert "token" not in log.read_text()


def test_a_second_run_on_the_same_folder_is_refused_with_a_message(running):
    status, output = running.run("--port", str(running.port + 1))
    assert status == 1
    assert f"Another ./run (process {running.process.pid}" in output and "--data DIR" in output
    assert "Traceback" not in output


def test_a_failing_command_stops_everything_and_its_log_is_shown(toy):
    manage = toy.root / "manage.py"
    broken = 'if command == "migrate": sys.exit("no such table")\n'
    manage.write_text(manage.read_text().replace("if command", broken + "if command", 1))
    toy.start()
    assert toy.process.wait(timeout=20) == 1
    assert "no such table" in toy.output
    assert "`manage.py migrate --noinput -v0` exited with status 1. See " in toy.output
    eventually(lambda: not toy.alive())


def test_a_closed_terminal_does_not_stop_it(toy):
    command = [toy.root / "run", "--port", str(toy.port)]
    environment = toy.environment(REDIS_URL="redis://127.0.0.1:1/0")
    toy.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    toy.process.stdout.readline()
    toy.process.stdout.close()
    eventually(lambda: {"web", "worker"} <= toy.alive())
