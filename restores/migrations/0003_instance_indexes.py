"""Drop the indexes that project states have replaced; index sync errors and deleted instances."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0002_project_state"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="instance",
            name="instance_proven",
        ),
        migrations.RemoveIndex(
            model_name="instance",
            name="instance_lacking",
        ),
        migrations.AddIndex(
            model_name="instance",
            index=models.Index(
                models.F("project"),
                models.F("name"),
                models.F("id"),
                condition=models.Q(("sync_error_kind", ""), _negated=True),
                name="instance_sync_error",
            ),
        ),
        migrations.AddIndex(
            model_name="instance",
            index=models.Index(
                models.F("deleted_at"),
                condition=models.Q(("deleted_at__isnull", False)),
                name="instance_deleted",
            ),
        ),
    ]
