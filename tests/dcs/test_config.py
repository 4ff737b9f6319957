import pickle

import pytest

from restores.dcs.auth import SignedAuth, TokenAuth
from restores.dcs.client import new_session
from restores.dcs.config import ConfigError, DiscoveryConfig, load, secret_files

ENVIRON = {"SHOP_AK": "CANARY-AK", "SHOP_SK": "CANARY-SK", "IAM_PW": "CANARY-PW ü"}
SECRETS = ("CANARY-AK", "CANARY-SK", "CANARY-PW", "CANARY-TOKEN")
ACCOUNT = {
    "endpoint": '"https://dcs.eu-de.example"',
    "rate": "10",
    "method": '"aksk"',
    "access_key_env": '"SHOP_AK"',
    "secret_key_env": '"SHOP_SK"',
}
LOGIN = {
    "endpoint": '"https://dcs.eu-de.example"',
    "method": '"password"',
    "iam_endpoint": '"https://iam.eu-de.example"',
    "domain": '"Shop"',
    "username": '"reader"',
    "password_env": '"IAM_PW"',
}
PROJECT = {
    "account": '"shop"',
    "project_id": '"0123456789abcdef0123456789abcdef"',
    "region": '"eu-de"',
    "interval": '"15m"',
}


def without(table, *keys):
    return {key: value for key, value in table.items() if key not in keys}


@pytest.fixture
def write(tmp_path):
    path = tmp_path / "projects.toml"

    def write(accounts=None, projects=None, more=""):
        text = more
        for kind, tables in [("accounts", accounts), ("projects", projects)]:
            for name, table in (tables or {}).items():
                pairs = "".join(f"{key} = {value}\n" for key, value in table.items())
                text += f"[{kind}.{name}]\n{pairs}\n"
        path.write_text(text)
        return path

    return write


def problems_of(path, environ=ENVIRON):
    with pytest.raises(ConfigError) as raised:
        load(path, environ)
    problems = raised.value.problems
    assert str(raised.value) == "\n".join(problems)
    assert all(line.startswith(f"{path}: ") for line in problems)
    assert not any(secret in f"{raised.value} {raised.value!r}" for secret in SECRETS)
    return [line.removeprefix(f"{path}: ") for line in problems]


def test_a_complete_file_is_loaded(write):
    labels = {"customer": '"Shopwell"', "customer_ref": '"C-17"', "time_zone": '"Asia/Tokyo"'}
    projects = load(write({"shop": ACCOUNT}, {"shop-prod": PROJECT | labels}), ENVIRON)
    account, project = projects.accounts["shop"], projects.projects["shop-prod"]
    assert (account.name, account.endpoint) == ("shop", "https://dcs.eu-de.example")
    assert (account.rate, account.method) == (10.0, "aksk")
    assert (project.name, project.account) == ("shop-prod", account)
    assert (project.project_id, project.region) == ("0123456789abcdef0123456789abcdef", "eu-de")
    assert project.interval == 900
    labels = (project.customer, project.customer_ref, project.time_zone)
    assert labels == ("Shopwell", "C-17", "Asia/Tokyo")


def test_optional_keys_have_defaults(write):
    short = without(ACCOUNT, "rate", "method")
    projects = load(write({"shop": short}, {"p": without(PROJECT, "interval")}), ENVIRON)
    account, project = projects.accounts["shop"], projects.projects["p"]
    assert (account.rate, account.method, project.interval) == (10.0, "aksk", 900)
    assert (project.customer, project.customer_ref, project.time_zone) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m", 60), ("60s", 60), ("90s", 90), ("1h", 3600), ("24h", 86400)]
)
def test_intervals_are_in_seconds(write, text, seconds):
    path = write({"shop": ACCOUNT}, {"p": PROJECT | {"interval": f'"{text}"'}})
    assert load(path, ENVIRON).projects["p"].interval == seconds


