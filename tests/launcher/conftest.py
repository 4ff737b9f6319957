"""A toy project that the real ./run starts: its programs are a few lines each, all else is real.

Each toy program locks its own file for as long as it lives. Those locks show which are alive: a
process id could belong to a zombie that nobody waits for.
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

from deploy.launcher.stack import free_port
from deploy.launcher.venv import RUNTIME, Venv, digest

REPOSITORY = Path(__file__).resolve().parents[2]

TOY = """
import fcntl, http.server, json, os, pathlib, signal, subprocess, sys, time

def start(name):
    global lock
    pathlib.Path("alive").mkdir(exist_ok=True)
    lock = open(f"alive/{name}-{os.getpid()}", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    pathlib.Path(f"{name}.env").write_text(json.dumps(dict(os.environ)))
    if name in os.environ.get("LC_STUBBORN", ""):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: stop(name))
    print(f"{name} started", flush=True)

def stop(name):
    with open("stopped.txt", "a") as file:
        print(name, file=file)
    os._exit(0)

def serve(port, replies):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(replies.get(self.path, b"ok"))
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""

MANAGE = """
import json, os, sys
from toy import serve, start
command, *rest = sys.argv[1:]
if command == "simulate_dcs":
    start("simulator")
    projects = '[accounts.toy]\\naccess_key_env = "TOY_AK"\\n'
    world = {"projects_file": projects, "environment": {"TOY_AK": "toy"}, "epoch": ""}
    serve(rest[1], {"/_world": json.dumps(world).encode()})
elif command == "login_link":
    print(os.environ["BASE_URL"] + "/login/once/token/")
elif command == "show":
    print(json.dumps(dict(os.environ)))
elif command == "fail":
    sys.exit(7)
"""

CELERY = """
import os, subprocess, sys, time
from toy import start
name = "beat" if "beat" in sys.argv else "worker"
if os.environ.get("POOL_CHILD"):
    name = "pool"
elif name == "worker":
    subprocess.Popen([sys.executable, "-m", "celery"], env=dict(os.environ, POOL_CHILD="1"))
start(name)
while True:
    time.sleep(60)
"""

GUNICORN = """
import sys
from toy import serve, start
start("web")
serve(sys.argv[sys.argv.index("--bind") + 1].rpartition(":")[2], {})
"""


class Toy:
    """The toy project's folder, and ./run in it."""

    def __init__(self, root, port):
        self.root, self.port, self._output = root, port, root / "output.txt"
        self.process = None

    def environment(self, **names):
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), **names}

    def start(self, *arguments, **names):
        command = [sys.executable, self.root / "run", "--port", str(self.port), *arguments]
        # No broker: those have their own tests.
        environment = self.environment(REDIS_URL="redis://127.0.0.1:1/0", **names)
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def start_until_ready(self, *arguments, **names):
        self.start(*arguments, **names)
        eventually(lambda: "Ready: " in self.output or self.process.poll() is not None)
        assert "Ready: " in self.output, self.output
        eventually(lambda: {"worker", "pool", "beat", "web", "simulator"} <= self.alive())

    def run(self, *arguments, **names):
        """The exit status and output of a ./run that ends by itself."""
        command = [sys.executable, self.root / "run", *arguments]
        done = subprocess.run(
            command, env=self.environment(**names), capture_output=True, text=True, timeout=30
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def output(self):
        return self._output.read_text()

    def log(self, name):
        return (self.root / "var" / "logs" / f"{name}.log").read_text()

    def alive(self):
        """The names of the toy programs that are alive."""
        return {path.name.rpartition("-")[0] for path in self._locks()}

    def pid(self, name):
        """The process id of the living toy program with this name."""
        [path] = [path for path in self._locks() if path.name.startswith(f"{name}-")]
        return int(path.name.rpartition("-")[2])

    def _locks(self):
        return [path for path in self.root.glob("alive/*") if _is_locked(path)]


@pytest.fixture
def toy(tmp_path, port):
    """The toy project, not started yet."""
    with make_toy(tmp_path.resolve(), port) as toy:
        yield toy


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The toy project, started once for all tests that only read."""
    with make_toy(tmp_path_factory.mktemp("toy").resolve(), free_port()) as toy:
        toy.start_until_ready(ALLOWED_HOSTS="toy.example", SOMETHING="else", PYTHONPATH="/nowhere")
        yield toy


@contextmanager
def make_toy(root, port):
    shutil.copy(REPOSITORY / "run", root / "run")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "deploy", root / "deploy", ignore=ignored)
    (root / "dashboard").mkdir()
    shutil.copy(REPOSITORY / "dashboard/secret_files.py", root / "dashboard")
    programs = {"toy": TOY, "manage": MANAGE, "celery": CELERY, "gunicorn": GUNICORN}
    for name, text in programs.items():
        (root / f"{name}.py").write_text(text)
    (root / RUNTIME).write_text("")
    pretend_installed(root)
    toy = Toy(root, port)
    yield toy
    if toy.process and toy.process.poll() is None:
        toy.process.send_signal(signal.SIGINT)
        toy.process.wait(timeout=30)
    eventually(lambda: not toy.alive())


@pytest.fixture
def port():
    """A port on which nobody listens."""
    return free_port()


def pretend_installed(root):
    """An environment whose stamp says that everything is installed."""
    venv = Venv(root / ".venv")
    venv.python.parent.mkdir(parents=True)
    venv.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    venv.python.chmod(0o755)
    venv.write_stamp({RUNTIME: digest(root / RUNTIME)})


def eventually(condition, seconds=15):
    """Wait until ``condition()`` holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _is_locked(path):
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
