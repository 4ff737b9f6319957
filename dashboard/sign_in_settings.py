"""Settings of sign-in by an identity provider, and of TOTP and passkeys: each is off by default.

They are django-allauth's, whose packages are needed only if one is on.
"""

import os

from dashboard.env import Env

env = Env.with_secret_files(os.environ)

OIDC_SERVER_URL = env.issuer("OIDC_SERVER_URL")
env.refuse_without("OIDC_SERVER_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUPS")
OIDC_NAME = env.label("OIDC_NAME", "single sign-on")
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
OIDC_GROUPS = env.groups("OIDC_GROUPS") if OIDC_SERVER_URL else {}
MFA = env.flag("MFA")

SIGN_IN_APPS: list[str] = []
SIGN_IN_MIDDLEWARE: list[str] = []
if OIDC_SERVER_URL or MFA:
    env.require_allauth("OIDC_SERVER_URL", "MFA")
    SIGN_IN_APPS = [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
        "allauth.mfa",
    ]
    SIGN_IN_MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]

ACCOUNT_ADAPTER = "restores.sign_in.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "restores.sign_in.adapters.ProviderAdapter"
MFA_ADAPTER = "restores.sign_in.adapters.MfaAdapter"
# We send no e-mail, and compare the addresses of users ourselves.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = ACCOUNT_PREVENT_ENUMERATION = False
ACCOUNT_SIGNUP_FIELDS = ["username*"]
# In a cache, each web process would have its own count: restores/sign_in/forms.py has ours.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_FORMS = {"reauthenticate": "restores.sign_in.forms.PasswordAgainForm"}
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]
MFA_FORMS = {"authenticate": "restores.sign_in.forms.SecondStepForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "DCS Restores"
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "oidc",
                    "name": OIDC_NAME,
                    "client_id": env.text("OIDC_CLIENT_ID", allowed="the ID of this client"),
                    "secret": env.secret("OIDC_CLIENT_SECRET", None, minimum=8),
                    "settings": {
                        "server_url": OIDC_SERVER_URL,
                        "scope": env.text("OIDC_SCOPES", "openid profile email").split(),
                        "oauth_pkce_enabled": True,
                    },
                }
            ]
        }
    }
