"""Variants of a product have one tile, but where the shop's own search says what there is."""

from typing import Any

from django.db import migrations, models


def each_that_was_found(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("recommendations", "Placement").objects.filter(scope="found").update(variants="each")


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0004_version_0_4_events")]

    operations = [
        migrations.AddField(
            "placement",
            "variants",
            models.CharField(
                choices=[("one", "One tile per product"), ("each", "A tile for each variant")], default="one",
                db_default="one",
                help_text="Items with the same parent are one product; its tile is the variant that ranks best, or is "
                "pinned.",
                max_length=4, verbose_name="variants",
            ),
        ),
        migrations.RunPython(each_that_was_found, migrations.RunPython.noop),
        migrations.AddConstraint(
            "placement",
            models.CheckConstraint(
                condition=models.Q(variants__in=["one", "each"]), name="placement_variants_is_known"
            ),
        ),
    ]  # fmt: skip
