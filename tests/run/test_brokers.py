"""Which broker is chosen, and that those we start answer at an address that survives a restart."""

import shutil
import sys
from pathlib import Path

import pytest

from deploy.launcher import brokers
from deploy.launcher.children import Family
from deploy.launcher.tether import Tether

from .conftest import REPOSITORY, eventually

pytestmark = pytest.mark.run

SERVER = shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.fixture
def family(tmp_path):
    with Tether() as tether:
        family = Family(tether, root=REPOSITORY, logs=tmp_path)
        yield family
        family.stop()


def test_the_users_own_broker_is_taken_as_it_is():
    broker = brokers.choose(Path(sys.executable), {"REDIS_URL": "redis://there"}, {})
    assert (broker.url, broker.child) == ("redis://there", None)


def test_without_a_server_on_path_the_embedded_one_answers(family):
    broker = brokers.choose(Path(sys.executable), {"PATH": "/nowhere"}, {})
    assert broker.url.startswith("redis://127.0.0.1:")
    family.start(broker.child)
    eventually(broker.answers)


def test_a_private_server_answers_at_its_socket_and_leaves_nothing(family):
    if not SERVER:
        pytest.skip("neither valkey-server nor redis-server is on PATH")
    broker = brokers.choose(Path(sys.executable), {"PATH": str(Path(SERVER).parent)}, {})
    assert broker.url.startswith("redis+socket:///") and len(broker.url) < 100
    family.start(broker.child)
    eventually(broker.answers)
    family.stop()
    broker.forget()
    assert not broker.folder.exists()
