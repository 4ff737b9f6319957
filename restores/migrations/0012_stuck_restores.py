"""Store from when a restore is possibly stuck; the next sync computes it."""

from django.db import migrations, models


def store_in_full(apps, schema_editor):
    """Let the next sync store every instance with a restore in progress, changed or not."""
    in_progress = apps.get_model("restores", "Restore").objects.filter(status_group="in_progress")
    instances = apps.get_model("restores", "Instance").objects
    instances.filter(pk__in=in_progress.values("instance")).update(digest="")


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0011_code_index"),
    ]

    operations = [
        migrations.AddField(
            model_name=model,
            name=name,
            field=models.DateTimeField(blank=True, null=True),
        )
        for model in ("observation", "restore")
        for name in ("unchanged_since", "stuck_at")
    ] + [migrations.RunPython(store_in_full, migrations.RunPython.noop)]
