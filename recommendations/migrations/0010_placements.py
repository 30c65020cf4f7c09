"""Placements that show a part of the shop, and e-mail; staff may give each a diversity of its own."""

import django.core.validators
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# name, part of the shop, needs an item, items shown, diversity, explores
PLACEMENTS = (
    ("category", "category", True, 20, None, True),
    ("search", "found", False, 20, None, False),
    ("new", "newest", False, 20, None, True),
    ("email", "whole", False, 6, 0.3, False),
)


def furnish(apps: Apps, _editor: BaseDatabaseSchemaEditor | None) -> None:
    """They rank by the blend of the home page; what was bought before is allowed."""
    home = apps.get_model("recommendations", "Blend").objects.get(name="home")
    placement_model = apps.get_model("recommendations", "Placement")
    for name, part, needs_context, n, diversity, explores in PLACEMENTS:
        placement_model.objects.create(
            name=name, blend=home, repeat="allow", part=part, needs_context=needs_context, n=n, diversity=diversity,
            explores=explores,
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0009_blend_last_number")]

    operations = [
        migrations.AddField(
            model_name="placement",
            name="part",
            field=models.CharField(
                choices=[
                    ("whole", "All of it"),
                    ("category", "A category"),
                    ("found", "What a search found"),
                    ("newest", "The newest items"),
                ],
                default="whole",
                max_length=8,
                verbose_name="part of the shop",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="diversity",
            field=models.FloatField(
                blank=True,
                help_text="Empty: as the weights of the blend have it.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(1),
                ],
                verbose_name="diversity",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="explores",
            field=models.BooleanField(
                default=True,
                help_text="The last slots may show something from further down, as often as the weights say.",
                verbose_name="explores",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(part__in=["whole", "category", "found", "newest"]), name="placement_part_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(diversity__gte=0, diversity__lte=1), name="placement_diversity_is_a_share"
            ),
        ),
        migrations.RunPython(furnish, migrations.RunPython.noop),
    ]
