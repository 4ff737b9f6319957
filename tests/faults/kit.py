"""Real parts to break: processes, a Redis server, databases, a proxy that can be cut."""

import json
import os
import re
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
SECRET = "only-for-tests-" * 4
CELERY = (sys.executable, "-m", "tests.faults.celery_with_overrides", "-A", "dashboard")


def until(condition, seconds=30.0, what="it"):
    """Wait until ``condition()`` is true and return its value; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        shown = what() if callable(what) else what
        assert time.monotonic() < deadline, f"not within {seconds} s: {shown}"
        time.sleep(0.02)
    return found


def never(condition, seconds):
    """Check for a while that ``condition()`` stays false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert not condition()
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A process, the leader of its own group, that logs to a file."""

    def __init__(self, command, environment, log):
        self.command, self.environment, self.log = command, environment, log
        self.starts = 0
        self.restart()

    def restart(self):
        """Start it, also after it has exited."""
        self.starts += 1
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in self.command],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def alive(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def send(self, number):
        """Signal the leader alone."""
        os.kill(self.process.pid, number)

    def send_all(self, number):
        """Signal the leader and everything it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self):
        self.send_all(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self.send_all(signal.SIGSTOP)

    def thaw(self):
        self.send_all(signal.SIGCONT)

    def wait(self, seconds):
        """Wait for it to exit; return the exit status."""
        return self.process.wait(seconds)


class Redis:
    """Our own Redis server, to be killed, frozen and flushed."""

    def __init__(self, folder, *options):
        self.port, self._folder, self._options = free_port(), folder, options
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._server = None

    def start(self):
        keep = ("--save", "", "--appendonly", "no", "--dir", self._folder)
        where = ("--bind", "127.0.0.1", "--port", self.port)
        command = (shutil.which("redis-server"), *where, *keep, *self._options)
        log = self._folder / "redis.log"
        self._server = Program(command, {"PATH": os.environ["PATH"]}, log)
        until(lambda: self._server.alive and self.ask("PING"), 10, "redis-server")

    def ask(self, *words):
        """Send one command and return the raw reply, "" if there is none."""
        line = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as wire:
                wire.sendall(f"*{len(words)}\r\n{line}".encode())
                return wire.recv(65536).decode(errors="replace")
        except OSError:
            return ""

    def flush(self):
        assert self.ask("FLUSHALL").startswith("+OK")

    def kill(self):
        if self._server:
            self._server.kill()

    def freeze(self):
        self._server.freeze()

    def thaw(self):
        self._server.thaw()


class Proxy:
    """A TCP proxy on loopback that can be cut, frozen and resumed."""

    def __init__(self, port, host="127.0.0.1"):
        self._target, self._pairs, self._frozen = (host, port), {}, threading.Event()
        self.port, self._listener = free_port(), None
        self._selector, self._lock = selectors.DefaultSelector(), threading.Lock()
        self._closed = threading.Event()
        self._commit_to_lose, self._committing = None, set()
        self._thread = threading.Thread(target=self._forward_all, daemon=True)
        self._thread.start()
        self.resume()

    def resume(self):
        """Forward again and accept new connections."""
        with self._lock:
            self._frozen.clear()
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
                self._listener.setblocking(False)
                self._selector.register(self._listener, selectors.EVENT_READ)

    def freeze(self):
        """Forward nothing; new connections are accepted and get no response."""
        self._frozen.set()

    def cut(self):
        """Break every connection and refuse new ones."""
        with self._lock:
            self._cut()

    def cut_at_commit(self, of):
        """Cut when the transaction with statement ``of`` commits: its response is lost."""
        self._commit_to_lose = of

    @property
    def is_cut(self):
        return self._listener is None

    def close(self):
        self.cut()
        self._closed.set()
        self._thread.join()
        self._selector.close()

    def _forward_all(self):
        while not self._closed.is_set():
            if self._frozen.is_set():
                time.sleep(0.01)
                continue
            with self._lock:
                ready = self._selector.select(0.01) if self._pairs or self._listener else ()
                for key, _ in ready:
                    self._forward(key.fileobj)
            if not ready:
                time.sleep(0.001)

    def _forward(self, end):
        if end is self._listener:
            near, _ = end.accept()
            try:
                far = socket.create_connection(self._target, 2)
            except OSError:
                near.close()
                return
            self._pairs |= {near: far, far: near}
            for each in (near, far):
                self._selector.register(each, selectors.EVENT_READ)
        elif end in self._pairs:
            try:
                some = end.recv(65536)
                if some:
                    self._pairs[end].sendall(some)
                    self._watch_commits(end, some)
                    return
            except OSError:
                pass
            self._drop(end)

    def _watch_commits(self, end, some):
        if self._commit_to_lose and self._commit_to_lose in some:
            self._committing.add(end)
        elif end in self._committing and b"COMMIT" in some:
            self._commit_to_lose, self._committing = None, set()
            self._cut()

    def _cut(self):
        if self._listener:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for end in list(self._pairs):
            self._drop(end)

    def _drop(self, end):
        other = self._pairs.pop(end, None)
        if other:
            self._pairs.pop(other, None)
            for each in (end, other):
                self._selector.unregister(each)
                each.close()


class Sqlite:
    """A scratch database in a file."""

    def __init__(self, folder):
        self.file = folder / "scratch.sqlite3"
        self.url = f"sqlite:///{self.file}"

    def rows(self, sql, *values):
        with sqlite3.connect(self.file, timeout=20, isolation_level=None) as connection:
            rows = connection.execute(sql.replace("%s", "?"), values).fetchall()
        connection.close()
        return rows

    def db_time(self, instant):
        return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"

    def drop(self):
        self.file.unlink(missing_ok=True)


class Postgres:
    """A scratch database on the server of TEST_DATABASE_URL."""

    def __init__(self, url):
        self._server, _, _ = url.rpartition("/")
        self._admin, self.name = url, f"faults_{os.getpid()}_{time.monotonic_ns()}"
        self.url = f"{self._server}/{self.name}"
        self._run(url, f'create database "{self.name}"')

    def rows(self, sql, *values):
        return self._run(self.url, sql, values)

    def db_time(self, instant):
        return instant

    def through(self, port):
        """The database's URL through a port on loopback."""
        head, _, _ = self._server.rpartition("@" if "@" in self._server else "//")
        return f"{head}{'@' if '@' in self._server else '//'}127.0.0.1:{port}/{self.name}"

    def drop(self):
        self._run(self._admin, f'drop database "{self.name}" with (force)')

    def _run(self, url, sql, values=()):
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []


class Product:
    """Our worker, beat and web process, as real processes with a scratch database."""

    def __init__(self, folder, database, *, cloud=None, redis=None):
        self.folder, self.database, self.cloud, self.redis = folder, database, cloud, redis
        self.programs = []
        self.web_environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SECRET_KEY": SECRET,
            "DATABASE_URL": database.url,
            # In one folder, another process may replace a file just when this one looks for it.
            "STATIC_ROOT": str(folder / "static"),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def environment(self):
        """The environment of the worker and of commands."""
        environment = dict(self.web_environment)
        if self.redis:
            environment["REDIS_URL"] = self.redis.url
        if self.cloud:
            environment |= self.cloud.environment
        return environment

    def migrate(self):
        self.command("migrate", "--noinput", "-v0")

    def command(self, *arguments):
        """Run a manage.py command and return its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def worker(self, *options, **constants):
        """Start a worker; ``constants`` to override are described in celery_with_overrides.py."""
        size = () if any("-c" in str(option) for option in options) else ("-c", 2)
        quiet = ("--without-gossip", "--without-mingle", "-l", "INFO")
        spec = ";".join(f"{path.replace('__', '.')}={value}" for path, value in constants.items())
        environment = self.environment | {"TEST_OVERRIDES": spec}
        return self.start("worker", (*CELERY, "worker", *size, *quiet, *options), environment)

    def beat(self, tick=1):
        """Start beat, which has the broker's address and no secret."""
        environment = self.web_environment | {
            "REDIS_URL": self.redis.url,
            "TEST_TICK_SECONDS": str(tick),
        }
        return self.start("beat", (*CELERY, "beat", "--pidfile="), environment)

    def web(self, *options, **variables):
        """Start the web process, which has neither the broker nor the projects file."""
        self.command("collectstatic", "--noinput", "-v0")
        port = free_port()
        environment = self.web_environment | {"BASE_URL": f"http://127.0.0.1:{port}"} | variables
        command = ("-m", "gunicorn", "dashboard.wsgi", "--bind", f"127.0.0.1:{port}", *options)
        program = self.start("web", (sys.executable, *command), environment)
        site = Site(f"http://127.0.0.1:{port}", program)
        until(lambda: site.get("/healthz").status == 200, 20, program.output)
        return site

    def start(self, name, command, environment):
        log = self.folder / f"{name}-{len(self.programs)}.log"
        program = Program(command, environment, log)
        self.programs.append(program)
        return program

    def restart_stopped(self, *programs):
        """Restart those programs that have exited, as their supervisor would."""
        for program in programs:
            if not program.alive:
                program.restart()

    def close(self):
        for program in self.programs:
            program.kill()

    def celery(self, *arguments):
        """Run a celery command."""
        command = (sys.executable, "-m", "celery", "-A", "dashboard", *arguments)
        subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, timeout=60)

    def make_due(self):
        """Make every instance and every project due; return the current time."""
        now = datetime.now(UTC)
        before = self.database.db_time(datetime(2020, 1, 1, tzinfo=UTC))
        self.database.rows("update restores_instance set next_sync_at = %s", before)
        self.database.rows("update restores_project set next_sync_at = %s", before)
        return now

    def not_synced(self, since):
        """Count monitored instances not synced since then; -1 before all have been listed."""
        if self.database.rows(
            "select 1 from restores_project where listed_at is null and monitored"
        ):
            return -1
        rows = self.database.rows(
            "select count(*), sum(case when synced_at >= %s then 1 else 0 end)"
            " from restores_instance where not single_node and deleted_at is null",
            self.database.db_time(since),
        )
        total, synced = rows[0]
        return total - (synced or 0) if total else -1

    def wait_until_synced(self, since, seconds=60, restarting=()):
        """Wait until every monitored instance was synced since then; return the seconds it took."""
        start = time.monotonic()

        def done():
            self.restart_stopped(*restarting)
            return self.not_synced(since) == 0

        until(done, seconds, lambda: f"{self.not_synced(since)} not synced")
        return time.monotonic() - start