@pytest.mark.parametrize(
    ("endpoint", "normalized"),
    [
        ("https://DCS.example:443/", "https://dcs.example"),
        ("https://dcs.example:8443/dcs/", "https://dcs.example:8443/dcs"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_endpoints_are_normalized(write, endpoint, normalized):
    path = write({"shop": ACCOUNT | {"endpoint": f'"{endpoint}"'}})
    assert load(path, ENVIRON).accounts["shop"].endpoint == normalized


def auth_of(credentials):
    with new_session() as session:
        return credentials.auth(session, "p1")


def test_an_access_key_signs_requests(write):
    credentials = load(write({"shop": ACCOUNT}), ENVIRON).accounts["shop"].credentials
    assert isinstance(auth_of(credentials), SignedAuth)
    assert (credentials.access_key, credentials.secret_key) == ("CANARY-AK", "CANARY-SK")


def test_a_password_logs_in_for_a_token(write):
    credentials = load(write({"shop": LOGIN}), ENVIRON).accounts["shop"].credentials
    assert isinstance(auth_of(credentials), TokenAuth)
    assert credentials.password == "CANARY-PW ü"
    assert credentials.iam_endpoint == "https://iam.eu-de.example"


def test_a_secret_file_is_relative_to_the_projects_file_and_may_end_in_a_line_break(
    write, tmp_path
):
    (tmp_path / "token").write_text("CANARY-TOKEN\r\n")
    path = write({"shop": ACCOUNT | {"security_token_file": '"token"'}})
    assert load(path, ENVIRON).accounts["shop"].credentials.security_token == "CANARY-TOKEN"


def test_an_empty_file_with_a_byte_order_mark_is_valid(write):
    path = write(more="\ufeff")
    assert load(path, {}).projects == {}


def test_one_project_id_at_two_endpoints_is_two_projects(write):
    elsewhere = ACCOUNT | {"endpoint": '"https://dcs.eu-nl.example"'}
    path = write(
        {"shop": ACCOUNT, "nl": elsewhere}, {"a": PROJECT, "b": PROJECT | {"account": '"nl"'}}
    )
    assert set(load(path, ENVIRON).projects) == {"a", "b"}


def test_the_digest_changes_only_with_the_table_and_its_secrets(write):
    path = write({"shop": ACCOUNT})

    def digest(environ=ENVIRON):
        return load(path, environ).accounts["shop"].digest

    first = digest()
    assert digest(ENVIRON | {"OTHER": "x"}) == first
    assert digest(ENVIRON | {"SHOP_SK": "new"}) != first
    write({"shop": ACCOUNT | {"rate": "11"}})
    assert digest() != first


def test_secrets_are_never_printed_or_pickled(write, tmp_path):
    (tmp_path / "token").write_text("CANARY-TOKEN")
    aksk = ACCOUNT | {"security_token_file": '"token"'}
    projects = load(write({"shop": aksk, "iam": LOGIN}, {"p": PROJECT}), ENVIRON)
    shown = f"{projects} {projects!r} {projects.accounts['iam'].credentials}"
    assert not any(secret in shown for secret in SECRETS)
    for holder in (projects, projects.accounts["iam"], projects.projects["p"]):
        with pytest.raises(TypeError):
            pickle.dumps(holder)


def test_secret_files_are_listed_even_if_missing(write, tmp_path):
    shop = without(ACCOUNT, "secret_key_env") | {"secret_key_file": '"sk"', "colour": '"red"'}
    path = write({"shop": shop, "iam": LOGIN}, {"p": PROJECT})
    assert secret_files(path) == {tmp_path / "sk"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"endpoint": '"http://dcs.example"'}, ["http://dcs.example", "https://", "loopback"]),
        ({"endpoint": '"http://localhost.evil.example"'}, ["https://"]),
        ({"endpoint": '"http://127.0.0.1@evil.example"'}, ["https://"]),
        ({"endpoint": '"https://u:CANARY-SK/x@dcs.example"'}, ["without user"]),
        ({"endpoint": '"https://dcs.example/?a=b"'}, ["query"]),
        ({"endpoint": '"https://dcs.example/#f"'}, ["fragment"]),
        ({"endpoint": '"https://dcs.example:port"'}, ["https://"]),
        ({"endpoint": '"https://dcs exa mple"'}, ["https://"]),
        ({"endpoint": '"https://["'}, ["https://"]),
        ({"endpoint": '"https://"'}, ["https://"]),
        ({"endpoint": '"dcs.example"'}, ["dcs.example", "https://"]),
        ({"endpoint": "7"}, ["7", "https://"]),
        ({"rate": "0"}, ["0", "from 1 to 1000"]),
        ({"rate": "1000.5"}, ["1000.5", "from 1 to 1000"]),
        ({"rate": "nan"}, ["nan", "from 1 to 1000"]),
        ({"rate": "true"}, ["True", "from 1 to 1000"]),
        ({"rate": '"10"'}, ['"10"', "from 1 to 1000"]),
        ({"method": '"token"'}, ["token", "aksk", "password"]),
        ({"method": "1"}, ["1", "aksk", "password"]),
        ({"access_key_env": '"MISSING"'}, ["MISSING", "environment variable"]),
        ({"access_key_env": '"EMPTY"'}, ["EMPTY", "environment variable"]),
        ({"access_key_env": '"TWO_LINES"'}, ["TWO_LINES", "one line"]),
        ({"access_key_env": "1"}, ["1", "text"]),
        ({"access_key_env": '""'}, ['""', "text"]),
        ({"security_token_file": '"absent"'}, ["absent", "readable file"]),
        ({"security_token_file": '"empty"'}, ["empty", "readable file"]),
        ({"security_token_file": '"binary"'}, ["binary", "readable file"]),
        ({"security_token_file": '"."'}, ["readable file"]),
    ],
)
def test_an_invalid_value_of_an_account_is_named(write, tmp_path, change, expected):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    environ = ENVIRON | {"EMPTY": "", "TWO_LINES": "CANARY-AK\nX-Evil: 1"}
    (line,) = problems_of(write({"shop": ACCOUNT | change}), environ)
    key = next(iter(change))
    assert line.startswith(f"[accounts.shop] {key} = ")
    assert all(word in line for word in expected)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"interval": '"59s"'}, ["59s", "1m to 24h"]),
        ({"interval": '"25h"'}, ["25h", "1m to 24h"]),
        ({"interval": '"15"'}, ["15", "1m to 24h"]),
        ({"interval": '"15 m"'}, ["15 m", "1m to 24h"]),
        ({"interval": '"١٥m"'}, ["1m to 24h"]),
        ({"interval": '"1d"'}, ["1d", "1m to 24h"]),
        ({"interval": "15"}, ["15", "1m to 24h"]),
        ({"time_zone": '"Mars/Olympus"'}, ["Mars/Olympus", "IANA"]),
        ({"time_zone": '"Europe"'}, ["Europe", "IANA"]),
        ({"time_zone": '"../etc/passwd"'}, ["passwd", "IANA"]),
        ({"time_zone": '""'}, ['""', "IANA"]),
        ({"account": '"shoe"'}, ["shoe", "one of shop"]),
        ({"project_id": '""'}, ["1 to 128"]),
        ({"project_id": '"two words"'}, ["two words", "1 to 128"]),
        ({"project_id": "1979-05-27"}, ["1979-05-27", "1 to 128"]),
        ({"region": "[]"}, ["[]", "text"]),
        ({"customer": "1"}, ["1", "text"]),
        ({"customer": f'"{"x" * 201}"'}, ["at most 200"]),
        ({"customer_ref": '"a\\u0000b"'}, ["a?b", "printable"]),
    ],
)
def test_an_invalid_value_of_a_project_is_named(write, change, expected):
    (line,) = problems_of(write({"shop": ACCOUNT}, {"p": PROJECT | change}))
    key = next(iter(change))
    assert line.startswith(f"[projects.p] {key} = ")
    assert all(word in line for word in expected)


