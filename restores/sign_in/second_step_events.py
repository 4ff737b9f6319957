"""Adds changes of second steps to the audit log."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest

from restores import audit
from restores.audit import Kind

_NAMES = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


@receiver(authenticator_added)
@receiver(authenticator_reset)
def _record_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(request, Kind.ADDED_SECOND_STEP, user=user, about=_name(authenticator))


@receiver(authenticator_removed)
def _record_removed(
    request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    audit.record(request, Kind.REMOVED_SECOND_STEP, user=user, about=_name(authenticator))


def _name(authenticator: Authenticator) -> str:
    name = _NAMES[Authenticator.Type(authenticator.type)]
    given = authenticator.data.get("name", "")
    return f"{name} {given}".strip()[:500]
