"""One process that looks until nothing is due: told when to begin, it says what it proved."""

import sys
from time import process_time

from bench.collector import scene


def main(url: str) -> None:
    """At each line look until nothing is due, and print the looks and the CPU seconds."""
    scene.ready()
    cloud = scene.cloud(url)
    scene.database()
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = process_time()
        print(scene.look_until_done(cloud), process_time() - begun, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
