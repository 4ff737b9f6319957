"""Forms for a code, or for the password again; attempts are limited as when signing in."""

from collections.abc import Callable
from typing import Any

from allauth.account.forms import ReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.utils import timezone

from restores.failed_sign_ins import TooManyFailures, limited

TOTP_PERIOD = 30  # seconds, django-allauth's default


class SecondStepForm(AuthenticateForm):
    """A code from an authenticator app, or a recovery code."""

    def clean_code(self) -> str:
        """Check the code within the limits; an app's code works once."""
        return _limited(self.user.username, "code", self._check)

    def _check(self) -> str:
        code: str = super().clean_code()
        used = self.authenticator.last_used_at
        # django-allauth remembers used codes in a cache, of which each web process has its own.
        if self.authenticator.type == Authenticator.Type.TOTP and used is not None:
            period = timezone.now().timestamp() // TOTP_PERIOD
            if used.timestamp() // TOTP_PERIOD == period:
                raise ValidationError("This code was already used. Wait for the next one.")
        return code


class PasswordAgainForm(ReauthenticateForm):
    """The password, before the second step is changed."""

    def clean_password(self) -> str:
        """Check the password within the limits."""
        return _limited(self.user.username, "password", super().clean_password)


def _limited(account: str, checked: str, check: Callable[[], Any]) -> str:
    try:
        with limited(context.request, account, checked):
            return check()
    except TooManyFailures as error:
        minutes = -(-error.seconds // 60)
        raise ValidationError(f"Too many attempts. Try again in {minutes} min.") from error