class Cloud:
    """A simulated cloud in a thread, and the projects file that leads to it."""

    def __init__(self, folder, *, rate=50, projects=None, **given):
        from simulator.server import Simulator

        self.simulator = Simulator(**({"instances": 24, "restores": 300} | given))
        self.simulator.start()
        self.file = folder / "projects.toml"
        text = self.simulator.projects_file
        head, *sections = text.replace("rate = 50", f"rate = {rate}").split("[projects.")
        self.file.write_text("[projects.".join([head, *sections[:projects]]))
        self.secrets = self.simulator.credentials

    @property
    def instances(self):
        """The simulator's instances that are monitored."""
        monitored = self.file.read_text()
        every = self.simulator.world.instances
        return [each for each in every if each.restorable and each.project.project_id in monitored]

    def restores(self, until=None):
        """What it lists by now: the state of each restore, by instance and restore id.

        ``until``: only what had ended by then.
        """
        now = self.simulator.clock()
        return {
            (instance.instance_id, record["restore_id"]): (
                record["status"],
                float(record["progress"]),
                record.get("error_code") or "",
            )
            for instance in self.instances
            for record in self.simulator.world.records(instance, now)
            if until is None or _ended(record, until)
        }

    @property
    def environment(self):
        return {"DCS_PROJECTS": str(self.file)} | self.secrets

    def close(self):
        self.simulator.close()


