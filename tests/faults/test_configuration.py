"""Mistakes in the configuration, rows C1 to C4: a clear message instead of a failure later on."""

import os
import re
import subprocess
import sys
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.dcs.config import ConfigError, load

from .kit import ROOT, SECRET, Cloud, Product, Sqlite, closing_all, free_port

PYTHON = sys.executable
ENTRY_POINTS = {
    "manage.py": (PYTHON, "manage.py", "check"),
    "gunicorn": (PYTHON, "-m", "gunicorn", "dashboard.wsgi", "--no-control-socket", "--bind=:0"),
    "worker": (PYTHON, "-m", "celery", "-A", "dashboard", "worker"),
    "beat": (PYTHON, "-m", "celery", "-A", "dashboard", "beat"),
}


def run(command, folder, **variables):
    """The exit status and output of a command that ends by itself."""
    known = {"PATH": os.environ["PATH"], "HOME": str(folder), "SECRET_KEY": SECRET}
    database = {"DATABASE_URL": f"sqlite:///{folder}/c.sqlite3"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=known | database | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


# C1: environment variables


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "amqp://guest:CANARY@127.0.0.1//"),
        ("DATABASE_URL", "postgres://u:CANARY@127.0.0.1:port/app"),
        ("BASE_URL", "127.0.0.1:8000"),
    ],
)
def test_c1_every_entry_point_refuses_an_invalid_variable_in_one_sentence(
    tmp_path, entry_point, name, value
):
    status, output = run(ENTRY_POINTS[entry_point], tmp_path, **{name: value})
    assert status != 0
    [sentence] = [line for line in output.splitlines() if line.startswith(f"{name} is ")]
    assert "; it must be " in sentence
    assert "Traceback" not in output and "CANARY" not in output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "CANARY"),
        ("DEBUG", "maybe"),
        ("ALLOWED_HOSTS", "http://dash.example"),
        ("STATIC_ROOT", __file__),
        ("REDIS_URL_FILE", "/no/such/file"),
    ],
)
def test_c1_the_other_variables_are_refused_the_same_way(tmp_path, name, value):
    status, output = run(ENTRY_POINTS["manage.py"], tmp_path, **{name: value})
    assert status == 1
    assert output.startswith(f"{name} ") and output.count("\n") == 1
    assert "; it must be " in output and "CANARY" not in output


@pytest.mark.run
@pytest.mark.parametrize(
    ("name", "value"), [("REDIS_URL", "sentinel://:CANARY@h"), ("DATABASE_URL", "mysql://h/a")]
)
def test_c1_run_refuses_an_invalid_variable_before_it_starts(tmp_path, name, value):
    command = (PYTHON, "run", "--port", free_port(), "--data", tmp_path / "data")
    status, output = run(command, tmp_path, **{name: value})
    assert status == 1
    assert f"\n{name} is " in output
    assert "Traceback" not in output and "CANARY" not in output


# C2: two deployments on one host


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"BASE_URL": "{}://h:8001"}, {"BASE_URL": "{}://h:8002"}),
        ({"DATABASE_URL": "sqlite:////a/x.sqlite3"}, {"DATABASE_URL": "sqlite:////b/x.sqlite3"}),
    ],
)
def test_c2_deployments_on_one_host_have_separate_cookies(tmp_path, scheme, first, second):
    show = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    names = []
    for variables in (first, second):
        given = {"BASE_URL": f"{scheme}://h", "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
        given |= {name: value.format(scheme) for name, value in variables.items()}
        status, output = run((PYTHON, "-c", show), tmp_path, **given)
        assert status == 0
        names += output.split()
    assert len(set(names)) == 4
    prefix = "__Host-" if scheme == "https" else ""
    assert all(name.startswith((f"{prefix}session-", f"{prefix}csrf-")) for name in names)


def test_c2_signing_in_to_one_deployment_leaves_the_other_signed_in(tmp_path):
    """One has a whole host, the other a path on one, which a reverse proxy passes on."""
    products = [Product(tmp_path / name, Sqlite(tmp_path / name)) for name in ("one", "two")]
    with closing_all(*products), requests.Session() as browser:
        browser.trust_env = False
        sites = []
        for product, path in zip(products, ("", "/dcs"), strict=True):
            product.folder.mkdir()
            product.web_environment["BASE_URL"] = f"http://127.0.0.1:1{path}"
            product.migrate()
            sites.append(product.web(BASE_URL=f"http://127.0.0.1:1{path}").url + path)
            link = product.command("login_link", "root", "--create").strip()
            url = sites[-1] + urlsplit(link).path.removeprefix(path)
            form = browser.get(url, timeout=30).text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
            browser.post(url, data={"csrfmiddlewaretoken": token}, timeout=30)
        for site in sites:
            page = browser.get(f"{site}/restores/", timeout=30)
            assert page.status_code == 200 and page.url.startswith(f"{site}/restores/")
            [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)
            assert style.startswith(f"{urlsplit(site).path}/static/")
            assert browser.get(urljoin(site, style), timeout=30).status_code == 200
            assert browser.get(f"{site}/readyz", timeout=30).text == "ok\n"


# C3: a command before anything else


@pytest.fixture
def cloud_variables(tmp_path):
    """The environment of commands for a simulated cloud."""
    cloud = Cloud(tmp_path, projects=1)
    yield cloud.environment
    cloud.close()


@pytest.mark.parametrize("launched", [False, pytest.param(True, marks=pytest.mark.run)])
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["check_projects"], "credentials, project id, dcs:instance:list: ok"),
        (["check_projects", "--offline"], "2 account(s), 1 project(s): valid"),
        (["sync"], " new, 0 changed"),
        (["login_link", "root", "--create"], "/login/once/"),
    ],
)
def test_c3_a_command_may_be_the_first_on_a_new_database(
    tmp_path, cloud_variables, launched, command, expected
):
    if launched:
        cloud = ("--data", tmp_path / "var", "--cloud", cloud_variables.pop("DCS_PROJECTS"))
        command = (PYTHON, "run", "manage", *cloud, *command)
        cloud_variables["DATABASE_URL"] = ""
    else:
        command = (PYTHON, "manage.py", *command)
    status, output = run(command, tmp_path, **cloud_variables)
    assert expected in output
    assert "Traceback" not in output
    # The second account has no project here, which check_projects reports.
    assert status == int(command[-1] == "check_projects")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["check_projects", "--offline"], "The database /no/such/folder/x.sqlite3 can’t be used"),
        (["changepassword", "root"], "The database can't be used: unable to open database file."),
    ],
)
def test_c3_a_database_that_cannot_be_opened_is_explained(tmp_path, command, expected):
    url = "sqlite:////no/such/folder/x.sqlite3"
    status, output = run((PYTHON, "manage.py", *command), tmp_path, DATABASE_URL=url)
    assert (status, output.count("\n")) == (1, 1)
    assert expected in output


