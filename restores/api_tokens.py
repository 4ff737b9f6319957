"""API tokens: ``dcs_<id>_<secret>``, with which a program reads what its user can see.

A token is shown once; the database has its HMAC-SHA256 with a key derived from TOKEN_KEY. Its id
finds the row, and its prefix lets scanners find a token that was committed somewhere.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from restores.models import ApiToken, Project

DEFAULT_DAYS, MAX_DAYS = 90, 365
PER_MINUTE = 120
MAX_NAME = 100
_SALT = "restores.api_tokens"
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN = re.compile(r"dcs_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")


class TooManyRequests(Exception):
    """The token was used too often in this minute, which ends in ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def issue(
    user: User, name: str, projects: Iterable[Project], days: int, now: datetime
) -> tuple[ApiToken, str]:
    """Create a token for these projects, or for all of the user's if none are given.

    Returns its row and the token itself, which can't be found out later.
    """
    public_id = get_random_string(12, _ID_LETTERS)
    text = f"dcs_{public_id}_{secrets.token_urlsafe(32)}"
    chosen = list(projects)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        public_id=public_id,
        digest=_digest(text, settings.TOKEN_KEY),
        all_projects=not chosen,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    token.projects.set(chosen)
    return token, text


def is_well_formed(text: str) -> bool:
    """Whether a string has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def find_token(text: str) -> ApiToken | None:
    """Return the row of a token; None if it is unknown, wrong, expired or its user inactive."""
    match = _TOKEN.fullmatch(text)
    if not match:
        return None
    valid = ApiToken.objects.filter(expires_at__gt=timezone.now(), user__is_active=True)
    token = valid.select_related("user").filter(public_id=match[1]).first()
    if token is None:
        return None
    for key in (settings.TOKEN_KEY, *settings.TOKEN_KEY_FALLBACKS):
        if constant_time_compare(token.digest, _digest(text, key)):
            if key != settings.TOKEN_KEY:
                # It stays valid once the previous key is gone.
                token.digest = _digest(text, settings.TOKEN_KEY)
                token.save(update_fields=["digest"])
            return token
    return None


def count_use(token: ApiToken, now: datetime) -> None:
    """Count a request, or raise TooManyRequests.

    In memory, each web process would have its own count. Only the first request of a minute
    updates when the token was last used; one that is refused writes nothing.
    """
    minute = now.replace(second=0, microsecond=0)
    row = ApiToken.objects.filter(pk=token.pk)
    # The minute may be ahead of ours, if another host's clock is.
    same_minute = row.filter(last_used_at__gte=minute, requests__lt=PER_MINUTE)
    later_minute = row.filter(Q(last_used_at=None) | Q(last_used_at__lt=minute))
    if not (
        same_minute.update(requests=F("requests") + 1)
        or later_minute.update(last_used_at=minute, requests=1)
        # Another request may have begun the minute in between.
        or same_minute.update(requests=F("requests") + 1)
    ):
        raise TooManyRequests(60 - now.second)


def viewer_of(token: ApiToken) -> User:
    """Return the token's user, limited to those projects of the token that they can see now."""
    user = token.user
    if not token.all_projects:
        projects = Project.objects.visible_to(user).filter(pk__in=token.projects.values("pk"))
        user.only_projects = list(projects.values_list("pk", flat=True))  # type: ignore[attr-defined]
        user.is_superuser = False
    return user


def _digest(text: str, key: str) -> str:
    return salted_hmac(_SALT, text, key, algorithm="sha256").hexdigest()
