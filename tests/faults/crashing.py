"""Runs syncs in forked processes that kill or freeze themselves at a chosen point.

A point is the moment before or after an SQL statement, a commit or an HTTP call. Orders arrive as
lines of JSON on stdin; the response to each is one line: how the process ended, and at which point.
"""

import importlib
import json
import mmap
import os
import signal
import sys
import threading

POINTS = mmap.mmap(-1, 8)


class CrashPoint:
    """Where this process ends: at point number ``at``, or at a call with ``poison`` in its URL."""

    def __init__(self, order):
        self.at, self.signal = order.get("at", 0), order.get("signal", signal.SIGKILL)
        self.poison, self.only = order.get("poison"), order.get("only", "")
        self.count, self.lock = 0, threading.Lock()

    def reach(self, kind):
        with self.lock:
            if self.only in ("", kind):
                self.count += 1
                POINTS[:8] = self.count.to_bytes(8, "big")
                if self.count == self.at:
                    os.kill(os.getpid(), self.signal)

    def call(self, url):
        if self.poison and self.poison in url:
            os.kill(os.getpid(), self.signal)
        self.reach("http")


def instrument(crash):
    """Count every statement, commit and call of this process as points."""
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.signals import connection_created
    from requests.adapters import HTTPAdapter

    def statement(execute, sql, params, many, context):
        crash.reach("sql")
        result = execute(sql, params, many, context)
        crash.reach("sql")
        return result

    def connected(connection, **_):
        if statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(statement)

    def commit(connection):
        crash.reach("sql")
        committed(connection)
        crash.reach("sql")

    def send(adapter, request, **options):
        crash.call(request.url)
        response = sent(adapter, request, **options)
        crash.reach("http")
        return response

    committed, BaseDatabaseWrapper._commit = BaseDatabaseWrapper._commit, commit
    sent, HTTPAdapter.send = HTTPAdapter.send, send
    connection_created.connect(connected, weak=False)


def sync():
    """Sync projects and instances until nothing is due, as the worker does."""
    from datetime import UTC, datetime

    from restores import tasks
    from restores.sync import scheduling
    from restores.sync.accounts import load_accounts

    load_accounts()
    scheduling.quarantine(datetime.now(UTC))
    while scheduling.due_projects(datetime.now(UTC)).exists():
        tasks.sync_projects()
    tasks.sync_instances()


def run(order):
    """Fork a process that follows the order; return how it ended."""
    POINTS[:8] = bytes(8)
    pid = os.fork()
    if pid == 0:
        try:
            instrument(CrashPoint(order))
            sync()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return wait_for(pid)


def wait_for(pid):
    _, status = os.waitpid(pid, os.WUNTRACED)
    points = int.from_bytes(POINTS[:8], "big")
    if os.WIFSTOPPED(status):
        return {"ended": "frozen", "pid": pid, "points": points}
    if os.WIFSIGNALED(status):
        return {"ended": "killed", "points": points}
    return {"ended": "done" if os.WEXITSTATUS(status) == 0 else "raised", "points": points}


def resume(pid):
    os.kill(pid, signal.SIGCONT)
    return wait_for(pid)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    import django

    django.setup()
    # Imported once here rather than in every fork.
    importlib.import_module("restores.tasks")
    importlib.import_module("requests.adapters")
    for line in sys.stdin:
        order = json.loads(line)
        result = resume(order["resume"]) if "resume" in order else run(order)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
