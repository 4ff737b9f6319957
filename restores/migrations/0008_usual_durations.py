"""Store how long restores of an instance usually take; computed for those we have."""

from statistics import quantiles

from django.db import migrations, models

RECENT, MIN_HISTORY = 30, 3


def compute_usual_durations(apps, schema_editor):
    """Take the newest successes of each instance, as a sync does from now on."""
    restores = apps.get_model("restores", "Restore").objects
    instances = apps.get_model("restores", "Instance").objects
    for key in instances.values_list("pk", flat=True):
        rows = restores.filter(instance=key, status_group="succeeded", created_at__isnull=False)
        newest = rows.filter(duration__gt=0).order_by("-created_at")
        durations = list(newest.values_list("duration", flat=True)[:RECENT])
        if len(durations) >= MIN_HISTORY:
            p10, *_, p90 = quantiles(durations, n=10, method="inclusive")
            instances.filter(pk=key).update(
                usual_p10=round(p10), usual_p90=round(p90), usual_count=len(durations)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0007_count_failed_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="instance",
            name="usual_p10",
            field=models.PositiveBigIntegerField(blank=True, help_text="seconds", null=True),
        ),
        migrations.AddField(
            model_name="instance",
            name="usual_p90",
            field=models.PositiveBigIntegerField(blank=True, help_text="seconds", null=True),
        ),
        migrations.AddField(
            model_name="instance",
            name="usual_count",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(compute_usual_durations, migrations.RunPython.noop),
    ]
