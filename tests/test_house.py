"""Who may import whom (DESIGN §3), read from the imports themselves."""

import ast
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Each pure package with what of ours it may know besides itself.
PURE = {
    "restores.dcs": (),
    "restores.explain": (),
    "restores.timerange": (),
    "restores.ticket_text": ("restores.explain",),
    "simulator": (),
}
CLOUD_SIDE = ("restores.dcs", "restores.sync", "restores.tasks", "restores.management")
PAGES = tuple(
    f"restores.{name}"
    for name in (
        "views",
        "restore_list",
        "filters",
        "tables",
        "ticket_text",
        "csv_export",
        "serializers",
    )
)


def modules(package):
    folder = ROOT / package.replace(".", "/")
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    return [file for file in files if file.exists()]


def imported(file):
    """Every module that a file imports, at its top or anywhere within."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [*file.relative_to(ROOT).parts[: -node.level], node.module or ""]
            module = ".".join(filter(None, parts)) if node.level else node.module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def named(file):
    """The module that a file is."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def web_side():
    """Whatever of the app is not the cloud's side: what is added is on it by itself."""
    apart = (*CLOUD_SIDE, "restores.shutdown", "restores.migrations")
    return [file for file in modules("restores") if not within(named(file), *apart)]


def within(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_know_neither_django_nor_the_rest_of_the_house(package):
    assert modules(package)
    for file in modules(package):
        for name in imported(file):
            ours = within(name, "restores", "dashboard", "simulator", "deploy")
            assert not within(name, "django"), f"{file} imports {name}"
            assert not ours or within(name, package, *PURE[package]), f"{file} imports {name}"


@pytest.mark.parametrize(
    "package", ["simulator", "deploy/launcher", "restores.explain", "restores.ticket_text"]
)
def test_what_must_run_anywhere_needs_the_standard_library_only(package):
    import sys

    for file in modules(package):
        for name in imported(file):
            first = name.split(".")[0]
            known = first in sys.stdlib_module_names or first in ("simulator", "deploy", "restores")
            assert known, f"{file} imports {name}"


def test_the_web_side_never_reaches_for_the_cloud_or_the_broker():
    files = web_side()
    assert {"restores.csv_export", "restores.asof", "restores.restore_list.toolbar"} <= {
        *map(named, files)
    }
    for file in files:
        for name in imported(file):
            forbidden = within(name, *CLOUD_SIDE, "celery", "redis", "simulator")
            assert not forbidden, f"{file} imports {name}"


def test_only_the_routes_know_the_views():
    for file in modules("restores"):
        for name in imported(file):
            known = within(named(file), "restores.urls", "restores.views")
            assert known or not within(name, "restores.views"), f"{file} imports {name}"


def test_filters_and_tables_know_nothing_of_the_pages_that_use_them():
    above = ("restores.views", "restores.csv_export", "restores.ticket_text")
    for file in [*modules("restores.filters"), *modules("restores.tables")]:
        for name in imported(file):
            assert not within(name, *above), f"{file} imports {name}"
    for file in modules("restores.filters"):
        for name in imported(file):
            assert not within(name, "restores.restore_list"), f"{file} imports {name}"


def test_tasks_and_commands_show_nothing():
    files = [*modules("restores.tasks"), *modules("restores.management")]
    assert files
    for file in files:
        for name in imported(file):
            assert not within(name, *PAGES), f"{file} imports {name}"


def test_only_its_command_imports_the_simulator():
    for package in ("restores", "dashboard", "deploy"):
        for file in modules(package):
            known = file.stem == "simulate_dcs"
            assert known or not any(within(name, "simulator") for name in imported(file)), file


def test_the_collector_knows_only_the_cloud_s_side_and_the_models():
    allowed = (
        "restores.dcs",
        "restores.models",
        "restores.sync",
        "restores.querysets",
        "restores.statuses",
    )
    for file in modules("restores.sync"):
        for name in imported(file):
            assert not within(name, "restores") or within(name, *allowed), f"{file}: {name}"


def test_models_look_at_nothing_above_them():
    for file in [*modules("restores.models"), *modules("restores.querysets")]:
        for name in imported(file):
            below = ("restores.models", "restores.querysets", "restores.statuses")
            assert not within(name, "restores") or within(name, *below), f"{file}: {name}"


def test_every_vendored_file_stands_in_the_list_with_its_checksum():
    folder = ROOT / "static" / "vendor"
    listed = (folder / "README.md").read_text()
    files = [file for file in folder.rglob("*.*") if file.suffix in (".js", ".woff2", ".css")]
    assert files
    for file in files:
        (line,) = [line for line in listed.splitlines() if f"`{file.relative_to(folder)}`" in line]
        assert sha256(file.read_bytes()).hexdigest() in line
        assert (file.parent / "LICENSE").exists() and (file.parent / "VERSION").exists()


@pytest.mark.xdist_group("house")
def test_tests_that_share_processes_are_kept_on_one_worker(request):
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("@house")
