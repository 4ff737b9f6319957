"""Children that die start again, with growing patience."""

import sys

import pytest

from deploy.launcher.children import Child, Family, Life
from deploy.launcher.tether import Tether

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
def family(tmp_path, clock):
    with Tether() as tether:
        family = Family(tether, root=tmp_path, logs=tmp_path, clock=clock)
        yield family
        family.stop()


def child(program):
    return Child(name="toy", command=[sys.executable, "-c", program], environment={})


def test_pauses_double_from_1_s_to_30_s():
    life = Life(child(""))
    pauses = []
    for _ in range(7):
        life.died(now=5)
        pauses.append(life.pause)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_who_lived_a_minute_starts_again_after_1_s():
    life = Life(child(""), pause=16)
    life.started_at = 100
    life.died(now=160)
    assert (life.pause, life.due_at) == (1, 161)


def test_a_dead_child_starts_again_when_its_pause_is_over(family, clock, capsys, tmp_path):
    log = tmp_path / "toy.log"
    family.start(child("print('born'); raise SystemExit(3)"))
    said = []

    def told(words):
        family.tend()
        said.append(capsys.readouterr().out)
        return words in "".join(said)

    eventually(lambda: told("toy ended with status 3; it starts again in 1 s."))
    clock.now += 0.9
    family.tend()
    eventually(lambda: log.read_text().count("born") == 1)
    clock.now += 0.2
    eventually(lambda: told("it starts again in 2 s."))
    eventually(lambda: log.read_text().count("born") == 2)


def test_a_program_that_is_not_there_is_tried_again_too(family, capsys):
    family.start(Child(name="toy", command=["/nowhere/at/all"], environment={}))
    assert "toy cannot start" in capsys.readouterr().out
    family.tend()


def test_escape_sequences_do_not_reach_the_terminal(family, capsys):
    family.start(child(r"print('a\x1b[2Jb\u202ec\td')"))
    seen = []
    eventually(lambda: seen.append(capsys.readouterr().out) or "toy | a" in "".join(seen))
    assert "      toy | a�[2Jb�c\td" in "".join(seen)