def test_c3_a_database_of_an_earlier_version_is_not_changed_without_being_asked(tmp_path):
    status, _ = run((PYTHON, "manage.py", "migrate", "auth", "-v0"), tmp_path)
    assert status == 0
    status, output = run((PYTHON, "manage.py", "login_link", "root", "--create"), tmp_path)
    assert status == 1 and "Traceback" not in output
    assert "run the migrate command first" in output


# C4: the projects file

ACCOUNT_KEYS = (
    *("endpoint", "rate", "method", "access_key_env", "access_key_file", "secret_key_env"),
    *("secret_key_file", "security_token_env", "security_token_file", "iam_endpoint", "domain"),
    *("username", "password_env", "password_file", "projects", "interval", "customer"),
    *("proxy_env", "proxy_file", "ca_file", "owner", "console_url", "colour"),
)
PROJECT_KEYS = (
    *("account", "project_id", "region", "interval", "customer", "customer_ref", "time_zone"),
    *("owner", "console_url", "colour"),
)
LITERALS = (
    *("1", "-1", "0", "1.5", "nan", "inf", "1e999", "true", "0x" + "f" * 400, "1979-05-27"),
    *("1979-05-27T07:32:00Z", "07:32:00", "[]", "[1, [2]]", "{}", '{ a = "CANARY" }'),
    *('""', '" "', '"\\u0000"', '"\\u202e"', '"a\\nb"', '"/"', '"."', '"~"', f'"{"x" * 5000}"'),
    *('"http://["', '"https://u:CANARY@h/v2"', '"discover"', '"15m"', '"password"', '"PATH"'),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(ACCOUNT_KEYS), st.sampled_from(LITERALS)),
    st.dictionaries(st.sampled_from(PROJECT_KEYS), st.sampled_from(LITERALS)),
    st.sampled_from(["aksk", "password"]),
)
def test_c4_every_value_of_every_key_is_accepted_or_refused(tmp_path, account, project, kind):
    account = {"method": f'"{kind}"'} | account
    path = tmp_path / "projects.toml"
    lines = ["[accounts.shop]", *(f"{key} = {value}" for key, value in account.items())]
    lines += ["[projects.p]", *(f"{key} = {value}" for key, value in project.items())]
    path.write_text("\n".join(lines))
    # Endpoint or region is missing in most of them, so there is something to refuse.
    try:
        load(path, {"PATH": "/bin"})
    except ConfigError as error:
        for problem in error.problems:
            assert problem.startswith(f"{path}: [") and "must " in problem
            assert problem.isprintable() and len(problem) < 700
            assert "CANARY@" not in problem


@pytest.mark.run
@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "cannot be read"),
        ("folder", "cannot be read"),
        (b"[accounts", "not valid TOML"),
        ("[accounts.shop]".encode("utf-16"), "not valid TOML"),
        ("größe = 1".encode("latin-1"), "not valid TOML"),
        (b"\xef\xbb\xbfdebug = 1\r\n", 'unknown key "debug"'),
        (b"x = " + b"[" * 5000, "not valid TOML"),
    ],
)
def test_c4_a_file_that_cannot_be_read_is_reported_by_command_and_launcher(tmp_path, raw, words):
    path = tmp_path / "projects.toml"
    if raw == "folder":
        path.mkdir()
    elif raw:
        path.write_bytes(raw)
    launched = (PYTHON, "run", "manage", "--data", tmp_path / "var", "--cloud", path)
    for command in ((PYTHON, "manage.py"), launched):
        status, output = run((*command, "check_projects"), tmp_path, DCS_PROJECTS=str(path))
        assert status == 1 and output.count("\n") == 1, output
        assert str(path) in output and words in output
