"""Add the state of each project, counted from the existing instances."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Count, Min, Q

SYNCED = Q(instances__deleted_at=None, instances__single_node=False)
HEALTHY = SYNCED & Q(instances__sync_error_kind="")


def count_instances(apps, schema_editor):
    """Create the rows of existing projects; the sync keeps them up to date from then on."""
    never_synced = Q(instances__complete_to=None)
    counts = {
        "instance_count": Count("instances", filter=SYNCED),
        "single_node_count": Count(
            "instances", filter=Q(instances__deleted_at=None, instances__single_node=True)
        ),
        "sync_error_count": Count("instances", filter=SYNCED & ~Q(instances__sync_error_kind="")),
        "never_synced_count": Count("instances", filter=SYNCED & never_synced),
        "healthy_never_synced_count": Count("instances", filter=HEALTHY & never_synced),
        "oldest_complete_to": Min("instances__complete_to", filter=SYNCED),
        "healthy_oldest_complete_to": Min("instances__complete_to", filter=HEALTHY),
    }
    projects = apps.get_model("restores", "Project").objects
    apps.get_model("restores", "ProjectState").objects.bulk_create(
        apps.get_model("restores", "ProjectState")(project_id=row.pop("pk"), **row)
        for row in projects.values("pk").annotate(**counts)
    )


class Migration(migrations.Migration):
    dependencies = [("restores", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ProjectState",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="restores.project",
                    ),
                ),
                ("change_number", models.PositiveBigIntegerField(default=0)),
                ("instance_count", models.PositiveIntegerField(default=0)),
                ("single_node_count", models.PositiveIntegerField(default=0)),
                ("sync_error_count", models.PositiveIntegerField(default=0)),
                ("never_synced_count", models.PositiveIntegerField(default=0)),
                ("healthy_never_synced_count", models.PositiveIntegerField(default=0)),
                ("oldest_complete_to", models.DateTimeField(blank=True, null=True)),
                ("healthy_oldest_complete_to", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RunPython(count_instances, migrations.RunPython.noop),
    ]
