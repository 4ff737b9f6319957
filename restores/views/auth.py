"""Signing in, by password or by a one-time link, and signing out."""

from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from restores import audit
from restores.audit import Kind
from restores.failed_sign_ins import TooManyFailures, limited
from restores.login_links import find_user, redeem


class SignInForm(AuthenticationForm):
    """Username and password; ``retry_after`` is set (seconds) after too many wrong passwords."""

    request: HttpRequest
    retry_after = 0

    @property
    def retry_minutes(self) -> int:
        """The wait in whole minutes."""
        return ceil(self.retry_after / 60)

    def clean(self) -> dict[str, Any]:
        """Check the password within the limits."""
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return self.cleaned_data
        try:
            with limited(self.request, self.cleaned_data["username"]):
                return super().clean()
        except TooManyFailures as error:
            self.retry_after = error.seconds
            raise self.get_invalid_login_error() from error


class SignIn(LoginView):
    """The sign-in form; it leads to ``next`` if that is one of our pages."""

    template_name = "login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, with status 429 after too many wrong passwords."""
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.retry_after:
            response.status_code = 429
            response["Retry-After"] = str(form.retry_after)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer the identity provider, too, if there is one."""
        name = settings.OIDC_NAME if settings.OIDC_SERVER_URL else ""
        return super().get_context_data(**kwargs) | {"provider_name": name}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in and add it to the audit log; with a second step, only after that."""
        if settings.MFA:
            # Not at the top, because it is optional.
            from allauth.account.utils import perform_login

            return perform_login(self.request, form.get_user(), redirect_url=self.get_success_url())
        response = super().form_valid(form)
        audit.record(self.request, Kind.SIGNED_IN, about="password")
        return response


sign_in = SignIn.as_view()


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in to the admin with the same form; a user without access to it gets an error."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return SignIn.as_view(next_page="admin:index")(request)


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Add a sign-out to the audit log, from any page."""
    if user:
        audit.record(request, Kind.SIGNED_OUT, user=user)


sign_out = login_not_required(require_POST(LogoutView.as_view()))

# How browsers say that they are fetching a page that nobody has opened yet.
_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("token")
def sign_in_once(request: HttpRequest, token: str) -> HttpResponse:
    """Show whom a one-time link signs in; a POST signs them in.

    Chat and mail programs open the links that they see, so a GET changes nothing.
    """
    if any(header in request.headers for header in _PREFETCH_HEADERS):
        return HttpResponse("Open the link to sign in.\n", status=403, content_type="text/plain")
    user = redeem(token) if request.method == "POST" else find_user(token)
    target = _next_page(request)
    if user is None:
        if request.method == "POST":
            audit.record(request, Kind.SIGN_IN_FAILED, about="one-time link that has expired")
        return TemplateResponse(request, "login_expired.html", {"next": target}, status=410)
    if request.method == "POST":
        login(request, user)
        audit.record(request, Kind.SIGNED_IN, about="one-time link")
        return HttpResponseRedirect(target or reverse("overview"))
    context = {"link_user": user, "next": target}
    response = TemplateResponse(request, "login_once.html", context)
    # The address holds the token: it must not be in the Referer of what the page loads.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _next_page(request: HttpRequest) -> str:
    """Return which of our pages ``next`` leads to; empty if there is none."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    ours = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if ours else ""
