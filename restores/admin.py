"""The admin site: users, their roles in projects, API tokens, the audit log.

Cloud data isn't editable.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from restores import audit
from restores.audit import Kind
from restores.models import ApiToken, Event, Membership

admin.site.unregister([User, Group])


class ModelAdmin(admin.ModelAdmin):
    """An admin that treats an empty ``_to_field`` as absent; Django's looks for a field ""."""

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        return super().get_object(request, object_id, from_field or None)


@admin.register(Group)
class PlainGroupAdmin(ModelAdmin, GroupAdmin):
    """Django's groups."""


@admin.register(User)
class AuditedUserAdmin(ModelAdmin, UserAdmin):
    """Users; every change, such as a new superuser, is in the audit log."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _audited(request, super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return _audited(request, super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        return [_audited(request, one) for one in super().log_deletions(request, queryset)]


def _audited(request: HttpRequest, entry: LogEntry) -> LogEntry:
    """Add an entry of the admin's own log to the audit log."""
    audit.record(request, Kind.CHANGED_USER, about=str(entry))
    return entry


@admin.register(Membership)
class MembershipAdmin(ModelAdmin):
    """Which user has which role in which project."""

    list_display = ["user", "project", "role"]
    list_filter = ["role", "project"]
    list_select_related = ["user", "project"]
    search_fields = ["user__username", "project__name"]
    autocomplete_fields = ["user"]

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        return ["user", "project"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm[Membership], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        audit.record_membership(request, Kind.CHANGED_ROLE if change else Kind.ADDED_MEMBER, obj)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        audit.record_membership(request, Kind.REMOVED_MEMBER, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("user", "project"):
            audit.record_membership(request, Kind.REMOVED_MEMBER, membership)
        super().delete_queryset(request, queryset)


@admin.register(Event)
class EventAdmin(ModelAdmin):
    """The audit log, read-only."""

    list_display = ["at", "username", "what", "subject", "address"]

    def has_add_permission(self, *args: object) -> bool:
        return False

    def has_change_permission(self, *args: object) -> bool:
        return False

    def has_delete_permission(self, *args: object) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Everybody's API tokens; deleting one revokes it, which is in the audit log."""

    list_display = ["name", "user", "public_id", "created_at", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username", "public_id"]
    exclude = ["digest", "requests"]

    def has_add_permission(self, *args: object) -> bool:
        return False

    def has_change_permission(self, *args: object) -> bool:
        return False

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> list[LogEntry]:
        for token in queryset:
            projects = [project.pk for project in token.projects.all()]
            about = f"{token} of {token.user.get_username()}"
            audit.record(request, Kind.REVOKED_TOKEN, projects=projects, about=about)
        return super().log_deletions(request, queryset)


# django-allauth's pages would show the secrets of second steps, and add other providers.
for _app in ("account", "socialaccount", "mfa"):
    if apps.is_installed(f"allauth.{_app}"):
        _models = apps.get_app_config(_app).get_models()
        admin.site.unregister(model for model in _models if admin.site.is_registered(model))
