"""Observe times, too; existing observations get the times of their restores."""

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery


def observe_present_times(apps, schema_editor):
    """Give each observation its restore's creation, and those of the final status its end."""
    observations = apps.get_model("restores", "Observation").objects
    restores = apps.get_model("restores", "Restore").objects.filter(pk=OuterRef("restore"))
    observations.update(created_at=Subquery(restores.values("created_at")))
    final = observations.filter(status__in=["succeed", "failed"], restore__status=F("status"))
    final.update(
        ended_at=Subquery(restores.values("ended_at")),
        duration=Subquery(restores.values("duration")),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0003_instance_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="observation",
            name="created_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="observation",
            name="duration",
            field=models.FloatField(blank=True, help_text="seconds", null=True),
        ),
        migrations.AddField(
            model_name="observation",
            name="ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(observe_present_times, migrations.RunPython.noop),
    ]
