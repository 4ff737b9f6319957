"""Seeded randomness: the same keys always give the same numbers."""

import uuid
from random import Random


def seeded(*keys: object) -> Random:
    """Return a generator that depends on ``keys`` alone."""
    return Random("/".join(map(str, keys)))  # noqa: S311 - it must be repeatable, not secret


def random_uuid(rng: Random) -> str:
    """Draw an id in the cloud's format."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
