"""The state of a project is what its instances and restores say, after every sync."""

from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from restores.models import Instance, ProjectState
from restores.sync import scheduling
from restores.sync.accounts import load_accounts
from restores.sync.instances import sync_instances
from simulator.restores import Scenario

pytestmark = pytest.mark.django_db(transaction=True)


def counted(project):
    """What the state should be, without the change number."""
    return Instance.objects.filter(project=project).sync_counts()


def change_numbers():
    return dict(ProjectState.objects.values_list("project_id", "change_number"))


def sync_again(instance):
    claimed = scheduling.claim_selected([instance.pk], datetime.now(UTC))
    return list(sync_instances(claimed, load_accounts()[claimed[0].project.account.name]))


def test_every_project_has_a_state_that_counts_its_instances(simulator):
    call_command("sync")
    projects = ProjectState.objects.values_list("project_id", flat=True)
    assert len(projects) == len(simulator.world.projects)
    for project in projects:
        fields = counted(project)
        assert ProjectState.objects.filter(project=project).values(*fields).get() == fields
        assert fields["never_synced_count"] == 0


def test_a_failed_sync_is_counted_at_the_end_of_its_batch(simulator):
    call_command("sync")
    instance = Instance.objects.monitored().first()
    body = {"error_code": "DCS.5079", "error_msg": "as the test said"}
    simulator.faults.add(
        {
            "match": f"{instance.instance_id}/restores",
            "kind": "status",
            "status": 500,
            "body": body,
        }
    )
    sync_again(instance)
    assert ProjectState.objects.get(project=instance.project_id).sync_error_count == 1


def test_a_new_restore_changes_the_number_of_its_project_and_no_other(simulator):
    call_command("sync")
    before = change_numbers()
    instance = Instance.objects.monitored().first()
    world = next(i for i in simulator.world.instances if i.instance_id == instance.instance_id)
    simulator.world.start_restore(world, simulator.clock(), Scenario(waiting=600, seconds=300))

    sync_again(instance)

    changed = {key for key, number in change_numbers().items() if number != before[key]}
    assert changed == {instance.project_id}


def test_an_unchanged_response_leaves_the_number_alone(simulator):
    call_command("sync")
    instance = Instance.objects.monitored().exclude(digest="").first()
    before = change_numbers()
    sync_again(instance)
    assert change_numbers() == before


def test_a_renamed_instance_changes_the_number(simulator):
    call_command("sync")
    before = change_numbers()
    instance = Instance.objects.monitored().first()
    Instance.objects.filter(pk=instance.pk).update(name="a former name")
    call_command("sync")
    assert change_numbers()[instance.project_id] > before[instance.project_id]
