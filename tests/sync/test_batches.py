from datetime import UTC, datetime

import pytest

from restores.models import Instance, Project, Restore
from restores.sync import instances, results, scheduling
from restores.sync.instances import look_at_due
from restores.sync.interrupts import Interrupted
from tests.factories import make_instance
from tests.faults.scene import Scene, record

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 2 * scheduling.BATCH + 20


@pytest.fixture
def make_crowd(simulator, tmp_path, monkeypatch, settings):
    """A project of more instances than two batches hold, all due, in an account of some rate."""

    monkeypatch.setattr(instances, "_GROWS", 60.0)  # however slow the machine is

    def made(rate=1000, breaks=None, status=404):
        scene = Scene(simulator, tmp_path, monkeypatch, settings, rate=rate)
        if breaks:
            scene.breaks(breaks, kind="status", status=status)
        scene.lists(record())
        # Of a usual interval some instances would come due again meanwhile.
        Project.objects.filter(pk=scene.project.pk).update(interval=10 * 365 * 86_400)
        for number in range(CROWD):
            make_instance(
                f"crowd-{number}",
                project=scene.project,
                complete_to=None,
                next_sync_at=datetime.now(UTC),
                backups_due_at=datetime(2999, 1, 1, tzinfo=UTC),
            )
        return scene

    return made


def held():
    return Instance.objects.exclude(lease_until=None)


def test_further_batches_are_claimed_while_the_last_calls_are_out(make_crowd):
    crowd = make_crowd()
    assert look_at_due(crowd.clouds) == CROWD
    assert Restore.objects.count() == CROWD == len(crowd.calls("/restores"))
    assert not held().exists()


@pytest.mark.parametrize(("rate", "one"), [(20, 20), (60, scheduling.BATCH)])
def test_an_account_that_its_rate_holds_up_gets_one_batch_at_a_time(make_crowd, rate, one):
    crowd = make_crowd(rate=rate)
    assert look_at_due(crowd.clouds) == one
    assert len(crowd.calls("/restores")) == one


def test_nothing_more_is_claimed_once_a_look_has_failed(make_crowd):
    crowd = make_crowd(breaks="/restores")
    assert look_at_due(crowd.clouds) == scheduling.BATCH
    assert not held().exists()


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("number", [scheduling.BATCH - 1, scheduling.BATCH + 10])
def test_a_refusal_stops_the_calls_of_every_batch(make_crowd, number, status):
    """The last of the first batch, and one of the second: what waits of either is not sent."""
    crowd = make_crowd(breaks=f"/id-of-crowd-{number}/", status=status)
    look_at_due(crowd.clouds)
    assert len(crowd.calls("/restores")) < 2 * scheduling.BATCH
    assert Instance.objects.get(name=f"crowd-{number}").sync_error_kind
    assert not held().exists()


def test_what_ends_the_process_gives_every_batch_back(make_crowd, monkeypatch):
    crowd, proven, ended = make_crowd(), results.instances_proven, []

    def interrupted(*given):
        ended.extend(given[0])
        if len(ended) > 2 * scheduling.BATCH:
            raise Interrupted
        return proven(*given)

    # The signal may come at any moment; here as the third batch's looks end.
    monkeypatch.setattr(results, "instances_proven", interrupted)
    with pytest.raises(Interrupted):
        look_at_due(crowd.clouds)
    assert not held().exists()
    unproven = Instance.objects.filter(project=crowd.project, complete_to=None, single_node=False)
    assert unproven.filter(attempts=0).count() == unproven.count() >= CROWD - 2 * scheduling.BATCH
