"""Checks for the options of a fault: each returns the value, or a ValueError that says why not."""

from collections.abc import Callable


def number(least: float, most: float) -> Callable[[object], object]:
    """Return a check for a number in a range."""

    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a number is expected, not {value!r}")
        if not least <= value <= most:
            raise ValueError(f"{value} is not in {least:g} to {most:g}")
        return value

    return check


def flag(value: object) -> object:
    """Check that a value is true or false."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"true or false is expected, not {value!r}")


def table(value: object) -> object:
    """Check that a value is an object."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"an object is expected, not {value!r}")


def objects(value: object) -> object:
    """Check that a value is a list of objects."""
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    raise ValueError(f"a list of objects is expected, not {value!r}")


def pairs(value: object) -> object:
    """Check that a value is an object of header names and texts."""
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return value
    raise ValueError(f"an object of texts is expected, not {value!r}")


def anything(value: object) -> object:
    """Accept every value."""
    return value
