"""A toy project that the real ./run starts: its programs are a few lines each, its world is real.

Each toy locks a file of its own for as long as it lives: who is alive is read from those locks,
for a process id may belong to a zombie that nobody waits for.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.launcher.bootstrap import RUNTIME, Venv, digest
from deploy.launcher.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]

TOY = """
import fcntl, http.server, json, os, pathlib, signal, subprocess, sys, time

def lives(name):
    global lock
    pathlib.Path("alive").mkdir(exist_ok=True)
    lock = open(f"alive/{name}-{os.getpid()}", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    pathlib.Path(f"{name}.env").write_text(json.dumps(dict(os.environ)))
    if name in os.environ.get("LC_STUBBORN", ""):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: (print(f"{name} leaves", flush=True), os._exit(0)))
    print(f"{name} lives", flush=True)

def answers(port, replies):
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(replies.get(self.path, b"ok"))
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Answers).serve_forever()
"""

MANAGE = """
import json, os, sys
from toy import answers, lives
command, *rest = sys.argv[1:]
if command == "simulate_dcs":
    lives("simulator")
    projects = '[accounts.toy]\\naccess_key_env = "TOY_AK"\\n'
    world = {"projects_file": projects, "environment": {"TOY_AK": "toy"}, "epoch": ""}
    answers(rest[1], {"/_world": json.dumps(world).encode()})
elif command == "login_link":
    print(os.environ["BASE_URL"] + "/login/once/token/")
elif command == "show":
    print(json.dumps(dict(os.environ)))
elif command == "fail":
    sys.exit(7)
"""

CELERY = """
import os, subprocess, sys, time
from toy import lives
name = "beat" if "beat" in sys.argv else "worker"
if os.environ.get("POOL_CHILD"):
    name = "pool"
elif name == "worker":
    subprocess.Popen([sys.executable, "-m", "celery"], env=dict(os.environ, POOL_CHILD="1"))
lives(name)
while True:
    time.sleep(60)
"""

GUNICORN = """
import sys
from toy import answers, lives
lives("web")
answers(sys.argv[sys.argv.index("--bind") + 1].rpartition(":")[2], {})
"""


class Toy:
    """The toy project's folder, and ./run in it."""

    def __init__(self, root, port):
        self.root, self.port, self.output = root, port, root / "output.txt"
        self.process = None

    def environment(self, **names):
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), **names}

    def start(self, *arguments, **names):
        command = [sys.executable, self.root / "run", "--port", str(self.port), *arguments]
        # No broker of its own: those have tests of their own.
        environment = self.environment(REDIS_URL="redis://127.0.0.1:1/0", **names)
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def started(self, *arguments, **names):
        self.start(*arguments, **names)
        eventually(lambda: "Ready: " in self.said() or self.process.poll() is not None)
        assert "Ready: " in self.said(), self.said()
        eventually(lambda: {"worker", "pool", "beat", "web", "simulator"} <= self.living())

    def once(self, *arguments, **names):
        """The status and words of a ./run that is to end by itself."""
        command = [sys.executable, self.root / "run", *arguments]
        done = subprocess.run(
            command, env=self.environment(**names), capture_output=True, text=True, timeout=30
        )
        return done.returncode, done.stdout + done.stderr

    def said(self):
        return self.output.read_text()

    def living(self):
        """The names of the toys that are alive."""
        return {
            name for path in self.root.glob("alive/*") if _locked(path) for name in [_name(path)]
        }

    def pid(self, name):
        """The process id of the living toy of this name."""
        [path] = [p for p in self.root.glob(f"alive/{name}-*") if _locked(p)]
        return int(path.name.rpartition("-")[2])


@pytest.fixture
def toy(tmp_path, free):
    """The toy project, not started yet."""
    with toy_in(tmp_path.resolve(), free) as toy:
        yield toy


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The toy project, started once for all tests that only look."""
    with toy_in(tmp_path_factory.mktemp("toy").resolve(), free_port()) as toy:
        toy.started(DISPLAY_TIME_ZONE="Asia/Tokyo", SOMETHING="else", PYTHONPATH="/nowhere")
        yield toy


@contextmanager
def toy_in(root, port):
    shutil.copy(REPOSITORY / "run", root / "run")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "deploy", root / "deploy", ignore=ignored)
    parts = {"toy": TOY, "manage": MANAGE, "celery": CELERY, "gunicorn": GUNICORN}
    for name, text in parts.items():
        (root / f"{name}.py").write_text(text)
    (root / RUNTIME).write_text("")
    pretend_installed(root)
    toy = Toy(root, port)
    yield toy
    if toy.process and toy.process.poll() is None:
        toy.process.send_signal(signal.SIGINT)
        toy.process.wait(timeout=30)
    eventually(lambda: not toy.living())


@pytest.fixture
def free():
    """A port nobody listens on."""
    return free_port()


def pretend_installed(root):
    """An environment whose stamp says that everything is there."""
    venv = Venv(root / ".venv")
    venv.python.parent.mkdir(parents=True)
    venv.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    venv.python.chmod(0o755)
    venv.remember({RUNTIME: digest(root / RUNTIME)})


def eventually(condition, seconds=15):
    """Wait until ``condition()`` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _locked(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _name(path):
    return path.name.rpartition("-")[0]