@pytest.mark.parametrize(
    ("table", "key", "expected"),
    [
        (without(ACCOUNT, "endpoint"), "endpoint", "https://"),
        (without(ACCOUNT, "access_key_env"), "access_key", "access_key_env or access_key_file"),
        (without(ACCOUNT, "secret_key_env"), "secret_key", "secret_key_env or secret_key_file"),
        (without(LOGIN, "iam_endpoint"), "iam_endpoint", "https://"),
        (without(LOGIN, "domain"), "domain", "text"),
        (without(LOGIN, "username"), "username", "text"),
        (without(LOGIN, "password_env"), "password", "password_env or password_file"),
    ],
)
def test_a_missing_key_of_an_account_is_named(write, table, key, expected):
    (line,) = problems_of(write({"shop": table}))
    assert line.startswith(f"[accounts.shop] {key} is missing: must be ")
    assert expected in line


@pytest.mark.parametrize("key", ["account", "project_id", "region"])
def test_a_missing_key_of_a_project_is_named(write, key):
    (line,) = problems_of(write({"shop": ACCOUNT}, {"p": without(PROJECT, key)}))
    assert line.startswith(f"[projects.p] {key} is missing: must be ")


def test_a_secret_set_twice_is_a_problem(write):
    (line,) = problems_of(write({"shop": ACCOUNT | {"secret_key_file": '"sk"'}}))
    assert line.startswith("[accounts.shop] secret_key is set twice: must be set by either")


