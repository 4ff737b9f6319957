import re
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from restores import tasks
from restores.models import Account, Instance, Project
from restores.sync import accounts, projects, scheduling
from restores.sync.accounts import load_accounts
from restores.sync.projects import sync_project
from tests.factories import make_account, make_project

pytestmark = pytest.mark.django_db(transaction=True)
EXTRA = """
projects = "discover"
interval = "1h"
customer = "Retail"
owner = "Platform team"
console_url = "https://console.example/{{instance_id}}"
iam_endpoint = "{url}"
"""


@pytest.fixture
def finder(simulator, settings):
    """The simulator's accounts, both of which leave it to us to discover their projects."""
    accounts = []
    for section in re.split(r"(?m)^(?=\[)", Path(settings.DCS_PROJECTS).read_text()):
        if section.startswith("[accounts."):
            section = re.sub(r"(?m)^iam_endpoint.*\n", "", section).rstrip()
            accounts.append(f"{section}\n{EXTRA.format(url=simulator.url)}")
    write(settings, *accounts)
    return simulator


def write(settings, *sections):
    """Write the projects file in a way that it is read again."""
    old = settings.DCS_PROJECTS
    settings.DCS_PROJECTS = f"{old}x"
    Path(settings.DCS_PROJECTS).write_text("\n".join(sections))


def find(now=None):
    return dict(accounts.discover(load_accounts(), now or datetime.now(UTC)))


def names():
    return set(Project.objects.monitored().values_list("name", flat=True))


def later(**time):
    return datetime.now(UTC) + timedelta(**time)


def listing(simulator, *projects):
    """Let IAM list these (id, name) pairs."""
    rows = [{"id": key, "name": name, "enabled": True} for key, name in projects]
    simulator.faults.clear()
    simulator.faults.add({"match": "/v3/projects", "kind": "answer", "body": {"projects": rows}})


def test_projects_are_discovered_with_name_region_and_the_accounts_settings(finder):
    assert find() == {"harbour": None, "lantern": None}

    world = {project.project_id: project.region for project in finder.world.projects}
    found = Project.objects.monitored()
    assert {p.project_id: (p.name, p.region) for p in found} == {
        key: (region, region) for key, region in world.items()
    }
    settings = {(p.interval, p.customer, p.owner, p.console_url_of("i-1")) for p in found}
    assert settings == {(3600, "Retail", "Platform team", "https://console.example/i-1")}


def test_discovered_projects_are_synced(finder):
    find()
    for project in Project.objects.all():
        assert sync_project(claimed(project), load_accounts()[project.account.name]) is None
    assert Instance.objects.count() == 24


def claimed(project):
    return scheduling.take_over_project(project, datetime.now(UTC))


def test_projects_are_discovered_again_once_per_hour_by_one_worker(finder):
    find()
    assert find() == find(later(minutes=59)) == {}
    assert set(find(later(minutes=61))) == {"harbour", "lantern"}


def test_the_tick_wakes_a_worker_for_discovery(finder, monkeypatch):
    woken = []
    for task in (tasks.discover_projects, tasks.sync_projects, tasks.sync_instances):
        monkeypatch.setattr(task, "delay", partial(woken.append, task.name))
    tasks.tick()
    tasks.discover_projects(), tasks.discover_projects()
    tasks.tick()
    assert woken == [tasks.discover_projects.name] + 6 * [tasks.sync_projects.name]


def test_a_project_that_disappears_is_no_longer_monitored_and_comes_back(finder):
    find()
    missing = Project.objects.filter(account__name="harbour").first()
    rest = Project.objects.filter(account__name="harbour").exclude(pk=missing.pk)
    listing(finder, *rest.values_list("project_id", "name"))
    Account.objects.filter(name="harbour").update(next_discovery_at=None)
    find()
    assert missing.name not in names() and len(names()) == 5
    finder.faults.clear()
    find(later(hours=2))
    assert missing.name in names()


def test_many_projects_that_disappear_at_once_stay_monitored_with_a_sync_error(finder):
    listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(20)))
    find()
    before = names()
    for few in (0, 3):
        listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(few)))
        errors = find(later(hours=few + 2))
        assert "missing from the list all at once" in errors["harbour"].message
    assert names() == before
    harbour = Account.objects.get(name="harbour")
    assert harbour.sync_error_kind == "discovery"


def test_a_failed_discovery_leaves_known_projects_monitored_and_is_retried_soon(finder):
    find()
    finder.faults.add({"match": "/v3/projects", "kind": "status", "status": 503})
    assert find(later(hours=2))["harbour"].kind == "unreachable"
    harbour = Account.objects.get(name="harbour")
    assert harbour.sync_error_kind == "discovery" and "HTTP 503" in harbour.sync_error_message
    assert len(names()) == 6
    project = Project.objects.filter(account=harbour).first()
    sync_project(claimed(project), load_accounts()["harbour"])
    project.refresh_from_db()
    assert project.sync_error_kind == ""
    assert project.instances.filter(sync_error_kind="").exists()
    harbour.refresh_from_db()
    assert harbour.sync_error_kind == "discovery"
    finder.faults.clear()
    assert "harbour" in find(later(hours=2, minutes=6))
    harbour.refresh_from_db()
    assert harbour.sync_error_kind == ""


def test_without_permission_to_list_all_projects_the_users_own_are_discovered(finder):
    finder.faults.add({"match": "/v3/projects", "kind": "status", "status": 403})
    assert find() == {"harbour": None, "lantern": None}
    assert len(names()) == 6


def test_a_rejected_login_counts_like_any_other(finder):
    finder.faults.add({"match": "/v3/", "kind": "status", "status": 401})
    find(), find(later(minutes=6))
    assert Account.objects.exclude(paused_until=None).count() == 2


def test_a_project_named_in_the_file_keeps_what_the_file_says(finder, settings):
    known = finder.world.projects[0]
    text = Path(settings.DCS_PROJECTS).read_text()
    named = f'[projects.mine]\naccount = "harbour"\nproject_id = "{known.project_id}"\n'
    write(settings, text, named + 'region = "eu-de"\ncustomer = "Named"\n')
    find()
    project = Project.objects.get(project_id=known.project_id)
    assert (project.name, project.customer, project.interval) == ("mine", "Named", 900)
    assert len(names()) == 6


def test_a_name_that_another_project_has_is_followed_by_the_account_name(finder):
    load_accounts()
    make_project("eu-de", account=make_account("other"))
    listing(finder, ("p-1", "eu-de"))
    find()
    assert names() == {"eu-de", "eu-de (harbour)"}


def test_a_file_without_discovery_retires_what_was_discovered(finder, settings):
    find()
    text = Path(settings.DCS_PROJECTS).read_text()
    remaining = re.sub(r"(?m)^(projects|interval|customer|owner|console_url) = .*\n", "", text)
    write(settings, re.sub(r"(?s)(\[accounts.harbour\].*?)iam_endpoint = \S+\n", r"\1", remaining))
    load_accounts()
    assert names() == set()
    assert Project.objects.count() == 6


def test_a_thousand_idle_projects_use_half_of_the_accounts_calls(finder):
    listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(1000)))
    find()
    project = Project.objects.filter(account__name="harbour").first()
    assert Project.objects.monitored().filter(account=project.account).count() == 1000
    for calls in (1, 2):
        pause = projects._pause(project, calls, 10).total_seconds()
        assert 1000 * calls / pause == 10 / 2
