"""Row R6: a Redis server behind TLS is verified before anything is sent to it."""

import shutil

import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from dashboard.env import Env
from dashboard.worker_watchdog import broker_address

from .kit import Program, free_port, until
from .test_api_tls import folder  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(
    not shutil.which("openssl"), reason="no openssl on PATH: apt-get install openssl"
)


@pytest.fixture
def start(folder, redis_server, tmp_path):  # noqa: F811
    """Start a Redis server with one of the certificates; return its port."""
    started = []

    def start(name):
        port = free_port()
        files = (f"{folder}/{name}.pem", f"{folder}/{name}.key", f"{folder}/ca.pem")
        options = zip(
            ("--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"), files, strict=True
        )
        tls = ("--port", 0, "--tls-port", port, "--tls-auth-clients", "no", "--save", "")
        command = (redis_server, *tls, *(word for option in options for word in option))
        log = tmp_path / "redis.log"
        started.append(Program((*command, "--dir", tmp_path), {}, log))
        until(lambda: "Ready to accept connections" in started[-1].output(), 10, "redis-server")
        return port

    yield start
    for program in started:
        program.kill()


def connect(url):
    """Connect as worker and beat do, and as the worker's watchdog does."""
    url = Env({"REDIS_URL": url}).broker("REDIS_URL")
    with Celery("test", broker=url).connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
        connection.default_channel.client.ping()
    with redis.Redis.from_url(broker_address(url)) as client:
        client.ping()


def test_r6_a_server_of_a_known_authority_is_accepted(start, folder):  # noqa: F811
    connect(f"rediss://localhost:{start('good')}/0?ssl_ca_certs={folder}/ca.pem")


@pytest.mark.parametrize("name", ["good", "own"])
@pytest.mark.parametrize("options", ["", "?ssl_cert_reqs=required"])
def test_r6_a_server_of_an_unknown_authority_is_refused(start, name, options):
    url = f"rediss://localhost:{start(name)}/0{options}"
    with pytest.raises(OperationalError, match="certificate verify failed"):
        connect(url)
    with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
        redis.Redis.from_url(Env({"R": url}).broker("R")).ping()


def test_r6_a_certificate_for_another_host_is_refused(start, folder):  # noqa: F811
    with pytest.raises(OperationalError, match="certificate verify failed"):
        connect(f"rediss://localhost:{start('other')}/0?ssl_ca_certs={folder}/ca.pem")
