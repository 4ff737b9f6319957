import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restores import tasks
from restores.models import Account, Instance, Project
from restores.sync import accounts, projects, scheduling
from restores.sync.accounts import current_clouds
from restores.sync.projects import look_at_project
from tests.factories import make_account, make_project

pytestmark = pytest.mark.django_db(transaction=True)
EXTRA = 'projects = "discover"\ninterval = "1h"\ncustomer = "Retail"\niam_endpoint = "{url}"\n'


@pytest.fixture
def finder(simulator, settings):
    """The simulator's accounts, both of which leave it to us to find their projects."""
    accounts = []
    for section in re.split(r"(?m)^(?=\[)", Path(settings.DCS_PROJECTS).read_text()):
        if section.startswith("[accounts."):
            section = re.sub(r"(?m)^iam_endpoint.*\n", "", section).rstrip()
            accounts.append(f"{section}\n{EXTRA.format(url=simulator.url)}")
    write(settings, *accounts)
    return simulator


def write(settings, *sections):
    """Write the projects file, so that it is read anew."""
    old = settings.DCS_PROJECTS
    settings.DCS_PROJECTS = f"{old}x"
    Path(settings.DCS_PROJECTS).write_text("\n".join(sections))


def find(now=None):
    return dict(accounts.discover(current_clouds(), now or datetime.now(UTC)))


def names():
    return set(Project.objects.monitored().values_list("name", flat=True))


def later(**time):
    return datetime.now(UTC) + timedelta(**time)


def listing(simulator, *projects):
    """Let IAM list these (id, name) pairs."""
    rows = [{"id": key, "name": name, "enabled": True} for key, name in projects]
    simulator.faults.clear()
    simulator.faults.add({"match": "/v3/projects", "kind": "answer", "body": {"projects": rows}})


def test_projects_are_found_with_name_region_and_the_account_s_interval_and_customer(finder):
    assert find() == {"harbour": None, "lantern": None}

    world = {project.project_id: project.region for project in finder.world.projects}
    found = Project.objects.monitored()
    assert {p.project_id: (p.name, p.region) for p in found} == {
        key: (region, region) for key, region in world.items()
    }
    assert {(p.interval, p.customer) for p in found} == {(3600, "Retail")}


def test_what_was_found_is_synced_at(finder):
    find()
    for project in Project.objects.all():
        assert look_at_project(project_of(project), current_clouds()[project.account.name]) is None
    assert Instance.objects.count() == 24


def project_of(project):
    return scheduling.take(project, datetime.now(UTC))


def test_projects_are_found_again_once_per_hour_by_one_worker(finder):
    find()
    assert find() == find(later(minutes=59)) == {}
    assert set(find(later(minutes=61))) == {"harbour", "lantern"}


def test_the_tick_rings_for_projects_to_be_found(finder, monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.project_discovery, "apply_async", lambda **_: rung.append(1))
    tasks.tick()
    tasks.project_discovery(), tasks.project_discovery()
    tasks.tick()
    assert (rung, len(names())) == ([1], 6)


def test_a_project_that_vanishes_is_no_longer_watched_and_comes_back(finder):
    find()
    gone = Project.objects.filter(account__name="harbour").first()
    rest = Project.objects.filter(account__name="harbour").exclude(pk=gone.pk)
    listing(finder, *rest.values_list("project_id", "name"))
    Account.objects.filter(name="harbour").update(next_discovery_at=None)
    find()
    assert gone.name not in names() and len(names()) == 5
    finder.faults.clear()
    find(later(hours=2))
    assert gone.name in names()


def test_many_that_vanish_at_once_stay_watched_with_a_fault(finder):
    listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(20)))
    find()
    before = names()
    for few in (0, 3):
        listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(few)))
        faults = find(later(hours=few + 2))
        assert "missing from the list all at once" in faults["harbour"].message
    assert names() == before
    harbour = Account.objects.get(name="harbour")
    assert harbour.sync_error_kind == "discovery"


def test_a_failure_leaves_what_is_known_watched_and_healthy_and_is_tried_again_soon(finder):
    find()
    finder.faults.add({"match": "/v3/projects", "kind": "status", "status": 503})
    assert find(later(hours=2))["harbour"].kind == "unreachable"
    harbour = Account.objects.get(name="harbour")
    assert harbour.sync_error_kind == "discovery" and "HTTP 503" in harbour.sync_error_message
    assert len(names()) == 6
    project = Project.objects.filter(account=harbour).first()
    look_at_project(project_of(project), current_clouds()["harbour"])
    assert Instance.objects.healthy().filter(project=project).exists()
    harbour.refresh_from_db()
    assert harbour.sync_error_kind == "discovery"
    finder.faults.clear()
    assert "harbour" in find(later(hours=2, minutes=6))
    harbour.refresh_from_db()
    assert harbour.sync_error_kind == ""


def test_without_the_right_to_list_all_projects_one_s_own_are_found(finder):
    finder.faults.add({"match": "/v3/projects", "kind": "status", "status": 403})
    assert find() == {"harbour": None, "lantern": None}
    assert len(names()) == 6


def test_a_refused_login_counts_like_any_other_refusal(finder):
    finder.faults.add({"match": "/v3/", "kind": "status", "status": 401})
    find(), find(later(minutes=6))
    assert Account.objects.exclude(paused_until=None).count() == 2


def test_a_project_that_the_file_names_keeps_what_the_file_says(finder, settings):
    known = finder.world.projects[0]
    text = Path(settings.DCS_PROJECTS).read_text()
    named = f'[projects.mine]\naccount = "harbour"\nproject_id = "{known.project_id}"\n'
    write(settings, text, named + 'region = "eu-de"\ncustomer = "Named"\n')
    find()
    project = Project.objects.get(project_id=known.project_id)
    assert (project.name, project.customer, project.interval) == ("mine", "Named", 900)
    assert len(names()) == 6


def test_a_name_that_another_project_has_is_followed_by_the_account_s(finder):
    current_clouds()
    make_project("eu-de", account=make_account("other"))
    listing(finder, ("p-1", "eu-de"))
    find()
    assert names() == {"eu-de", "eu-de (harbour)"}


def test_a_file_without_discover_retires_what_was_found(finder, settings):
    find()
    text = Path(settings.DCS_PROJECTS).read_text()
    kept = re.sub(r"(?m)^(projects|interval|customer) = .*\n", "", text)
    write(settings, re.sub(r"(?s)(\[accounts.harbour\].*?)iam_endpoint = \S+\n", r"\1", kept))
    current_clouds()
    assert names() == set()
    assert Project.objects.count() == 6


def test_a_thousand_idle_projects_use_half_of_the_account_s_calls(finder):
    listing(finder, *((f"p-{number}", f"eu-de_{number}") for number in range(1000)))
    find()
    project = Project.objects.filter(account__name="harbour").first()
    assert Project.objects.monitored().filter(account=project.account).count() == 1000
    for calls in (1, 2):
        pause = projects._pause(project, calls, 10).total_seconds()
        assert 1000 * calls / pause == 10 / 2
