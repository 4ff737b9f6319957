"""Store the newest restore of each instance, and the owner of each project."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce


def find_last_restores(apps, schema_editor):
    """Take the newest restore of each instance, as a sync does from now on."""
    own = apps.get_model("restores", "Restore").objects.filter(instance=OuterRef("pk"))
    dated = own.exclude(created_at=None).order_by("-created_at", "-pk")
    undated = own.filter(created_at=None).order_by("-pk")

    def newest(field):
        return Coalesce(*(Subquery(rows.values(field)[:1]) for rows in (dated, undated)))

    apps.get_model("restores", "Instance").objects.update(
        last_restore_id=newest("restore_id"),
        last_restore_at=Subquery(dated.values("created_at")[:1]),
        last_status=newest("status"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0012_stuck_restores"),
    ]

    operations = [
        migrations.AddField(
            model_name="instance",
            name="last_restore_id",
            field=models.CharField(blank=True, max_length=128, null=True),
        ),
        migrations.AddField(
            model_name="instance",
            name="last_restore_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="instance",
            name="last_status",
            field=models.CharField(blank=True, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="project",
            name="owner",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.RunPython(find_last_restores, migrations.RunPython.noop),
    ]
