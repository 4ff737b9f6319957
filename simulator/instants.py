"""Instants as the API writes and reads them."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since_epoch(seconds: float) -> datetime:
    """Return the instant so many seconds after 1970, cut to the API's milliseconds."""
    return EPOCH + timedelta(milliseconds=int(seconds * 1000))


def api_time(instant: datetime) -> str:
    """Write an instant as records carry it: UTC, milliseconds, ``Z``."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def iam_time(instant: datetime) -> str:
    """Write an instant as IAM does: UTC, microseconds, ``Z``."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def http_date(instant: datetime) -> str:
    """Write an instant for the ``Date`` header, whatever the locale."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = "JanFebMarAprMayJunJulAugSepOctNovDec"
    utc = instant.astimezone(UTC)
    month = months[utc.month * 3 - 3 : utc.month * 3]
    return f"{days[utc.weekday()]}, {utc:%d} {month} {utc:%Y %H:%M:%S} GMT"


def fourteen_digits(text: str) -> datetime:
    """Read ``yyyyMMddHHmmss`` as UTC; anything else is a ValueError."""
    if len(text) != 14 or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
