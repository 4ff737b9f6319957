"""Our side of django-allauth: who may sign in, under which name, and what follows."""

import logging
from typing import Any

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError, Provider
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from restores import audit
from restores.audit import Kind
from restores.sign_in.group_roles import find_groups, set_roles

logger = logging.getLogger(__name__)


def refuse(
    request: HttpRequest, reason: str, *, status: int = 403, **context: str | None
) -> HttpResponse:
    """Return the page that says why somebody isn't signed in, with a way back.

    Reasons are those that templates/sign_in/refused.html knows.
    """
    context |= {"reason": reason, "provider_name": settings.OIDC_NAME}
    response = TemplateResponse(request, "sign_in/refused.html", context, status=status)
    return response.render()


class AccountAdapter(DefaultAccountAdapter):
    """Every sign-in that django-allauth completes."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Add no message: our pages show what has happened."""

    def is_safe_url(self, url: str) -> bool:
        """Redirect only to our own paths, as our own sign-in does."""
        return url.startswith("/") and super().is_safe_url(url)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Refuse a deactivated user."""
        _record_refusal(request, user.get_username(), "deactivated")
        return refuse(request, "inactive", username=user.get_username())

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Add the sign-in to the audit log."""
        response = super().post_login(request, user, **kwargs)
        if "sociallogin" in (kwargs["signal_kwargs"] or {}):
            by = settings.OIDC_NAME
        else:
            by = "password and second step" if MfaAdapter().is_mfa_enabled(user) else "password"
        audit.record(request, Kind.SIGNED_IN, user=user, about=by)
        return response


class MfaAdapter(DefaultMFAAdapter):
    """The second step; nobody has one while MFA is off."""

    def is_mfa_enabled(
        self, user: AbstractBaseUser | AnonymousUser, types: list[str] | None = None
    ) -> bool:
        """Whether the user has a second step of one of these types."""
        return settings.MFA and super().is_mfa_enabled(user, types)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:
        """Return a name for the user's next passkey."""
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Sign-in by the identity provider: groups decide who may, and what they see."""

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> Any:
        """Name a new user as the provider does; by e-mail address or subject if it doesn't."""
        name = data.get("username") or data.get("email") or sociallogin.account.uid
        return super().populate_user(request, sociallogin, data | {"username": name})

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Refuse users without access; set the roles of a user who signs in again."""
        user, groups = sociallogin.user, find_groups(sociallogin.account.extra_data)
        reason = None
        if not sociallogin.is_existing and _taken(user):
            reason = "taken"
        elif groups is None and not sociallogin.is_existing:
            reason = "no_groups_claim"
        elif groups is None:
            logger.warning("No groups claim for %r: the roles stay as they are", user.username)
        elif not (
            set_roles(request, user, groups) if sociallogin.is_existing else _grant_any(groups)
        ):
            reason = "no_access"
        if reason:
            _record_refusal(request, user.username, reason)
            next_page = sociallogin.state.get("next")
            page = refuse(request, reason, username=user.username, next=next_page)
            raise ImmediateHttpResponse(page)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Any:
        """Create the user, with the roles of their groups."""
        user = super().save_user(request, sociallogin, form)
        set_roles(request, user, find_groups(sociallogin.account.extra_data) or ())
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Say what went wrong at the provider, or on the way back."""
        state = (extra_context or {}).get("state")
        next_page = (state or {}).get("next")
        if error == AuthError.CANCELLED:
            page = refuse(request, "cancelled", next=next_page)
        elif exception:
            page = provider_failed(request, exception, next_page)
        elif state:
            said = request.GET.get("error", "no code")[:100]
            logger.warning("The identity provider refused a sign-in: %r", said)
            page = refuse(request, "provider_error", said=said, next=next_page)
        else:
            page = refuse(request, "expired", status=400)
        raise ImmediateHttpResponse(page)


def provider_failed(
    request: HttpRequest, error: Exception, next_page: str | None = None
) -> HttpResponse:
    """Respond for an identity provider that is down, or whose response we can't use."""
    # With a traceback if it may also be our mistake.
    unexpected = not isinstance(error, (requests.RequestException, OAuth2Error))
    what = type(error).__name__
    logger.warning("The identity provider failed: %s: %.300s", what, error, exc_info=unexpected)
    page = refuse(request, "provider_failed", status=503, next=next_page)
    page["Retry-After"] = "60"
    return page


def _taken(user: User) -> bool:
    """Whether another user has the username or the e-mail address of a new one."""
    same = Q(username__iexact=user.username)
    if user.email:
        same |= Q(email__iexact=user.email)
    return User.objects.filter(same).exists()


def _grant_any(groups: frozenset[str]) -> bool:
    return not groups.isdisjoint(settings.OIDC_GROUPS)


def _record_refusal(request: HttpRequest, username: str, reason: str) -> None:
    about = f"by {settings.OIDC_NAME}: {reason.replace('_', ' ')}"
    audit.record(request, Kind.SIGN_IN_FAILED, username=username, about=about)
