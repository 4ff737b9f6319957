"""How far the cloud's clock and ours are apart, and what to say about it."""

from datetime import UTC, datetime, timedelta

from restores.dcs import values

# Above this a person should know; signatures more than 15 minutes off are refused (APIGW.0303).
TOLERATED = timedelta(minutes=5)
SIGNABLE = timedelta(minutes=14)


def skew(date: str | None) -> timedelta:
    """Tell how far ahead of ours the clock is that wrote a Date header just now."""
    moment = values.http_date(date)
    return moment - datetime.now(UTC) if moment else timedelta()


def words(found: timedelta) -> str:
    """Say in a sentence how far ahead the cloud's clock is, or ours."""
    minutes = round(abs(found).total_seconds() / 60)
    where = "behind" if found > timedelta() else "ahead of"
    return f"Our clock is {minutes} min {where} the cloud's."
