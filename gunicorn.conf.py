"""gunicorn's settings, read from the folder where it starts; its command line takes precedence.

A slow client holds a thread until its socket times out. So the timeouts are short, and there are
more threads than connections anyone would open by accident. A reverse proxy that reads whole
requests, such as nginx, protects better.
"""

import os
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from functools import partial

from gunicorn import util
from gunicorn.glogging import Logger

from dashboard.logs import AddIds, HideSignInTokens, JsonFormatter, ShortenSlowClients

workers = 2
threads = 72
keepalive = 10
graceful_timeout = 8
limit_request_line = 8190
control_socket_disable = True
# Only with --access-logfile: gunicorn's own format, and the request ID.
access_log_format = (
    '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %({x-request-id}o)s'
)
# By default SCRIPT_NAME is believed if it comes from this host: a proxy passes on its clients'.
forwarder_headers = ""

RECEIVE_SECONDS = 10
SEND_SECONDS = 30


def explain_long_address(sock, status, reason, message):
    """Respond to a request that gunicorn refuses; its own page for a long address doesn't help."""
    if status == 414:
        message = (
            "This address is longer than 8,190 characters, which is more than the server accepts. "
            "Go back and ask for less at a time: at most 100 IDs, or fewer filters."
        )
    write_error(sock, status, reason, message)


# No setting changes these two functions of gunicorn 27; tests/faults/test_slow_clients.py has both.
write_error, util.write_error = util.write_error, explain_long_address
# Its main thread waits up to 2 s for each client that doesn't hang up: 64 of them in a row would
# keep everybody else waiting for a minute.
util.close_graceful = partial(util.close_graceful, timeout=0.02)


class Log(Logger):
    """gunicorn's logger, with the dashboard's filters and its JSON."""

    def setup(self, cfg):
        """Set up the handlers, when gunicorn starts and when it reloads."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            for log_filter in (ShortenSlowClients(), HideSignInTokens(), AddIds()):
                handler.addFilter(log_filter)
            # Any other value is refused with an explanation when the web process starts.
            if os.environ.get("LOG_FORMAT", "").strip() == "json":
                handler.setFormatter(JsonFormatter())


logger_class = Log


def on_starting(server):
    """Refuse to start with one message; workers would repeat it, with varying exit statuses."""
    # In a separate process: reloaded workers would not reimport what this one imports.
    status = subprocess.run([sys.executable, "-c", "import dashboard.wsgi"]).returncode
    if status:
        sys.exit(status)


def post_fork(server, worker):
    """Set timeouts on the listening sockets: Linux passes them on to each accepted connection."""
    for listener in worker.sockets:
        for option, seconds in (
            (socket.SO_RCVTIMEO, RECEIVE_SECONDS),
            (socket.SO_SNDTIMEO, SEND_SECONDS),
        ):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))
        # Not on Unix sockets, nor on macOS.
        with suppress(OSError, AttributeError):
            listener.sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SEND_SECONDS * 1000
            )
