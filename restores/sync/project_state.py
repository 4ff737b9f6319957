"""The state of a project that pages read, kept up to date by the sync."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from restores.models import Instance, ProjectState


@transaction.atomic
def recount(project: int) -> None:
    """Count the instances of a project, given by primary key.

    Recounted rather than added up, so that the next sync corrects what a crash left wrong. The
    row is locked first: otherwise a worker that counted before an instance was added could write
    its numbers after those that include the instance.
    """
    state, _ = ProjectState.objects.select_for_update().get_or_create(project_id=project)
    counts = Instance.objects.filter(project=project).sync_counts()
    ProjectState.objects.filter(pk=state.pk).update(**counts)


def mark_changed(project: int) -> None:
    """Record that something changed that a list of restores shows, in the same transaction.

    The lock on the row lets the writers of a project commit one after the other, so no change stays
    hidden behind a number that a reader knows already. Best called last: the others wait for it.
    """
    ProjectState.objects.filter(project=project).update(change_number=F("change_number") + 1)
