"""One-time sign-in links: whoever opens one within ten minutes is signed in, once."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone

LIFETIME = timedelta(minutes=10)
_SALT = "restores.login_links"


def issue(user: User) -> str:
    """Make a token for a link; any sign-in of the user uses it up."""
    return signing.dumps([user.pk, _last_login(user)], salt=_SALT)


def redeem(token: str) -> User | None:
    """Use up a token and return its user; None if it is invalid, expired or already used."""
    try:
        pk, last_login = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or _last_login(user) != last_login:
        return None
    # Of two that open the link at once, one changes the row.
    unspent = User.objects.filter(pk=pk, last_login=user.last_login)
    return user if unspent.update(last_login=timezone.now()) else None


def _last_login(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""
