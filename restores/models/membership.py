"""A membership: which user may see which project."""

from django.conf import settings
from django.db import models

from restores.models.project import Project


class Membership(models.Model):
    """A user's right to one project; a superuser needs none."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        SUPPORT = "support"
        ADMIN = "admin"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="membership_identity")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project} as {self.role}"
