"""The Celery application: Redis only wakes workers; the database holds the schedule."""

import logging
import os
import sys

from celery import Celery
from django.conf import settings

from dashboard import tick_watch, worker_watchdog  # noqa: F401 - connect their signals
from dashboard.env import InvalidSetting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
# By default, Python prints warnings without logging them.
logging.captureWarnings(True)

TICK_SECONDS = 5
HOUSEKEEPING_SECONDS = 3600

try:
    app = Celery("dashboard", broker=settings.REDIS_URL or "redis://127.0.0.1:6379/0")
except InvalidSetting as error:
    sys.exit(str(error))
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    # This deployment's own queue and key prefix: Redis may be shared.
    task_default_queue=settings.CELERY_PREFIX,
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    # A sync needs no broker; if it were cancelled, its claims would count as crashes.
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
        "global_keyprefix": f"{settings.CELERY_PREFIX}:",
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # A message that was taken is not kept: returning it after a lost connection could crash
        # the worker (kombu 5.7, AttributeError), and the next tick sends another one anyway.
        "ack_emulation": False,
    },
    # In memory: the only schedule runs every few seconds, so there is nothing to keep in a file.
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        "tick": {
            "task": "restores.tasks.tick",
            "schedule": TICK_SECONDS,
            "options": {"expires": TICK_SECONDS},
        },
        "clear-sessions": {
            "task": "restores.tasks.clear_sessions",
            "schedule": HOUSEKEEPING_SECONDS,
        },
        "analyze": {"task": "restores.tasks.analyze", "schedule": HOUSEKEEPING_SECONDS},
    },
)
app.autodiscover_tasks(["restores"])
