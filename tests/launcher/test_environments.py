"""Which process may know which environment variables."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.launcher.environments import Environments, secret_names

PROJECTS = """
[accounts.shop]
access_key_env = "SHOP_AK"
secret_key_env = "TZ"
password_env = "STATIC_ROOT"
domain_env = "HOME"
[projects.shop-prod]
account = "shop"
"""


def environments(user, **known):
    defaults = {"SECRET_KEY": "made", "DATABASE_URL": "sqlite:////made"}
    return Environments(user=user, defaults=defaults, base_url="http://127.0.0.1:9000", **known)


@settings(max_examples=50)
@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=5)))
def test_web_gets_listed_variables_only(user):
    listed = {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"}
    listed |= {"BASE_URL", "DATABASE_URL", "STATIC_ROOT", "CELERY_PREFIX", "TRUSTED_PROXIES"}
    listed |= {"SECRET_KEY_FALLBACKS", "METRICS_TOKEN", "LOG_FORMAT", "DOCS_URL"}
    known = environments(user | {"SHOP_AK": "secret", "REDIS_URL": "redis://"}).web()
    assert {name for name in known if not name.startswith("LC_")} <= listed


def test_web_does_not_get_a_listed_variable_that_is_a_secret_except_home(tmp_path):
    (tmp_path / "projects.toml").write_text(PROJECTS)
    user = {"TZ": "secret", "STATIC_ROOT": "secret", "HOME": "/home/me", "LANG": "C"}
    known = environments(user, projects_file=tmp_path / "projects.toml").web()
    assert known.keys() & user.keys() == {"HOME", "LANG"}


def test_the_users_settings_win_except_for_the_base_url_and_empty_ones():
    user = {"SECRET_KEY": "mine", "DATABASE_URL": "", "BASE_URL": "https://elsewhere"}
    known = environments(user).web()
    assert known["SECRET_KEY"] == "mine"
    assert known["DATABASE_URL"] == "sqlite:////made"
    assert known["BASE_URL"] == "http://127.0.0.1:9000"


def test_commands_get_the_users_environment_without_settings_of_another_python():
    user = {"SHOP_AK": "secret", "PYTHONHOME": "/", "VIRTUAL_ENV": "/", "REDIS_URL": "redis://"}
    known = environments(user, projects_file=Path("/dev/null")).command()
    assert known["SHOP_AK"] == "secret" and known["DCS_PROJECTS"] == "/dev/null"
    assert not known.keys() & {"PYTHONHOME", "VIRTUAL_ENV", "REDIS_URL"}


def test_only_worker_and_beat_get_the_broker():
    known = environments({})
    assert known.worker("redis://x")["REDIS_URL"] == known.beat("redis://x")["REDIS_URL"]
    assert "REDIS_URL" not in known.web().keys() | known.command().keys()


def test_secret_names_are_found_in_every_section(tmp_path):
    (tmp_path / "projects.toml").write_text(PROJECTS + "odd_env = 5\n")
    names = secret_names(tmp_path / "projects.toml")
    assert names == {"SHOP_AK", "TZ", "STATIC_ROOT", "HOME"}


def test_web_worker_and_beat_get_the_settings_of_monitoring():
    user = {"METRICS_TOKEN": "token", "LOG_FORMAT": "json", "DOCS_URL": "https://docs.example"}
    known = environments(user)
    for process in (known.web(), known.worker("redis://"), known.beat("redis://")):
        assert user.items() <= process.items()
