"""Times from PostgreSQL: read quickly, and read as psycopg reads them."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.datetime import TimestamptzLoader

from dashboard.postgres.times import Loader

ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid


def written(at):
    """As the server writes it: no fraction that is zero, no minutes of an offset of whole hours."""
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    whole = at.replace(tzinfo=None, microsecond=0).isoformat(sep=" ")
    return f"{whole}{fraction}{at.isoformat()[-6:].removesuffix(':00')}".encode()


@given(st.datetimes(datetime(1800, 1, 2), datetime(9998, 1, 1), timezones=ZONES))
def test_every_time_is_the_instant_that_psycopg_reads(at):
    found = Loader(TIMESTAMPTZ).load(written(at))
    assert found == at
    assert found.tzinfo is UTC


BEYOND = ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"]


@pytest.mark.parametrize("text", BEYOND)
def test_what_no_datetime_can_hold_is_an_error_of_the_database(text):
    with pytest.raises(psycopg.DataError):
        TimestamptzLoader(TIMESTAMPTZ).load(text.encode())
    with pytest.raises(psycopg.DataError):
        Loader(TIMESTAMPTZ).load(text.encode())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="reads times from PostgreSQL")
def test_a_connection_uses_it_whatever_the_zone_of_the_server(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT timestamptz '2026-11-23 16:59:00.5+02'")
        assert cursor.fetchone()[0] == datetime(2026, 11, 23, 14, 59, 0, 500_000, UTC)
        loader = cursor.connection.adapters.get_loader(TIMESTAMPTZ, psycopg.pq.Format.TEXT)
        assert loader is Loader
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Kolkata'")
        cursor.execute("SELECT timestamptz '2026-11-23 16:59:00+00'")
        assert cursor.fetchone()[0] == datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
