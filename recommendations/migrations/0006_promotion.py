import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0005_customer_objects"),
    ]

    operations = [
        migrations.AlterField(
            model_name="import",
            name="kind",
            field=models.CharField(
                choices=[("items", "Items"), ("events", "Events"), ("promotions", "Promotions")],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Promotion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "week",
                    models.DateField(
                        help_text="Its first day; all weeks of the shop start on the same weekday.",
                        verbose_name="week",
                    ),
                ),
                (
                    "display",
                    models.FloatField(
                        default=0,
                        help_text="Share of the stores that display the item.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="display",
                    ),
                ),
                (
                    "mailer",
                    models.FloatField(
                        default=0,
                        help_text="Share of the stores whose leaflet shows the item.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="leaflet",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="promotions",
                        to="recommendations.item",
                        verbose_name="item",
                    ),
                ),
            ],
            options={
                "verbose_name": "promotion",
                "verbose_name_plural": "promotions",
                "indexes": [models.Index(fields=["-week", "item"], name="promotion_week_item")],
                "constraints": [
                    models.UniqueConstraint(fields=("item", "week"), name="item_is_promoted_once_a_week"),
                    models.CheckConstraint(
                        condition=models.Q(("display__gte", 0), ("display__lte", 1)),
                        name="promotion_display_is_a_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mailer__gte", 0), ("mailer__lte", 1)),
                        name="promotion_mailer_is_a_share",
                    ),
                ],
            },
        ),
    ]
