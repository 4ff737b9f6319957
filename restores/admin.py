"""The admin site: which user sees which project, and the audit log. Cloud data isn't editable."""

from django.apps import apps
from django.contrib import admin

from restores.models import Event, Membership


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    """Which user sees which project."""

    list_display = ["user", "project", "role"]
    list_filter = ["role", "project"]
    list_select_related = ["user", "project"]
    search_fields = ["user__username", "project__name"]
    autocomplete_fields = ["user"]


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    """The audit log, read-only."""

    list_display = ["at", "user", "what", "subject"]
    list_select_related = ["user"]

    def has_add_permission(self, *args: object) -> bool:
        return False

    def has_change_permission(self, *args: object) -> bool:
        return False

    def has_delete_permission(self, *args: object) -> bool:
        return False


# django-allauth's pages would show the secrets of second steps, and add other providers.
for _app in ("account", "socialaccount", "mfa"):
    if apps.is_installed(f"allauth.{_app}"):
        _models = apps.get_app_config(_app).get_models()
        admin.site.unregister(model for model in _models if admin.site.is_registered(model))
