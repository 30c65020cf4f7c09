"""What every shop starts with: the blends, the placements, and partitions for the retention window and the next months."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BLENDS = ("home", "discover", "item", "cart")
# name, blend, bought before, needs an item
PLACEMENTS = (
    ("home", "home", "allow", False),
    ("discover", "discover", "exclude", False),
    ("buy_again", "home", "only", False),
    ("item", "item", "allow", True),
    ("also_bought", "cart", "allow", True),
    ("cart", "cart", "allow", True),
    ("trending", None, "allow", False),
)
PARTITIONS = """
DO $$
DECLARE parent text; first date;
BEGIN
  FOREACH parent IN ARRAY ARRAY['recommendations_event', 'recommendations_slate'] LOOP
    FOR ahead IN -25..2 LOOP
      first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date;
      EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        parent || to_char(first, '_"y"YYYY"m"MM'), parent,
        first || ' 00:00+00', (first + interval '1 month')::date || ' 00:00+00');
    END LOOP;
  END LOOP;
END $$
"""


def furnish(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    blend_model = apps.get_model("recommendations", "Blend")
    placement_model = apps.get_model("recommendations", "Placement")
    blends = {name: blend_model.objects.create(name=name) for name in BLENDS}
    for name, blend, repeat, needs_context in PLACEMENTS:
        placement_model.objects.create(
            name=name, blend=blends[blend] if blend else None, repeat=repeat, needs_context=needs_context
        )


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0001_initial")]
    operations = [
        migrations.RunSQL(PARTITIONS, migrations.RunSQL.noop),
        migrations.RunPython(furnish, migrations.RunPython.noop),
    ]
