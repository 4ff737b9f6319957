"""The data folder: one ./run at a time, secrets for its owner only."""

import pytest

from deploy.launcher.folder import Folder
from deploy.launcher.output import LOG_CAP, open_log
from deploy.launcher.words import Trouble


@pytest.fixture
def folder(tmp_path):
    return Folder.prepared(tmp_path / "var")


def test_the_secret_key_is_made_once_and_long_enough(folder):
    assert folder.secret_key() == folder.secret_key()
    assert len(folder.secret_key()) >= 50


def test_an_empty_secret_key_is_made_anew(folder):
    (folder.path / "secret_key").touch()
    assert folder.secret_key()


def test_a_path_with_odd_characters_is_quoted_in_the_database_url(tmp_path):
    import dj_database_url

    folder = Folder.prepared(tmp_path / "a b%20?#é")
    parsed = dj_database_url.parse(folder.database_url)
    assert parsed["NAME"] == str(folder.path / "dashboard.sqlite3")


def test_a_locked_folder_names_who_has_it(folder):
    folder.lock("http://127.0.0.1:8001")
    with pytest.raises(Trouble, match=r"Another \./run \(process \d+, http://127.0.0.1:8001\)"):
        folder.lock("http://127.0.0.1:8002")
    assert folder.address() == "http://127.0.0.1:8001"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "environment": [1]}', "\x00"])
def test_a_spoiled_memory_of_the_simulator_is_forgotten(folder, text):
    (folder.path / "simulator.json").write_text(text)
    assert (folder.simulator_port(), folder.simulator_environment()) == (0, {})


def test_a_log_over_the_cap_is_set_aside_once(folder):
    log = folder.logs / "web.log"
    log.write_bytes(b"x" * (LOG_CAP + 1))
    for line in (b"one\n", b"two\n"):
        with open_log(log) as written:
            written.write(line)
    assert log.read_bytes() == b"one\ntwo\n"
    assert (folder.logs / "web.log.1").stat().st_size == LOG_CAP + 1
