"""Events as they come: quantities with decimals, views of the cart, what is ignored, what waits for its item."""

import django.db.models.functions
from django.db import migrations, models

EVENT_NAMES = [
    ("view_item_list", "List shown"), ("select_item", "Clicked in a list"), ("view_item", "Viewed"),
    ("search", "Searched"), ("add_to_cart", "Added to cart"), ("remove_from_cart", "Removed from cart"),
    ("begin_checkout", "Began checkout"), ("purchase", "Bought"), ("refund", "Returned"),
    ("add_to_wishlist", "Wishlisted"), ("share", "Shared"), ("rate_item", "Rated"), ("dislike_item", "Disliked"),
    ("follow", "Followed"), ("view_homepage", "Viewed home page"), ("view_cart", "Viewed cart"),
]  # fmt: skip


def name_field() -> models.CharField:
    return models.CharField(choices=EVENT_NAMES, max_length=20, verbose_name="event")


def quantity_field() -> models.DecimalField:
    return models.DecimalField(decimal_places=3, max_digits=10, null=True, verbose_name="quantity")


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0003_version_0_3")]

    operations = [
        migrations.RemoveConstraint("event", "event_name_is_known"),
        migrations.AlterField("event", "name", name_field()),
        migrations.AlterField("attributedline", "name", name_field()),
        migrations.AddConstraint(
            "event",
            models.CheckConstraint(
                condition=models.Q(name__in=[name for name, _label in EVENT_NAMES]), name="event_name_is_known"
            ),
        ),
        migrations.AlterField("event", "quantity", quantity_field()),
        migrations.AlterField("attributedline", "quantity", quantity_field()),
        migrations.AddField(
            "sourcehour",
            "ignored",
            models.PositiveIntegerField(
                default=0, db_default=0, help_text="Events with names that nothing is learned from.",
                verbose_name="ignored",
            ),
        ),
        migrations.AddField(
            "sourcehour",
            "waiting",
            models.PositiveIntegerField(
                default=0, db_default=0, help_text="Lines of items that were not in the catalogue.",
                verbose_name="waiting",
            ),
        ),
        migrations.CreateModel(
            "WaitingLine",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("occurred_at", models.DateTimeField(verbose_name="occurred")),
                ("event_id", models.UUIDField(verbose_name="event id")),
                ("line", models.SmallIntegerField(verbose_name="line")),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.Now(), verbose_name="received"),
                ),
                ("shop_id", models.CharField(max_length=128, verbose_name="item id")),
                ("customer_id", models.BigIntegerField(null=True, verbose_name="customer")),
                ("key_id", models.IntegerField(null=True, verbose_name="API key")),
                ("sent", models.JSONField(verbose_name="line as sent")),
            ],
            {
                "verbose_name": "waiting line",
                "verbose_name_plural": "waiting lines",
                "indexes": [
                    models.Index(fields=["shop_id"], name="waiting_for_item"),
                    models.Index(fields=["key_id"], name="waiting_of_key"),
                    models.Index(fields=["customer_id"], name="waiting_of_customer"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["event_id", "occurred_at", "line"], name="a_line_waits_once"),
                ],
            },
        ),
    ]  # fmt: skip
