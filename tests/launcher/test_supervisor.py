"""Children that die are restarted after a growing delay, and write to their own log files."""

import sys

import pytest

from deploy.launcher.supervisor import LARGEST_LOG, Child, Service, Supervisor, open_log

from .conftest import eventually

pytestmark = pytest.mark.run


@pytest.fixture
def clock():
    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def supervisor(tmp_path, clock):
    supervisor = Supervisor(root=tmp_path, logs=tmp_path, clock=clock)
    yield supervisor
    supervisor.stop()


def child(program):
    return Child(name="toy", command=[sys.executable, "-c", program], environment={})


def test_the_delay_doubles_from_1_s_to_30_s():
    service = Service(child(""))
    delays = []
    for _ in range(7):
        service.schedule_restart(now=5)
        delays.append(service.delay)
    assert delays == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_ran_for_a_minute_is_restarted_after_1_s():
    service = Service(child(""), delay=16)
    service.started_at = 100
    service.schedule_restart(now=160)
    assert (service.delay, service.restart_at) == (1, 161)


def test_a_dead_child_is_restarted_when_its_delay_is_over(supervisor, clock, capsys):
    supervisor.start(child("print('started'); raise SystemExit(3)"))
    output = []

    def printed(text):
        supervisor.tick()
        output.append(capsys.readouterr().out)
        return text in "".join(output)

    def starts():
        return supervisor.log("toy").read_text().count("started")

    eventually(lambda: printed("toy exited with status 3; restarting in 1 s."))
    clock.now += 0.9
    supervisor.tick()
    assert starts() == 1
    clock.now += 0.2
    eventually(lambda: printed("restarting in 2 s."))
    assert starts() == 2


def test_a_program_that_does_not_exist_is_retried_too(supervisor, capsys):
    supervisor.start(Child(name="toy", command=["/nowhere/at/all"], environment={}))
    assert "toy failed to start" in capsys.readouterr().out
    supervisor.tick()


def test_escape_sequences_in_a_log_do_not_reach_the_terminal(supervisor):
    supervisor.run(child(r"print('first\na\x1b[2Jb\u202ec\td')"))
    assert supervisor.log_tail("toy", lines=1) == "a�[2Jb�c\td"


def test_a_log_over_5_mb_is_renamed_once(tmp_path):
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * (LARGEST_LOG + 1))
    for line in (b"one\n", b"two\n"):
        with open_log(log) as written:
            written.write(line)
    assert log.read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "web.log.1").stat().st_size == LARGEST_LOG + 1
