"""The members of a project: who has which role, and the forms with which its admins change that."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from restores import audit
from restores.audit import Kind
from restores.models import Membership, Project
from restores.permissions import (
    ROLE_HINTS,
    Permission,
    Role,
    manages_any,
    may,
    projects_where,
    require,
)
from restores.views.api import revalidated


class RoleForm(forms.Form):
    """The role of a member."""

    role = forms.ChoiceField(
        choices=Role.choices,
        error_messages={
            "required": f"Choose a role: {', '.join(Role)}.",
            "invalid_choice": f"“%(value)s” is not a role. Choose one: {', '.join(Role)}.",
        },
    )


class AddForm(RoleForm):
    """A new member of a project; ``user`` is the one that the username names."""

    username = forms.CharField(
        max_length=150,
        error_messages={
            "required": "Enter a username.",
            "max_length": "A username can have at most 150 characters.",
        },
    )
    field_order = ("username", "role")
    user: User

    def clean_username(self) -> str:
        """Find the user."""
        username: str = self.cleaned_data["username"]
        user = User.objects.filter(username=username).first()
        if user is None:
            raise forms.ValidationError(
                f"No user is called “{username}”. Check the spelling and capitalization; "
                "someone who has never signed in may not have an account yet."
            )
        if not user.is_active:
            raise forms.ValidationError(f"The account of “{username}” is deactivated.")
        self.user = user
        return username


@require_safe
@revalidated
def members(request: HttpRequest) -> HttpResponse:
    """The projects whose members the user manages."""
    if not manages_any(request.user):
        raise PermissionDenied(
            "To manage members, you need the admin role in a project. Ask one of its admins."
        )
    managed = projects_where(request.user, Permission.MANAGE_MEMBERS)
    # By key: a count through the membership that makes them managed would count only that.
    projects = Project.objects.filter(pk__in=managed.values("pk")).annotate(
        members=Count("memberships"),
        admins=Count("memberships", filter=Q(memberships__role=Role.ADMIN)),
    )
    context = {"projects": projects.order_by("name", "pk")}
    return TemplateResponse(request, "members/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@revalidated
def project_members(request: HttpRequest, project_pk: int) -> HttpResponse:
    """The members of one project; a POST adds one."""
    project = _managed(request, project_pk)
    if request.method != "POST":
        return _page(request, project, AddForm(initial={"role": Role.VIEWER}))
    form = AddForm(request.POST)
    if not form.is_valid():
        return _page(request, project, form, status=400)
    with transaction.atomic():
        membership, new = Membership.objects.get_or_create(
            user=form.user, project=project, defaults={"role": form.cleaned_data["role"]}
        )
        if new:
            audit.record_membership(request, Kind.ADDED_MEMBER, membership)
    if not new:
        error = f"“{form.user}” is already a member. Change the role in the list."
        form.add_error("username", error)
        return _page(request, project, form, status=400)
    messages.success(request, f"Added {form.user} as {membership.role}.")
    return redirect("project-members", project.pk)


@require_POST
def change_role(request: HttpRequest, project_pk: int, user_pk: int) -> HttpResponse:
    """Give a member another role; the last admin only if that is confirmed."""
    project = _managed(request, project_pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        context = {"wrong": form.errors["role"]}
        return _page(request, project, AddForm(initial={"role": Role.VIEWER}), context, status=400)
    role = form.cleaned_data["role"]
    with transaction.atomic():
        membership = _locked(project, user_pk)
        if role != Role.ADMIN and _needs_confirmation(request, membership):
            return _confirm(request, membership, f"Make them {role} anyway")
        if changed := membership.role != role:
            membership.role = role
            membership.save()
            audit.record_membership(request, Kind.CHANGED_ROLE, membership)
    if changed:
        messages.success(request, f"{membership.user} now has the {role} role.")
    return _back(request, project)


@require_POST
def remove_member(request: HttpRequest, project_pk: int, user_pk: int) -> HttpResponse:
    """Remove a member; the last admin only if that is confirmed."""
    project = _managed(request, project_pk)
    with transaction.atomic():
        membership = _locked(project, user_pk)
        if _needs_confirmation(request, membership):
            return _confirm(request, membership, "Remove them anyway")
        audit.record_membership(request, Kind.REMOVED_MEMBER, membership)
        membership.delete()
    messages.success(request, f"Removed {membership.user}.")
    return _back(request, project)


def _managed(request: HttpRequest, project_pk: int) -> Project:
    """The project; not found unless the user sees it, denied unless they manage its members."""
    project: Project = get_object_or_404(Project.objects.visible_to(request.user), pk=project_pk)
    require(request.user, Permission.MANAGE_MEMBERS, project)
    return project


def _locked(project: Project, user_pk: int) -> Membership:
    """A membership, locked with all others of the project.

    Otherwise two admins could each remove the other at the same time.
    """
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user", "project")
    found = {row.user_id: row for row in rows.filter(project=project).order_by("pk")}
    if user_pk not in found:
        raise Http404
    return found[user_pk]


def _needs_confirmation(request: HttpRequest, membership: Membership) -> bool:
    """Whether it is the last admin's, and the form doesn't confirm the change."""
    if membership.role != Role.ADMIN or request.POST.get("confirmed"):
        return False
    admins = Membership.objects.filter(project=membership.project, role=Role.ADMIN)
    return not admins.filter(user__is_active=True).exclude(pk=membership.pk).exists()


def _confirm(request: HttpRequest, membership: Membership, button: str) -> HttpResponse:
    """Ask before the project is left without an admin; the form sends the same again."""
    context = {"last_admin": membership, "new_role": request.POST.get("role"), "button": button}
    form = AddForm(initial={"role": Role.VIEWER})
    return _page(request, membership.project, form, context, status=409)


def _back(request: HttpRequest, project: Project) -> HttpResponse:
    """Return to the members, unless the user has just given up managing them."""
    if may(request.user, Permission.MANAGE_MEMBERS, project):
        return redirect("project-members", project.pk)
    return redirect("members" if manages_any(request.user) else "overview")


def _page(
    request: HttpRequest,
    project: Project,
    form: AddForm,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = project.memberships.select_related("user").order_by("user__username")
    context = {"project": project, "form": form, "memberships": rows, "roles": ROLE_HINTS}
    return TemplateResponse(request, "members/project.html", context | (more or {}), status=status)
