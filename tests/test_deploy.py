"""The files of deploy/, the image and the workflow, checked without the programs that run them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
SYSTEMD, NGINX = ROOT / "deploy/systemd", ROOT / "deploy/nginx"
BIN = Path(sys.executable).parent
# What gives one of our processes access to the cloud, or to the broker.
CLOUD, BROKER = {"DCS_PROJECTS"}, {"REDIS_URL"}
REQUIRED = {"BASE_URL", "SECRET_KEY", "DATABASE_URL", "TRUSTED_PROXIES"}


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, **options
    )
    return done.returncode, done.stdout + done.stderr


def installed(name):
    """The path of a system program; skip the test where there is none."""
    if not (found := shutil.which(name) or shutil.which(name, path="/usr/sbin")):
        pytest.skip(f"needs {name}")
    return found


def names(variables):
    """The variables that are set, whether by value or by file."""
    return {name.removesuffix("_FILE") for name in variables}


def documented():
    """The variables in the table of docs/configuration.md."""
    text = (ROOT / "docs/configuration.md").read_text()
    table = text.partition("## Environment variables")[2].partition("\n\nThe ten")[0]
    return set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))


def test_every_variable_of_the_settings_is_documented_and_no_other():
    files = (ROOT / "dashboard/settings.py", ROOT / "dashboard/sign_in_settings.py")
    settings = "".join(file.read_text() for file in files)
    assert documented() == set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))


# The image and compose


def test_the_image_follows_the_usual_rules():
    assert run(BIN / "hadolint", "Dockerfile") == (0, "")


def test_the_image_holds_what_runs_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines and all((ROOT / name).exists() for name in kept)
    assert not kept & {"tests", "docs", "bench", "deploy", "var", ".git"}


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "compose.yaml"),
        ("vendor.github-workflows", ".github/workflows/ci.yaml"),
    ],
)
def test_a_file_has_the_schema_of_its_program(schema, file):
    status, output = run(BIN / "check-jsonschema", "--builtin-schema", schema, file)
    assert status == 0, output


@pytest.fixture(scope="module")
def services():
    return YAML(typ="safe").load(ROOT / "compose.yaml")["services"]


def test_containers_get_known_settings_and_the_clouds_secrets_only_where_they_sync(services):
    ours = {name: part for name, part in services.items() if "build" in part}
    assert ours.keys() == {"web", "worker", "beat", "migrate"}
    for name, part in ours.items():
        given = names(part["environment"])
        assert given <= documented()
        assert given >= REQUIRED - ({"TRUSTED_PROXIES"} if name != "web" else set())
        assert bool(given & BROKER) == (name in {"worker", "beat"})
        assert bool(given & CLOUD) == (name == "worker")
        assert any("cloud" in volume for volume in part.get("volumes", ())) == (name == "worker")
        assert part["read_only"] and part["cap_drop"] == ["ALL"]


def test_only_web_is_reachable_and_only_from_this_host(services):
    assert {name for name, part in services.items() if "ports" in part} == {"web"}
    assert all(port.startswith("127.0.0.1:") for port in services["web"]["ports"])


# systemd


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units, for programs that are in this folder."""
    folder = tmp_path_factory.mktemp("systemd") / "units"
    shutil.copytree(SYSTEMD, folder)
    for file in (*folder.glob("*.service"), *folder.glob("*/*.conf")):
        text = file.read_text().replace("/opt/dcs-restores/.venv/bin", str(BIN))
        file.write_text(text.replace("/opt/dcs-restores", str(ROOT)))
    return folder


def test_systemd_finds_no_fault_in_the_units(units):
    files = sorted([*units.glob("*.service"), *units.glob("*.target")])
    assert len(files) == 5
    # Its exit status is 0 even for a setting that it doesn't know.
    command = (installed("systemd-analyze"), "verify", "--man=no", *files)
    environment = {"SYSTEMD_UNIT_PATH": f"{units}:"}
    assert run(*command, env=environment) == (0, "")


def test_the_services_are_hardened(units):
    command = (installed("systemd-analyze"), "security", "--offline=true", "--threshold=20")
    for file in units.glob("*.service"):
        status, output = run(*command, file, env={"SYSTEMD_UNIT_PATH": f"{units}:"})
        assert status == 0, output[-300:]


def test_services_get_known_settings_and_the_clouds_secrets_only_where_they_sync():
    shared = re.findall(r"^([A-Z_]+)=", (SYSTEMD / "dashboard.env").read_text(), re.MULTILINE)
    assert names(shared) == REQUIRED
    common = (SYSTEMD / "dcs-restores-.service.d/common.conf").read_text()
    for file in SYSTEMD.glob("*.service"):
        name, unit = file.stem.removeprefix("dcs-restores-"), file.read_text()
        given = set(re.findall(r"^Environment=([A-Z_]+)=", unit + common, re.MULTILINE))
        assert given - {"MALLOC_ARENA_MAX", "PYTHONUNBUFFERED"} <= documented()
        assert bool(given & BROKER) == (name in {"worker", "beat"})
        assert bool(given & CLOUD) == (name == "worker")
        assert ("User=dcs-restores-sync\n" in unit) == (name == "worker")


# nginx


@pytest.mark.parametrize("example", ["dcs-restores", "dcs-restores-sub-path"])
def test_nginx_accepts_the_example(tmp_path, example):
    nginx, openssl = installed("nginx"), installed("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = (openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    run(*made, "-nodes", "-subj", "/CN=h", "-keyout", key, "-out", certificate)
    text = (NGINX / f"{example}.conf").read_text()
    if "listen" not in text:
        text = f"server {{ listen 127.0.0.1:1; {text} }}"
    text = text.replace("/etc/ssl/dcs-restores/fullchain.pem", str(certificate))
    text = text.replace("/etc/ssl/dcs-restores/privkey.pem", str(key))
    (tmp_path / "snippets").mkdir()
    shutil.copy(NGINX / "dcs-restores-proxy.conf", tmp_path / "snippets")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{ }} http {{ {text} }}"
    )
    status, output = run(nginx, "-t", "-q", "-e", "stderr", "-c", tmp_path / "nginx.conf")
    assert (status, output) == (0, "")


def test_nginx_accepts_as_large_a_form_as_the_dashboard(settings):
    text = (NGINX / "dcs-restores-proxy.conf").read_text()
    [megabytes] = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(megabytes) * 1024**2 == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


# The bill of materials


def test_one_command_lists_every_package_of_an_installation_with_its_hashes(tmp_path):
    file = ROOT / "requirements-sso.txt"  # those of requirements.txt and more
    command = (sys.executable, "-m", "cyclonedx_py", "requirements", file)
    status, output = run(*command, "--output-reproducible", "-o", tmp_path / "sbom.json")
    assert status == 0, output
    found = json.loads((tmp_path / "sbom.json").read_text())["components"]
    pinned = set(re.findall(r"^([\w.-]+)==([\w.]+)", file.read_text(), re.MULTILINE))
    assert {(one["name"], one["version"]) for one in found} == pinned
    assert all(one["externalReferences"][0]["hashes"] for one in found)
