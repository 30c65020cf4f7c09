"""Table of the replay. A demo of version 0.1 has it already, with its row, and gets what jobs have."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState
from django.utils import timezone

STATUSES = [
    ("queued", "Waiting"), ("running", "Running"), ("succeeded", "Finished"), ("failed", "Failed"),
    ("cancelled", "Cancelled"), ("interrupted", "Interrupted"),
]


class CreateUnlessThere(migrations.CreateModel):
    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if table not in schema_editor.connection.introspection.table_names():
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("recommendations", "0002_version_0_2")]
    operations = [
        CreateUnlessThere(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(help_text="Purchases from here on were held back by the import.", verbose_name="from")),
                ("shift_weeks", models.IntegerField(verbose_name="moved by weeks")),
                ("households", models.PositiveIntegerField(null=True, verbose_name="households")),
                ("status", models.CharField(choices=STATUSES, default="queued", max_length=12, verbose_name="status")),
                ("baskets", models.PositiveIntegerField(default=0, verbose_name="baskets")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done")),
                ("already", models.PositiveIntegerField(default=0, verbose_name="done before this start")),
                ("events", models.PositiveIntegerField(default=0, verbose_name="events")),
                ("refused", models.PositiveIntegerField(default=0, verbose_name="lines refused")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("resumed_at", models.DateTimeField(null=True, verbose_name="started again")),
                ("heartbeat_at", models.DateTimeField(null=True, verbose_name="heard of")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("cancel_requested_at", models.DateTimeField(null=True, verbose_name="cancel asked for")),
                ("message", models.TextField(blank=True, verbose_name="message")),
                ("run", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="recommendations.run", verbose_name="the run that learned from it")),
            ],
            options={
                "verbose_name": "replay",
                "verbose_name_plural": "replays",
                "constraints": [models.UniqueConstraint(models.Value(1), name="one_replay")],
            },
        ),
        migrations.AddField("replay", "created_at", models.DateTimeField(auto_now_add=True, default=timezone.now, verbose_name="created"), preserve_default=False),
        migrations.AddField("replay", "peak_mb", models.PositiveIntegerField(null=True, verbose_name="peak memory, MB")),
        migrations.AddField("replay", "progress", models.FloatField(default=0, verbose_name="progress")),
        migrations.AddField("replay", "tries", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
        migrations.AlterField("replay", "heartbeat_at", models.DateTimeField(null=True, verbose_name="last heartbeat")),
        migrations.AddConstraint(
            "replay", models.CheckConstraint(condition=models.Q(status__in=[code for code, _ in STATUSES]), name="replay_status_is_known")
        ),
        migrations.AddConstraint(
            "replay", models.CheckConstraint(condition=models.Q(progress__gte=0, progress__lte=1), name="replay_progress_is_a_share")
        ),
    ]
