"""URLs of the identity provider and of the second step, if they are switched on.

They are django-allauth's views under our addresses and with our templates. It looks up addresses
by its own names, and only these of its pages exist.
"""

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView, IndexView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.conf import settings
from django.urls import URLPattern, path

import restores.sign_in.second_step_events  # noqa: F401 - connects its receivers
from restores.views import auth, provider_sign_in

urlpatterns: list[URLPattern] = [path("login/", auth.sign_in, name="account_login")]

if settings.OIDC_SERVER_URL:
    _provider = {"provider_id": "oidc"}
    urlpatterns += [
        path("login/oidc/", provider_sign_in.start, _provider, name="openid_connect_login"),
        path(
            "login/oidc/callback/",
            provider_sign_in.callback,
            _provider,
            name="openid_connect_callback",
        ),
    ]

if settings.MFA:
    _index = IndexView.as_view(template_name="mfa/index.html")
    urlpatterns += [
        path(
            "login/code/",
            AuthenticateView.as_view(template_name="mfa/second_step.html"),
            name="mfa_authenticate",
        ),
        path("account/mfa/", _index, name="mfa_list_webauthn"),
        path("account/mfa/", _index, name="mfa_index"),
        path(
            "account/mfa/password/",
            ReauthenticateView.as_view(template_name="mfa/password.html"),
            name="account_reauthenticate",
        ),
        path(
            "account/mfa/app/add/",
            ActivateTOTPView.as_view(template_name="mfa/add_app.html"),
            name="mfa_activate_totp",
        ),
        path(
            "account/mfa/app/remove/",
            DeactivateTOTPView.as_view(template_name="mfa/remove_app.html"),
            name="mfa_deactivate_totp",
        ),
        path(
            "account/mfa/passkeys/add/",
            AddWebAuthnView.as_view(template_name="mfa/add_passkey.html"),
            name="mfa_add_webauthn",
        ),
        path(
            "account/mfa/passkeys/<int:pk>/remove/",
            RemoveWebAuthnView.as_view(template_name="mfa/remove_passkey.html"),
            name="mfa_remove_webauthn",
        ),
        path(
            "account/mfa/recovery-codes/",
            ViewRecoveryCodesView.as_view(template_name="mfa/recovery_codes.html"),
            name="mfa_view_recovery_codes",
        ),
        path(
            "account/mfa/recovery-codes/new/",
            GenerateRecoveryCodesView.as_view(template_name="mfa/new_recovery_codes.html"),
            name="mfa_generate_recovery_codes",
        ),
    ]
