"""A signed-in reader of the pages measured."""

from django.contrib.auth.models import User
from django.test import Client


def client() -> Client:
    """A test client of a superuser, who may enter the admin too."""
    user, _ = User.objects.get_or_create(
        username="bench", defaults={"is_superuser": True, "is_staff": True}
    )
    signed_in = Client()
    signed_in.force_login(user)
    return signed_in
