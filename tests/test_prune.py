"""Housekeeping: what the command ``prune`` deletes, and ended sessions."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command

from restores import tasks
from restores.models import Event, Observation, Restore
from tests.factories import NOW, make_observation, make_restore

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def prune(capsys, *options):
    call_command("prune", *options)
    return capsys.readouterr().out


def test_old_observations_go_except_the_last_one_of_each_restore(capsys):
    long_ago, recent = (make_restore(created_at=NOW - days * DAY) for days in (40, 31))
    make_observation(long_ago, NOW - 40 * DAY, status="waiting")
    make_observation(long_ago, NOW - 39 * DAY, status="restoring")
    kept = [
        make_observation(long_ago, NOW - 38 * DAY, status="succeed"),
        make_observation(recent, NOW - 31 * DAY, status="restoring"),
        make_observation(recent, NOW - 29 * DAY, status="succeed"),
    ]
    assert prune(capsys, "--observations-days=30") == "Deleted 2 observations older than 30 days\n"
    assert set(Observation.objects.all()) == set(kept)
    assert Restore.objects.count() == 2
    assert "Deleted 0 observations" in prune(capsys, "--observations-days=30")


def test_snapshots_from_the_time_that_is_kept_stay_as_they_were(capsys, client, root):
    restore = make_restore(
        "r-1", created_at=NOW - 40 * DAY, ended_at=NOW - 20 * DAY, changed_at=NOW - 20 * DAY
    )
    Restore.objects.update(moved_at=NOW - 20 * DAY, slow=True)
    for days, status in ((40, "waiting"), (35, "restoring"), (20, "succeed")):
        make_observation(restore, NOW - days * DAY, status=status)
    client.force_login(root)
    url = f"/restores.json?asof={NOW - 25 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    before = client.get(url).json()["restores"]
    assert before[0]["status"] == "restoring"
    prune(capsys, "--observations-days=30")
    assert client.get(url).json()["restores"] == before


def test_old_audit_events_go_and_that_is_an_event_itself(capsys):
    for days in (400, 365, 1):
        with time_machine.travel(NOW - days * DAY, tick=False):
            Event.objects.create(what="signed in", subject=f"{days}")
    prune(capsys, "--audit-days=365")
    found = list(Event.objects.values_list("what", "subject"))
    assert found == [
        ("pruned", "1 audit events older than 365 days"),
        ("signed in", "1"),
        ("signed in", "365"),
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "give --observations-days, --audit-days or both"),
        (["--audit-days=0"], "'0' is not a number of days from 1 to 36500"),
        (["--observations-days=-1"], "'-1' is not a number of days"),
        (["--observations-days=1e9"], "'1e9' is not a number of days"),
    ],
)
def test_nothing_is_deleted_unless_an_age_is_given(options, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("prune", *options)


def test_the_worker_deletes_sessions_that_have_ended():
    for key, expires in (("ended", NOW - DAY), ("open", NOW + DAY)):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)
    tasks.clear_sessions()
    assert [session.session_key for session in Session.objects.all()] == ["open"]
