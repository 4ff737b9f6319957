"""A status that we don't know counts as unfinished by one rule, for pages and for the sync."""

from datetime import timedelta

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from restores.models import Restore
from restores.querysets import unknown_is_unfinished
from restores.timerange import to_iso
from tests.factories import NOW, make_observation, make_restore

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def running(web, at, asof=None):
    query = {"on": "running", "from": to_iso(at), "to": to_iso(at + HOUR)}
    response = web.get("/restores.json", query | ({"asof": to_iso(asof)} if asof else {}))
    return [row["restore_id"] for row in response.json()["restores"]]


@pytest.mark.parametrize(
    ("created", "changed", "expected"),
    [
        (2 * HOUR, 2 * HOUR, True),
        (3 * DAY, 2 * HOUR, True),
        (3 * DAY, 25 * HOUR, False),
        (30 * HOUR, 30 * HOUR, False),
        (7 * DAY, HOUR, True),
        (7 * DAY + HOUR, HOUR, False),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_an_unknown_status_runs_for_a_day_after_its_last_change_and_a_week_at_most(
    web, created, changed, expected
):
    at = NOW - 2 * HOUR
    make_restore("r", status="Paused", created_at=at - created, changed_at=at - changed)
    make_restore("old", created_at=NOW - 60 * DAY, duration=40 * 86_400.0)
    assert running(web, at) == (["r"] if expected else [])
    assert Restore.objects.unfinished(at).exists() is expected


@time_machine.travel(NOW, tick=False)
def test_a_snapshot_counts_from_the_last_change_that_was_known_then(web):
    created = NOW - 4 * DAY
    restore = make_restore("r", created_at=created, changed_at=NOW, moved_at=NOW, slow=True)
    for at, status in ((created, "waiting"), (created + DAY, "Paused"), (NOW, "succeed")):
        make_observation(restore, at, status=status)
    Restore.objects.update(ended_at=created + HOUR)
    asof = NOW - HOUR
    assert running(web, created + DAY + 23 * HOUR, asof) == ["r"]
    assert running(web, created + DAY + 25 * HOUR, asof) == []


hours = st.integers(0, 10 * 24).map(lambda hour: hour * HOUR)


class OneRule(TestCase):
    @settings(deadline=None)
    @given(hours, hours, hours)
    def test_the_pages_and_the_sync_agree(self, age, since_change, later):
        created = NOW - age
        changed_at = max(created, NOW - since_change)
        at = created + later
        make_restore("r", status="Paused", created_at=created, changed_at=changed_at)
        expected = unknown_is_unfinished(created, changed_at, at)
        assert Restore.objects.unfinished(at).exists() is expected
        found = Restore.objects.running_in(at, None).exists()
        assert found is (expected or later == timedelta())
