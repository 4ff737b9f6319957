"""An HTTP proxy on loopback that tunnels and forwards, and keeps the requests it got."""

import base64
import socket
import socketserver
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class HttpProxy(socketserver.ThreadingTCPServer):
    """Serves from a thread while it is a context manager; ``login`` is required if given."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, login="", refusal=b"407 Proxy Authentication Required"):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.login, self.refusal, self.requests = login, refusal, []

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        with suppress(OSError):
            head = self._read_head()
            self.server.requests.append(head.decode())
            expected = base64.b64encode(self.server.login.encode())
            if self.server.login and b"Proxy-Authorization: Basic " + expected not in head:
                self.request.sendall(b"HTTP/1.1 " + self.server.refusal + b"\r\n\r\n")
                return
            method, target, _ = head.split(b" ", 2)
            url = urlsplit(b"//" + target if method == b"CONNECT" else target)
            with socket.create_connection((url.hostname.decode(), url.port), 5) as far:
                if method == b"CONNECT":
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    far.sendall(head.replace(target, url._replace(scheme=b"", netloc=b"").geturl()))
                back = threading.Thread(target=_copy, args=(far, self.request), daemon=True)
                back.start()
                _copy(self.request, far)
                back.join(5)

    def _read_head(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(1) or b"\r\n\r\n"
        return head


def _copy(source, target):
    with suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)
