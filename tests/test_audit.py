"""The audit log: what is recorded, and that nothing of it changes."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction

from restores.audit import Kind, record, visible_events
from restores.models import Event, EventProject, Membership
from restores.querysets import AppendOnlyError
from tests.factories import make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    record(None, Kind.REQUESTED_SYNC, projects=[make_project().pk], about="shop-prod/i-1")
    return Event.objects.get()


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: Event(pk=event.pk, what="x", at=event.at).save(),
        lambda event: Event.objects.update(what="x"),
        lambda event: Event.objects.filter(pk=event.pk).delete(),
        lambda event: Event.objects.bulk_update([event], ["what"]),
        lambda event: Event.objects.update_or_create(pk=event.pk, defaults={"what": "x"}),
        lambda event: event.projects.clear(),
        lambda event: EventProject.objects.get().delete(),
        lambda event: EventProject.objects.update(project=make_project("other")),
    ],
)
def test_an_event_cannot_be_changed_or_deleted(event, change):
    before = list(Event.objects.values("what", "projects"))
    with pytest.raises((AppendOnlyError, IntegrityError)), transaction.atomic():
        change(event)
    assert list(Event.objects.values("what", "projects")) == before


def test_events_keep_the_name_of_a_user_who_is_renamed_or_deleted():
    mia = User.objects.create_user("mia")
    record(None, Kind.SIGNED_IN, user=mia)
    User.objects.update(username="maria")
    User.objects.get().delete()
    event = Event.objects.get()
    assert (event.user, event.username) == (None, "mia")


def test_prune_deletes_old_events_whatever_they_are_about(event):
    with time_machine.travel(event.at + timedelta(days=2), tick=False):
        record(None, Kind.SIGNED_OUT, username="mia")
        call_command("prune", "--audit-days=1")
    found = Event.objects.order_by("id").values_list("what", "subject")
    assert list(found) == [("signed out", ""), ("pruned", "1 audit events older than 1 days")]
    assert not EventProject.objects.exists()


def test_the_longest_texts_fit():
    record(None, Kind.SIGN_IN_FAILED, username="n" * 1000, about="a" * 1000)
    event = Event.objects.get()
    assert (event.username, event.subject) == ("n" * 150, "a" * 500)


def test_an_admin_reads_the_events_of_their_projects_and_a_superuser_all():
    ours, theirs = make_project("ours"), make_project("theirs")
    for projects in ([ours], [theirs], [ours, theirs], []):
        record(None, Kind.EXPORTED, projects=[one.pk for one in projects], about=str(projects))
    ada, root = User.objects.create_user("ada"), User.objects.create_superuser("root")
    Membership.objects.create(user=ada, project=ours, role="admin")
    Membership.objects.create(user=ada, project=theirs, role="support")
    subjects = set(visible_events(ada).values_list("subject", flat=True))
    assert subjects == {str([ours]), str([ours, theirs])}
    assert visible_events(root).count() == 4
