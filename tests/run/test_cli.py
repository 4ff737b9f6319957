"""What ./run says when it cannot start: words, a status, never a traceback."""

import ast
import os
import shutil
import socket
import subprocess
import sys

import pytest

from .conftest import REPOSITORY

pytestmark = pytest.mark.run

OLD = [f"python{version}" for version in ("2", "2.7", "3.6", "3.7", "3.8", "3.9", "3.10")]
PRETENDED = "import sys; sys.version_info = (3, 6, 9); exec(open(sys.argv[1]).read())"


def test_the_entry_reads_on_an_old_python_3():
    ast.parse((REPOSITORY / "run").read_text(), feature_version=(3, 4))


def test_an_old_python_is_told_which_one_is_needed():
    commands = [[sys.executable, "-c", PRETENDED], *([name] for name in OLD if works(name))]
    for command in commands:
        ran = subprocess.run([*command, REPOSITORY / "run"], capture_output=True, text=True)
        assert ran.returncode == 1
        assert "needs Python 3.11 or newer" in ran.stderr and "Traceback" not in ran.stderr


def works(name):
    # A version manager's stand-in may be on PATH without the Python behind it.
    program = shutil.which(name)
    return program and not subprocess.call([program, "-c", ""], stderr=subprocess.DEVNULL)


def test_a_taken_port_is_told_with_a_way_out(toy):
    with socket.create_server(("127.0.0.1", toy.port)):
        status, said = toy.once("--port", str(toy.port))
    assert (status, said) == (
        1,
        f"Port {toy.port} is taken. Choose another one: --port {toy.port + 1}\n",
    )


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80x", "", "٣٣٣٣"])
def test_what_is_no_port_is_refused(toy, port):
    status, said = toy.once(f"--port={port}")
    assert status == 2 and "is not a port: 1 to 65535" in said


def test_an_unknown_word_shows_what_there_is(toy):
    status, said = toy.once("tset")
    assert status == 2 and "./run test [pytest arguments]" in said


def test_a_data_folder_that_cannot_be_written_is_told(toy):
    (toy.root / "file").touch()
    status, said = toy.once("--data", str(toy.root / "file"))
    assert status == 1 and said.startswith(f"The data folder {toy.root / 'file'} cannot be written")


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("a = [", "not valid TOML")])
def test_an_unreadable_projects_file_is_told_before_anything_starts(toy, text, words):
    path = toy.root / "clouds.toml"
    if text:
        path.write_text(text)
    status, said = toy.once("--cloud", str(path))
    assert status == 1 and str(path) in said and words in said
    assert not toy.living()


def test_a_command_takes_our_options_before_and_after_it(toy):
    (toy.root / "clouds.toml").write_text('access_key_env = "SHOP_AK"')
    ours = ["--data", str(toy.root / "other"), "--cloud", str(toy.root / "clouds.toml")]
    for arguments in (["manage", *ours, "show"], ["manage", "show", *ours]):
        status, said = toy.once(*arguments, SHOP_AK="secret")
        assert status == 0
        assert '"SHOP_AK": "secret"' in said and f"{toy.root}/other/dashboard.sqlite3" in said
        assert f'"DCS_PROJECTS": "{toy.root}/clouds.toml"' in said


def test_missing_benchmarks_are_told(toy):
    assert toy.once("bench") == (1, "There are no benchmarks yet: bench/ is missing.\n")


def test_the_entry_is_executable():
    assert os.access(REPOSITORY / "run", os.X_OK) and os.access(REPOSITORY / ".ci" / "run", os.X_OK)
