"""Which broker is used, and that those we start accept connections."""

import shutil
import sys
from pathlib import Path

import pytest

from deploy.launcher.stack import choose_broker
from deploy.launcher.supervisor import Supervisor

from .conftest import REPOSITORY, eventually

pytestmark = pytest.mark.run

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(root=REPOSITORY, logs=tmp_path)
    yield supervisor
    supervisor.stop()


def test_the_users_own_broker_is_used_as_it_is():
    broker = choose_broker(Path(sys.executable), {"REDIS_URL": "redis://there"}, {})
    assert (broker.url, broker.child) == ("redis://there", None)


def test_without_a_server_on_path_the_embedded_one_is_used(supervisor):
    broker = choose_broker(Path(sys.executable), {"PATH": "/nowhere"}, {})
    assert broker.url.startswith("redis://127.0.0.1:")
    supervisor.start(broker.child)
    eventually(broker.is_ready)


@pytest.mark.skipif(not SERVER, reason="neither valkey-server nor redis-server is on PATH")
def test_a_server_on_path_listens_at_a_private_socket(supervisor):
    broker = choose_broker(Path(sys.executable), {"PATH": str(Path(SERVER).parent)}, {})
    assert broker.url.startswith("redis+socket:///") and len(broker.url) < 100
    supervisor.start(broker.child)
    eventually(broker.is_ready)
    shutil.rmtree(broker.folder)