def _ended(record, at):
    final = record["status"] in ("succeed", "failed")
    return final and str(record["updated_at"]) < f"{at:%Y-%m-%dT%H:%M:%S}"


class Site:
    """The web process over HTTP."""

    def __init__(self, url, program):
        self.url, self.program, self.cookie = url, program, ""

    def get(self, path, timeout=30, data=None):
        """Request a page and return the response with ``seconds`` and ``text``; status 0 is none.

        ``data`` is the body of a POST.
        """
        # Health checks come from machines that have not signed in.
        cookie = "" if path.endswith("z") else self.cookie
        request = urllib.request.Request(self.url + path, data=data, headers={"Cookie": cookie})
        start = time.monotonic()
        try:
            with _OPENER.open(request, timeout=timeout) as response:
                result = Response(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                result = Response(error.code, error.headers, error.read().decode())
        except OSError:
            result = Response(0, {}, "")
        result.seconds = time.monotonic() - start
        return result

    def sign_in(self, link):
        """Follow a sign-in link and confirm it."""
        path = urlsplit(link.strip()).path
        form = self.get(path)
        self.cookie = _cookies(form)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token, f"{link} shows no form: {form.status}"
        response = self.get(path, data=f"csrfmiddlewaretoken={token[1]}".encode())
        self.cookie = _cookies(response)
        assert "session-" in self.cookie, f"{link} signs nobody in: {response.status}"


def _cookies(response):
    set_by = response.headers.get_all("Set-Cookie") or ()
    return "; ".join(cookie.partition(";")[0] for cookie in set_by)


class Response:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text, self.seconds = status, headers, text, 0.0


class _Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_OPENER = urllib.request.build_opener(_Unredirected, urllib.request.ProxyHandler({}))


@contextmanager
def closing_all(*parts):
    """Close every part, whatever happens to the others."""
    try:
        yield
    finally:
        for part in parts:
            with suppress(Exception):
                part.close()


class CrashingProcesses:
    """Processes that sync and crash as ordered; see crashing.py."""

    def __init__(self, product):
        self._log = (product.folder / "crashing.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.crashing"],
            env=product.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )

    def sync(self, **order):
        """Let one process sync, to the end or until it crashes as ordered; return how it ended."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        result = json.loads(self._process.stdout.readline())
        assert result["ended"] != "raised", Path(self._log.name).read_text()[-3000:]
        return result

    def close(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
