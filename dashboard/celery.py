"""The Celery application: Redis is the doorbell, the database the ledger."""

import os
import time
from datetime import UTC, datetime, timedelta

from celery import Celery
from celery.schedules import schedule
from django.conf import settings

from dashboard import worker_watchdog  # noqa: F401 - its signals: workers watch themselves

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

TICK_SECONDS = 5
_STARTED = datetime.now(UTC) - timedelta(seconds=time.monotonic())


def steady() -> datetime:
    """A clock that nobody sets: beat would wait as long as the other one is set back."""
    return _STARTED + timedelta(seconds=time.monotonic())


app = Celery("dashboard", broker=settings.REDIS_URL or "redis://127.0.0.1:6379/0")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    # A look needs no broker: broken off, its instances would be taken for poisoned ones.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=250_000,
    worker_hijack_root_logger=False,
    task_soft_time_limit=45,
    task_time_limit=60,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.2, "interval_max": 0.2},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # Nothing is kept of a message that was taken: to give it back after a lost connection
        # could end the worker (kombu 5.7, AttributeError), and the next tick rings anyway.
        "ack_emulation": False,
    },
    # The one that keeps no file: times of that clock mean nothing to the next process.
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        "tick": {
            "task": "restores.tasks.tick",
            "schedule": schedule(TICK_SECONDS, nowfun=steady),
            "options": {"expires": TICK_SECONDS},
        }
    },
)
app.autodiscover_tasks(["restores"])
