"""Environment variables: each value is read, or refused by name with what is allowed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.env import Env, InvalidSetting, digest
from dashboard.secret_files import FROM_FILES

SECRET = "S3cret"


def refused(method, value, *rest, name="NAME"):
    """The message with which a value is refused."""
    with pytest.raises(InvalidSetting) as raised:
        getattr(Env({name: value}), method)(name, *rest)
    message = str(raised.value)
    assert message.startswith(f"{name} ") and "; it must be " in message
    assert SECRET not in message and "\n" not in message
    return message


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("redis://localhost", "redis://localhost"),
        ("REDIS://h:6379/0", "redis://h:6379/0"),
        ("redis://:pa%2Fss@redis-1.example:6379/15", "redis://:pa%2Fss@redis-1.example:6379/15"),
        ("redis://user:p@ss@cache_1/", "redis://user:p@ss@cache_1/"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("rediss://h/0", "rediss://h/0?ssl_cert_reqs=required"),
        ("rediss://h?ssl_cert_reqs=required", "rediss://h?ssl_cert_reqs=required"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("redis+socket:///r.sock?virtual_host=3", "redis+socket:///r.sock?virtual_host=3"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_a_broker_is_redis_with_verified_tls_or_a_socket(value, read):
    assert Env({"REDIS_URL": value}).broker("REDIS_URL") == read


@pytest.mark.parametrize(
    "value",
    [
        "localhost",
        "localhost:6379",
        "//localhost",
        "/run/redis.sock",
        "redis",
        "redis:",
        "redis:/h",
        "redis://",
        "redis:///0",
        "redis://:6379/0",
        f"redis://:{SECRET}@/0",
        f"redis://:{SECRET}@:6379",
        "redis://h:port",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:-1",
        "redis://h:６３７９",
        "redis://h ost",
        "redis://h:6379 /0",
        "redis://h/db",
        "redis://h/-1",
        "redis://h/0/1",
        "redis://h#0",
        "redis://h?db=1",
        f"redis://h?password={SECRET}",
        "redis://a,b",
        "redis://a;redis://b",
        "redis://[::1",
        "redis://[h]",
        "redis://..",
        f"redis://:{SECRET}%zz@h",
        f"redis://:{SECRET}#@h:6379",
        f"redis://:{SECRET}/@h:6379",
        f"redis://:{SECRET}?@h:6379",
        f":{SECRET}@h:6379",
        f"user:{SECRET}@h:6379",
        f"amqp://guest:{SECRET}@h//",
        f"sentinel://:{SECRET}@h:26379",
        "unix:///run/redis.sock",
        "http://h",
        "valkey://h",
        "memory://",
        "redis+socket://run/redis.sock",
        "redis+socket:///",
        "redis+socket:///r.sock?virtual_host=x",
        "redis+socket:///r.sock?virtual_host=1&virtual_host=2",
        "redis+socket:///r.sock?db=1",
        "rediss://h?ssl_cert_reqs=none",
        "rediss://h?ssl_cert_reqs=CERT_NONE",
        "rediss://h?ssl_cert_reqs=optional",
        "rediss://h?ssl_cert_reqs=",
        "rediss://h?ssl_check_hostname=false",
        "rediss://h?ssl_ca_certs=/no/such/file",
        "rediss://h?x",
        '"redis://h"',
        "redis://h/0\0",
    ],
)
def test_a_broker_of_another_kind_is_refused(value):
    message = refused("broker", value)
    assert "redis://user:password@host" in message or "a file that exists" in message


@pytest.mark.parametrize(
    ("value", "engine", "name", "host"),
    [
        ("sqlite:////data/my%20file.sqlite3", "sqlite3", "/data/my file.sqlite3", ""),
        ("sqlite:///relative.sqlite3", "sqlite3", "relative.sqlite3", ""),
        ("postgres://u:p%40ss@db.example:5432/app", "postgresql", "app", "db.example"),
        ("postgresql://u@[::1]/app?sslmode=require", "postgresql", "app", "::1"),
        ("POSTGRES://u@h/app", "postgresql", "app", "h"),
        ("postgres:///app", "postgresql", "app", ""),
        ("postgres://u@%2Fvar%2Frun/app", "postgresql", "app", "/var/run"),
    ],
)
def test_a_database_is_sqlite_or_postgresql(value, engine, name, host):
    found = Env({"DATABASE_URL": value}).database("DATABASE_URL", "")
    assert (found["ENGINE"].rpartition(".")[2], found["NAME"], found["HOST"]) == (
        engine,
        name,
        host,
    )


@pytest.mark.parametrize(
    "value",
    [
        "dashboard.sqlite3",
        "/data/dashboard.sqlite3",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite:/data/x",
        "sqlite://data/x",
        "sqlite://:memory:",
        "sqlite:///a b",
        "sqlite:///a%00b",
        "sqlite:///a?mode=ro",
        "postgres:h/app",
        "postgres://",
        "postgres://h",
        "postgres://h/",
        "postgres://h/a/b",
        "postgres://:5432/app",
        f"postgres://u:{SECRET}@:5432/app",
        f"postgres://u:{SECRET}@h:port/app",
        f"postgres://u:{SECRET}@h:99999/app",
        f"postgres://u:{SECRET}@h:/app",
        f"postgres://u:{SECRET}/@h/app",
        f"postgres://u:{SECRET}#@h/app",
        f"postgres://u:{SECRET}%@h/app",
        f"postgres://u:{SECRET} @h/app",
        "postgres://h o/app",
        "postgres://[::1/app",
        "postgres://h/app#x",
        "postgres://h/app?foo=bar",
        "postgres://h/app?foo",
        "postgres://h/app?sslmode=require&sslmode=disable",
        "postgres://h/app?sslmode=none",
        "postgres://h/app?sslmode=",
        "postgres://h/app?connect_timeout=soon",
        "postgres://h/app?keepalives=yes",
        f"postgres://h/app?passwd={SECRET}",
        f"u:{SECRET}@h/app",
        f"mysql://u:{SECRET}@h/app",
        "postgis://h/app",
        "postgresql+psycopg://h/app",
        "redis://h/0",
        "https://h/app",
        "'postgres://h/app'",
    ],
)
def test_a_database_of_another_kind_is_refused(value):
    assert "sqlite:///path or postgres://" in refused("database", value, "")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("https://Dash.Example/", "https://dash.example"),
        ("HTTPS://dash.example:443", "https://dash.example"),
        ("http://dash.example:80//", "http://dash.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        ("https://Dash.Example:443/Team-1/dcs.v2/", "https://dash.example/Team-1/dcs.v2"),
    ],
)
def test_the_base_url_is_written_as_browsers_write_it(value, read):
    assert Env({"BASE_URL": value}).url("BASE_URL", "") == read


@pytest.mark.parametrize(
    "value",
    [
        "dash.example",
        "dash.example:8000",
        "//dash.example",
        "http:dash.example",
        "http:/dash.example",
        "http://",
        "http://:8000",
        "http://h:port",
        "http://h:",
        "http://h:0",
        "http://h:70000",
        "http://h o",
        "http://[::1",
        "http://h/a//b",
        "http://h/../b",
        "http://h/a/./b",
        "http://h/a%20b",
        "http://h/ä",
        "http://h/a;b",
        "http://h/path?x=1",
        "http://h?x=1",
        "http://h?",
        "http://h#x",
        f"http://user:{SECRET}@h",
        "http://größe.example",
        "http://..",
        "http://*.example",
        "ftp://h",
        "amqp://h",
        "unix:///run/x",
        '"http://h"',
    ],
)
def test_a_base_url_of_another_kind_is_refused(value):
    assert "https://host or http://host:port" in refused("url", value, "")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("a.example, b.example", ["a.example", "b.example"]),
        (".example", [".example"]),
        ("[::1],127.0.0.1,", ["[::1]", "127.0.0.1"]),
        ("*", ["*"]),
    ],
)
def test_allowed_hosts_are_names_and_addresses(value, read):
    assert Env({"ALLOWED_HOSTS": value}).names("ALLOWED_HOSTS", "") == read


@pytest.mark.parametrize(
    "value",
    [
        *(",", " , ", "http://h", "h:8000", "[::1]:80", "[evil", "[x/y]", "::1", "a b", "a;b"),
        *("a/b", "**", "a..b", "größe.example"),
    ],
)
def test_other_allowed_hosts_are_refused(value):
    assert "host names without scheme or port" in refused("names", value, "")


@pytest.mark.parametrize("value", ["2", "ja", "TRUE!", "-1", "None"])
def test_a_flag_is_on_or_off(value):
    assert "1, true, yes, on or 0, false, no, off" in refused("flag", value)
    assert [Env({"F": text}).flag("F") for text in ("Yes", "off", "", "1")] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize("value", ["-a", ".a", "a b", "a:b", "ä", "a/b", "x" * 64, "{a}"])
def test_a_prefix_is_a_short_word(value):
    assert "1 to 63 letters" in refused("prefix", value, "")
    assert Env({}).prefix("P", "dcs-0.1_a") == "dcs-0.1_a"


def test_a_folder_is_not_a_file(tmp_path):
    (tmp_path / "file").touch()
    assert "a folder" in refused("folder", str(tmp_path / "file"), "")
    assert Env({"F": f"{tmp_path}/new"}).folder("F", "") == f"{tmp_path}/new"


def test_a_missing_or_short_secret_is_refused_without_its_value():
    assert "32 characters" in refused("secret", SECRET, None, 32)
    assert "is not set" in refused("secret", " ", None, 32)


@pytest.mark.parametrize("value", [f"{SECRET} {'x' * 40}", "ü" * 40, "x" * 31, f'"{"x" * 40}"'])
def test_a_token_has_characters_that_a_header_can_have(value):
    assert "32 or more letters, digits" in refused("token", value, 32)
    assert [Env({"T": text}).token("T", 32) for text in ("", " ", "aZ09-._~+/=" * 3)] == [
        "",
        "",
        "aZ09-._~+/=" * 3,
    ]


@pytest.mark.parametrize("value", ["JSON", "yaml", "text json", "0"])
def test_a_choice_is_one_of_those_allowed(value):
    assert refused("choice", value, ("text", "json")).endswith("it must be text or json")
    assert [Env({"F": text}).choice("F", ("text", "json")) for text in ("", "json")] == [
        "text",
        "json",
    ]


def test_a_url_that_is_not_required_may_be_absent():
    assert Env({"U": " "}).url("U", "") == ""
    assert "https://host" in refused("url", "docs/", "")


@given(st.text(max_size=40), st.sampled_from(["", "redis://", "postgres://h/", "http://", "u:p@"]))
def test_every_value_is_accepted_or_refused(text, start):
    env = Env({"NAME": start + text})
    for read in (
        lambda: env.broker("NAME"),
        lambda: env.database("NAME", "sqlite:///x"),
        lambda: env.url("NAME", "http://h"),
        lambda: env.names("NAME", "h"),
        lambda: env.flag("NAME"),
        lambda: env.token("NAME", 32),
        lambda: env.choice("NAME", ("text", "json")),
        lambda: env.prefix("NAME", "x"),
    ):
        with contextlib.suppress(InvalidSetting):
            read()


def test_a_digest_tells_deployments_apart_and_ignores_passwords():
    one = digest("postgres://u:old@h:5432/app?sslmode=require&password=x")
    assert one == digest("postgresql://u:n%40w@H:5432/app?password=y&sslmode=require")
    others = [
        "postgres://u:old@h:5433/app",
        "postgres://u:old@h/app2",
        "sqlite:///a",
        "sqlite:///b",
    ]
    assert len({one, *map(digest, others)}) == 5
    assert digest("sqlite:///a", "http://h:1") != digest("sqlite:///a", "http://h:2")


def test_a_relative_path_of_a_database_tells_deployments_in_two_folders_apart(
    tmp_path, monkeypatch
):
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        digests.append(digest("sqlite:///var/x.sqlite3"))
        for spelling in ("var//x.sqlite3", "./var/x%2Esqlite3", f"{tmp_path}/{name}/var/x.sqlite3"):
            assert digest(f"sqlite:///{spelling}") == digests[-1]
    assert len(set(digests)) == 2


def test_a_value_may_come_from_a_file_without_its_last_line_break(tmp_path):
    (tmp_path / "key").write_text(f"{SECRET}\n")
    (tmp_path / "broker").write_text("redis://:p@h/0\r\n")
    env = Env.with_secret_files(
        {"SECRET_KEY_FILE": f"{tmp_path}/key", "SECRET_KEY": "", "REDIS_URL_FILE": ""}
        | {"DATABASE_URL": "sqlite:///x"}
    )
    assert env.text("SECRET_KEY") == SECRET
    assert env.text("DATABASE_URL") == "sqlite:///x"
    assert env.broker("REDIS_URL") == ""
    env = Env.with_secret_files({"REDIS_URL_FILE": f"{tmp_path}/broker"})
    assert env.broker("REDIS_URL") == "redis://:p@h/0"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("missing", "cannot be read (No such file or directory)"),
        ("folder", "cannot be read (Is a directory)"),
        ("file/below", "cannot be read (Not a directory)"),
        ("empty", "is empty"),
        ("blank", "is empty"),
        ("binary", "is not UTF-8 text"),
        ("x" * 300, "cannot be read (File name too long)"),
    ],
)
@pytest.mark.parametrize("name", FROM_FILES)
def test_a_file_without_a_value_is_refused_with_the_reason(tmp_path, name, file, problem):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text(SECRET)
    (tmp_path / "empty").touch()
    (tmp_path / "blank").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    path = str(tmp_path / file)
    with pytest.raises(InvalidSetting) as raised:
        Env.with_secret_files({f"{name}_FILE": path})
    expected = f"{name}_FILE names {path!r}, which {problem}; it must be the path of a readable "
    assert str(raised.value).startswith(expected)


def test_a_variable_and_its_file_exclude_each_other(tmp_path):
    (tmp_path / "key").write_text(SECRET)
    with pytest.raises(InvalidSetting) as raised:
        Env.with_secret_files({"SECRET_KEY": "other", "SECRET_KEY_FILE": f"{tmp_path}/key"})
    message = "SECRET_KEY_FILE is set as well as SECRET_KEY; it must be the only one of the two"
    assert str(raised.value) == message


def test_former_secrets_are_separated_by_blanks_or_line_breaks():
    env = Env({"OLD": f"{'a' * 32}\n{'b' * 32} ", "SHORT": f"{'a' * 32} {SECRET}"})
    assert env.secrets("OLD", 32) == ["a" * 32, "b" * 32]
    assert env.secrets("NONE", 32) == []
    with pytest.raises(InvalidSetting, match="SHORT has a secret of 6 characters") as raised:
        env.secrets("SHORT", 32)
    assert SECRET not in str(raised.value)
