"""The projects file and its secrets while the worker runs: changes are noticed."""

import os

import pytest

from restores.dcs.config import ConfigError
from restores.dcs.iam import DiscoveredProject
from restores.models import Account, Project
from restores.sync import inventory
from restores.sync.accounts import load_accounts
from tests.factories import make_instance, make_restore

pytestmark = pytest.mark.django_db

FILE = """
[accounts.shop]
endpoint = "https://dcs.example"
rate = 10
method = "aksk"
access_key_file = "ak"
secret_key_file = "sk"

[projects.shop-prod]
account = "shop"
project_id = "p-1"
region = "eu-de"
"""


@pytest.fixture
def folder(tmp_path, settings):
    """A projects file whose secrets are files next to it."""
    settings.DCS_PROJECTS = str(tmp_path / "projects.toml")
    write(tmp_path / "projects.toml", FILE, 1)
    write(tmp_path / "ak", "AK", 1)
    write(tmp_path / "sk", "old", 1)
    return tmp_path


def write(file, text, age):
    """Write a file that was last changed ``age`` seconds after the epoch."""
    file.write_text(text)
    os.utime(file, (age, age))


def secret():
    return load_accounts()["shop"].config.credentials.secret_key


def test_a_replaced_secret_file_is_used_at_once(folder):
    assert secret() == "old"
    write(folder / "sk", "new", 2)
    assert secret() == "new"


def test_a_file_that_becomes_invalid_leaves_the_last_valid_one_in_use(folder, caplog):
    assert secret() == "old"
    write(folder / "projects.toml", FILE + "statsu = 1\n", 2)
    assert secret() == secret() == "old"
    assert caplog.text.count("keeping the previous one") == 1
    assert "statsu" in caplog.text
    more = FILE.replace('secret_key_file = "sk"', 'secret_key_file = "other"')
    write(folder / "projects.toml", more, 3)
    assert secret() == "old"
    write(folder / "other", "found", 3)
    assert secret() == "found"
    write(folder / "projects.toml", FILE, 4)
    (folder / "sk").unlink()
    assert secret() == "found"
    write(folder / "sk", "newest", 5)
    assert secret() == "newest"


def test_a_file_that_was_never_valid_is_rejected_each_time(folder):
    write(folder / "projects.toml", "nonsense", 1)
    for _ in range(2):
        with pytest.raises(ConfigError):
            load_accounts()


def test_a_changed_endpoint_takes_its_projects_along(folder):
    load_accounts()
    restore = make_restore("r-1", instance=make_instance(project=Project.objects.get()))
    for number, endpoint in enumerate(("https://dcs.example/eu", "https://other.example")):
        write(folder / "projects.toml", FILE.replace("https://dcs.example", endpoint), 2 + number)
        load_accounts()
        project = Project.objects.get()
        assert (project.endpoint, project.monitored) == (endpoint, True)
        assert (project.next_sync_at, restore.project_id) == (None, project.pk)


def test_projects_discovered_at_a_previous_endpoint_are_no_longer_monitored(folder):
    found = FILE.replace("rate = 10", 'rate = 10\nprojects = "discover"\n'
                         'iam_endpoint = "https://iam.example"')  # fmt: skip
    write(folder / "projects.toml", found[: found.index("[projects")], 2)
    shop = load_accounts()["shop"]
    named = [DiscoveredProject(project_id=f"p-{n}", name=f"eu-{n}") for n in (1, 2)]
    account = Account.objects.get()
    assert inventory.register_discovered(account, shop.config, shop.named, named) == ""
    changed = found.replace("https://dcs.example", "https://new.example")
    write(folder / "projects.toml", changed[: changed.index("[projects")], 3)
    shop = load_accounts()["shop"]
    assert not Project.objects.monitored().exists()
    assert inventory.register_discovered(account, shop.config, shop.named, named[:1]) == ""
    [row] = Project.objects.monitored()
    assert (row.project_id, row.endpoint) == ("p-1", "https://new.example")
    assert Project.objects.count() == 2


def test_the_database_keeps_no_fingerprint_that_could_be_guessed(folder):
    digest = load_accounts()["shop"].config.digest
    stored = Account.objects.get().section_digest
    assert stored and stored != digest


@pytest.mark.parametrize("keep", [True, False])
def test_an_account_stays_paused_while_the_secret_key_is_rotated(folder, settings, keep):
    load_accounts()
    Account.objects.update(refusals=3)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
    for number in (2, 3):
        settings.SECRET_KEY = "another-key-" * 3
        write(folder / "projects.toml", f"{FILE}# {number}", number)
        load_accounts()
        assert Account.objects.get().refusals == (3 if keep else 0)
        settings.SECRET_KEY_FALLBACKS = []


def test_keys_that_another_tool_rewrites_are_read_again_even_if_it_keeps_the_files_time(folder):
    load_accounts()
    for text in ("one", "two", "six"):
        write(folder / "new", text, 1)
        (folder / "new").replace(folder / "sk")
        assert secret() == text
    (folder / "real").mkdir()
    for number in (1, 2):  # as Kubernetes does: a link to a folder that is replaced
        (folder / "real" / str(number)).mkdir()
        write(folder / "real" / str(number) / "sk", f"key{number}", 1)
        (folder / "link").symlink_to(folder / "real" / str(number))
        (folder / "link").replace(folder / "current")
        (folder / "sk").unlink(missing_ok=True)
        (folder / "sk").symlink_to(folder / "current" / "sk")
        assert secret() == f"key{number}"


def test_a_proxy_and_a_ca_of_the_file_are_used_and_read_again(folder, monkeypatch):
    write(folder / "proxy", "http://one.example:3128", 1)
    write(folder / "projects.toml", FILE.replace("rate = 10", 'proxy_file = "proxy"'), 2)
    assert load_accounts()["shop"]._session.proxies["https"] == "http://one.example:3128"
    write(folder / "proxy", "http://two.example:3128", 2)
    assert load_accounts()["shop"]._session.proxies["https"] == "http://two.example:3128"
