"""Rotating SECRET_KEY: what was made under the previous key is valid while that is a fallback."""

import pytest
from django.contrib.auth import get_user

from restores.filters.cursors import Cursor
from restores.login_links import find_user, issue

OLD, NEW = "a-former-key-" * 3, "a-current-key-" * 3


@pytest.fixture
def rotate(settings):
    """Replace the previous key with the current one; keep the previous one as a fallback or not."""
    settings.SECRET_KEY = OLD

    def rotate(keep):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD] if keep else []

    return rotate


def test_a_session_outlives_the_former_key_if_it_was_used_during_the_rotation(rotate, client, root):
    client.force_login(root)
    rotate(keep=True)
    assert client.get("/restores/").status_code == 200
    rotate(keep=False)
    assert client.get("/restores/").status_code == 200


def test_without_a_fallback_everybody_is_signed_out(rotate, client, root):
    client.force_login(root)
    rotate(keep=False)
    assert client.get("/restores/").status_code == 302
    assert get_user(client).is_anonymous


@pytest.mark.parametrize("keep", [True, False])
def test_a_one_time_link_and_a_page_link_need_the_fallback(rotate, root, keep):
    link, page = issue(root), str(Cursor("-created", None, 7))
    rotate(keep)
    assert (find_user(link) == root) is keep
    if keep:
        assert Cursor.decode(page).pk == 7
    else:
        with pytest.raises(ValueError):
            Cursor.decode(page)
