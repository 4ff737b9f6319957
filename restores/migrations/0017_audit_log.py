"""Add the names, addresses and projects of events."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def find_usernames(apps, schema_editor):
    """Take the present names of the users of earlier events."""
    users = apps.get_model(settings.AUTH_USER_MODEL).objects.filter(pk=OuterRef("user_id"))
    events = apps.get_model("restores", "Event").objects.exclude(user=None)
    events.update(username=Subquery(users.values("username")))


class Migration(migrations.Migration):
    dependencies = [
        ("restores", "0016_console_urls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="address",
            field=models.CharField(blank=True, db_default="", default="", max_length=45),
        ),
        migrations.AddField(
            model_name="event",
            name="username",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
        migrations.RunPython(find_usernames, migrations.RunPython.noop),
        migrations.CreateModel(
            name="EventProject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="restores.event",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="restores.project",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="event",
            name="projects",
            field=models.ManyToManyField(
                related_name="+", through="restores.EventProject", to="restores.project"
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(models.F("at"), models.F("id"), name="event_at"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(models.F("what"), models.F("at"), models.F("id"), name="event_what"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("username"), models.F("at"), models.F("id"), name="event_username"
            ),
        ),
        migrations.AddConstraint(
            model_name="eventproject",
            constraint=models.UniqueConstraint(
                fields=("event", "project"), name="event_project_identity"
            ),
        ),
    ]
