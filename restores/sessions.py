"""Sessions: how long they last, which a user has, and what ends them.

A session ends 12 hours after signing in, or 8 hours after its user last did anything. Django
enforces that by the expiry time in its row, which is updated here. All a user's sessions end when
their password changes or their account is deactivated.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.db.models import QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from restores.browsers import browser_name
from restores.client_address import client_address
from restores.models import UserSession

LONGEST = timedelta(seconds=settings.SESSION_COOKIE_AGE)
LONGEST_IDLE = timedelta(hours=8)
# Activity is written no more often than this.
INTERVAL = timedelta(minutes=10)
# Sent by static/refresh.js: a page that refreshes itself doesn't mean that its reader is active.
BACKGROUND_HEADER = "X-Background-Refresh"
# Stored in the session itself, so that a request needs no query for it. The key tells when Django
# has changed it, and so deleted our row with the previous one.
_SIGNED_IN_AT, _ACTIVE_AT, _KEY = "signed_in_at", "active_at", "key"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def track_activity(get_response: GetResponse) -> GetResponse:
    """Middleware: keep the sessions of active users from ending."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        session = request.session
        # A request that hasn’t read its session needs none of this.
        if session.accessed and USER in session:
            now, active_at = timezone.now(), _time(request, _ACTIVE_AT)
            background = BACKGROUND_HEADER in request.headers
            if active_at is None or (now - active_at >= INTERVAL and not background):
                _store(request, now)
            elif session.get(_KEY) != session.session_key:
                _store(request, active_at)
        return response

    return middleware


@receiver(user_logged_in)
def begin(request: HttpRequest, **kwargs: Any) -> None:
    """Begin the session of somebody who has signed in."""
    if request.session.session_key is None:
        request.session.create()
    now = timezone.now()
    request.session[_SIGNED_IN_AT] = now.isoformat()
    _store(request, now)


def sessions_of(user_id: int, now: datetime) -> QuerySet[UserSession]:
    """The sessions of a user that have not ended, the last active one first."""
    return UserSession.objects.filter(user_id=user_id, session__expire_date__gt=now)


def end(sessions: QuerySet[UserSession]) -> int:
    """End sessions immediately and return how many there were."""
    deleted = Session.objects.filter(pk__in=sessions.values("session")).delete()[1]
    return deleted.get(Session._meta.label, 0)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def end_sessions_of_inactive(instance: User, **kwargs: Any) -> None:
    """End the sessions of an account that is deactivated, wherever that happens."""
    if not instance.is_active:
        end(UserSession.objects.filter(user=instance))


class EndSessions:
    """Ends sessions when a password changes, which Django tells password validators."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Accept any password."""

    def password_changed(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """End the user's sessions; Django gives the one that has changed it a new key."""
        if user is not None:
            end(UserSession.objects.filter(user_id=user.pk))

    def get_help_text(self) -> str:
        """Return the help text of the field."""
        return "Changing the password ends all other sessions."


def _store(request: HttpRequest, active_at: datetime) -> None:
    """Store when a session was last active and, following from that, when it ends."""
    session = request.session
    signed_in_at = _time(request, _SIGNED_IN_AT) or active_at
    try:
        UserSession.objects.update_or_create(
            session_id=session.session_key,
            defaults={
                "user_id": session[USER],
                "signed_in_at": signed_in_at,
                "active_at": active_at,
                "browser": browser_name(request.headers.get("User-Agent", "")),
                "address": client_address(request),
            },
        )
    except DatabaseError:
        return  # pages can still be read while the database's disk is full
    session.set_expiry(min(signed_in_at + LONGEST, active_at + LONGEST_IDLE))
    session[_SIGNED_IN_AT], session[_ACTIVE_AT] = signed_in_at.isoformat(), active_at.isoformat()
    session[_KEY] = session.session_key


def _time(request: HttpRequest, name: str) -> datetime | None:
    text = request.session.get(name)
    return datetime.fromisoformat(text) if text else None
