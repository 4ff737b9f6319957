"""What a role permits in a project; a superuser may do everything."""

from __future__ import annotations

from enum import StrEnum

from django.core.exceptions import PermissionDenied

from restores.models import Membership, Project
from restores.querysets import ProjectQuerySet, Viewer

Role = Membership.Role


class Permission(StrEnum):
    """An action, in the words of the page that denies it; a project's name follows."""

    READ = "read, copy and export the restores of"
    SYNC = "sync instances of"
    MANAGE_MEMBERS = "manage the members and read the audit log of"


GRANTS = {
    Role.VIEWER: {Permission.READ},
    Role.SUPPORT: {Permission.READ, Permission.SYNC},
    Role.ADMIN: {Permission.READ, Permission.SYNC, Permission.MANAGE_MEMBERS},
}
# The same for those who give the roles.
ROLE_HINTS = {
    Role.VIEWER: "reads, copies and exports",
    Role.SUPPORT: "also uses Sync now",
    Role.ADMIN: "also manages members and reads the audit log",
}


class RoleNeeded(PermissionDenied):
    """The user's role in a project doesn't permit something; says which does, and who can give it.

    Only for what the user knows of: a project that they can't see is not found.
    """

    def __init__(self, permission: Permission, project: Project) -> None:
        roles = " or ".join(role for role in GRANTS if permission in GRANTS[role])
        admins = Membership.objects.filter(project=project, role=Role.ADMIN, user__is_active=True)
        names = admins.order_by("user__username").values_list("user__username", flat=True)
        who = f"one of its admins: {', '.join(names)}" if names else "an operator: it has no admin"
        super().__init__(f"To {permission} {project}, you need the {roles} role there. Ask {who}.")


def may(user: Viewer, permission: Permission, project: Project) -> bool:
    """Whether a user may do this in a project."""
    return user.is_superuser or projects_where(user, permission).filter(pk=project.pk).exists()


def require(user: Viewer, permission: Permission, project: Project) -> None:
    """Raise RoleNeeded unless a user may do this in a project."""
    if not may(user, permission, project):
        raise RoleNeeded(permission, project)


def manages_any(user: Viewer) -> bool:
    """Whether a user may manage the members of any project."""
    return user.is_superuser or projects_where(user, Permission.MANAGE_MEMBERS).exists()


def projects_where(user: Viewer, permission: Permission) -> ProjectQuerySet:
    """The projects in which a user may do this."""
    projects: ProjectQuerySet = Project.objects.visible_to(user)
    if user.is_superuser:
        return projects
    roles = [role for role, permissions in GRANTS.items() if permission in permissions]
    return projects.filter(memberships__user_id=user.pk, memberships__role__in=roles)
