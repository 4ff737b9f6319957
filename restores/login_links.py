"""One-time sign-in links: confirming one within ten minutes signs its user in, once."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

LIFETIME = timedelta(minutes=10)
_SALT = "restores.login_links"


def issue(user: User) -> str:
    """Create a token for a link; any sign-in or password change by the user uses it up."""
    return signing.dumps([user.pk, _fingerprint(user, settings.SECRET_KEY)], salt=_SALT)


def find_user(token: str) -> User | None:
    """Return the user of a token, without using it up; None if it is no longer valid."""
    try:
        pk, fingerprint = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None:
        return None
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    valid = any(constant_time_compare(fingerprint, _fingerprint(user, key)) for key in keys)
    return user if valid else None


def redeem(token: str) -> User | None:
    """Use up a token and return its user; None if it is no longer valid."""
    user = find_user(token)
    if user is None:
        return None
    # If two requests confirm the link at the same time, only one changes the row.
    unspent = User.objects.filter(pk=user.pk, last_login=user.last_login, password=user.password)
    return user if unspent.update(last_login=timezone.now()) else None


def _fingerprint(user: User, secret_key: str) -> str:
    last_login = user.last_login.isoformat() if user.last_login else ""
    return salted_hmac(_SALT, f"{last_login} {user.password}", secret_key).hexdigest()
