"""One dashboard for all of these tests, in a separate process."""

from pathlib import Path

import pytest

from tests.sign_in import servers


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let one worker run all tests that share it. First, as xdist's own hook reads the groups."""
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("sign-in"))


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sign_in")
    users = ("mia", "tom", "ada", "bea", "cleo", "dora", "emma", "fay")
    with servers.dashboard(folder, *users) as dashboard:
        yield dashboard


@pytest.fixture
def provider(dashboard):
    yield dashboard.provider
    dashboard.provider.broken = None


@pytest.fixture
def visitor(dashboard):
    with servers.Visitor(dashboard) as visitor:
        yield visitor
