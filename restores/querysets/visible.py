"""What a user may see: every page starts there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models

if TYPE_CHECKING:
    Viewer = User | AnonymousUser


def key_of(user: Viewer) -> object:
    """Whose rows a question is about; all superusers see the same, which is everything."""
    return "all" if user.is_superuser else user.pk


class Visible(models.QuerySet[Any]):
    """Rows that hang on a project, directly or by a path."""

    memberships = "project__memberships"

    def visible_to(self, user: Viewer) -> Self:
        """Rows of the projects that the user is a member of; a superuser sees all."""
        if user.is_superuser:
            return self.all()
        return self.filter(**{f"{self.memberships}__user_id": user.pk})
