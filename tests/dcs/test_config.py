import pickle
import shutil
import subprocess

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
    assert project.owner == ""


@pytest.mark.parametrize(("own", "expected"), [({"owner": '"DBA"'}, "DBA"), ({}, "Platform team")])
def test_a_project_has_the_owner_of_its_account_unless_it_has_its_own(write, own, expected):
    account = ACCOUNT | {"owner": '"Platform team"'}
    projects = load(write({"shop": account}, {"p": PROJECT | own}), ENVIRON)
    assert projects.projects["p"].owner == expected


def test_a_project_has_the_console_of_its_account_unless_it_has_its_own(write):
    shared = "https://{region}.console.example/?project={project_id}#/dcs/{instance_id}"
    account = ACCOUNT | {"console_url": f'"{shared}"'}
    own = {"console_url": '"https://console.example:8443/{instance_id}"', "project_id": '"q"'}
    projects = load(write({"shop": account}, {"p": PROJECT, "q": PROJECT | own}), ENVIRON).projects
    assert projects["p"].console_url == shared
    assert projects["q"].console_url == "https://console.example:8443/{instance_id}"


@pytest.mark.parametrize(
    "url",
    [
        "http://console.example/",
        "javascript:alert(1)",
        "https://{instance_id}.example/",
        "https://console.example/{instance}",
        "https://console.example/{",
        "https://user:secret@console.example/",
        "https://console.example\\\\@evil.example/",
        "https:///dcs",
        "https://console.example/ dcs",
        f"https://console.example/{'x' * 500}",
        "",
    ],
)
def test_an_invalid_console_url_is_named_with_what_is_allowed(write, url):
    (line,) = problems_of(write({"shop": ACCOUNT}, {"p": PROJECT | {"console_url": f'"{url}"'}}))
    assert line.startswith("[projects.p] console_url = ")
    assert "an https:// URL" in line and "{region}, {project_id} and {instance_id}" in line


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
        ("https://dcs.example/v2", "https://dcs.example"),
        ("https://dcs.example/v2/", "https://dcs.example"),
        ("https://dcs.example//v2//", "https://dcs.example"),
        ("https://dcs.example/V1.0", "https://dcs.example"),
        ("https://dcs.example/v2/{project_id}", "https://dcs.example"),
        ("https://dcs.example/v2/$(tenant_id)s/", "https://dcs.example"),
        ("https://dcs.example/v1.0/0123456789abcdef/instances", "https://dcs.example"),
        ("https://dcs.example:8443/dcs/v2/", "https://dcs.example:8443/dcs"),
        ("https://dcs.example/v3/auth/tokens", "https://dcs.example"),
        ("https://dcs.example/vault", "https://dcs.example/vault"),
        ("https://v2.dcs.example//", "https://v2.dcs.example"),
        ("https://dcs_1.example", "https://dcs_1.example"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_endpoints_are_normalized(write, endpoint, normalized):
    path = write({"shop": ACCOUNT | {"endpoint": f'"{endpoint}"'}})
    assert load(path, ENVIRON).accounts["shop"].endpoint == normalized


@pytest.mark.parametrize("version", ["", "/", "/v3", "/v3/", "/V3.0//", "/v3/auth/tokens"])
def test_a_version_is_cut_off_from_every_endpoint(write, version):
    login = LOGIN | {"iam_endpoint": f'"https://iam.eu-de.example{version}"'}
    path = write(
        {"iam": login, "shop": ACCOUNT | DISCOVERY | {"iam_endpoint": login["iam_endpoint"]}}
    )
    accounts = load(path, ENVIRON).accounts
    expected = "https://iam.eu-de.example"
    assert accounts["iam"].credentials.iam_endpoint == expected
    assert accounts["shop"].discovery.iam_endpoint == expected


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
        ({"endpoint": '"https://dcs.example:0"'}, ["https://dcs.eu-de.example"]),
        ({"endpoint": '"https://dcs.example:65536"'}, ["https://"]),
        ({"endpoint": '"https://dcs..example"'}, ["https://"]),
        ({"endpoint": '"https://.dcs.example"'}, ["https://"]),
        ({"endpoint": '"https://*.example"'}, ["https://"]),
        ({"endpoint": f'"https://{"x" * 64}.example"'}, ["https://"]),
        ({"endpoint": f'"https://dcs.example/{"x" * 300}"'}, ["https://"]),
        ({"endpoint": '"https://[fe80::1%25eth0]"'}, ["https://"]),
        ({"endpoint": '"https://dcs.example/../x"'}, ["https://"]),
        ({"endpoint": '"https://dcs.example/{project_id}"'}, ["a version such as /v2"]),
        ({"endpoint": '"https://dcs.example/%76"'}, ["https://"]),
        ({"endpoint": '"https:/dcs.example"'}, ["https://"]),
        ({"endpoint": '"https://https://dcs.example"'}, ["https://"]),
        ({"endpoint": '"ftp://dcs.example"'}, ["https://"]),
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
        ({"customer": f'"{"x" * 101}"'}, ["at most 100"]),
        ({"customer_ref": '"a\\u0000b"'}, ["a?b", "printable"]),
        ({"owner": "[]"}, ["[]", "text of at most 100"]),
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
    same = LOGIN | {"endpoint": '"https://DCS.eu-de.example:443/v2/"'}
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


PROXY = "http://user:CANARY-PX@proxy.example:3128"


@pytest.mark.parametrize(
    "url",
    [
        PROXY,
        "https://proxy.example",
        "http://[::1]:3128/",
        "HTTP://u:p%40ss@Proxy_1:80",
        "http://h",
    ],
)
def test_a_proxy_is_named_like_a_secret(write, tmp_path, url):
    (tmp_path / "proxy").write_text(f"\ufeff{url}\r\n")
    by_env = load(write({"shop": ACCOUNT | {"proxy_env": '"P"'}}), ENVIRON | {"P": url})
    by_file = load(write({"shop": ACCOUNT | {"proxy_file": '"proxy"'}}), ENVIRON)
    for loaded in (by_env, by_file):
        assert loaded.accounts["shop"].proxy == url.rstrip("/")
        assert "CANARY" not in f"{loaded} {loaded!r}"


def test_another_proxy_or_another_password_of_it_changes_the_digest(write):
    path = write({"shop": ACCOUNT | {"proxy_env": '"P"'}})
    urls = [PROXY, PROXY.replace("PX", "PY"), PROXY.replace("3128", "3129")]
    digests = {load(path, ENVIRON | {"P": url}).accounts["shop"].digest for url in urls}
    assert len(digests) == 3


@pytest.mark.parametrize(
    "url",
    [
        *("proxy.example", "proxy.example:3128", "//proxy.example", "http:proxy", "http://"),
        *(
            "http://:3128",
            "http://h:port",
            "http://h:0",
            "http://h:65536",
            "http://h o",
            "http://[",
        ),
        *("http://h/path", "http://h?x", "http://h#x", "ftp://h", "socks5://h:1080", "http://ü"),
        *("http://u:CANARY-SK#@h", "http://u:CANARY-SK/@h", "u:CANARY-SK@h", "http://h\nx", ""),
    ],
)
def test_another_kind_of_proxy_is_refused_without_its_value(write, url):
    path = write({"shop": ACCOUNT | {"proxy_env": '"P"'}})
    (line,) = problems_of(path, ENVIRON | {"P": url})
    assert line.startswith('[accounts.shop] proxy_env = "P": must name an environment variable')
    assert "http://user:password@proxy.example:3128" in line


def certificate(folder):
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ca")
    files = ("-keyout", "ca.key", "-out", "ca.pem")
    subprocess.run([*command, *files], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl on PATH")
def test_a_ca_file_is_relative_to_the_projects_file(write, tmp_path):
    certificate(tmp_path)
    for name in ("ca.pem", str(tmp_path / "ca.pem")):
        path = write({"shop": ACCOUNT | {"ca_file": f'"{name}"'}})
        assert load(path, ENVIRON).accounts["shop"].ca_file == str(tmp_path / "ca.pem")
        assert secret_files(path) == {tmp_path / "ca.pem"}
    (line,) = problems_of(write({"shop": ACCOUNT | {"ca_file": '"ca.key"'}}))
    assert "PEM file of CA certificates" in line


@pytest.mark.parametrize("name", ['"absent"', '"empty"', '"text"', '"binary"', '"."', "1", '""'])
def test_a_ca_file_without_certificates_is_refused(write, tmp_path, name):
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (line,) = problems_of(write({"shop": ACCOUNT | {"ca_file": name}}))
    assert line.startswith(f"[accounts.shop] ca_file = {name}: must ")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "it is not set"),
        ({"SK": ""}, "it is empty"),
        ({"SK": "a b"}, "it holds something else"),
    ],
)
def test_a_missing_environment_variable_is_told_apart_from_an_empty_or_wrong_one(
    write, environ, reason
):
    path = write({"shop": ACCOUNT | {"secret_key_env": '"SK"'}})
    (line,) = problems_of(path, ENVIRON | environ)
    assert line.endswith(f"one line of visible ASCII characters, but {reason}")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "it can’t be read (No such file or directory)"),
        (b"", "it is empty"),
        (b"\r\n", "it is empty"),
        ("AK".encode("utf-16"), "it is not UTF-8"),
        (b"two\nlines", "it holds something else"),
    ],
)
def test_a_missing_secret_file_is_told_apart_from_an_empty_or_wrong_one(
    write, tmp_path, content, reason
):
    if content is not None:
        (tmp_path / "sk").write_bytes(content)
    shop = without(ACCOUNT, "secret_key_env") | {"secret_key_file": '"sk"'}
    (line,) = problems_of(write({"shop": shop}))
    assert line.endswith(f"one line of visible ASCII characters, but {reason}")


