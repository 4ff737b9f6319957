"""The data folder: one ./run at a time, and a secret key of its own."""

import pytest

from deploy.launcher.console import CliError
from deploy.launcher.data_folder import DataFolder


@pytest.fixture
def folder(tmp_path):
    return DataFolder.prepare(tmp_path / "var")


def test_the_secret_key_is_made_once_and_long_enough(folder):
    assert folder.secret_key() == folder.secret_key()
    assert len(folder.secret_key()) >= 50


def test_an_empty_secret_key_is_replaced(folder):
    (folder.path / "secret_key").touch()
    assert folder.secret_key()


def test_a_path_with_odd_characters_is_quoted_in_the_database_url(tmp_path):
    import dj_database_url

    folder = DataFolder.prepare(tmp_path / "a b%20?#é")
    parsed = dj_database_url.parse(folder.settings["DATABASE_URL"])
    assert parsed["NAME"] == str(folder.path / "dashboard.sqlite3")


def test_the_error_for_a_locked_folder_names_its_owner(folder):
    folder.lock("http://127.0.0.1:8001")
    with pytest.raises(CliError, match=r"Another \./run \(process \d+, http://127.0.0.1:8001\)"):
        folder.lock("http://127.0.0.1:8002")
    assert folder.last_url() == "http://127.0.0.1:8001"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "environment": [1]}', "\x00"])
def test_a_damaged_file_about_the_simulator_is_ignored(folder, text):
    (folder.path / "simulator.json").write_text(text)
    assert folder.simulator() == {"port": 0, "epoch": "", "environment": {}}
