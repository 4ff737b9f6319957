"""Adds changes of second steps to the audit log."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.dispatch import receiver

from restores.models import Event

_NAMES = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


@receiver(authenticator_added)
@receiver(authenticator_reset)
def _record_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    Event.objects.create(user=user, what="second step added", subject=_name(authenticator))


@receiver(authenticator_removed)
def _record_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    Event.objects.create(user=user, what="second step removed", subject=_name(authenticator))


def _name(authenticator: Authenticator) -> str:
    name = _NAMES[Authenticator.Type(authenticator.type)]
    given = authenticator.data.get("name", "")
    return f"{name} {given}".strip()[:500]
