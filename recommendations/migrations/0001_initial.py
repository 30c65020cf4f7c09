import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import recommendations.terms
from recommendations.models.partitioned import CreatePartitionedModel


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name="Blend",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[
                            (recommendations.terms.BlendName["HOME"], "For you"),
                            (recommendations.terms.BlendName["DISCOVER"], "Discover"),
                            (recommendations.terms.BlendName["ITEM"], "Similar items"),
                            (recommendations.terms.BlendName["CART"], "Completes the basket"),
                        ],
                        max_length=20,
                        unique=True,
                        verbose_name="name",
                    ),
                ),
                (
                    "automatic",
                    models.BooleanField(
                        default=False,
                        help_text="A turn makes its own result the default, without asking.",
                        verbose_name="automatic",
                    ),
                ),
            ],
            options={
                "verbose_name": "blend",
                "verbose_name_plural": "blends",
            },
        ),
        migrations.CreateModel(
            name="EvaluationRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cut",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Cut["TUNING"], "Tuning"),
                            (recommendations.terms.Cut["TEST"], "Test"),
                            (recommendations.terms.Cut["LIVE"], "Live"),
                        ],
                        max_length=8,
                        verbose_name="cut",
                    ),
                ),
                (
                    "task",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Task["HOME"], "Next purchases"),
                            (recommendations.terms.Task["DISCOVER"], "First-time purchases"),
                        ],
                        max_length=10,
                        verbose_name="task",
                    ),
                ),
                ("window_start", models.DateTimeField(verbose_name="window from")),
                ("window_end", models.DateTimeField(verbose_name="window until")),
                ("users", models.PositiveIntegerField(verbose_name="customers")),
                ("seed", models.IntegerField(verbose_name="seed")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "evaluation",
                "verbose_name_plural": "evaluations",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("items", "Items"), ("events", "Events")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("file", models.CharField(max_length=300, verbose_name="file")),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished"), ("failed", "Failed")],
                        default="running",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("started_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("rows", models.PositiveIntegerField(default=0, verbose_name="rows")),
                ("kept", models.PositiveIntegerField(default=0, verbose_name="kept")),
                ("duplicates", models.PositiveIntegerField(default=0, verbose_name="already there")),
                ("rejected", models.PositiveIntegerField(default=0, verbose_name="rejected")),
                ("reasons", models.JSONField(default=dict, verbose_name="rejected by reason")),
                ("message", models.TextField(blank=True, verbose_name="message")),
            ],
            options={
                "verbose_name": "import",
                "verbose_name_plural": "imports",
                "ordering": ["-started_at"],
            },
        ),
        migrations.CreateModel(
            name="ModelVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            (recommendations.terms.VersionStatus["BUILDING"], "Being built"),
                            (recommendations.terms.VersionStatus["READY"], "Ready"),
                            (recommendations.terms.VersionStatus["DISCARDED"], "Discarded"),
                        ],
                        default=recommendations.terms.VersionStatus["BUILDING"],
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("is_live", models.BooleanField(default=False, verbose_name="live")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("live_since", models.DateTimeField(null=True, verbose_name="live since")),
                (
                    "windows",
                    models.JSONField(
                        default=dict,
                        help_text="End of the history per cut, and the days after it.",
                        verbose_name="cuts",
                    ),
                ),
                (
                    "instances",
                    models.JSONField(
                        default=dict, help_text="Configuration of every instance.", verbose_name="recommenders"
                    ),
                ),
                ("event_weights", models.JSONField(default=dict, verbose_name="event weights")),
                ("users", models.PositiveIntegerField(default=0, verbose_name="customers")),
                ("items", models.PositiveIntegerField(default=0, verbose_name="items")),
            ],
            options={
                "verbose_name": "model version",
                "verbose_name_plural": "model versions",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ShopSetting",
            fields=[
                ("key", models.CharField(max_length=60, primary_key=True, serialize=False, verbose_name="key")),
                ("value", models.JSONField(verbose_name="value")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name": "setting",
                "verbose_name_plural": "settings",
            },
        ),
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("name", models.CharField(blank=True, max_length=150, verbose_name="name")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Role["VIEWER"], "Viewer"),
                            (recommendations.terms.Role["MERCHANDISER"], "Merchandiser"),
                            (recommendations.terms.Role["PUBLISHER"], "Publisher"),
                            (recommendations.terms.Role["CATALOGUE_ADMIN"], "Catalogue admin"),
                            (recommendations.terms.Role["ADMIN"], "Admin"),
                        ],
                        default=recommendations.terms.Role["VIEWER"],
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                ("language", models.CharField(default="en", max_length=10, verbose_name="language")),
                (
                    "theme",
                    models.CharField(
                        choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")],
                        default="auto",
                        max_length=5,
                        verbose_name="theme",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        blank=True, help_text="Empty: the shop's.", max_length=64, verbose_name="time zone"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="joined")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "staff member",
                "verbose_name_plural": "staff",
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("prefix", models.CharField(max_length=12, unique=True, verbose_name="prefix")),
                ("digest", models.CharField(max_length=64, verbose_name="SHA-256 of the secret")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                (recommendations.terms.Scope["EVENTS_WRITE"], "Send events"),
                                (recommendations.terms.Scope["RECOMMENDATIONS_READ"], "Read recommendations"),
                                (recommendations.terms.Scope["CATALOGUE_WRITE"], "Change the catalogue"),
                                (recommendations.terms.Scope["PRIVACY_WRITE"], "Erase and export customers"),
                                (recommendations.terms.Scope["METRICS_READ"], "Read metrics"),
                            ],
                            max_length=30,
                        ),
                        verbose_name="may",
                    ),
                ),
                ("requests_per_minute", models.PositiveIntegerField(default=60000, verbose_name="requests a minute")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("verb", models.CharField(max_length=40, verbose_name="did")),
                ("object_type", models.CharField(max_length=40, verbose_name="to")),
                ("object_id", models.CharField(max_length=64, verbose_name="id")),
                ("label", models.CharField(blank=True, max_length=300, verbose_name="called")),
                ("before", models.JSONField(null=True, verbose_name="before")),
                ("after", models.JSONField(null=True, verbose_name="after")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "staff",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="audit",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit trail",
                "ordering": ["-at"],
            },
        ),
        migrations.CreateModel(
            name="Category",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=500, unique=True, verbose_name="path")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="recommendations.category",
                        verbose_name="parent",
                    ),
                ),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
                "ordering": ["path"],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "pseudonym",
                    models.BinaryField(
                        help_text="Keyed hash (HMAC-SHA256) of the shop's id.",
                        max_length=32,
                        unique=True,
                        verbose_name="pseudonym",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            (recommendations.terms.CustomerKind["SIGNED_IN"], "Signed in"),
                            (recommendations.terms.CustomerKind["ANONYMOUS"], "Anonymous"),
                        ],
                        default=recommendations.terms.CustomerKind["SIGNED_IN"],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "personalise",
                    models.BooleanField(default=True, help_text="Off after an objection.", verbose_name="personalise"),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="first known")),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    recommendations.terms.CustomerKind["SIGNED_IN"],
                                    recommendations.terms.CustomerKind["ANONYMOUS"],
                                ],
                            )
                        ),
                        name="customer_kind_is_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerAlias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=django.utils.timezone.now, verbose_name="since")),
                ("source", models.CharField(max_length=50, verbose_name="source")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="undone")),
                (
                    "anonymous",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="recommendations.customer",
                        verbose_name="anonymous",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merged",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "merged customer",
                "verbose_name_plural": "merged customers",
            },
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shop_id",
                    models.CharField(
                        help_text="The shop's own id.", max_length=128, unique=True, verbose_name="item id"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[(recommendations.terms.ItemKind["PRODUCT"], "Product")],
                        default=recommendations.terms.ItemKind["PRODUCT"],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("brand", models.CharField(blank=True, max_length=200, verbose_name="brand")),
                (
                    "price",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="price"),
                ),
                (
                    "original_price",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="original price"
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="cost"),
                ),
                (
                    "availability",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Availability["IN_STOCK"], "In stock"),
                            (recommendations.terms.Availability["OUT_OF_STOCK"], "Out of stock"),
                            (recommendations.terms.Availability["PREORDER"], "To be pre-ordered"),
                            (recommendations.terms.Availability["BACKORDER"], "On back order"),
                        ],
                        default=recommendations.terms.Availability["IN_STOCK"],
                        max_length=20,
                        verbose_name="availability",
                    ),
                ),
                (
                    "available_quantity",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: unknown, and so for sale.",
                        null=True,
                        verbose_name="quantity in stock",
                    ),
                ),
                ("available_at", models.DateTimeField(blank=True, null=True, verbose_name="for sale from")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="for sale until")),
                ("image_url", models.CharField(blank=True, max_length=1000, verbose_name="picture")),
                ("url", models.CharField(blank=True, max_length=1000, verbose_name="page")),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, verbose_name="tags"
                    ),
                ),
                ("attributes", models.JSONField(blank=True, default=dict, verbose_name="attributes")),
                ("rating_average", models.FloatField(blank=True, null=True, verbose_name="average rating")),
                ("rating_count", models.PositiveIntegerField(blank=True, null=True, verbose_name="ratings")),
                (
                    "listed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now,
                        help_text="When the shop began to sell it.",
                        verbose_name="listed",
                    ),
                ),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="retired")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "categories",
                    models.ManyToManyField(
                        blank=True, related_name="items", to="recommendations.category", verbose_name="categories"
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="variants",
                        to="recommendations.item",
                        verbose_name="variant of",
                    ),
                ),
            ],
            options={
                "verbose_name": "item",
                "verbose_name_plural": "items",
            },
        ),
        CreatePartitionedModel(
            partition_by="occurred_at",
            name="Event",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "occurred_at", "event_id", "line", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("occurred_at", models.DateTimeField(verbose_name="occurred")),
                ("event_id", models.UUIDField(verbose_name="event id")),
                ("line", models.SmallIntegerField(default=0, verbose_name="line")),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="received"),
                ),
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
                    "price",
                    models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="unit price paid"),
                ),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name="line total paid"),
                ),
                ("rating", models.FloatField(null=True, verbose_name="rating")),
                ("rating_scale", models.FloatField(null=True, verbose_name="rating scale")),
                ("search_term", models.CharField(max_length=512, null=True, verbose_name="search term")),
                ("transaction_id", models.CharField(max_length=128, null=True, verbose_name="transaction")),
                ("session_id", models.CharField(max_length=128, null=True, verbose_name="session")),
                ("recommendation_id", models.CharField(max_length=64, null=True, verbose_name="recommendation")),
                ("position", models.SmallIntegerField(null=True, verbose_name="position")),
                ("target_type", models.CharField(max_length=20, null=True, verbose_name="followed kind")),
                ("target_id", models.CharField(max_length=128, null=True, verbose_name="followed")),
                ("source", models.CharField(default="api", max_length=20, verbose_name="source")),
                ("attributes", models.JSONField(null=True, verbose_name="attributes")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="recommendations.item",
                        verbose_name="item",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
            },
        ),
        migrations.CreateModel(
            name="ItemPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("valid_from", models.DateTimeField(verbose_name="valid from")),
                ("price", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="price")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prices",
                        to="recommendations.item",
                        verbose_name="item",
                    ),
                ),
            ],
            options={
                "verbose_name": "price change",
                "verbose_name_plural": "price changes",
            },
        ),
        migrations.CreateModel(
            name="Measurement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            (recommendations.terms.MeasuredKind["HYBRID"], "Hybrid"),
                            (recommendations.terms.MeasuredKind["RECOMMENDER"], "Recommender"),
                            (recommendations.terms.MeasuredKind["BASELINE"], "Baseline"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "metrics",
                    models.JSONField(help_text="Metric → value, low, high of its interval.", verbose_name="metrics"),
                ),
                ("fit_seconds", models.FloatField(null=True, verbose_name="fit, s")),
                ("score_seconds", models.FloatField(null=True, verbose_name="score, s")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="recommendations.evaluationrun",
                        verbose_name="evaluation",
                    ),
                ),
            ],
            options={
                "verbose_name": "measurement",
                "verbose_name_plural": "measurements",
            },
        ),
        migrations.CreateModel(
            name="InterestProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("half_life_days", models.PositiveSmallIntegerField(verbose_name="half-life, days")),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), verbose_name="categories"
                    ),
                ),
                (
                    "shares",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), verbose_name="shares"),
                ),
                ("weight", models.FloatField(verbose_name="weight of all acts")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profiles",
                        to="recommendations.modelversion",
                        verbose_name="version",
                    ),
                ),
            ],
            options={
                "verbose_name": "interest profile",
                "verbose_name_plural": "interest profiles",
            },
        ),
        migrations.AddField(
            model_name="evaluationrun",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="evaluations",
                to="recommendations.modelversion",
                verbose_name="version",
            ),
        ),
        migrations.CreateModel(
            name="AssociationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "antecedents",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), verbose_name="if in the basket"
                    ),
                ),
                ("baskets", models.PositiveIntegerField(verbose_name="baskets with all")),
                ("support", models.FloatField(verbose_name="support")),
                ("confidence", models.FloatField(verbose_name="confidence")),
                ("lift", models.FloatField(verbose_name="lift")),
                ("p_value", models.FloatField(verbose_name="p-value")),
                (
                    "consequent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="recommendations.item",
                        verbose_name="then also",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="association_rules",
                        to="recommendations.modelversion",
                        verbose_name="version",
                    ),
                ),
            ],
            options={
                "verbose_name": "association rule",
                "verbose_name_plural": "association rules",
            },
        ),
        migrations.CreateModel(
            name="Artefact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cut",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Cut["TUNING"], "Tuning"),
                            (recommendations.terms.Cut["TEST"], "Test"),
                            (recommendations.terms.Cut["LIVE"], "Live"),
                        ],
                        max_length=8,
                        verbose_name="cut",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("path", models.CharField(max_length=300, verbose_name="file")),
                ("dtype", models.CharField(max_length=20, verbose_name="type")),
                (
                    "shape",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), verbose_name="shape"
                    ),
                ),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="artefacts",
                        to="recommendations.modelversion",
                        verbose_name="version",
                    ),
                ),
            ],
            options={
                "verbose_name": "artefact",
                "verbose_name_plural": "artefacts",
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=40, unique=True, verbose_name="name")),
                (
                    "repeat",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Repeat["ALLOW"], "Allowed"),
                            (recommendations.terms.Repeat["EXCLUDE"], "Left out"),
                            (recommendations.terms.Repeat["ONLY"], "Only these"),
                        ],
                        default=recommendations.terms.Repeat["ALLOW"],
                        max_length=8,
                        verbose_name="bought before",
                    ),
                ),
                ("needs_context", models.BooleanField(default=False, verbose_name="needs an item")),
                (
                    "n",
                    models.PositiveSmallIntegerField(
                        default=20,
                        validators=[django.core.validators.MaxValueValidator(100)],
                        verbose_name="items shown",
                    ),
                ),
                (
                    "cool_down",
                    models.FloatField(
                        default=0,
                        help_text="An item bought again is kept back for this part of its own rhythm.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="cool-down",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "blend",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the same list for everybody.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="recommendations.blend",
                        verbose_name="blend",
                    ),
                ),
            ],
            options={
                "verbose_name": "placement",
                "verbose_name_plural": "placements",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RejectedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField(verbose_name="line")),
                ("field", models.CharField(blank=True, max_length=50, verbose_name="field")),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("content", models.TextField(blank=True, verbose_name="row")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejected_rows",
                        to="recommendations.import",
                        verbose_name="import",
                    ),
                ),
            ],
            options={
                "verbose_name": "rejected row",
                "verbose_name_plural": "rejected rows",
                "ordering": ["source", "line"],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(unique=True, verbose_name="number")),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="Given by staff; empty: made from its categories.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                ("size", models.PositiveIntegerField(default=0, verbose_name="customers")),
                ("top_categories", models.JSONField(default=list, verbose_name="top categories")),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="segments",
                        to="recommendations.modelversion",
                        verbose_name="last seen in",
                    ),
                ),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="BlendWeights",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                (
                    "weights",
                    models.JSONField(
                        help_text="Instance of a recommender → weight; they add up to 1.", verbose_name="weights"
                    ),
                ),
                (
                    "diversity",
                    models.FloatField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="diversity",
                    ),
                ),
                (
                    "exploration",
                    models.FloatField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="exploration",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            (recommendations.terms.WeightsStatus["DRAFT"], "Draft"),
                            (recommendations.terms.WeightsStatus["PROPOSED"], "Proposed"),
                            (recommendations.terms.WeightsStatus["PUBLISHED"], "Published"),
                        ],
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("is_default", models.BooleanField(default=False, verbose_name="default")),
                ("reason", models.TextField(verbose_name="reason")),
                ("expected", models.JSONField(default=dict, verbose_name="expected effect")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created")),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="published")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "blend",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="recommendations.blend",
                        verbose_name="blend",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="recommendations.blendweights",
                        verbose_name="made from",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="weights",
                        to="recommendations.segment",
                        verbose_name="segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "weights",
                "verbose_name_plural": "weights",
                "ordering": ["blend", "-number"],
            },
        ),
        migrations.CreateModel(
            name="SegmentMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="recommendations.segment",
                        verbose_name="segment",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="recommendations.modelversion",
                        verbose_name="version",
                    ),
                ),
            ],
            options={
                "verbose_name": "membership of a segment",
                "verbose_name_plural": "memberships of segments",
            },
        ),
        CreatePartitionedModel(
            partition_by="served_at",
            name="Slate",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "served_at", "recommendation_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("served_at", models.DateTimeField(verbose_name="served")),
                ("recommendation_id", models.CharField(max_length=64, verbose_name="recommendation")),
                ("placement", models.CharField(max_length=40, verbose_name="placement")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Source["MODEL"], "Model"),
                            (recommendations.terms.Source["SESSION"], "Session"),
                            (recommendations.terms.Source["SEGMENT"], "Segment"),
                            (recommendations.terms.Source["POPULAR"], "Popular items"),
                            (recommendations.terms.Source["NEWEST"], "Newest items"),
                            (recommendations.terms.Source["NONE"], "Nothing to show"),
                        ],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("personalised", models.BooleanField(verbose_name="personalised")),
                ("fallback_reason", models.CharField(blank=True, max_length=40, verbose_name="why not from the model")),
                ("model_version", models.BigIntegerField(null=True, verbose_name="model version")),
                ("weights_version", models.BigIntegerField(null=True, verbose_name="weights version")),
                ("rules_version", models.BigIntegerField(default=0, verbose_name="rules version")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), verbose_name="items"
                    ),
                ),
                (
                    "scores",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), verbose_name="scores"),
                ),
                (
                    "propensities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), verbose_name="propensities"
                    ),
                ),
                ("latency_us", models.PositiveIntegerField(null=True, verbose_name="time to answer, µs")),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="slates",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "slate",
                "verbose_name_plural": "slates",
            },
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            (recommendations.terms.RunStatus["QUEUED"], "Waiting"),
                            (recommendations.terms.RunStatus["RUNNING"], "Running"),
                            (recommendations.terms.RunStatus["SUCCEEDED"], "Finished"),
                            (recommendations.terms.RunStatus["FAILED"], "Failed"),
                            (recommendations.terms.RunStatus["CANCELLED"], "Cancelled"),
                            (recommendations.terms.RunStatus["INTERRUPTED"], "Interrupted"),
                        ],
                        default=recommendations.terms.RunStatus["QUEUED"],
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                (
                    "now",
                    models.DateTimeField(
                        help_text="The moment that the turn takes for the present.", verbose_name="as of"
                    ),
                ),
                ("seed", models.IntegerField(default=0, verbose_name="seed")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="tries")),
                ("progress", models.FloatField(default=0, verbose_name="progress")),
                ("heartbeat_at", models.DateTimeField(null=True, verbose_name="last sign of life")),
                ("cancel_requested_at", models.DateTimeField(null=True, verbose_name="cancel asked for")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("message", models.TextField(blank=True, verbose_name="message")),
                ("peak_mb", models.PositiveIntegerField(null=True, verbose_name="peak memory, MB")),
                (
                    "started_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="turns",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "turn",
                "verbose_name_plural": "turns",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="modelversion",
            name="turn",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="model_version",
                to="recommendations.turn",
                verbose_name="turn",
            ),
        ),
        migrations.CreateModel(
            name="TurnLogLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("text", models.TextField(verbose_name="text")),
                (
                    "turn",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log",
                        to="recommendations.turn",
                        verbose_name="turn",
                    ),
                ),
            ],
            options={
                "verbose_name": "log line",
                "verbose_name_plural": "log lines",
                "ordering": ["turn", "id"],
            },
        ),
        migrations.CreateModel(
            name="TurnStage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            (recommendations.terms.Stage["COLLECT"], "Collect"),
                            (recommendations.terms.Stage["PREPROCESS"], "Preprocess"),
                            (recommendations.terms.Stage["INTERESTS"], "Interests"),
                            (recommendations.terms.Stage["RECOMMEND"], "Recommend"),
                            (recommendations.terms.Stage["EVALUATE"], "Evaluate"),
                            (recommendations.terms.Stage["ADJUST"], "Adjust"),
                        ],
                        max_length=12,
                        verbose_name="stage",
                    ),
                ),
                (
                    "cut",
                    models.CharField(
                        blank=True,
                        choices=[
                            (recommendations.terms.Cut["TUNING"], "Tuning"),
                            (recommendations.terms.Cut["TEST"], "Test"),
                            (recommendations.terms.Cut["LIVE"], "Live"),
                        ],
                        max_length=8,
                        verbose_name="cut",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            (recommendations.terms.RunStatus["QUEUED"], "Waiting"),
                            (recommendations.terms.RunStatus["RUNNING"], "Running"),
                            (recommendations.terms.RunStatus["SUCCEEDED"], "Finished"),
                            (recommendations.terms.RunStatus["FAILED"], "Failed"),
                            (recommendations.terms.RunStatus["CANCELLED"], "Cancelled"),
                            (recommendations.terms.RunStatus["INTERRUPTED"], "Interrupted"),
                        ],
                        default=recommendations.terms.RunStatus["QUEUED"],
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("progress", models.FloatField(default=0, verbose_name="progress")),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("counts", models.JSONField(default=dict, verbose_name="counts")),
                (
                    "turn",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stages",
                        to="recommendations.turn",
                        verbose_name="turn",
                    ),
                ),
            ],
            options={
                "verbose_name": "stage of a turn",
                "verbose_name_plural": "stages of turns",
                "ordering": ["turn", "position"],
            },
        ),
        migrations.AddConstraint(
            model_name="staff",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"), name="staff_email_once_in_any_case"
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["object_type", "object_id", "-at"], name="audit_of_object"),
        ),
        migrations.AddConstraint(
            model_name="category",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True), name="category_is_not_its_own_parent"
            ),
        ),
        migrations.AddConstraint(
            model_name="customeralias",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("anonymous",), name="anonymous_key_is_one_customer"
            ),
        ),
        migrations.AddConstraint(
            model_name="customeralias",
            constraint=models.CheckConstraint(
                condition=models.Q(("anonymous", models.F("customer")), _negated=True), name="alias_joins_two"
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(fields=["updated_at"], name="item_updated_at"),
        ),
        migrations.AddIndex(
            model_name="item",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("title"), name="gin_trgm_ops"
                ),
                name="item_title_trigrams",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "availability__in",
                        [
                            recommendations.terms.Availability["IN_STOCK"],
                            recommendations.terms.Availability["OUT_OF_STOCK"],
                            recommendations.terms.Availability["PREORDER"],
                            recommendations.terms.Availability["BACKORDER"],
                        ],
                    )
                ),
                name="item_availability_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(("price", None), ("price__gte", 0), _connector="OR"),
                name="item_price_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("available_at", None),
                    ("expires_at", None),
                    ("available_at__lt", models.F("expires_at")),
                    _connector="OR",
                ),
                name="item_sale_starts_before_it_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(("shop_id", ""), _negated=True), name="item_has_a_shop_id"
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["occurred_at"], name="event_occurred_at", pages_per_range=32
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("customer", None), _negated=True),
                fields=["customer", "occurred_at"],
                name="event_of_customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "name__in",
                        [
                            recommendations.terms.EventName["VIEW_ITEM_LIST"],
                            recommendations.terms.EventName["SELECT_ITEM"],
                            recommendations.terms.EventName["VIEW_ITEM"],
                            recommendations.terms.EventName["SEARCH"],
                            recommendations.terms.EventName["ADD_TO_CART"],
                            recommendations.terms.EventName["REMOVE_FROM_CART"],
                            recommendations.terms.EventName["BEGIN_CHECKOUT"],
                            recommendations.terms.EventName["PURCHASE"],
                            recommendations.terms.EventName["REFUND"],
                            recommendations.terms.EventName["ADD_TO_WISHLIST"],
                            recommendations.terms.EventName["SHARE"],
                            recommendations.terms.EventName["RATE_ITEM"],
                            recommendations.terms.EventName["DISLIKE_ITEM"],
                            recommendations.terms.EventName["FOLLOW"],
                            recommendations.terms.EventName["VIEW_HOMEPAGE"],
                        ],
                    )
                ),
                name="event_name_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name__in", ["purchase", "refund"]), _negated=True),
                    models.Q(("transaction_id", None), _negated=True),
                    _connector="OR",
                ),
                name="purchase_has_a_transaction",
            ),
        ),
        migrations.AddConstraint(
            model_name="itemprice",
            constraint=models.UniqueConstraint(fields=("item", "valid_from"), name="item_has_one_price_at_a_time"),
        ),
        migrations.AddConstraint(
            model_name="itemprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("price__gte", 0)), name="price_change_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="measurement",
            constraint=models.UniqueConstraint(fields=("run", "name"), name="measured_once_per_run"),
        ),
        migrations.AddConstraint(
            model_name="interestprofile",
            constraint=models.UniqueConstraint(
                fields=("version", "customer", "half_life_days"), name="profile_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationrun",
            constraint=models.UniqueConstraint(
                fields=("version", "cut", "task"), name="one_evaluation_per_version_cut_and_task"
            ),
        ),
        migrations.AddConstraint(
            model_name="evaluationrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("window_start__lt", models.F("window_end"))), name="evaluation_window_has_days"
            ),
        ),
        migrations.AddIndex(
            model_name="associationrule",
            index=models.Index(fields=["version", "-lift"], name="association_rule_by_lift"),
        ),
        migrations.AddConstraint(
            model_name="associationrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confidence__gte", 0), ("confidence__lte", 1), ("support__gte", 0), ("support__lte", 1)
                ),
                name="association_shares_are_shares",
            ),
        ),
        migrations.AddConstraint(
            model_name="artefact",
            constraint=models.UniqueConstraint(
                fields=("version", "cut", "name"), name="artefact_once_per_version_and_cut"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "repeat__in",
                        [
                            recommendations.terms.Repeat["ALLOW"],
                            recommendations.terms.Repeat["EXCLUDE"],
                            recommendations.terms.Repeat["ONLY"],
                        ],
                    )
                ),
                name="placement_repeat_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(("n__gte", 1), ("n__lte", 100)), name="placement_shows_1_to_100"
            ),
        ),
        migrations.AddConstraint(
            model_name="blendweights",
            constraint=models.UniqueConstraint(fields=("blend", "number"), name="weights_number_once_per_blend"),
        ),
        migrations.AddConstraint(
            model_name="blendweights",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("blend", "segment"),
                name="one_default_per_blend_and_segment",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="blendweights",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_default", False), ("status", recommendations.terms.WeightsStatus["PUBLISHED"]), _connector="OR"
                ),
                name="only_published_weights_are_default",
            ),
        ),
        migrations.AddConstraint(
            model_name="blendweights",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("diversity__gte", 0), ("diversity__lte", 1), ("exploration__gte", 0), ("exploration__lte", 1)
                ),
                name="diversity_and_exploration_are_shares",
            ),
        ),
        migrations.AddConstraint(
            model_name="segmentmembership",
            constraint=models.UniqueConstraint(
                fields=("version", "customer"), name="one_segment_per_customer_and_version"
            ),
        ),
        migrations.AddIndex(
            model_name="slate",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["served_at"], name="slate_served_at", pages_per_range=32
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            recommendations.terms.RunStatus["QUEUED"],
                            recommendations.terms.RunStatus["RUNNING"],
                            recommendations.terms.RunStatus["SUCCEEDED"],
                            recommendations.terms.RunStatus["FAILED"],
                            recommendations.terms.RunStatus["CANCELLED"],
                            recommendations.terms.RunStatus["INTERRUPTED"],
                        ],
                    )
                ),
                name="turn_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.CheckConstraint(
                condition=models.Q(("progress__gte", 0), ("progress__lte", 1)), name="turn_progress_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_live", True)), fields=("is_live",), name="one_model_version_is_live"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_live", False), ("status", recommendations.terms.VersionStatus["READY"]), _connector="OR"
                ),
                name="only_a_ready_version_is_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="turnstage",
            constraint=models.UniqueConstraint(fields=("turn", "stage", "cut"), name="stage_once_per_turn_and_cut"),
        ),
    ]
