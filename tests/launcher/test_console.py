"""What ./run prints, into a file too, when the disk is full for a while."""

import subprocess
import sys

from .conftest import REPOSITORY

# A limit on the size of files stands for a full disk: the same calls fail until there is room.
PROGRAM = """
import resource, signal
from deploy.launcher.console import say
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
say("before")
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
for number in range(5):
    say(f"full {number}")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
say("after")
"""


def test_d9_what_run_prints_continues_once_a_full_disk_has_room(tmp_path):
    output = tmp_path / "run.log"
    with output.open("w") as file:
        command = [sys.executable, "-c", PROGRAM]
        subprocess.run(command, cwd=REPOSITORY, stdout=file, check=True, timeout=30)
    lines = output.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[-1].endswith("after")  # after the part of the previous line that still fit


def test_a_closed_pipe_ends_only_the_output():
    program = "from deploy.launcher.console import say\nfor _ in range(9): say('x' * 9000)"
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    process.stdout.close()
    assert process.wait(30) == 0
