"""The audit log: what users did, about which projects, and from where.

``record`` adds an event. Nothing changes one, and only the command ``prune`` deletes old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import Count, Min, Q
from django.http import HttpRequest

from restores.client_address import client_address
from restores.models import Event, EventProject, Membership
from restores.permissions import Permission, projects_where
from restores.querysets import EventQuerySet, Viewer

# Characters shown of a name that no user has: it may be a password typed into the wrong field.
_SHOWN_OF_UNKNOWN_NAME = 3


class Kind(StrEnum):
    """What happened, in the words of the log."""

    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    BLOCKED = "sign-ins blocked"
    SIGNED_OUT = "signed out"
    EXPORTED = "exported"
    REQUESTED_SYNC = "requested a sync"
    ADDED_MEMBER = "added a member"
    CHANGED_ROLE = "changed a role"
    REMOVED_MEMBER = "removed a member"
    CHANGED_USER = "changed a user"
    ROLES_SET_BY_GROUPS = "roles set by groups"
    ADDED_SECOND_STEP = "added a second step"
    REMOVED_SECOND_STEP = "removed a second step"
    CHANGED_PASSWORD = "changed their password"  # noqa: S105 - not a secret
    ENDED_SESSION = "ended a session"
    ENDED_OTHER_SESSIONS = "ended all other sessions"
    CREATED_TOKEN = "created an API token"  # noqa: S105 - not a secret
    REVOKED_TOKEN = "revoked an API token"  # noqa: S105 - not a secret
    PRUNED = "pruned"


def record(
    request: HttpRequest | None,
    kind: Kind,
    *,
    user: AbstractBaseUser | None = None,
    username: str = "",
    projects: Iterable[int] = (),
    about: str = "",
) -> None:
    """Add an event to the audit log.

    The user is that of the request unless ``user`` is given, or ``username`` where there is none:
    a name that somebody tried. Commands have no request; without a user, the log says that it was
    a command. ``projects`` are the primary keys of those that it is about: their admins see it.
    ``about`` says what was acted on. It must hold no secret, and nothing of other projects, except
    after a question mark (``audit_rows``).
    """
    if user is None and not username and request and request.user.is_authenticated:
        user = request.user
    event = Event.objects.create(
        user_id=user.pk if user else None,
        username=(user.get_username() if user else username)[:150],
        what=kind,
        subject=about[:500],
        address=client_address(request) if request else "",
    )
    EventProject.objects.bulk_create(EventProject(event=event, project_id=key) for key in projects)


def record_failed_sign_in(request: HttpRequest, kind: Kind, tried: str, about: str) -> None:
    """Add an event about a name that somebody tried; if no user has it, only its beginning.

    Such a name may be a password, typed into the wrong field.
    """
    known = User.objects.filter(username=tried).exists()
    username = tried if known else f"{tried[:_SHOWN_OF_UNKNOWN_NAME]}…"
    record(request, kind, username=username, about=about)


def record_membership(request: HttpRequest | None, kind: Kind, membership: Membership) -> None:
    """Add an event about a member of a project, with the role that they have or had."""
    about = f"{membership.user.get_username()}: {membership.role} in {membership.project}"
    record(request, kind, projects=[membership.project_id], about=about)


def visible_events(user: Viewer) -> EventQuerySet:
    """The events that a user may read: for a superuser all, for an admin their projects'."""
    if user.is_superuser:
        return Event.objects.all()
    return Event.objects.about(projects_where(user, Permission.MANAGE_MEMBERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An event as one reader may see it; without a ``user`` it was a command, or is unknown."""

    at: datetime
    user: str
    what: str
    about: str
    address: str
    projects: str


def audit_rows(events: Sequence[Event], reader: Viewer) -> list[AuditRow]:
    """Prepare events for a reader, who must not learn of projects that they don't manage.

    If an event is also about other projects, what follows a question mark is left out: the query
    of an exported list may name them.
    """
    links = EventProject.objects.filter(event__in=[event.pk for event in events])
    managed = Q(project__in=projects_where(reader, Permission.MANAGE_MEMBERS))
    shown = links.filter(managed).values("event")
    found = {
        row["event"]: row for row in shown.annotate(number=Count("pk"), first=Min("project__name"))
    }
    others = set(links.exclude(managed).values_list("event", flat=True).distinct())
    return [_audit_row(event, found.get(event.pk), event.pk in others) for event in events]


def _audit_row(event: Event, found: Mapping[str, Any] | None, others: bool) -> AuditRow:
    projects = ""
    if found:
        number = found["number"]
        projects = found["first"] if number == 1 else f"{number:,} projects"
    return AuditRow(
        at=event.at,
        user=event.username,
        what=event.what,
        about=event.subject.partition("?")[0] if others else event.subject,
        address=event.address,
        projects=f"{projects} and others" if others else projects,
    )
