"""Finds ports, and asks what listens on one whether it is ready."""

import errno
import http.client
import socket
import urllib.request

from .words import Trouble

LOOPBACK = "127.0.0.1"


def require_free(port: int) -> None:
    """Raise Trouble if the port is taken."""
    if not is_free(port):
        raise Trouble(f"Port {port} is taken. Choose another one: --port {port + 1}")


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port; raises Trouble if it never may."""
    with socket.socket() as probe:
        # As servers do: the leftovers of closed connections do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise Trouble(
                f"Port {port} is reserved for the superuser. Choose one above 1023: --port 8000"
            ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def free_port(preferred: int = 0) -> int:
    """Choose a free loopback port: the preferred one if it still is."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def fetched(url: str) -> bytes | None:
    """The body that a local URL answers with status 200; None for any other answer or none."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=3) as response:
            body: bytes = response.read()
            return body if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None


def pongs(address: str | tuple[str, int]) -> bool:
    """Whether a broker at a socket path, or at (host, port), answers PING."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(3)
        try:
            probe.connect(address)
            probe.sendall(b"*1\r\n$4\r\nPING\r\n")
            return probe.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
