"""The environment is created once per lock file, and an unfinished one is not trusted."""

import hashlib
import sys
import zipfile

import pytest

from deploy.launcher.console import CliError
from deploy.launcher.venv import RUNTIME, Venv, python_with

from .conftest import pretend_installed

pytestmark = pytest.mark.run


@pytest.fixture
def installed(tmp_path):
    (tmp_path / RUNTIME).write_text("django==5\n")
    pretend_installed(tmp_path)
    return tmp_path


def wheel(folder):
    """A package of one line, as a requirement with its hash."""
    path = folder / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy.py", "TEXT = 'installed'\n")
        archive.writestr(
            "toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"
        )
        archive.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toy-1.0.dist-info/RECORD", "")
    return f"{path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_matching_stamp_is_enough(installed):
    assert python_with(installed, RUNTIME) == installed / ".venv" / "bin" / "python"


@pytest.mark.parametrize("stamp", [None, "", "{", "[1]", '{"python": "2.7"}'])
def test_a_missing_or_damaged_stamp_is_not_enough(installed, stamp):
    path = installed / ".venv" / "installed.json"
    path.unlink()
    if stamp is not None:
        path.write_text(stamp)
    assert not Venv(installed / ".venv").has({})


def test_another_lock_file_or_a_moved_folder_does_not_match(installed):
    venv = Venv(installed / ".venv")
    assert venv.has({}) and not venv.has({RUNTIME: "another"})
    (installed / ".venv").rename(installed / "moved")
    assert not Venv(installed / "moved").has({})


def test_without_the_venv_modules_the_error_has_the_apt_command(tmp_path, monkeypatch):
    (tmp_path / RUNTIME).write_text("")
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(CliError, match="apt install python3-venv"):
        python_with(tmp_path, RUNTIME)


def test_an_environment_that_is_a_link_is_refused_and_left_alone(tmp_path):
    (tmp_path / RUNTIME).write_text("")
    mine = tmp_path / "mine" / "bin" / "python"
    mine.parent.mkdir(parents=True)
    mine.touch()
    (tmp_path / ".venv").symlink_to("mine")
    with pytest.raises(CliError, match=r"is a link to .*mine"):
        python_with(tmp_path, RUNTIME)
    assert mine.exists()


def test_it_installs_once_and_a_wrong_hash_is_reported_and_never_stamped(tmp_path, capsys):
    requirements, correct = tmp_path / RUNTIME, wheel(tmp_path)
    requirements.write_text(correct)
    for _ in range(2):
        python_with(tmp_path, RUNTIME)
    assert capsys.readouterr().out.count("Installing") == 1
    assert list((tmp_path / ".venv").glob("lib/*/site-packages/toy.py"))
    requirements.write_text(correct[:-10] + "000000000\n")
    with pytest.raises(CliError, match=r"Installing requirements\.txt failed: .* status 1"):
        python_with(tmp_path, RUNTIME)
    assert "DO NOT MATCH" in (tmp_path / ".venv" / "install.log").read_text()
    requirements.write_text(correct)
    assert not Venv(tmp_path / ".venv").has({})
