"""What ./run prints when it cannot start: a message, a status, never a traceback."""

import ast
import json
import os
import shutil
import socket
import subprocess
import sys

import pytest

from .conftest import REPOSITORY

pytestmark = pytest.mark.run

OLD = [f"python{version}" for version in ("2", "2.7", "3.6", "3.7", "3.8", "3.9", "3.10")]
PRETEND_OLD = "import sys; sys.version_info = (3, 6, 9); exec(open(sys.argv[1]).read())"


def test_an_old_python_3_can_parse_the_entry_script():
    ast.parse((REPOSITORY / "run").read_text(), feature_version=(3, 4))


def test_an_old_python_prints_which_version_is_needed():
    commands = [[sys.executable, "-c", PRETEND_OLD], *([name] for name in OLD if works(name))]
    for command in commands:
        ran = subprocess.run([*command, REPOSITORY / "run"], capture_output=True, text=True)
        assert ran.returncode == 1
        assert "needs Python 3.11 or newer" in ran.stderr and "Traceback" not in ran.stderr


def works(name):
    # A version manager's shim may be on PATH without the Python behind it.
    program = shutil.which(name)
    return program and not subprocess.call([program, "-c", ""], stderr=subprocess.DEVNULL)


def test_a_port_in_use_is_reported_with_another_one_to_try(toy):
    with socket.create_server(("127.0.0.1", toy.port)):
        status, output = toy.run("--port", str(toy.port))
    assert status == 1
    assert output == f"Port {toy.port} is in use. Try --port {toy.port + 1}\n"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "80x", "", "٣٣٣٣"])
def test_an_invalid_port_is_refused(toy, port):
    status, output = toy.run(f"--port={port}")
    assert status == 2 and "is not a port number from 1 to 65535" in output


def test_an_unknown_subcommand_prints_the_usage(toy):
    status, output = toy.run("tset")
    assert status == 2 and "./run test [pytest arguments]" in output


def test_a_data_folder_that_is_not_writable_is_reported(toy):
    (toy.root / "file").touch()
    status, output = toy.run("--data", str(toy.root / "file"))
    assert status == 1
    assert output.startswith(f"The data folder {toy.root / 'file'} is not writable")


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("a = [", "not valid TOML")])
def test_an_unreadable_projects_file_is_reported_before_anything_starts(toy, text, words):
    path = toy.root / "projects.toml"
    if text:
        path.write_text(text)
    status, output = toy.run("--cloud", str(path))
    assert status == 1 and str(path) in output and words in output
    assert not toy.alive()


def test_manage_takes_our_options_before_and_after_the_command(toy):
    (toy.root / "projects.toml").write_text('access_key_env = "SHOP_AK"')
    ours = ["--data", str(toy.root / "other"), "--cloud", str(toy.root / "projects.toml")]
    for arguments in (["manage", *ours, "show"], ["manage", "show", *ours]):
        status, output = toy.run(*arguments, SHOP_AK="secret")
        assert status == 0
        assert '"SHOP_AK": "secret"' in output and f"{toy.root}/other/dashboard.sqlite3" in output
        assert f'"DCS_PROJECTS": "{toy.root}/projects.toml"' in output


def test_the_entry_scripts_are_executable():
    assert os.access(REPOSITORY / "run", os.X_OK) and os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_a_secret_may_come_from_a_file_which_must_have_one(toy, tmp_path):
    (tmp_path / "key").write_text("from-a-file\n")
    status, output = toy.run("manage", "show", SECRET_KEY_FILE=str(tmp_path / "key"))
    assert status == 0 and json.loads(output.splitlines()[-1])["SECRET_KEY"] == "from-a-file"
    status, output = toy.run("manage", "show", SECRET_KEY_FILE="/no/such/file")
    assert status == 1 and "Traceback" not in output
    assert output.startswith("SECRET_KEY_FILE names '/no/such/file', which cannot be read")
