"""Fixtures for all tests: settings for a test run, signed-in clients, a small simulated cloud."""

import os

import hypothesis
import pytest
from django.core.cache import cache

os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 4)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the long tests too")
    parser.addoption(
        "--long-share", action="store_true", help="run the share of the long tests that CI runs"
    )


def pytest_configure(config):
    """Try the same examples each time; only the long tests search for new ones.

    How long an example takes says more about the machine than about our code.
    """
    hypothesis.settings.register_profile(
        "ours",
        derandomize=not config.getoption("--long"),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("ours")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    share = config.getoption("--long-share")
    skip = pytest.mark.skip(reason="long test: run with --long")
    for item in items:
        long = item.get_closest_marker("long")
        if long and not (share and long.kwargs.get("ci")):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """SQLite in a file, as in production: threads and processes share it."""
    from django.db import connection

    if connection.vendor == "sqlite":
        name = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(name)


@pytest.fixture(scope="session")
def no_files(tmp_path_factory):
    """An empty folder for what a real start would collect."""
    return tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def _quick_settings(settings, no_files):
    """Static files without a manifest, and passwords that cost nothing."""
    settings.STATIC_ROOT = no_files
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def _forgetful():
    """Clear what the process has cached for the previous test."""
    from restores import running_exports

    yield
    cache.clear()
    running_exports._running.clear()


@pytest.fixture
def root(db, django_user_model):
    """A superuser, who sees every project."""
    return django_user_model.objects.create_superuser("root")


@pytest.fixture
def web(client, root):
    """A test client signed in as the superuser."""
    client.force_login(root)
    return client


@pytest.fixture
def simulator(tmp_path, settings, monkeypatch):
    """A small simulated cloud over real HTTP, and the projects file that leads to it."""
    from simulator.server import Simulator

    with Simulator(instances=24, restores=300) as simulator:
        file = tmp_path / "projects.toml"
        file.write_text(simulator.projects_file)
        settings.DCS_PROJECTS = str(file)
        for name, value in simulator.credentials.items():
            monkeypatch.setenv(name, value)
        yield simulator
