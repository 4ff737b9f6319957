"""Sign-in by a provider and second steps are off by default; mistakes are named at the start."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from dashboard.env import Env, InvalidSetting
from dashboard.group_access import ROLES, GroupAccess, InvalidGroups, read_groups
from restores.models import Membership

ROOT = Path(__file__).parent.parent.parent
OIDC = {
    "OIDC_SERVER_URL": "https://sso.example.com/realms/corp",
    "OIDC_CLIENT_ID": "dashboard",
    "OIDC_CLIENT_SECRET": "a secret of the client",
    "OIDC_GROUPS": "groups.toml",
}


def start(folder, variables, before=""):
    """What a process says that reads the settings with these variables."""
    (folder / "groups.toml").write_text("[groups.a]\nsuperuser = true\n")
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 40, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\nimport dashboard.settings"],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
    )
    return done.stderr.strip().rpartition("InvalidSetting: ")[2]


def test_without_the_variables_django_allauth_is_not_used():
    assert not [app for app in settings.INSTALLED_APPS if "allauth" in app]
    assert not [name for name in settings.MIDDLEWARE if "allauth" in name]
    assert "allauth" not in sys.modules
    for path in ("/login/oidc/", "/login/code/", "/account/mfa/"):
        with pytest.raises(Resolver404):
            resolve(path)


def test_with_all_variables_it_starts(tmp_path):
    assert start(tmp_path, OIDC | {"MFA": "yes"}) == ""


@pytest.mark.parametrize("name", ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUPS"])
def test_a_variable_that_is_missing_is_named(tmp_path, name):
    rest = {key: value for key, value in OIDC.items() if key != name}
    assert start(tmp_path, rest).startswith(f"{name} is not set; it must be ")
    assert start(tmp_path, {name: OIDC[name]}) == (
        f"{name} is set without OIDC_SERVER_URL; it must be set with OIDC_SERVER_URL"
    )


def test_the_packages_for_it_come_with_the_same_others():
    files = ("requirements.txt", "requirements-sso.txt")
    plain, more = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / file).read_text(), re.MULTILINE)) for file in files
    )
    assert plain and plain < more


@pytest.mark.parametrize("name", ["OIDC_SERVER_URL", "MFA"])
def test_packages_that_are_missing_are_named(tmp_path, name):
    variables = OIDC if name in OIDC else {"MFA": "1"}
    said = start(tmp_path, variables, before="import sys; sys.modules['allauth'] = None")
    assert said == (
        f"{name} needs packages that are not installed; "
        "it must be unset unless requirements-sso.txt is installed"
    )


@pytest.mark.parametrize(
    "value",
    [
        "https://sso.example.com",
        "https://login.microsoftonline.com/7a1c-2b/v2.0",
        "https://sso.example.com:8443/realms/corp",
        "http://localhost:8080/realms/corp",
        "http://[::1]:8080",
    ],
)
def test_the_url_of_an_issuer_is_taken_as_it_is(value):
    assert Env({"URL": f"{value}/"}).issuer("URL") == value


@pytest.mark.parametrize(
    "value",
    [
        "sso.example.com", "http://sso.example.com", "ftp://localhost", "https://", "https://a b/",
        "https://user:secret@sso.example.com", "https://sso.example.com/?realm=corp",
        "https://sso.example.com/.well-known/openid-configuration", "https://sso.example.com:0",
    ],
)  # fmt: skip
def test_a_url_that_is_not_an_issuers_is_refused(value):
    with pytest.raises(InvalidSetting) as raised:
        Env({"URL": value}).issuer("URL")
    assert "; it must be the issuer's https:// URL" in str(raised.value)
    assert "secret@" not in str(raised.value)


@pytest.mark.parametrize("value", ["x" * 51, "two\nlines", "\x07"])
def test_the_providers_name_fits_on_a_button(value):
    with pytest.raises(InvalidSetting, match="it must be 1 to 50 printable characters"):
        Env({"NAME": value}).label("NAME", "")
    assert Env({"NAME": " Größe & Söhne "}).label("NAME", "") == "Größe & Söhne"


def read(folder, text):
    file = folder / "groups.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_groups(str(file))


def test_a_groups_file_says_what_each_group_grants(tmp_path):
    text = """
    [groups.operators]
    superuser = true
    [groups."Shop support"]
    role = "support"
    projects = ["shop-prod", "0123"]
    [groups.7f3c-22]
    role = "viewer"
    projects = "all"
    """
    assert read(tmp_path, text) == {
        "operators": GroupAccess(superuser=True),
        "Shop support": GroupAccess(role="support", projects=frozenset({"shop-prod", "0123"})),
        "7f3c-22": GroupAccess(role="viewer", projects=None),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must have only [groups.NAME] tables, at least one"),
        ("[groups]", "must have only [groups.NAME] tables, at least one"),
        ("[group.a]\nsuperuser = true", "must have only [groups.NAME] tables"),
        ("groups = 7", "must have only [groups.NAME] tables"),
        ("[groups.a", "is not valid TOML"),
        (b"\xff", "is not valid TOML"),
        ("[groups]\na = 7", "[groups.'a']: it is not a table"),
        ("[groups.a]", "it must have role and projects, or superuser = true"),
        ("[groups.a]\nsuperuser = false", "it must have role and projects, or superuser = true"),
        ("[groups.a]\nsuperuser = 1", "superuser is 1; it must be true or false"),
        ("[groups.a]\nrole = 'viewer'", "it must have role and projects"),
        ("[groups.a]\nprojects = 'all'", "it must have role and projects"),
        ("[groups.a]\nrole = 'root'\nprojects = 'all'", "role is 'root'; it must be one of viewer"),
        ("[groups.a]\nrole = ''\nprojects = 'all'", "role is ''; it must be one of viewer"),
        ("[groups.a]\nrole = 'viewer'\nprojects = []", 'projects is []; it must be "all" or'),
        (
            "[groups.a]\nrole = 'viewer'\nprojects = 'shop'",
            "projects is 'shop'; it must be \"all\"",
        ),
        ("[groups.a]\nrole = 'viewer'\nprojects = [7]", "projects is [7]; it must be"),
        ("[groups.a]\nrole = ['viewer']\nprojects = 'all'", "role is ['viewer']; it must be"),
        (
            "[groups.a]\nadmin = true",
            "'admin' is unknown; use only role, projects and superuser",
        ),
    ],
)
def test_a_mistake_in_a_groups_file_is_named(tmp_path, text, problem):
    with pytest.raises(InvalidGroups) as raised:
        read(tmp_path, text)
    assert problem in str(raised.value)


def test_a_groups_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(InvalidSetting) as raised:
        Env({"GROUPS": f"{tmp_path}/none"}).groups("GROUPS")
    assert "which cannot be read (No such file or directory); it must be" in str(raised.value)


def test_a_group_can_have_every_role():
    assert tuple(Membership.Role.values) == ROLES
