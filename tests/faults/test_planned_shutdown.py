"""Web, worker and beat with LOG_FORMAT=json: they log objects, and a planned stop is no error."""

import json
import signal

import pytest

from .kit import CELERY, Cloud, Product, Redis

WORKER = ("--quiet", "worker", "-c", "2", "--without-gossip", "--without-mingle")
BEAT = ("--quiet", "beat", "--pidfile=")


@pytest.fixture
def product(tmp_path, scratch, redis_server):
    redis, cloud = Redis(tmp_path), Cloud(tmp_path)
    redis.start()
    product = Product(tmp_path, scratch, cloud=cloud, redis=redis)
    product.web_environment |= {"LOG_FORMAT": "json"}
    yield product
    product.close()
    cloud.close()
    redis.kill()


def objects(program, besides=()):
    lines = [line for line in program.output().splitlines() if line and line not in besides]
    return [json.loads(line) for line in lines]


def test_a_planned_stop_while_syncs_run_is_logged_as_json_and_below_warning(product):
    site = product.web("--access-logfile", "-")
    environment = product.environment | {"TEST_TICK_SECONDS": "1"}
    beat = product.start("beat", (*CELERY, *BEAT), environment)
    worker = product.start("worker", (*CELERY, *WORKER), environment)
    product.wait_until_synced(product.make_due(), 60)
    request_id = site.get("/nowhere/").headers["X-Request-ID"]

    programs = (site.program, worker, beat)
    for program in programs:
        program.send(signal.SIGTERM)
    assert [program.wait(30) for program in programs] == [0, 0, 0]

    logged = [
        *objects(site.program),
        # Celery prints it without logging it.
        *objects(worker, besides=["worker: Warm shutdown (MainProcess)"]),
        *objects(beat),
    ]
    # It warns of the user root, for which Celery would rather not run.
    worse = [line for line in logged if line["level"] not in ("DEBUG", "INFO")]
    assert [line["message"] for line in worse if "superuser" not in line["message"]] == []
    [access] = [line for line in logged if "/nowhere/" in line["message"]]
    assert access["logger"] == "gunicorn.access" and access["request_id"] == request_id
    assert "Shutting down: Master" in [line["message"] for line in logged]