@pytest.mark.parametrize(
    ("accounts", "projects", "more", "line"),
    [
        ({"shop": ACCOUNT | {"colour": '"red"'}}, {}, "", '[accounts.shop] unknown key "colour"'),
        ({"shop": ACCOUNT | {"domain": '"d"'}}, {}, "", '[accounts.shop] unknown key "domain"'),
        (
            {"shop": ACCOUNT | {"secret_key": '"CANARY-SK"'}},
            {},
            "",
            '[accounts.shop] unknown key "secret_key"',
        ),
        ({"shop": ACCOUNT}, {"p": PROJECT | {"x": "1"}}, "", '[projects.p] unknown key "x"'),
        ({"shop": ACCOUNT}, {}, "[project.p]\n", 'unknown key "project"'),
        ({}, {}, "debug = true\n", 'unknown key "debug"'),
    ],
)
def test_an_unknown_key_is_a_problem_that_lists_the_known_ones(
    write, accounts, projects, more, line
):
    (found,) = problems_of(write(accounts, projects, more))
    assert found.startswith(f"{line}: must be one of ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accounts = 1\n", "[accounts] must be a table"),
        ("[accounts]\nshop = 1\n", "[accounts.shop] must be a table"),
        ('[accounts." "]\n', "[accounts. ] has an invalid name: must be"),
        ("[[projects]]\n", "[projects] must be a table"),
        ("[accounts.shop\n", "is not valid TOML"),
        ("x = " + "[" * 5000, "is not valid TOML"),
    ],
)
def test_a_file_of_another_shape_is_a_problem(write, text, expected):
    (line,) = problems_of(write(more=text))
    assert line.startswith(expected)


def test_an_unreadable_file_is_a_problem(tmp_path):
    (line,) = problems_of(tmp_path / "absent.toml")
    assert line.startswith("cannot be read (No such file or directory)")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert problems_of(tmp_path / "binary.toml")[0].startswith("is not valid TOML in UTF-8")
    with pytest.raises(ConfigError):
        secret_files(tmp_path / "absent.toml")


def test_one_project_id_twice_at_an_endpoint_is_a_problem_whichever_the_account(write):
    same = LOGIN | {"endpoint": '"https://DCS.eu-de.example:443/"'}
    path = write(
        {"shop": ACCOUNT, "iam": same}, {"a": PROJECT, "b": PROJECT | {"account": '"iam"'}}
    )
    (line,) = problems_of(path)
    assert line.startswith('[projects.b] project_id = "0123456789abcdef0123456789abcdef"')
    assert "[projects.a]" in line


def test_all_problems_are_reported_at_once(write):
    path = write(
        {"shop": ACCOUNT | {"rate": "0", "x": "1"}, "iam": without(LOGIN, "domain")},
        {"a": PROJECT | {"interval": '"1"', "account": '"shoe"'}, "b": {}},
        "debug = 1\n",
    )
    found = problems_of(path, without(ENVIRON, "IAM_PW"))
    assert len(found) == 10
    assert len(set(found)) == 10


DISCOVERY = {"projects": '"discover"', "iam_endpoint": '"https://iam.eu-de.example"'}


@pytest.mark.parametrize("table", [ACCOUNT | DISCOVERY, LOGIN | DISCOVERY])
def test_an_account_may_have_its_projects_discovered(write, table):
    labels = {"interval": '"1h"', "customer": '"Shopwell"'}
    plain = load(write({"shop": table}), ENVIRON).accounts["shop"].discovery
    labeled = load(write({"shop": table | labels}), ENVIRON).accounts["shop"].discovery
    assert plain == DiscoveryConfig(
        iam_endpoint="https://iam.eu-de.example", interval=900, customer=""
    )
    assert (labeled.interval, labeled.customer) == (3600, "Shopwell")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (ACCOUNT | {"projects": '"all"'}, "one of discover"),
        (ACCOUNT | {"projects": '"discover"'}, "iam_endpoint is missing"),
        (ACCOUNT | {"interval": '"1h"'}, "unknown key"),
        (ACCOUNT | DISCOVERY | {"interval": '"1s"'}, "from 1m to 24h"),
    ],
)
def test_discovery_has_keys_of_its_own(write, table, expected):
    assert expected in " ".join(problems_of(write({"shop": table})))
