"""Signing in by the identity provider: the page that leads there, and the callback."""

from collections.abc import Callable
from functools import wraps

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from restores.sign_in.adapters import provider_failed

View = Callable[..., HttpResponse]
# It can't be reached, or its response isn't valid OpenID Connect.
_FAILURES = (requests.RequestException, OAuth2Error, AttributeError, LookupError, TypeError)


def _answer_failures(view: View) -> View:
    @wraps(view)
    def wrapper(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except (*_FAILURES, ValueError) as error:
            return provider_failed(request, error, get_next_redirect_url(request))

    return wrapper


@login_not_required
@never_cache
@require_POST
@_answer_failures
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the user to the provider, and from there back to ``next``.

    It does so by a page that redirects on its own: redirecting a form would need every host that
    the provider redirects to in our form-action.
    """
    provider = get_adapter(request).get_provider(request, provider_id)
    next_page = get_next_redirect_url(request)
    redirect = provider.redirect(request, AuthProcess.LOGIN, next_url=next_page)
    context = {"url": redirect["Location"], "provider_name": provider.name}
    return TemplateResponse(request, "sign_in/leaving.html", context)


@login_not_required
@never_cache
@require_safe
@_answer_failures
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in the user whom the provider has sent back."""
    return views.callback(request, provider_id)
