"""What to tell a customer about a restore: true, calm and without internal details."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from .durations import on_day
from .facts import Facts

_PROMISE = "We are checking the data and will contact you before any further restore."


def message(facts: Facts, instance: str, zone: str = "", told: datetime | None = None) -> str:
    """The text for the customer of an instance, in UTC and in the customer's zone if given.

    ``told`` is when it is said, if that is not when it was known: a time of another day than
    that one gets its date.
    """
    moment = _Moments(told or facts.now, zone)
    name = " ".join(instance.split()) or "instance"
    restore = f"The restore of your instance {name}" if name != "instance" else "The restore"
    if facts.status == "failed":
        return _failed(facts, restore, moment)
    if facts.status == "succeed":
        return f"{restore} was completed{moment.at(facts.ended)}."
    if facts.status == "restoring":
        return (
            f"{restore} is running{moment.since(facts.created)}. Until it has ended, the instance "
            "does not answer requests. We will tell you when it has ended."
        )
    if facts.status == "waiting":
        return (
            f"{restore} is queued{moment.since(facts.created)} and has not begun. "
            "We will tell you when it has ended."
        )
    return f"{restore} was requested{moment.at(facts.created)}. We are checking its state."


def _failed(facts: Facts, restore: str, moment: "_Moments") -> str:
    text = f"{restore} did not complete."
    if facts.ended:
        text += f" It stopped{moment.at(facts.ended)}."
    if facts.recovered:
        return f"{text} A later restore was completed{moment.at(facts.recovered)}."
    return f"{text} {_PROMISE}"


class _Moments:
    """Writes instants twice: in UTC and by the customer's clock, with dates where needed."""

    def __init__(self, now: datetime, zone: str) -> None:
        self.now, self.zone = now, _zone(zone)

    def at(self, instant: datetime | None) -> str:
        return f" at {self._both(instant)}" if instant else ""

    def since(self, instant: datetime | None) -> str:
        return f" since {self._both(instant)}" if instant else ""

    def _both(self, instant: datetime) -> str:
        instant = instant.astimezone(UTC)
        clocks = (UTC, self.zone or UTC)
        dated = any(
            instant.astimezone(zone).date() != self.now.astimezone(zone).date() for zone in clocks
        )
        text = f"{instant:%H:%M:%S} UTC" + f" on {on_day(instant)}" * dated
        if self.zone is None:
            return text
        local = instant.astimezone(self.zone)
        return f"{text} ({local:%H:%M:%S}" + f" on {on_day(local)}" * dated + " your time)"


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name not in ("", "UTC") else None
    except (ValueError, KeyError, OSError):
        return None
