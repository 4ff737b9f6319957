"""Row R7: other programs on the same Redis take none of our messages, or it is noticed."""

import sys
from datetime import UTC, datetime

import pytest

from dashboard.env import digest

from .kit import Product, Sqlite, until

pytestmark = pytest.mark.xdist_group("shared redis")
OTHER = """
import sys
from celery import Celery
broker, queue, prefix = sys.argv[1:]
app = Celery("other", broker=broker)
app.conf.update(
    task_default_queue=queue,
    broker_transport_options={"global_keyprefix": prefix},
    broker_connection_retry_on_startup=True,
)
app.worker_main(["worker", "--pool=solo", "--loglevel=INFO"])
"""


def start_other_application(product, queue="celery", prefix=""):
    command = (sys.executable, "-c", OTHER, product.redis.url, queue, prefix)
    worker = product.start("application", command, product.web_environment)
    until(lambda: "ready." in worker.output(), 20, worker.output)
    return worker


def lost_since(product):
    return product.database.rows("select at from restores_heartbeat where id = 2")


def test_r7_workers_of_other_programs_on_the_same_redis_take_no_message(product, redis, tmp_path):
    redis.start()
    application = start_other_application(product)
    (tmp_path / "projects.toml").touch()
    second = Product(tmp_path, Sqlite(tmp_path), redis=redis)
    second.web_environment["DCS_PROJECTS"] = str(tmp_path / "projects.toml")
    second.migrate()
    second.worker(), second.beat()
    until(lambda: second.database.rows("select 1 from restores_heartbeat"), 30, "its first tick")

    started = datetime.now(UTC)
    worker, beat = product.worker(), product.beat()
    assert product.wait_until_synced(started, 60) < 60

    second.close()
    assert "restores." not in application.output()
    assert "Traceback" not in worker.output() + beat.output() + application.output()
    for program in (worker, beat, application):
        program.kill()


def test_r7_ticks_that_another_program_takes_are_noticed(product, redis):
    prefix = f"dcs-restores-{digest(product.database.url)}"
    thief = start_other_application(product, prefix, f"{prefix}:")
    beat = product.beat()
    until(lambda: "set a CELERY_PREFIX that no other" in beat.output(), 40, beat.output)
    assert lost_since(product)

    thief.kill()
    product.worker()
    until(lambda: "Ticks are being finished again." in beat.output(), 40, beat.output)
    assert not lost_since(product)
