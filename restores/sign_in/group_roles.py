"""Sets a user's memberships to what their groups at the identity provider grant."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from dashboard.group_access import ROLES, GroupAccess
from restores import audit
from restores.audit import Kind
from restores.models import Membership, Project

logger = logging.getLogger(__name__)


def find_groups(extra_data: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the groups that the provider names in userinfo or ID token; None if in neither.

    None isn't the same as no groups: a provider may leave out a claim that is too long for it.
    """
    for part in ("userinfo", "id_token"):
        claims = extra_data.get(part)
        if not isinstance(claims, Mapping) or settings.OIDC_GROUPS_CLAIM not in claims:
            continue
        value = claims[settings.OIDC_GROUPS_CLAIM]
        groups = [value] if isinstance(value, str) else value
        if isinstance(groups, list) and all(isinstance(group, str) for group in groups):
            return frozenset(groups)
        logger.warning(
            "The claim %r in %s is %.100r; it must be a list of names",
            *(settings.OIDC_GROUPS_CLAIM, part, value),
        )
    return None


def set_roles(request: HttpRequest, user: User, groups: Iterable[str]) -> bool:
    """Give a user exactly what their groups grant; return whether they grant anything."""
    granted = [settings.OIDC_GROUPS[name] for name in groups if name in settings.OIDC_GROUPS]
    roles = _roles(granted)
    with transaction.atomic():
        # Simultaneous sign-ins of a user wait for each other.
        user = User.objects.select_for_update().get(pk=user.pk)
        before = dict(user.memberships.values_list("project_id", "role"))
        user.memberships.exclude(project__in=roles).delete()
        for project_id, role in roles.items():
            if before.get(project_id) != role:
                Membership.objects.update_or_create(
                    user=user, project_id=project_id, defaults={"role": role}
                )
        changed = before != roles
        if any(access.superuser for access in settings.OIDC_GROUPS.values()):
            superuser = any(access.superuser for access in granted)
            changed |= user.is_superuser != superuser
            user.is_superuser = user.is_staff = superuser
            user.save(update_fields=["is_superuser", "is_staff"])
        if changed:
            projects, about = before.keys() | roles.keys(), _describe(user)
            audit.record(
                request, Kind.ROLES_SET_BY_GROUPS, user=user, projects=projects, about=about
            )
    return bool(granted)


def _roles(granted: Iterable[GroupAccess]) -> dict[int, str]:
    """The role in each project, by its primary key: the highest of those granted."""
    roles: dict[int, str] = {}
    for access in granted:
        if not access.role:
            continue
        projects = Project.objects.all()
        if access.projects is not None:
            named = Q(name__in=access.projects) | Q(project_id__in=access.projects)
            projects = projects.filter(named)
        for pk in projects.values_list("pk", flat=True):
            roles[pk] = max(roles.get(pk, access.role), access.role, key=ROLES.index)
    return roles


def _describe(user: User) -> str:
    names = user.memberships.order_by("project__name").values_list("project__name", "role")
    roles = ", ".join(f"{project}: {role}" for project, role in names)
    return ("superuser" if user.is_superuser else roles or "none")[:500]
