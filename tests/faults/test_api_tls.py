"""Row A11: a cloud with a bad certificate gets no request."""

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import suppress

import pytest

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session
from restores.dcs.errors import Unreachable

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="no openssl on PATH: apt-get install openssl"
)
EMPTY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n"
    b'{"restore_record_response": [], "total_num": 0}'
)


def openssl(*words, folder):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CA and certificates: good, expired, for another host, and self-signed."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = ("-subj", "/CN=Test Authority", "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *authority, folder=folder)
    for name, host, days in [("good", "localhost", 2), ("other", "elsewhere.example", 2)]:
        issue(folder, name, host, "-days", str(days))
    past = ("-not_before", "20200101000000Z", "-not_after", "20200201000000Z")
    try:
        issue(folder, "expired", "localhost", *past)
    except subprocess.CalledProcessError:
        # Older versions of openssl cannot set dates, but accept negative days.
        issue(folder, "expired", "localhost", "-days", "-1")
    own = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
    files = ("-keyout", "own.key", "-out", "own.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *own, *files, folder=folder)
    return folder


def issue(folder, name, host, *period):
    request = ("-subj", f"/CN={host}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", *request, folder=folder)
    (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext")
    files = ("-in", f"{name}.csr", "-out", f"{name}.pem")
    openssl("x509", "-req", *files, *signed, *period, folder=folder)


class TlsCloud:
    """Answers every request with an empty list, and keeps what it received inside TLS."""

    def __init__(self, folder, name, *, oldest=None):
        self.heard = b""
        self.greeted = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        if oldest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = oldest
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self):
        with suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self.greeted += 1
                raw.settimeout(5)
                with suppress(OSError), self._context.wrap_socket(raw, server_side=True) as secure:
                    self.heard += secure.recv(65536)
                    secure.sendall(EMPTY)


def ask(cloud, trusted=None):
    with new_session() as session:
        if trusted:
            session.verify = str(trusted)
        auth = SignedAuth("CANARY-AK", "CANARY-SK")
        return Client(session, cloud.url, "p1", auth, lambda: None).restores("i1")


def test_a11_a_good_certificate_is_accepted(folder):
    with TlsCloud(folder, "good") as cloud:
        assert ask(cloud, folder / "ca.pem").complete
    assert b"CANARY-AK" in cloud.heard


@pytest.mark.parametrize("name", ["own", "expired", "other", "good"])
def test_a11_no_request_is_sent_to_a_cloud_with_a_bad_certificate(folder, name):
    trusted = None if name in ("own", "good") else folder / "ca.pem"
    with TlsCloud(folder, name) as cloud, pytest.raises(Unreachable) as raised:
        ask(cloud, trusted)
    assert "TLS" in raised.value.message
    assert (cloud.greeted, cloud.heard) == (1, b"")


@pytest.mark.parametrize("oldest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a11_no_request_is_sent_over_an_outdated_tls(folder, oldest):
    with TlsCloud(folder, "good", oldest=oldest) as cloud, pytest.raises(Unreachable) as raised:
        ask(cloud, folder / "ca.pem")
    assert "TLS" in raised.value.message
    assert cloud.heard == b""


def test_a11_a_cloud_without_tls_gets_nothing_but_the_client_hello(folder):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            raw, _ = listener.accept()
            with raw:
                heard.append(raw.recv(65536))
                raw.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        plain = type("Plain", (), {"url": f"https://localhost:{listener.getsockname()[1]}"})
        with pytest.raises(Unreachable):
            ask(plain)
        thread.join()
    assert b"CANARY" not in heard[0] and b"GET" not in heard[0]


def test_a11_nothing_in_the_product_turns_verification_off():
    from tests.test_layout import modules

    for file in [*modules("restores"), *modules("dashboard")]:
        text = file.read_text()
        assert "verify=False" not in text and "CERT_NONE" not in text, file
