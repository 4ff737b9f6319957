"""Fixtures for tests that break real parts, which are in kit.py."""

import os
import shutil
from contextlib import contextmanager

import pytest

from .kit import Cloud, Postgres, Product, Redis, Sqlite


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let xdist run the tests of a module in one worker: they share its processes."""
    for item in items:
        if item.path.parent.name == "faults" and "product" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def scratch(folder):
    """The module's own migrated database, on PostgreSQL if the suite runs on it."""
    with scratch_database(folder) as database:
        Product(folder, database).migrate()
        yield database


@contextmanager
def scratch_database(folder):
    url = os.environ.get("DATABASE_URL", "")
    database = Postgres(url) if url.startswith("postgres") else Sqlite(folder)
    try:
        yield database
    finally:
        database.drop()


@pytest.fixture(scope="session")
def redis_server():
    """The path of redis-server; without it the tests that need it are skipped."""
    path = shutil.which("redis-server")
    return path or pytest.skip("no redis-server on PATH: apt-get install redis-server")


@pytest.fixture(scope="module")
def redis(folder, redis_server):
    """The module's own Redis server, not started yet."""
    server = Redis(folder)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def cloud(folder):
    cloud = Cloud(folder)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def product(folder, scratch, cloud, redis):
    """Worker, beat and web, to be started by the tests."""
    product = Product(folder, scratch, cloud=cloud, redis=redis)
    yield product
    product.close()
