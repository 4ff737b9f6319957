"""Where the instances of a project are in the provider's console."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0014_last_restores_and_owners"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="console_url",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
    ]
