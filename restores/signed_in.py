"""Who is signed in: every page asks it, so the SQL is written once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.utils import timezone

from restores.querysets.asking import ask
from restores.querysets.slots import Slot


class SessionStore(db.SessionStore):
    """Django's sessions in the database."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing when it is over or there is none."""
        key = self.session_key or ""
        # A cookie may spell a character that PostgreSQL takes for an error.
        found = "\0" not in key and ask("session", self._data, key=key, now=timezone.now())
        if not found:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(found[0])
        return held

    def _data(self) -> QuerySet[Any, Any]:
        held = self.model.objects.filter(session_key=Slot("key"), expire_date__gt=Slot("now"))
        return held.values_list("session_data", flat=True)


class Backend(ModelBackend):
    """Django's users."""

    def get_user(self, user_id: Any) -> User | None:
        """The user of a session, unless there is none or the account is closed."""
        found = ask("user", lambda: User.objects.filter(pk=Slot("pk")), pk=user_id)
        user: User | None = next(iter(found), None)
        return user if user and self.user_can_authenticate(user) else None
