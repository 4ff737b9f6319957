"""The layout of the code: who may import whom, one name for one module, no retired words."""

import ast
import re
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The packages without Django, and which of our packages each may import besides itself.
PURE = {
    "restores.dcs": (),
    "restores.explain": (),
    "restores.lookup": ("restores.explain", "restores.spellings", "restores.timerange"),
    "restores.timerange": (),
    "restores.ticket_text": ("restores.explain",),
    "simulator": (),
}
# The web side, from the top: a module imports from its own layer and those below. A new module
# or package of restores/ is added to the layer where it belongs.
LAYERS = (
    ("urls", "sign_in_urls", "admin", "apps", "link_repair", "token_access"),
    ("views",),
    (
        "context",
        "csv_export",
        "conditional",
        "downtime_report",
        "instance_history",
        "metrics",
        "outcomes",
        "restore_list",
        "running_exports",
        "tables",
        "templatetags",
        "ticket_lookup",
        "xlsx_export",
    ),
    (
        *("facts", "formatting", "freshness", "instance_status", "paginator", "serializers"),
        "sync_problems",
    ),
    ("sign_in", "time_zone"),
    ("filters",),
    ("asof", "bucket_counts", "keyset", "search", "sync_status"),
    (
        *("api_tokens", "audit", "failed_sign_ins", "login_links", "permissions", "sessions"),
        "sync_errors",
    ),
    ("models",),
    ("querysets",),
    (
        *("browsers", "client_address", "converters", "explain", "log_ids", "lookup"),
        *("migration_state", "spellings", "statuses", "ticket_text", "timerange"),
    ),
)
# The sync side, and which other modules each part may import.
SYNC_SIDE = {
    "restores.dcs": (),
    "restores.sync": ("dcs", "log_ids", "models", "querysets", "statuses"),
    "restores.shutdown": (),
    "restores.tasks": ("dcs", "models", "querysets", "shutdown", "statuses", "sync"),
    "restores.management": (
        "api_tokens",
        "audit",
        "dcs",
        "login_links",
        "models",
        "querysets",
        "spellings",
        "statuses",
        "sync",
    ),
}
WEB_SIDE = [f"restores.{name}" for layer in LAYERS for name in layer]
# Modules named after the page or the command that they are.
NAMED_AFTER_THEIR_SUBJECT = ("restores.views", "restores.management.commands")


def modules(package):
    """The modules of a package, or the module of this name."""
    folder = ROOT / package.replace(".", "/")
    # A folder that Git has emptied may still hold caches.
    files = sorted(folder.rglob("*.py")) or [folder.with_suffix(".py")]
    return [file for file in files if "migrations" not in file.parts]


