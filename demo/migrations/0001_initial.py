"""Table of the replay. In a demo of before it had an app of its own it is there already, with its row."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

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
    ]
