"""SQLite knows how selective its indexes are once the worker has run ANALYZE."""

import pytest
from django.db import connection

from restores import tasks
from tests.factories import make_restore

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL does so by itself")
def test_the_worker_lets_sqlite_analyze_its_tables():
    make_restore()
    tasks.analyze()
    with connection.cursor() as cursor:
        cursor.execute("SELECT idx FROM sqlite_stat1 WHERE tbl = 'restores_restore'")
        assert ("restore_status",) in cursor.fetchall()
