"""Signing in, by password or by a one-time link, and signing out."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from restores.login_links import redeem
from restores.models import Event


class SignIn(LoginView):
    """The sign-in form; it leads on to ``next`` if that is a page of ours."""

    template_name = "login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in and add it to the audit log."""
        response = super().form_valid(form)
        Event.objects.create(user=form.get_user(), what="signed in", subject="password")
        return response


sign_in = SignIn.as_view()
sign_out = login_not_required(require_POST(LogoutView.as_view()))


@login_not_required
@never_cache
@require_GET  # not HEAD: a link checker must not use up a link
def sign_in_once(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in the user for whom a one-time link was made."""
    user = redeem(token)
    if user is None:
        return TemplateResponse(request, "login_expired.html", status=410)
    login(request, user)
    Event.objects.create(user=user, what="signed in", subject="one-time link")
    return redirect("overview")
