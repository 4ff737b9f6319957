"""The account page: a user's own sessions, API tokens and password."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from restores import audit
from restores.api_tokens import DEFAULT_DAYS, MAX_DAYS, MAX_NAME, issue
from restores.audit import Kind
from restores.failed_sign_ins import TooManyFailures, limited
from restores.models import ApiToken, Project, UserSession
from restores.permissions import manages_any
from restores.sessions import end, sessions_of
from restores.views.api import revalidated

# A token with more projects shows only how many there are.
_NAMED_PROJECTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token, which projects it reads, and whether it has expired."""

    token: ApiToken
    projects: str
    expired: bool


@require_safe
@revalidated
def account(request: HttpRequest) -> HttpResponse:
    """The user's sessions and API tokens."""
    user, now = _user(request), timezone.now()
    sessions = list(sessions_of(user.pk, now))
    visible = Project.objects.visible_to(user).order_by("name")
    tokens = ApiToken.objects.filter(user=user).prefetch_related(Prefetch("projects", visible))
    context = {
        "sessions": sessions,
        "current": _current(sessions, request),
        "tokens": [_token_row(token, now) for token in tokens],
        "manages_members": manages_any(user),
        "has_password": user.has_usable_password(),
        # Users who sign in by an identity provider have a second step there.
        "mfa_page": reverse("mfa_index") if settings.MFA and user.has_usable_password() else "",
    }
    return TemplateResponse(request, "account.html", context)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the user's sessions."""
    found = sessions_of(_user(request).pk, timezone.now()).filter(pk=pk)
    session = found.first()
    if session and session.session_id == request.session.session_key:
        logout(request)
        return redirect("login")
    if session:
        end(found)
        audit.record(request, Kind.ENDED_SESSION, about=str(session))
    messages.info(request, "Session ended." if session else "This session had already ended.")
    return redirect("account")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of the user's sessions but this one."""
    key = request.session.session_key
    end(sessions_of(_user(request).pk, timezone.now()).exclude(session=key))
    audit.record(request, Kind.ENDED_OTHER_SESSIONS)
    messages.info(request, "All other sessions ended.")
    return redirect("account")


class TokenForm(forms.Form):
    """The name of a new API token, what it may read, and for how long."""

    name = forms.CharField(max_length=MAX_NAME)
    days = forms.IntegerField(min_value=1, max_value=MAX_DAYS, initial=DEFAULT_DAYS)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.visible_to(user).order_by("name", "pk")
        self.fields["projects"] = forms.ModelMultipleChoiceField(projects, required=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def new_token(request: HttpRequest) -> HttpResponse:
    """The form for a new API token, and the token itself, which is shown this once."""
    user = _user(request)
    form = TokenForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return TemplateResponse(request, "new_token.html", {"form": form}, status=status)
    given = form.cleaned_data
    token, text = issue(user, given["name"], given["projects"], given["days"], timezone.now())
    audit.record(request, Kind.CREATED_TOKEN, projects=_keys(given["projects"]), about=str(token))
    url = settings.BASE_URL + reverse("restore-list-json") + "?from=now-24h"
    context = {"token": token, "text": text, "url": url}
    return TemplateResponse(request, "new_token.html", context)


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one of the user's API tokens."""
    token = ApiToken.objects.filter(user=_user(request), pk=pk).first()
    if token:
        projects = _keys(token.projects.all())
        token.delete()
        audit.record(request, Kind.REVOKED_TOKEN, projects=projects, about=str(token))
    text = "Token revoked." if token else "This token had already been revoked."
    messages.info(request, text)
    return redirect("account")


class PasswordForm(PasswordChangeForm):
    """The old password, checked within the limits of signing in, and a new one twice."""

    retry_after = 0

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(_user(request), *args, **kwargs)
        self._request = request

    def clean_old_password(self) -> str:
        """Check the old password, unless too many were wrong."""
        try:
            with limited(self._request, self.user.get_username()):
                return super().clean_old_password()
        except TooManyFailures as error:
            self.retry_after = error.seconds
            minutes = ceil(error.seconds / 60)
            unit = "minute" if minutes == 1 else "minutes"
            raise ValidationError(
                f"Too many wrong passwords. Try again in {minutes} {unit}."
            ) from error


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the user's password, which ends all other sessions."""
    user = _user(request)
    if not user.has_usable_password():
        status = 400 if request.method == "POST" else 200
        return TemplateResponse(request, "change_password.html", status=status)
    given = request.POST if request.method == "POST" else None
    form = PasswordForm(request, given)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        audit.record(request, Kind.CHANGED_PASSWORD)
        messages.info(request, "Password changed. All other sessions ended.")
        return redirect("account")
    status = 429 if form.retry_after else 400 if form.is_bound else 200
    response = TemplateResponse(request, "change_password.html", {"form": form}, status=status)
    if form.retry_after:
        response.headers["Retry-After"] = str(form.retry_after)
    return response


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied  # LoginRequiredMiddleware lets nobody else get here
    return request.user


def _keys(projects: Iterable[Project]) -> list[int]:
    return [project.pk for project in projects]


def _current(sessions: list[UserSession], request: HttpRequest) -> int | None:
    key = request.session.session_key
    return next((session.pk for session in sessions if session.session_id == key), None)


def _token_row(token: ApiToken, now: datetime) -> TokenRow:
    names = [project.name for project in token.projects.all()]
    if token.all_projects:
        projects = "All that you can see"
    elif len(names) > _NAMED_PROJECTS:
        projects = f"{len(names)} projects"
    else:
        projects = ", ".join(names) or "None that you can still see"
    return TokenRow(token=token, projects=projects, expired=token.expires_at <= now)
