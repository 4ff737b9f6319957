"""The data folder: one ./run at a time, and its own secret key."""

import stat
import subprocess
import sys

import pytest

from deploy.launcher.console import CliError
from deploy.launcher.data_folder import DataFolder

from .conftest import REPOSITORY


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


FULL = """
import resource, signal, sys
from pathlib import Path
from deploy.launcher.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
sys.exit(main(["--port", "65000", "--data", sys.argv[1]]))
"""


def test_d9_a_disk_that_is_full_at_the_start_is_named(folder):
    """As in test_console.py, a limit on the size of files stands for a full disk."""
    command = [sys.executable, "-c", FULL, folder.path]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    key = folder.path / "secret_key"
    assert done.stderr == f"{key} can’t be used (File too large). Try --data DIR\n"
    assert [file.name for file in folder.path.iterdir()] == ["logs"]


@pytest.mark.parametrize("name", ["secret_key", "simulator.json", "run.lock"])
def test_a_file_that_cannot_be_read_is_named(folder, name):
    (folder.path / name).mkdir()
    with pytest.raises(CliError, match=rf"{name} can’t be used \(Is a directory\)"):
        folder.secret_key(), folder.simulator(), folder.last_url()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "environment": [1]}', "\x00"])
def test_a_damaged_file_about_the_simulator_is_ignored(folder, text):
    (folder.path / "simulator.json").write_text(text)
    assert folder.simulator() == {"port": 0, "epoch": "", "environment": {}}


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o750, 0o701])
def test_an_existing_folder_is_closed_to_others(tmp_path, mode):
    (tmp_path / "var").mkdir()
    (tmp_path / "var").chmod(mode)
    folder = DataFolder.prepare(tmp_path / "var")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_folder_that_others_share_stays_open_and_is_named(tmp_path, capsys, monkeypatch):
    tmp_path.chmod(0o1777)
    DataFolder.prepare(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert f"Other users may be able to read {tmp_path}" in capsys.readouterr().out
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    DataFolder.prepare(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
