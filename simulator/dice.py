"""Chance that repeats itself: the same words always roll the same numbers."""

import uuid
from random import Random


def dice(*words: object) -> Random:
    """Return a generator that depends on nothing but ``words``."""
    return Random("/".join(map(str, words)))  # noqa: S311 - it must repeat, not surprise


def uuid_of(rng: Random) -> str:
    """Draw an id that looks like the cloud's."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
