"""Collected static files: their names, and that the web process doesn't start without them."""

import gzip
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from dashboard.static_files import require_static_files

MANIFEST = django_settings.STORAGES["staticfiles"]


@pytest.fixture
def collected(settings, tmp_path):
    """The storage of a real start, in an empty folder."""
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = settings.STORAGES | {"staticfiles": MANIFEST}
    return tmp_path


def test_h7_missing_static_files_are_named_with_the_command(collected):
    with pytest.raises(ImproperlyConfigured, match=r"manage\.py collectstatic --noinput"):
        require_static_files()


def test_h7_collected_static_files_are_enough_until_one_is_new(collected, settings):
    call_command("collectstatic", "--noinput", "-v0")
    require_static_files()
    staticfiles_storage.hashed_files.pop("dashboard.css")
    with pytest.raises(ImproperlyConfigured, match=r"1 static files, such as dashboard\.css"):
        require_static_files()
    settings.DEBUG = True
    require_static_files()


@pytest.mark.parametrize("damage", ["empty", "cut off", "binary", "another version", "files gone"])
def test_h7_gunicorn_refuses_to_start_with_damaged_ones(collected, tmp_path, damage):
    call_command("collectstatic", "--noinput", "-v0")
    manifest = tmp_path / "staticfiles.json"
    content = manifest.read_bytes()
    damaged = {
        "empty": b"",
        "cut off": content[:4096],
        "binary": bytes(range(256)),
        "another version": content.replace(b'"version": "1.1"', b'"version": "9"'),
        "files gone": content,
    }[damage]
    manifest.write_bytes(damaged)
    if damage == "files gone":
        for file in tmp_path.glob("dashboard.*"):
            file.unlink()
    assert_refused(tmp_path, tmp_path)


def test_scripts_import_each_other_by_the_address_that_pages_load(collected):
    call_command("collectstatic", "--noinput", "-v0")
    scripts = {name for name in staticfiles_storage.hashed_files.values() if name.endswith(".js")}
    imported = {
        name
        for script in scripts
        for name in re.findall(r'^import .*"\./(.+)";$', (collected / script).read_text(), re.M)
    }
    assert imported
    assert imported <= scripts


def test_h7_gunicorn_refuses_to_start_without_them(tmp_path):
    assert_refused(tmp_path, tmp_path / "static")


def assert_refused(tmp_path, static_root):
    """gunicorn exits with a message that has the command."""
    keep = {name: os.environ[name] for name in ("PATH", "SECRET_KEY")}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "dashboard.wsgi", "--bind", "127.0.0.1:0"],
        env=keep | database | {"STATIC_ROOT": str(static_root)},
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    assert "Run: manage.py collectstatic --noinput" in done.stderr
    assert "Traceback" not in done.stderr


def test_styles_and_scripts_of_the_restore_list_are_at_most_35_kilobytes():
    """With every script, loaded or not; the other pages load more styles and fewer scripts."""
    folder = django_settings.BASE_DIR / "static"
    files = [folder / "dashboard.css", *folder.glob("*.js"), *folder.glob("vendor/*/*.js")]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= 35_000
