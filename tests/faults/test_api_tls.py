"""Rows A11 and A29: certificates of the cloud, and proxies on the way to it."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback
from contextlib import suppress
from urllib.parse import quote

import pytest

from restores.dcs.auth import SignedAuth
from restores.dcs.client import Client, new_session
from restores.dcs.errors import Unreachable
from simulator.server import Simulator
from tests.dcs.conftest import start_server  # noqa: F401 - a fixture

from .http_proxy import HttpProxy
from .kit import free_port
from .scene import LANTERN, Scene

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
    """Responds to every request with an empty list, and keeps what it received inside TLS."""

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


# A29: an account's own proxy and CA

CANARY = "not-to-be-shown"


def ask_through(cloud, proxy, ca_file):
    with new_session(proxy, str(ca_file)) as session:
        auth = SignedAuth("CANARY-AK", "CANARY-SK")
        return Client(session, cloud.url, "p1", auth, lambda: None).restores("i1")


@pytest.mark.parametrize("login", ["", "user:p@ss/w0rd"])
def test_a29_a_cloud_is_reached_through_the_accounts_proxy_and_verified_by_its_ca(folder, login):
    userinfo = f"{quote(login, ':')}@" if login else ""
    with TlsCloud(folder, "good") as cloud, HttpProxy(login) as proxy:
        page = ask_through(cloud, f"http://{userinfo}{proxy.address}", folder / "ca.pem")
    assert page.complete
    assert b"CANARY-AK" in cloud.heard and b"Proxy" not in cloud.heard
    [request] = proxy.requests
    assert request.startswith("CONNECT localhost:") and "CANARY" not in request


def test_a29_a_request_without_tls_goes_through_the_proxy_too(folder, start_server):  # noqa: F811
    server = start_server()
    with HttpProxy("user:secret") as proxy:
        url = f"http://user:secret@{proxy.address}"
        assert ask_through(server, url, folder / "ca.pem").complete
    assert proxy.requests[0].startswith(f"GET {server.url}/v2/p1/")


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a29_a_proxy_that_refuses_is_named_without_its_password_and_not_tried_again(
    folder, refusal
):
    with (
        TlsCloud(folder, "good") as cloud,
        HttpProxy("user:secret", refusal.encode()) as proxy,
        pytest.raises(Unreachable) as raised,
    ):
        ask_through(cloud, f"http://user:{CANARY}@{proxy.address}", folder / "ca.pem")
    assert raised.value.message == f"The proxy refused the connection (HTTP {refusal[:3]})."
    assert CANARY not in "".join(traceback.format_exception(raised.value))
    assert len(proxy.requests) == 1 and cloud.greeted == 0


def test_a29_a_proxy_that_cannot_be_reached_is_named_without_its_password(folder):
    with TlsCloud(folder, "good") as cloud, pytest.raises(Unreachable) as raised:
        ask_through(cloud, f"http://user:{CANARY}@127.0.0.1:{free_port()}", folder / "ca.pem")
    assert raised.value.message == "Couldn’t connect to the proxy."
    assert CANARY not in "".join(traceback.format_exception(raised.value))
    assert cloud.greeted == 0


@pytest.mark.parametrize("name", ["own", "other", "expired"])
def test_a29_a_proxy_changes_nothing_about_verification(folder, name):
    with (
        TlsCloud(folder, name) as cloud,
        HttpProxy() as proxy,
        pytest.raises(Unreachable) as raised,
    ):
        ask_through(cloud, f"http://{proxy.address}", folder / "ca.pem")
    assert cloud.heard == b"" and raised.value.message.startswith("TLS failed: ")
    reasons = {"own": "self-signed", "other": "localhost", "expired": "expired"}
    assert reasons[name] in raised.value.message


def test_a29_a_proxy_that_never_responds_ends_at_the_deadline(folder):
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        new_session(f"http://127.0.0.1:{silent.getsockname()[1]}") as session,
    ):
        auth = SignedAuth("CANARY-AK", "CANARY-SK")
        client = Client(session, "https://localhost:1", "p1", auth, lambda: None, timeout=1)
        start = time.monotonic()
        with pytest.raises(Unreachable):
            client.restores("i1")
    assert time.monotonic() - start < 3


@pytest.mark.django_db(transaction=True)
def test_a29_proxy_and_ca_of_the_projects_file_are_used_for_a_whole_sync(
    tmp_path, monkeypatch, settings, folder, caplog
):
    with Simulator(instances=24, restores=60) as cloud, HttpProxy(f"user:{CANARY}") as proxy:
        monkeypatch.setenv("THE_PROXY", f"http://user:{CANARY}@{proxy.address}")
        ours = f'proxy_env = "THE_PROXY"\nca_file = "{folder}/ca.pem"\nrate ='
        monkeypatch.setattr(Simulator, "projects_file", cloud.projects_file.replace("rate =", ours))
        scene = Scene(cloud, tmp_path, monkeypatch, settings, index=LANTERN)
        assert scene.sync_project() is None and scene.sync().error is None
    assert any(f"{cloud.url}/v3/auth/tokens" in request for request in proxy.requests)
    config = scene.client.config
    assert CANARY not in f"{config!r} {config} {vars(scene.client)} {caplog.text}"
