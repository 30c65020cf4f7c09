"""The field's words for the tables of version 0.1 (a turn is a run), searches for weights, and what a new shop starts with."""

import uuid

from django.apps.registry import Apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BLENDS = ("home", "discover", "item", "cart", "session")
# name, blend, bought before, needs an item, part of the shop, items shown, diversity, explores
PLACEMENTS = (
    ("home", "home", "allow", False, "whole", 20, None, True),
    ("discover", "discover", "exclude", False, "whole", 20, None, True),
    ("buy_again", "home", "only", False, "whole", 20, None, True),
    ("item", "item", "allow", True, "whole", 20, None, True),
    ("also_bought", "cart", "allow", True, "whole", 20, None, True),
    ("cart", "cart", "allow", True, "whole", 20, None, True),
    ("trending", None, "allow", False, "whole", 20, None, True),
    ("category", "home", "allow", True, "category", 20, None, True),
    ("search", "home", "allow", False, "found", 20, None, False),
    ("new", "home", "allow", False, "newest", 20, None, True),
    ("email", "home", "allow", False, "whole", 6, 0.3, False),
)
STATUSES = [
    ("queued", "Waiting"), ("running", "Running"), ("succeeded", "Finished"), ("failed", "Failed"),
    ("cancelled", "Cancelled"), ("interrupted", "Interrupted"),
]
OBJECTS = {"turn": "run", "verdict": "judgement"}
"""What the audit trail called objects that have another name now."""


def furnish(apps: Apps, editor: BaseDatabaseSchemaEditor | None) -> None:
    """The blends, and the placements that rank by them, where there are none yet."""
    alias = editor.connection.alias if editor else DEFAULT_DB_ALIAS
    known = apps.get_model("recommendations", "Blend").objects.using(alias)
    if known.exists():
        return
    blends = {name: known.create(name=name) for name in BLENDS}
    placements = apps.get_model("recommendations", "Placement").objects.using(alias)
    for name, blend, repeat, needs_context, scope, n, diversity, explores in PLACEMENTS:
        placements.create(
            name=name, blend=blends[blend] if blend else None, repeat=repeat, needs_context=needs_context, scope=scope,
            n=n, diversity=diversity, explores=explores,
        )  # fmt: skip


def reword(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    entries = apps.get_model("recommendations", "AuditEntry").objects.using(editor.connection.alias)
    for before, after in OBJECTS.items():
        entries.filter(object_type=before).update(object_type=after)
    stages = apps.get_model("recommendations", "RunStage").objects.using(editor.connection.alias)
    stages.filter(stage="recommend").update(stage="train")


def hand_over_replay(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """The replay goes to the app of the demo, with its row; a shop that is no demo keeps no table of it."""
    if "recommendations_replay" not in editor.connection.introspection.table_names():
        return
    if not settings.DEMO:
        editor.execute("DROP TABLE recommendations_replay")
        return
    editor.execute("ALTER TABLE recommendations_replay RENAME COLUMN turn_id TO run_id")
    editor.execute("ALTER TABLE recommendations_replay RENAME TO demo_replay")
    editor.execute("ALTER SEQUENCE recommendations_replay_id_seq RENAME TO demo_replay_id_seq")


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0001_version_0_1")]
    operations = [
        migrations.RemoveConstraint("turn", "turn_status_is_known"),
        migrations.RemoveConstraint("turn", "turn_progress_is_a_share"),
        migrations.RemoveConstraint("turnstage", "stage_once_per_turn_and_cut"),
        migrations.RemoveConstraint("measurement", "measured_once_per_run"),
        migrations.RemoveConstraint("verdict", "one_verdict_of_each"),
        migrations.RemoveConstraint("verdict", "judgement_is_known"),
        migrations.RemoveConstraint("placement", "placement_part_is_known"),
        migrations.RenameModel("Turn", "Run"),
        migrations.RenameModel("TurnStage", "RunStage"),
        migrations.RenameModel("TurnLogLine", "RunLogLine"),
        migrations.RenameModel("EvaluationRun", "Evaluation"),
        migrations.RenameModel("Verdict", "Judgement"),
        migrations.RenameField("runstage", "turn", "run"),
        migrations.RenameField("runlogline", "turn", "run"),
        migrations.RenameField("modelversion", "turn", "run"),
        migrations.RenameField("measurement", "run", "evaluation"),
        migrations.RenameField("judgement", "judgement", "kind"),
        migrations.RenameField("placement", "part", "scope"),
        migrations.AlterModelOptions(
            "runstage", {"ordering": ["run", "position"], "verbose_name": "stage of a run", "verbose_name_plural": "stages of runs"}
        ),
        migrations.AlterModelOptions(
            "runlogline", {"ordering": ["run", "id"], "verbose_name": "log line", "verbose_name_plural": "log lines"}
        ),
        migrations.AddConstraint(
            "run",
            models.CheckConstraint(
                condition=models.Q(status__in=["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]),
                name="run_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            "run", models.CheckConstraint(condition=models.Q(progress__gte=0, progress__lte=1), name="run_progress_is_a_share")
        ),
        migrations.AddConstraint(
            "runstage", models.UniqueConstraint(fields=["run", "stage", "cut"], name="stage_once_per_run_and_cut")
        ),
        migrations.AddConstraint(
            "measurement", models.UniqueConstraint(fields=["evaluation", "name"], name="measured_once_per_evaluation")
        ),
        migrations.AddConstraint(
            "judgement",
            models.UniqueConstraint(
                fields=["customer", "item", "placement", "staff"], name="one_judgement_of_each", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            "judgement",
            models.CheckConstraint(condition=models.Q(kind__in=["good", "odd", "wrong"]), name="judgement_is_known"),
        ),
        migrations.AddConstraint(
            "placement",
            models.CheckConstraint(
                condition=models.Q(scope__in=["whole", "category", "found", "newest"]), name="placement_scope_is_known"
            ),
        ),
        migrations.CreateModel(
            "WeightSearch",
            [
                ("status", models.CharField(choices=STATUSES, default="queued", max_length=12, verbose_name="status")),
                ("progress", models.FloatField(default=0, verbose_name="progress")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("heartbeat_at", models.DateTimeField(null=True, verbose_name="last heartbeat")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("cancel_requested_at", models.DateTimeField(null=True, verbose_name="cancel asked for")),
                ("message", models.TextField(blank=True, verbose_name="message")),
                ("peak_mb", models.PositiveIntegerField(null=True, verbose_name="peak memory, MB")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("request", models.JSONField(help_text="Values to begin with, locks, and limits.", verbose_name="asked for")),
                ("result", models.JSONField(default=dict, verbose_name="found")),
                ("blend", models.ForeignKey(on_delete=models.CASCADE, related_name="+", to="recommendations.blend", verbose_name="blend")),
                ("segment", models.ForeignKey(null=True, on_delete=models.CASCADE, related_name="+", to="recommendations.segment", verbose_name="segment")),
                ("started_by", models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="started by")),
            ],
            options={
                "verbose_name": "search for weights",
                "verbose_name_plural": "searches for weights",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(condition=models.Q(status__in=[code for code, _ in STATUSES]), name="weightsearch_status_is_known"),
                    models.CheckConstraint(condition=models.Q(progress__gte=0, progress__lte=1), name="weightsearch_progress_is_a_share"),
                ],
            },
        ),
        migrations.RunPython(reword, migrations.RunPython.noop),
        migrations.RunPython(hand_over_replay, migrations.RunPython.noop),
        migrations.RunPython(furnish, migrations.RunPython.noop),
    ]
