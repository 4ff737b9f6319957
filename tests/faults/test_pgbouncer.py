"""Behind PgBouncer in transaction mode, as deploy/pgbouncer.ini sets it up."""

import configparser
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from .kit import ROOT, Cloud, Program, free_port, until

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"),
        reason="needs PostgreSQL: set TEST_DATABASE_URL=postgres://… and ./run test",
    ),
    pytest.mark.xdist_group("pgbouncer"),
]
# Fewer connections than clients, so that they have to share.
POOL_SIZE = 2
EVENTS = 3000  # several chunks of an export


@pytest.fixture(scope="module")
def cloud(folder):
    cloud = Cloud(folder, instances=60, restores=1500, rate=1000)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def pooler(folder, scratch):
    """PgBouncer with our settings; only addresses, files and passwords are the test's."""
    if not (path := shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")):
        pytest.skip("needs pgbouncer")
    server, settings = urlsplit(scratch.url), configparser.ConfigParser()
    settings.read(ROOT / "deploy/pgbouncer.ini")
    target = f"host={server.hostname} port={server.port or 5432} user={server.username}"
    password = f" password={server.password}" if server.password else ""
    settings["databases"] = {scratch.name: f"{target}{password} dbname={scratch.name}"}
    port = free_port()
    own = {"listen_port": port, "auth_type": "any", "default_pool_size": POOL_SIZE}
    own |= dict.fromkeys(("auth_file", "logfile", "pidfile", "unix_socket_dir"), "")
    settings["pgbouncer"].update({name: str(value) for name, value in own.items()})
    with (folder / "pgbouncer.ini").open("w") as file:
        settings.write(file)
    # It refuses to run as root.
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    command = (path, *user, folder / "pgbouncer.ini")
    program = Program(command, {"PATH": os.environ["PATH"]}, folder / "pgbouncer.log")
    until(lambda: "process up" in program.output(), 10, program.output)
    yield port
    program.kill()


@pytest.fixture(scope="module")
def site(product, redis, pooler):
    """Web, worker and beat behind the pooler, synced, and a user who is signed in."""
    redis.start()
    product.web_environment["DATABASE_URL"] = product.database.through(pooler)
    product.web_environment["DISABLE_SERVER_SIDE_CURSORS"] = "1"
    site = product.web()
    site.sign_in(product.command("login_link", "root", "--create"))
    since = datetime.now(UTC)
    product.worker()
    product.beat()
    product.wait_until_synced(since, 120)
    product.database.rows(
        "insert into restores_event (at, what, subject)"
        " select now(), 'exported', '/restores.csv?n=' || n from generate_series(1, %s) n",
        EVENTS,
    )
    return site


def test_exports_at_the_same_time_are_complete(site):
    with ThreadPoolExecutor(2) as pool:
        found = [response.text for response in pool.map(site.get, ["/audit.csv?range=all"] * 12)]

    assert {text.count("/restores.csv?n=") for text in found} == {EVENTS}


def test_a_list_is_paged_to_its_end_while_others_read_it(site, product):
    succeeded = "select count(*) from restores_restore where status = 'succeed'"
    [(stored,)] = product.database.rows(succeeded)
    assert stored > 1000

    with ThreadPoolExecutor(4) as pool:
        for seen in pool.map(lambda _: all_pages(site, "/restores.json?status=succeed"), range(4)):
            assert len(seen) == len(set(seen)) >= stored


def all_pages(site, path):
    """The IDs of all rows of a list, from its first page to its last."""
    seen = []
    while path:
        page = json.loads(site.get(path).text)
        seen += [(row["instance_id"], row["restore_id"]) for row in page["restores"]]
        path = (page["next"] or "").removeprefix(site.url)
    return seen


def test_the_worker_syncs_everything_again(site, product):
    assert product.wait_until_synced(product.make_due(), 120) < 120