@pytest.mark.parametrize("encoded", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_file_may_have_a_byte_order_mark_and_any_line_breaks(write, encoded, line_break):
    path = write({"shop": ACCOUNT}, {"p": PROJECT})
    path.write_bytes(encoded + path.read_text().replace("\n", line_break).encode())
    assert set(load(path, ENVIRON).projects) == {"p"}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("[accounts.shop]\nrate = 1".encode("utf-16"), "is not valid TOML in UTF-8"),
        ('[accounts."größe"]'.encode("latin-1"), "is not valid TOML in UTF-8"),
        (b"[accounts.shop]\rrate = 1\r", "is not valid TOML in UTF-8"),
        (b"[accounts.shop]\n[accounts.shop]\n", "Cannot declare"),
        (b"[accounts.shop]\nrate = 1\nrate = 2\n", "Cannot overwrite a value (at line 3"),
        (b"x = 0x" + b"f" * 5000, "is not valid TOML"),
        (b"x = " + b"9" * 5000, "is not valid TOML"),
        (b"x = " + b"[" * 900 + b"]" * 900, "is not valid TOML"),
        (b"\0", "is not valid TOML"),
        (b"SHOP_SK=secret", "is not valid TOML"),
    ],
)
def test_a_file_of_another_encoding_or_with_duplicates_is_a_problem(tmp_path, raw, words):
    (tmp_path / "projects.toml").write_bytes(raw)
    lines = problems_of(tmp_path / "projects.toml")
    assert words in lines[0] or "unknown key" in lines[0]


@pytest.mark.parametrize("name", ["x" * 101, '"a\\nb"'])
def test_a_name_too_long_for_the_database_is_refused_and_none_breaks_a_line(write, name):
    lines = problems_of(write({"shop": ACCOUNT, name: ACCOUNT}, {name: PROJECT}))
    assert len(lines) == 2
    for line in lines:
        assert "has an invalid name: must be text of 1 to 100 printable characters" in line
        assert line.isprintable()
