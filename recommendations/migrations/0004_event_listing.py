import recommendations.terms
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0003_customer_consent_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventListing",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False, verbose_name="event id")),
                ("occurred_at", models.DateTimeField(verbose_name="occurred")),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("line", models.SmallIntegerField(verbose_name="line")),
                (
                    "name",
                    models.CharField(
                        choices=[
                            (recommendations.terms.EventName["VIEW_ITEM_LIST"], "List shown"),
                            (recommendations.terms.EventName["SELECT_ITEM"], "Clicked in a list"),
                            (recommendations.terms.EventName["VIEW_ITEM"], "Viewed"),
                            (recommendations.terms.EventName["SEARCH"], "Searched"),
                            (recommendations.terms.EventName["ADD_TO_CART"], "Put in the cart"),
                            (recommendations.terms.EventName["REMOVE_FROM_CART"], "Taken out of the cart"),
                            (recommendations.terms.EventName["BEGIN_CHECKOUT"], "Began checkout"),
                            (recommendations.terms.EventName["PURCHASE"], "Bought"),
                            (recommendations.terms.EventName["REFUND"], "Returned"),
                            (recommendations.terms.EventName["ADD_TO_WISHLIST"], "Put on the wish list"),
                            (recommendations.terms.EventName["SHARE"], "Shared"),
                            (recommendations.terms.EventName["RATE_ITEM"], "Rated"),
                            (recommendations.terms.EventName["DISLIKE_ITEM"], "Disliked"),
                            (recommendations.terms.EventName["FOLLOW"], "Followed"),
                            (recommendations.terms.EventName["VIEW_HOMEPAGE"], "Saw the home page"),
                        ],
                        max_length=20,
                        verbose_name="event",
                    ),
                ),
                ("quantity", models.IntegerField(null=True, verbose_name="quantity")),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="line total paid"),
                ),
                ("transaction_id", models.CharField(max_length=128, null=True, verbose_name="transaction")),
                ("source", models.CharField(max_length=20, verbose_name="source")),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "db_table": "recommendations_event",
                "ordering": ["-occurred_at", "-event_id", "-line"],
                "managed": False,
            },
        ),
    ]
