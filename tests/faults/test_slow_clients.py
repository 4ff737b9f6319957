"""Clients that send or read slowly, or not at all, stop nobody else."""

import socket
from contextlib import ExitStack

import pytest

from .kit import Product, until

HALF_HEADERS = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
HALF_BODY = (
    b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrf=" + b"x" * 32 + b"\r\n\r\nusername="
)
CLIENTS = 64


@pytest.fixture(scope="module")
def product(folder, scratch):
    product = Product(folder, scratch)
    yield product
    product.close()


@pytest.fixture(scope="module")
def site(product):
    """The web process as it is shipped, and a user who is signed in."""
    site = product.web()
    site.sign_in(product.command("login_link", "root", "--create"))
    return site


@pytest.fixture
def connect(site):
    """Open connections to the site and send the given bytes on each."""
    with ExitStack() as stack:

        def opened(count, data, receive_buffer=None):
            clients = [stack.enter_context(socket.socket()) for _ in range(count)]
            for client in clients:
                if receive_buffer:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                client.connect(("127.0.0.1", int(site.url.rpartition(":")[2])))
                client.sendall(data)
                client.setblocking(False)
            return clients

        yield opened


def is_closed(client):
    try:
        while client.recv(65536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("sent", [HALF_HEADERS, HALF_BODY], ids=["half headers", "half bodies"])
def test_h3_clients_that_send_half_a_request_block_nobody_and_are_disconnected_after_ten_seconds(
    site, connect, sent
):
    clients = connect(CLIENTS, sent)
    for _ in range(20):
        response = site.get("/healthz")
        assert (response.status, response.seconds < 5) == (200, True)
    assert site.get("/restores/").status == 200

    until(lambda: all(map(is_closed, clients)), 40, "they are still connected")
    assert "Traceback" not in site.program.output()


def test_h3_exports_that_nobody_reads_block_nobody(site, product, connect):
    product.command("seed", "--restores", "8000")
    request = (
        b"GET /restores.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Cookie: " + site.cookie.encode() + b"\r\n\r\n"
    )
    clients = connect(16, request, receive_buffer=4096)
    refused = until(lambda: [each for each in clients if b" 429 " in peek(each)], 40, "no 429")

    assert b"Retry-After: 30" in peek(refused[0])
    assert site.get("/healthz").status == site.get("/restores/").status == 200


def peek(client):
    try:
        return client.recv(1000, socket.MSG_PEEK)
    except BlockingIOError:
        return b""


def test_h3_clients_that_do_not_disconnect_block_nobody(site, connect):
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    clients = connect(CLIENTS, request)
    until(lambda: all(map(is_closed, clients)), 40, "they got no response")
    response = site.get("/healthz")
    assert (response.status, response.seconds < 5) == (200, True)


def test_a_url_that_is_too_long_gets_advice(site):
    response = site.get(f"/restores/?ids={','.join(f'{n:036d}' for n in range(221))}")
    assert response.status == 414 and "at most 100 IDs" in response.text
    response = site.get(f"/restores/?ids={','.join(f'{n:036d}' for n in range(215))}")
    assert response.status == 400 and "has too many IDs (max. 100)" in response.text
