"""A collector at work on the measured database: ten looks a second until it is ended."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from bench import made
from bench.collector import scene

INSTANCES = 100
RATE = 10.0


def main(url: str) -> None:
    """Look at the instances of a project of its own, again and again."""
    scene.ready()
    from restores.models import Instance, Project
    from restores.sync.instances import sync_due_instances

    cloud = scene.cloud(url, name="collected", rate=RATE)
    if not Project.objects.filter(name="collected").exists():
        scene.enrol(INSTANCES, name="collected")
    mine = Instance.objects.filter(
        project__name="collected", instance_id__in=made.instance_ids(INSTANCES)
    )
    print("ready", flush=True)
    while True:
        # Every tenth answer is news: it is compared and written row by row.
        mine.filter(instance_id__in=made.instance_ids(INSTANCES)[::10]).update(digest="")
        mine.update(next_sync_at=datetime.now(UTC))
        while sync_due_instances({cloud.config.name: cloud}):
            pass
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1])
