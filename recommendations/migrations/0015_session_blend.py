"""The blend of visits. Where other blends have weights already it starts with the preset; else the first turn sets all."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

NAME = "session"
WEIGHTS = {
    "session_knn": 0.30,
    "also_bought": 0.25,
    "popularity_home": 0.25,
    "item_knn_context": 0.10,
    "content_context": 0.10,
}
CHOICES = [
    ("home", "For you"),
    ("discover", "Discover"),
    ("item", "Similar items"),
    ("cart", "Completes the basket"),
    ("session", "Session"),
]


def furnish(apps: Apps, _editor: BaseDatabaseSchemaEditor | None) -> None:
    weights_model = apps.get_model("recommendations", "BlendWeights")
    blend = apps.get_model("recommendations", "Blend").objects.create(name=NAME)
    if not weights_model.objects.filter(is_default=True).exists():
        return
    weights_model.objects.create(
        blend=blend, number=1, weights=WEIGHTS, status="published", is_default=True, reason="Shipped preset",
        published_at=timezone.now(),
    )  # fmt: skip
    blend.last_number = 1
    blend.save(update_fields=["last_number"])


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0014_alias_changed")]
    operations = [
        migrations.AlterField(
            model_name="blend",
            name="name",
            field=models.CharField(choices=CHOICES, max_length=20, unique=True, verbose_name="name"),
        ),
        migrations.RunPython(furnish, migrations.RunPython.noop),
    ]