def module_name(file):
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file):
    """Every module that a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = [*file.relative_to(ROOT).parts[: -node.level], node.module or ""]
            module = ".".join(filter(None, parts)) if node.level else node.module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def ours(name):
    return within(name, "restores", "dashboard", "simulator", "deploy", "bench")


@pytest.mark.parametrize("package", PURE)
def test_pure_packages_import_neither_django_nor_the_rest_of_the_code(package):
    assert modules(package)
    for file in modules(package):
        for name in imports(file):
            allowed = not ours(name) or within(name, package, *PURE[package])
            assert allowed and not within(name, "django"), f"{file} imports {name}"


@pytest.mark.parametrize(
    "package", ["simulator", "deploy/launcher", "restores.explain", "restores.ticket_text"]
)
def test_what_must_run_anywhere_needs_only_the_standard_library(package):
    for file in modules(package):
        if file.name == "fake_broker.py":
            continue  # runs in the installed environment
        for name in imports(file):
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or ours(name), f"{file} imports {name}"


def test_every_module_has_a_layer():
    for file in modules("restores"):
        name = module_name(file)
        assert name == "restores" or within(name, *WEB_SIDE, *SYNC_SIDE), f"{file} has no layer"


@pytest.mark.parametrize("level", range(len(LAYERS)), ids=lambda level: LAYERS[level][0])
def test_the_web_side_imports_only_from_its_own_layer_and_those_below(level):
    below = [f"restores.{name}" for layer in LAYERS[level:] for name in layer]
    for package in LAYERS[level]:
        assert modules(f"restores.{package}")
        for file in modules(f"restores.{package}"):
            for name in imports(file):
                assert not within(name, "restores") or within(name, *below), f"{file}: {name}"
                assert not within(name, "celery", "redis", "simulator"), f"{file}: {name}"


@pytest.mark.parametrize("package", SYNC_SIDE)
def test_the_sync_side_does_not_import_the_web_side(package):
    allowed = [package, *(f"restores.{name}" for name in SYNC_SIDE[package])]
    for file in modules(package):
        for name in imports(file):
            assert not within(name, "restores") or within(name, *allowed), f"{file}: {name}"


def test_only_its_command_imports_the_simulator():
    for package in ("restores", "dashboard", "deploy"):
        for file in modules(package):
            if file.stem != "simulate_dcs":
                assert not any(within(name, "simulator") for name in imports(file)), file


def test_no_two_modules_have_the_same_name():
    names = Counter(
        file.stem
        for file in modules("restores")
        if file.stem != "__init__" and not within(module_name(file), *NAMED_AFTER_THEIR_SUBJECT)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_every_vendored_file_is_listed_with_its_checksum():
    folder = ROOT / "static" / "vendor"
    listed = (folder / "README.md").read_text()
    files = [file for file in folder.rglob("*.*") if file.suffix in (".js", ".woff2", ".css")]
    assert files
    for file in files:
        (line,) = [line for line in listed.splitlines() if f"`{file.relative_to(folder)}`" in line]
        assert sha256(file.read_bytes()).hexdigest() in line
        assert (file.parent / "LICENSE").exists() and (file.parent / "VERSION").exists()


# Words of the first version that nobody outside of it understood, with what they are called now.
RETIRED = {
    "all told": "in total",
    "answered in a word": "a 304",
    "ask_all": "fetch_complete",
    "beside(": "then_and_now(",
    "blameless": "count_attempt",
    "by the machine’s day": "a time range",
    "calm_down": "sync_everything",
    "Complete to": "Data complete up to",
    "delisted_at": "removed_upstream_at",
    "doorbell": "wake-up task",
    "end not included": "the exact range",
    "failed look": "a sync error",
    "fault_since": "sync_error_since",
    "faultwords": "sync_errors",
    "first look": "the first sync",
    "foretell": "estimate",
    "gone_at": "deleted_at",
    "in_window": "in_range",
    "kept_coverage": "sync_status",
    "last look": "the last sync",
    "Leaf": "Page",
    "Look now": "Sync now",
    "looked at": "synced",
    "looked_at": "synced_at",
    "look_now": "sync_now",
    "looks failed": "syncs failed",
    "Misread": "InvalidValue",
    "Misspelt": "InvalidTime",
    "next_due_at": "next_sync_at",
    "next_look": "next_sync_at",
    "next_look_at": "next_sync_at",
    "Nothing is watched": "Nothing is monitored",
    "now_words": "diff_from_now",
    "posed(": "a queryset",
    "processor for": "CPU time per",
    "proven_at": "complete_to",
    "roll_call": "list_instances",
    "roster": "inventory",
    "Said": "SyncMessage",
    "sayings": "sync_messages",
    "spelt": "edges",
    "spoils": "sync error",
    "stand-in": "simulator",
    "Still failed": "Unresolved",
    "Tally": "CappedCount",
    "tether": "supervisor",
    "that you may see": "that you have access to",
    "the house": "the code",
    "turn it round": "reverse the order",
    "twin": "JSON endpoint",
    "twins": "JSON endpoints",
    "unlooked": "never_synced",
    "untold": "backups_unavailable",
    "unwatched": "no longer monitored",
    "way_back": "back_link",
}
MAY_HAVE_RETIRED_WORDS = ("static/vendor", "tests/test_layout.py")


def written_by_us():
    """Every file of code, template, style, script and documentation."""
    folders = ("bench", "dashboard", "deploy", "docs", "restores", "simulator", "static")
    for top in (*folders, "templates", "tests", "README.md", "CONTRIBUTING.md", "run"):
        for file in [ROOT / top, *(ROOT / top).rglob("*")]:
            path = file.relative_to(ROOT).as_posix()
            ours = file.suffix in (".css", ".html", ".js", ".md", ".py", "")
            if file.is_file() and ours and not path.startswith(MAY_HAVE_RETIRED_WORDS):
                yield file


def test_no_retired_word_comes_back():
    # The name of a test has the words of a phrase between underscores.
    phrases = "|".join(word.replace(" ", "[ _]") for word in RETIRED if " " in word)
    words = "|".join(re.escape(word) for word in RETIRED if " " not in word)
    retired = re.compile(
        rf"(?<![^\W_])(?:{phrases})(?![^\W_])|(?<!\w)(?:{words})(?:(?<=\()|(?!\w))"
    )
    files = list(written_by_us())
    assert len(files) > 200
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in files
        for match in retired.finditer(file.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.xdist_group("layout")
def test_tests_that_share_processes_are_kept_on_one_worker(request):
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("@layout")
