"""One process that looks very often and prints its resident memory after each round."""

import sys

from bench import made
from bench.collector import scene
from bench.collector.memory import INSTANCES, resident


def main(url: str, looks: int) -> None:
    """Look ``looks`` times; a tenth of the instances forget their digest before each round."""
    scene.ready()
    from restores.models import Instance

    cloud = scene.cloud(url)
    for _ in range(looks // INSTANCES):
        scene.all_due()
        Instance.objects.filter(instance_id__in=made.instance_ids(INSTANCES)[::10]).update(
            digest=""
        )
        scene.look_until_done(cloud)
        print(resident(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
