"""Index error codes regardless of case, and backups by their id."""

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0010_former_projects_and_id_case"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="restore",
            index=models.Index(
                Lower("error_code"),
                condition=models.Q(("error_code", ""), _negated=True),
                name="restore_code_like",
            ),
        ),
        migrations.AddIndex(
            model_name="backup",
            index=models.Index(Lower("backup_id"), name="backup_id_lower"),
        ),
    ]
