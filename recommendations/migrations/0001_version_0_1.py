"""The tables of version 0.1. A database that went through its fifteen migrations has them already."""

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

from recommendations.models.partitioned import CreatePartitionedModel

REPLACED = (
    "0001_initial", "0002_shop", "0003_customer_consent_at", "0004_event_listing", "0005_customer_objects",
    "0006_promotion", "0007_evaluation", "0008_dashboard", "0009_blend_last_number", "0010_placements",
    "0011_attribution", "0012_api_key_origins", "0013_audit_api_key", "0014_alias_changed", "0015_session_blend",
)
# For the retention window and the next months.
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


class Migration(migrations.Migration):
    initial = True
    replaces = [("recommendations", name) for name in REPLACED]
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='EventListing',
            fields=[
                ('event_id', models.UUIDField(primary_key=True, serialize=False, verbose_name='event id')),
                ('occurred_at', models.DateTimeField(verbose_name='occurred')),
                ('received_at', models.DateTimeField(verbose_name='received')),
                ('line', models.SmallIntegerField(verbose_name='line')),
                ('name', models.CharField(choices=[('view_item_list', 'List shown'), ('select_item', 'Clicked in a list'), ('view_item', 'Viewed'), ('search', 'Searched'), ('add_to_cart', 'Added to cart'), ('remove_from_cart', 'Removed from cart'), ('begin_checkout', 'Began checkout'), ('purchase', 'Bought'), ('refund', 'Returned'), ('add_to_wishlist', 'Wishlisted'), ('share', 'Shared'), ('rate_item', 'Rated'), ('dislike_item', 'Disliked'), ('follow', 'Followed'), ('view_homepage', 'Viewed home page')], max_length=20, verbose_name='event')),
                ('quantity', models.IntegerField(null=True, verbose_name='quantity')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name='line total paid')),
                ('transaction_id', models.CharField(max_length=128, null=True, verbose_name='transaction')),
                ('source', models.CharField(max_length=20, verbose_name='source')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'db_table': 'recommendations_event',
                'ordering': ['-occurred_at', '-event_id', '-line'],
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Blend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(choices=[('home', 'For you'), ('discover', 'Discover'), ('item', 'Similar items'), ('cart', 'Completes the basket'), ('session', 'Session')], max_length=20, unique=True, verbose_name='name')),
                ('automatic', models.BooleanField(default=False, help_text='A run makes its own result the default without asking.', verbose_name='automatic')),
                ('second_stage', models.BooleanField(default=False, help_text='Runs train and measure a second stage; it gets weight only where it proves better.', verbose_name='second stage')),
                ('last_number', models.PositiveIntegerField(default=0, editable=False, verbose_name='last version')),
            ],
            options={
                'verbose_name': 'blend',
                'verbose_name_plural': 'blends',
            },
        ),
        migrations.CreateModel(
            name='EvaluationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cut', models.CharField(choices=[('tuning', 'Tuning'), ('test', 'Test'), ('live', 'Live')], max_length=8, verbose_name='cut')),
                ('task', models.CharField(choices=[('home', 'Next purchases'), ('discover', 'First-time purchases')], max_length=10, verbose_name='task')),
                ('window_start', models.DateTimeField(verbose_name='window from')),
                ('window_end', models.DateTimeField(verbose_name='window until')),
                ('users', models.PositiveIntegerField(verbose_name='customers')),
                ('seed', models.IntegerField(verbose_name='seed')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('overlap', models.JSONField(default=dict, help_text='Names of the rows, and for every two of them the mean share of the top 10 that both show.', verbose_name='overlap')),
            ],
            options={
                'verbose_name': 'evaluation',
                'verbose_name_plural': 'evaluations',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('items', 'Items'), ('events', 'Events'), ('promotions', 'Promotions')], max_length=10, verbose_name='kind')),
                ('file', models.CharField(max_length=300, verbose_name='file')),
                ('status', models.CharField(choices=[('running', 'Running'), ('finished', 'Finished'), ('failed', 'Failed')], default='running', max_length=10, verbose_name='status')),
                ('started_at', models.DateTimeField(auto_now_add=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('rows', models.PositiveIntegerField(default=0, verbose_name='rows')),
                ('kept', models.PositiveIntegerField(default=0, verbose_name='kept')),
                ('duplicates', models.PositiveIntegerField(default=0, verbose_name='already there')),
                ('rejected', models.PositiveIntegerField(default=0, verbose_name='rejected')),
                ('reasons', models.JSONField(default=dict, verbose_name='rejected by reason')),
                ('message', models.TextField(blank=True, verbose_name='message')),
                ('held', models.PositiveIntegerField(default=0, help_text='Rows of the demo that come in later, through the API.', verbose_name='held for the replay')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-started_at'],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('building', 'Being built'), ('ready', 'Ready'), ('discarded', 'Discarded')], default='building', max_length=10, verbose_name='status')),
                ('is_live', models.BooleanField(default=False, verbose_name='live')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('live_since', models.DateTimeField(null=True, verbose_name='live since')),
                ('windows', models.JSONField(default=dict, help_text='End of the history per cut, and the days after it.', verbose_name='cuts')),
                ('instances', models.JSONField(default=dict, help_text='Configuration of every instance.', verbose_name='recommenders')),
                ('event_weights', models.JSONField(default=dict, verbose_name='event weights')),
                ('users', models.PositiveIntegerField(default=0, verbose_name='customers')),
                ('items', models.PositiveIntegerField(default=0, verbose_name='items')),
                ('gate', models.JSONField(default=dict, help_text='Per task: how it did on the test window compared with what it would replace.', verbose_name='gate')),
            ],
            options={
                'verbose_name': 'model version',
                'verbose_name_plural': 'model versions',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ShopSetting',
            fields=[
                ('key', models.CharField(max_length=60, primary_key=True, serialize=False, verbose_name='key')),
                ('value', models.JSONField(verbose_name='value')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
            ],
            options={
                'verbose_name': 'setting',
                'verbose_name_plural': 'settings',
            },
        ),
        migrations.CreateModel(
            name='Staff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail address')),
                ('name', models.CharField(blank=True, max_length=150, verbose_name='name')),
                ('role', models.CharField(choices=[('viewer', 'Viewer'), ('merchandiser', 'Merchandiser'), ('publisher', 'Publisher'), ('catalogue_admin', 'Catalogue admin'), ('admin', 'Admin')], default='viewer', max_length=20, verbose_name='role')),
                ('language', models.CharField(default='en', max_length=10, verbose_name='language')),
                ('theme', models.CharField(choices=[('auto', 'As the system'), ('light', 'Light'), ('dark', 'Dark')], default='auto', max_length=5, verbose_name='theme')),
                ('time_zone', models.CharField(blank=True, help_text="Empty: the shop's.", max_length=64, verbose_name='time zone')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='joined')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'staff member',
                'verbose_name_plural': 'staff',
            },
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('prefix', models.CharField(max_length=12, unique=True, verbose_name='prefix')),
                ('digest', models.CharField(max_length=64, verbose_name='SHA-256 of the secret')),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('events:write', 'Send events'), ('recommendations:read', 'Read recommendations'), ('catalogue:write', 'Change the catalogue'), ('privacy:write', 'Erase and export customers'), ('metrics:read', 'Read metrics')], max_length=30), verbose_name='may')),
                ('requests_per_minute', models.PositiveIntegerField(default=60000, verbose_name='requests a minute')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('expires_at', models.DateTimeField(blank=True, help_text='It was replaced by a new one.', null=True, verbose_name='expires')),
                ('origins', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, help_text='Pages that may send events from a browser, such as https://shop.example.', verbose_name='origins')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
            ],
            options={
                'verbose_name': 'API key',
                'verbose_name_plural': 'API keys',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('verb', models.CharField(max_length=40, verbose_name='did')),
                ('object_type', models.CharField(max_length=40, verbose_name='to')),
                ('object_id', models.CharField(max_length=64, verbose_name='id')),
                ('label', models.CharField(blank=True, max_length=300, verbose_name='called')),
                ('before', models.JSONField(null=True, verbose_name='before')),
                ('after', models.JSONField(null=True, verbose_name='after')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('batch', models.UUIDField(editable=False, help_text='Changes made in one go, which can be undone in one go.', null=True, verbose_name='batch')),
                ('api_key', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit', to='recommendations.apikey', verbose_name='API key')),
                ('staff', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit trail',
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=500, unique=True, verbose_name='path')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='recommendations.category', verbose_name='parent')),
            ],
            options={
                'verbose_name': 'category',
                'verbose_name_plural': 'categories',
                'ordering': ['path'],
            },
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pseudonym', models.BinaryField(help_text="Keyed hash (HMAC-SHA256) of the shop's id.", max_length=32, unique=True, verbose_name='pseudonym')),
                ('kind', models.CharField(choices=[('signed_in', 'Signed in'), ('anonymous', 'Anonymous')], default='signed_in', max_length=10, verbose_name='kind')),
                ('personalise', models.BooleanField(default=True, help_text='Off after an objection.', verbose_name='personalise')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first known')),
                ('consent_at', models.DateTimeField(help_text='When the customer last spoke about personalisation.', null=True, verbose_name='consent given or refused')),
            ],
            options={
                'verbose_name': 'customer',
                'verbose_name_plural': 'customers',
                'indexes': [models.Index(condition=models.Q(('personalise', False)), fields=['id'], name='customer_objects')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['signed_in', 'anonymous'])), name='customer_kind_is_known')],
            },
        ),
        migrations.CreateModel(
            name='CustomerAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('source', models.CharField(max_length=50, verbose_name='source')),
                ('undone_at', models.DateTimeField(blank=True, null=True, verbose_name='undone')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='changed')),
                ('anonymous', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='recommendations.customer', verbose_name='anonymous')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merged', to='recommendations.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'merged customer',
                'verbose_name_plural': 'merged customers',
            },
        ),
        migrations.CreateModel(
            name='DueLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('occurred_at', models.DateTimeField()),
                ('event_id', models.UUIDField()),
                ('line', models.SmallIntegerField()),
                ('noted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'event line to settle',
                'verbose_name_plural': 'event lines to settle',
                'indexes': [models.Index(fields=['due_at', 'id'], name='due_line_next')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shop_id', models.CharField(help_text="The shop's own id.", max_length=128, unique=True, verbose_name='item id')),
                ('kind', models.CharField(choices=[('product', 'Product')], default='product', max_length=20, verbose_name='kind')),
                ('title', models.CharField(max_length=300, verbose_name='title')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('brand', models.CharField(blank=True, max_length=200, verbose_name='brand')),
                ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='price')),
                ('original_price', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='original price')),
                ('cost', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='cost')),
                ('availability', models.CharField(choices=[('in_stock', 'In stock'), ('out_of_stock', 'Out of stock'), ('preorder', 'Pre-order'), ('backorder', 'Back order')], default='in_stock', max_length=20, verbose_name='availability')),
                ('available_quantity', models.PositiveIntegerField(blank=True, help_text='Empty: unknown, treated as for sale.', null=True, verbose_name='quantity in stock')),
                ('available_at', models.DateTimeField(blank=True, null=True, verbose_name='for sale from')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='for sale until')),
                ('image_url', models.CharField(blank=True, max_length=1000, verbose_name='picture')),
                ('url', models.CharField(blank=True, max_length=1000, verbose_name='page')),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, verbose_name='tags')),
                ('attributes', models.JSONField(blank=True, default=dict, verbose_name='attributes')),
                ('rating_average', models.FloatField(blank=True, null=True, verbose_name='average rating')),
                ('rating_count', models.PositiveIntegerField(blank=True, null=True, verbose_name='ratings')),
                ('listed_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When the shop began to sell it.', verbose_name='listed')),
                ('retired_at', models.DateTimeField(blank=True, null=True, verbose_name='retired')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('categories', models.ManyToManyField(blank=True, related_name='items', to='recommendations.category', verbose_name='categories')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='variants', to='recommendations.item', verbose_name='variant of')),
            ],
            options={
                'verbose_name': 'item',
                'verbose_name_plural': 'items',
            },
        ),
        CreatePartitionedModel(
            partition_by='occurred_at',
            name='Event',
            fields=[
                ('pk', models.CompositePrimaryKey('occurred_at', 'event_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                ('occurred_at', models.DateTimeField(verbose_name='occurred')),
                ('event_id', models.UUIDField(verbose_name='event id')),
                ('line', models.SmallIntegerField(default=0, verbose_name='line')),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='received')),
                ('name', models.CharField(choices=[('view_item_list', 'List shown'), ('select_item', 'Clicked in a list'), ('view_item', 'Viewed'), ('search', 'Searched'), ('add_to_cart', 'Added to cart'), ('remove_from_cart', 'Removed from cart'), ('begin_checkout', 'Began checkout'), ('purchase', 'Bought'), ('refund', 'Returned'), ('add_to_wishlist', 'Wishlisted'), ('share', 'Shared'), ('rate_item', 'Rated'), ('dislike_item', 'Disliked'), ('follow', 'Followed'), ('view_homepage', 'Viewed home page')], max_length=20, verbose_name='event')),
                ('quantity', models.IntegerField(null=True, verbose_name='quantity')),
                ('price', models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name='unit price paid')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name='line total paid')),
                ('rating', models.FloatField(null=True, verbose_name='rating')),
                ('rating_scale', models.FloatField(null=True, verbose_name='rating scale')),
                ('search_term', models.CharField(max_length=512, null=True, verbose_name='search term')),
                ('transaction_id', models.CharField(max_length=128, null=True, verbose_name='transaction')),
                ('session_id', models.CharField(max_length=128, null=True, verbose_name='session')),
                ('recommendation_id', models.CharField(max_length=64, null=True, verbose_name='recommendation')),
                ('position', models.SmallIntegerField(null=True, verbose_name='position')),
                ('target_type', models.CharField(max_length=20, null=True, verbose_name='followed kind')),
                ('target_id', models.CharField(max_length=128, null=True, verbose_name='followed')),
                ('source', models.CharField(default='api', max_length=20, verbose_name='source')),
                ('attributes', models.JSONField(null=True, verbose_name='attributes')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='recommendations.customer', verbose_name='customer')),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='recommendations.item', verbose_name='item')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
            },
        ),
        migrations.CreateModel(
            name='AttributedLine',
            fields=[
                ('pk', models.CompositePrimaryKey('occurred_at', 'event_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                ('occurred_at', models.DateTimeField(verbose_name='occurred')),
                ('event_id', models.UUIDField(verbose_name='event id')),
                ('line', models.SmallIntegerField(verbose_name='line')),
                ('name', models.CharField(choices=[('view_item_list', 'List shown'), ('select_item', 'Clicked in a list'), ('view_item', 'Viewed'), ('search', 'Searched'), ('add_to_cart', 'Added to cart'), ('remove_from_cart', 'Removed from cart'), ('begin_checkout', 'Began checkout'), ('purchase', 'Bought'), ('refund', 'Returned'), ('add_to_wishlist', 'Wishlisted'), ('share', 'Shared'), ('rate_item', 'Rated'), ('dislike_item', 'Disliked'), ('follow', 'Followed'), ('view_homepage', 'Viewed home page')], max_length=20, verbose_name='event')),
                ('transaction_id', models.CharField(max_length=128, null=True, verbose_name='transaction')),
                ('quantity', models.IntegerField(null=True, verbose_name='quantity')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='line total paid')),
                ('refunded', models.DecimalField(decimal_places=2, default=0, max_digits=12, verbose_name='taken back')),
                ('kept', models.BooleanField(default=True, help_text='Not wholly taken back.', verbose_name='kept')),
                ('recommendation_id', models.CharField(max_length=64, verbose_name='recommendation')),
                ('placement', models.CharField(max_length=40, verbose_name='placement')),
                ('position', models.SmallIntegerField(verbose_name='position')),
                ('touch', models.CharField(choices=[('event', 'Named by the event'), ('click', 'Last click')], max_length=5, verbose_name='tied by')),
                ('touched_at', models.DateTimeField(null=True, verbose_name='clicked')),
                ('replay', models.BooleanField(verbose_name='replay')),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='recommendations.item', verbose_name='item')),
            ],
            options={
                'verbose_name': 'attributed line',
                'verbose_name_plural': 'attributed lines',
            },
        ),
        migrations.CreateModel(
            name='ItemPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateTimeField(verbose_name='valid from')),
                ('price', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='price')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prices', to='recommendations.item', verbose_name='item')),
            ],
            options={
                'verbose_name': 'price change',
                'verbose_name_plural': 'price changes',
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('kind', models.CharField(choices=[('hybrid', 'Hybrid'), ('recommender', 'Recommender'), ('baseline', 'Baseline')], max_length=12, verbose_name='kind')),
                ('metrics', models.JSONField(help_text='Metric → value, low, high of its interval.', verbose_name='metrics')),
                ('fit_seconds', models.FloatField(null=True, verbose_name='fit, s')),
                ('score_seconds', models.FloatField(null=True, verbose_name='score, s')),
                ('against', models.JSONField(default=dict, help_text='Metric → difference from the hybrid that is served, paired by customer: value, low, high.', verbose_name='against the hybrid')),
                ('peak_mb', models.PositiveIntegerField(null=True, verbose_name='peak memory, MB')),
                ('slices', models.JSONField(default=list, help_text='Kind and key of a part of the customers, how many they are, metrics.', verbose_name='slices')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='recommendations.evaluationrun', verbose_name='evaluation')),
            ],
            options={
                'verbose_name': 'measurement',
                'verbose_name_plural': 'measurements',
            },
        ),
        migrations.CreateModel(
            name='InterestProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('half_life_days', models.PositiveSmallIntegerField(verbose_name='half-life, days')),
                ('categories', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), verbose_name='categories')),
                ('shares', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), verbose_name='shares')),
                ('weight', models.FloatField(verbose_name='weight of all activity')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profiles', to='recommendations.customer', verbose_name='customer')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profiles', to='recommendations.modelversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'interest profile',
                'verbose_name_plural': 'interest profiles',
            },
        ),
        migrations.AddField(
            model_name='evaluationrun',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evaluations', to='recommendations.modelversion', verbose_name='version'),
        ),
        migrations.CreateModel(
            name='AssociationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('antecedents', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), verbose_name='if in the basket')),
                ('baskets', models.PositiveIntegerField(verbose_name='baskets with all')),
                ('support', models.FloatField(verbose_name='support')),
                ('confidence', models.FloatField(verbose_name='confidence')),
                ('lift', models.FloatField(verbose_name='lift')),
                ('p_value', models.FloatField(verbose_name='p-value')),
                ('consequent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='recommendations.item', verbose_name='then also')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='association_rules', to='recommendations.modelversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'association rule',
                'verbose_name_plural': 'association rules',
            },
        ),
        migrations.CreateModel(
            name='Artefact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cut', models.CharField(choices=[('tuning', 'Tuning'), ('test', 'Test'), ('live', 'Live')], max_length=8, verbose_name='cut')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('path', models.CharField(max_length=300, verbose_name='file')),
                ('dtype', models.CharField(max_length=20, verbose_name='type')),
                ('shape', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), verbose_name='shape')),
                ('size', models.BigIntegerField(verbose_name='bytes')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='artefacts', to='recommendations.modelversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'artefact',
                'verbose_name_plural': 'artefacts',
            },
        ),
        migrations.CreateModel(
            name='Placement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=40, unique=True, verbose_name='name')),
                ('repeat', models.CharField(choices=[('allow', 'Allowed'), ('exclude', 'Left out'), ('only', 'Only these')], default='allow', max_length=8, verbose_name='bought before')),
                ('needs_context', models.BooleanField(default=False, verbose_name='needs an item')),
                ('n', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='items shown')),
                ('cool_down', models.FloatField(default=0, help_text='A repurchased item is held back for this share of its usual interval.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='cool-down')),
                ('enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('part', models.CharField(choices=[('whole', 'All of it'), ('category', 'A category'), ('found', 'What a search found'), ('newest', 'The newest items')], default='whole', max_length=8, verbose_name='part of the shop')),
                ('diversity', models.FloatField(blank=True, help_text='Empty: as the weights of the blend have it.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='diversity')),
                ('explores', models.BooleanField(default=True, help_text='The last slots may show something from further down, as often as the weights say.', verbose_name='explores')),
                ('attribution_window', models.PositiveSmallIntegerField(default=24, help_text='A purchase this long after a click on the item counts for the list that was clicked.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(720)], verbose_name='attribution window, hours')),
                ('blend', models.ForeignKey(blank=True, help_text='Empty: the same list for everybody.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='placements', to='recommendations.blend', verbose_name='blend')),
            ],
            options={
                'verbose_name': 'placement',
                'verbose_name_plural': 'placements',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PlacementDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('placement', models.CharField(max_length=40, verbose_name='placement')),
                ('replay', models.BooleanField(verbose_name='replay')),
                ('position', models.SmallIntegerField(verbose_name='position')),
                ('listed', models.IntegerField(verbose_name='listed')),
                ('seen', models.IntegerField(verbose_name='seen')),
                ('clicked', models.IntegerField(verbose_name='clicked')),
                ('carted', models.IntegerField(verbose_name='put into the cart')),
                ('bought', models.IntegerField(verbose_name='bought from')),
                ('purchases', models.IntegerField(verbose_name='purchases')),
                ('revenue', models.DecimalField(decimal_places=2, max_digits=20, verbose_name='revenue')),
                ('squares', models.DecimalField(decimal_places=4, max_digits=30, verbose_name='squares of the revenue')),
            ],
            options={
                'verbose_name': 'day of a placement',
                'verbose_name_plural': 'days of placements',
                'constraints': [models.UniqueConstraint(fields=('day', 'placement', 'replay', 'position'), name='placement_day_once_per_position')],
            },
        ),
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(help_text='Its first day; all weeks of the shop start on the same weekday.', verbose_name='week')),
                ('display', models.FloatField(default=0, help_text='Share of the stores that display the item.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='display')),
                ('mailer', models.FloatField(default=0, help_text='Share of the stores whose leaflet shows the item.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='leaflet')),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='promotions', to='recommendations.item', verbose_name='item')),
            ],
            options={
                'verbose_name': 'promotion',
                'verbose_name_plural': 'promotions',
            },
        ),
        migrations.CreateModel(
            name='RejectedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(verbose_name='line')),
                ('field', models.CharField(blank=True, max_length=50, verbose_name='field')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('content', models.TextField(blank=True, verbose_name='row')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejected_rows', to='recommendations.import', verbose_name='import')),
            ],
            options={
                'verbose_name': 'rejected row',
                'verbose_name_plural': 'rejected rows',
                'ordering': ['source', 'line'],
            },
        ),
        migrations.CreateModel(
            name='RuleBook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(unique=True, verbose_name='version')),
                ('rules', models.JSONField(default=list, verbose_name='rules')),
                ('is_default', models.BooleanField(default=False, verbose_name='default')),
                ('note', models.TextField(verbose_name='note')),
                ('expected', models.JSONField(default=dict, verbose_name='expected effect')),
                ('published_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='published')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='recommendations.rulebook', verbose_name='made from')),
            ],
            options={
                'verbose_name': 'rule version',
                'verbose_name_plural': 'rule versions',
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(unique=True, verbose_name='number')),
                ('name', models.CharField(blank=True, help_text='Given by staff; empty: made from its categories.', max_length=100, verbose_name='name')),
                ('size', models.PositiveIntegerField(default=0, verbose_name='customers')),
                ('top_categories', models.JSONField(default=list, verbose_name='top categories')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='segments', to='recommendations.modelversion', verbose_name='last seen in')),
            ],
            options={
                'verbose_name': 'segment',
                'verbose_name_plural': 'segments',
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('context', models.JSONField(blank=True, default=list, help_text='Conditions on an item in view; empty: any context.', verbose_name='context')),
                ('starts_at', models.DateTimeField(blank=True, null=True, verbose_name='from')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='until')),
                ('items', models.JSONField(blank=True, default=list, help_text='Conditions that an item has to meet; empty: every item.', verbose_name='items')),
                ('action', models.CharField(choices=[('exclude', 'Exclude'), ('include_only', 'Include only'), ('pin', 'Pin'), ('boost', 'Boost or bury'), ('cap', 'Cap'), ('minimum_share', 'Minimum share')], max_length=20, verbose_name='does')),
                ('slot', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='slot')),
                ('strength', models.SmallIntegerField(blank=True, help_text='Above 0 boosts, below 0 buries.', null=True, validators=[django.core.validators.MinValueValidator(-100), django.core.validators.MaxValueValidator(100)], verbose_name='strength')),
                ('most', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='at most')),
                ('per', models.CharField(blank=True, choices=[('brand', 'brand'), ('category', 'category'), ('all', 'all together')], max_length=10, verbose_name='of each')),
                ('share', models.FloatField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='least share')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='order')),
                ('revision', models.PositiveIntegerField(default=1, help_text='Goes up with every change, so that nobody overwrites what they have not seen.', verbose_name='revision')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('customer', models.ForeignKey(blank=True, help_text='Empty: every customer.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='recommendations.customer', verbose_name='customer')),
                ('placement', models.ForeignKey(blank=True, help_text='Empty: every placement.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='recommendations.placement', verbose_name='placement')),
                ('segment', models.ForeignKey(blank=True, help_text='Empty: every segment.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='recommendations.segment', verbose_name='segment')),
            ],
            options={
                'verbose_name': 'rule',
                'verbose_name_plural': 'rules',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='BlendWeights',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('weights', models.JSONField(help_text='Instance of a recommender → weight; they add up to 1.', verbose_name='weights')),
                ('diversity', models.FloatField(default=0, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='diversity')),
                ('exploration', models.FloatField(default=0, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='exploration')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('proposed', 'Proposed'), ('published', 'Published')], max_length=10, verbose_name='status')),
                ('is_default', models.BooleanField(default=False, verbose_name='default')),
                ('reason', models.TextField(verbose_name='reason')),
                ('expected', models.JSONField(default=dict, verbose_name='expected effect')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('published_at', models.DateTimeField(blank=True, null=True, verbose_name='published')),
                ('gate', models.JSONField(default=dict, help_text='How it did on the test window compared with what it would replace.', verbose_name='gate')),
                ('promotion', models.FloatField(default=0, help_text="How much the promotion plan counts: the exponent of an item's lift; 0: not at all.", validators=[django.core.validators.MinValueValidator(0)], verbose_name='promotions')),
                ('note', models.TextField(blank=True, help_text='Why it was published.', verbose_name='note')),
                ('revision', models.PositiveIntegerField(default=1, help_text='Of a draft: goes up with every change of it.', verbose_name='revision')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
                ('blend', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='recommendations.blend', verbose_name='blend')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='recommendations.blendweights', verbose_name='made from')),
                ('segment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='weights', to='recommendations.segment', verbose_name='segment')),
            ],
            options={
                'verbose_name': 'weights',
                'verbose_name_plural': 'weights',
                'ordering': ['blend', '-number'],
            },
        ),
        migrations.CreateModel(
            name='SegmentMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='recommendations.customer', verbose_name='customer')),
                ('segment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='recommendations.segment', verbose_name='segment')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='recommendations.modelversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'membership of a segment',
                'verbose_name_plural': 'memberships of segments',
            },
        ),
        CreatePartitionedModel(
            partition_by='served_at',
            name='Slate',
            fields=[
                ('pk', models.CompositePrimaryKey('served_at', 'recommendation_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('served_at', models.DateTimeField(verbose_name='served')),
                ('recommendation_id', models.CharField(max_length=64, verbose_name='recommendation')),
                ('placement', models.CharField(max_length=40, verbose_name='placement')),
                ('source', models.CharField(choices=[('model', 'Model'), ('session', 'Session'), ('segment', 'Segment'), ('popular', 'Popular items'), ('newest', 'Newest items'), ('none', 'Nothing to show')], max_length=10, verbose_name='source')),
                ('personalised', models.BooleanField(verbose_name='personalised')),
                ('fallback_reason', models.CharField(blank=True, max_length=40, verbose_name='why not from the model')),
                ('model_version', models.BigIntegerField(null=True, verbose_name='model version')),
                ('weights_version', models.BigIntegerField(null=True, verbose_name='weights version')),
                ('rules_version', models.BigIntegerField(default=0, verbose_name='rules version')),
                ('items', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), verbose_name='items')),
                ('scores', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), verbose_name='scores')),
                ('propensities', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), verbose_name='propensities')),
                ('latency_us', models.PositiveIntegerField(null=True, verbose_name='time to answer, µs')),
                ('replay', models.BooleanField(db_default=False, default=False, verbose_name='replay')),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='slates', to='recommendations.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'recommendation list',
                'verbose_name_plural': 'recommendation lists',
            },
        ),
        migrations.CreateModel(
            name='SlateOutcome',
            fields=[
                ('recommendation_id', models.CharField(max_length=64, primary_key=True, serialize=False, verbose_name='recommendation')),
                ('placement', models.CharField(max_length=40, verbose_name='placement')),
                ('at', models.DateTimeField(help_text='The first event that carries its id.', verbose_name='shown')),
                ('replay', models.BooleanField(verbose_name='replay')),
                ('listed', models.BooleanField(help_text='The shop reported it with view_item_list.', verbose_name='listed')),
                ('seen', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), verbose_name='positions seen')),
                ('clicked', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), verbose_name='positions clicked')),
                ('carted', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), verbose_name='positions put into the cart')),
                ('bought', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), verbose_name='positions bought')),
                ('revenues', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=2, max_digits=14), verbose_name='revenue of each position bought')),
                ('purchases', models.PositiveIntegerField(help_text='Lines bought and not taken back.', verbose_name='purchases')),
            ],
            options={
                'verbose_name': 'result of a list',
                'verbose_name_plural': 'results of lists',
                'indexes': [models.Index(fields=['at'], name='outcome_by_time')],
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('succeeded', 'Finished'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', max_length=12, verbose_name='status')),
                ('now', models.DateTimeField(help_text='The moment that the run treats as the present.', verbose_name='as of')),
                ('seed', models.IntegerField(default=0, verbose_name='seed')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('progress', models.FloatField(default=0, verbose_name='progress')),
                ('heartbeat_at', models.DateTimeField(null=True, verbose_name='last heartbeat')),
                ('cancel_requested_at', models.DateTimeField(null=True, verbose_name='cancel asked for')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('message', models.TextField(blank=True, verbose_name='message')),
                ('peak_mb', models.PositiveIntegerField(null=True, verbose_name='peak memory, MB')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to=settings.AUTH_USER_MODEL, verbose_name='started by')),
            ],
            options={
                'verbose_name': 'run',
                'verbose_name_plural': 'runs',
                'ordering': ['-created_at'],
            },
        ),
        migrations.AddField(
            model_name='modelversion',
            name='turn',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='model_version', to='recommendations.turn', verbose_name='run'),
        ),
        migrations.CreateModel(
            name='TurnLogLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('text', models.TextField(verbose_name='text')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log', to='recommendations.turn', verbose_name='run')),
            ],
            options={
                'verbose_name': 'log line',
                'verbose_name_plural': 'log lines',
                'ordering': ['turn', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TurnStage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stage', models.CharField(choices=[('collect', 'Collect'), ('preprocess', 'Preprocess'), ('interests', 'Interests'), ('train', 'Recommend'), ('evaluate', 'Evaluate'), ('adjust', 'Adjust')], max_length=12, verbose_name='stage')),
                ('cut', models.CharField(blank=True, choices=[('tuning', 'Tuning'), ('test', 'Test'), ('live', 'Live')], max_length=8, verbose_name='cut')),
                ('position', models.PositiveSmallIntegerField(verbose_name='position')),
                ('status', models.CharField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('succeeded', 'Finished'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('interrupted', 'Interrupted')], default='queued', max_length=12, verbose_name='status')),
                ('progress', models.FloatField(default=0, verbose_name='progress')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('counts', models.JSONField(default=dict, verbose_name='counts')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stages', to='recommendations.turn', verbose_name='run')),
            ],
            options={
                'verbose_name': 'stage of a run',
                'verbose_name_plural': 'stages of runs',
                'ordering': ['turn', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('placement', models.CharField(max_length=40, verbose_name='placement')),
                ('judgement', models.CharField(choices=[('good', 'Good'), ('odd', 'Odd'), ('wrong', 'Wrong')], max_length=10, verbose_name='judgement')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('rank', models.PositiveSmallIntegerField(help_text='The rank at which it was seen.', null=True, verbose_name='rank')),
                ('judged_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='judged')),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='recommendations.customer', verbose_name='customer')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='recommendations.item', verbose_name='item')),
                ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='recommendations.modelversion', verbose_name='model version')),
                ('staff', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='judgements', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('weights', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='recommendations.blendweights', verbose_name='weights version')),
            ],
            options={
                'verbose_name': 'verdict',
                'verbose_name_plural': 'verdicts',
                'ordering': ['-judged_at'],
            },
        ),
        migrations.AddConstraint(
            model_name='staff',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='staff_email_once_in_any_case'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('origins', []), ('scopes', ['events:write']), _connector='OR'), name='only_a_key_that_reads_nothing_has_origins'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['object_type', 'object_id', '-at'], name='audit_of_object'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(fields=['-at'], name='audit_newest'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch'], name='audit_of_batch'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='category_is_not_its_own_parent'),
        ),
        migrations.AddIndex(
            model_name='customeralias',
            index=models.Index(fields=['changed_at'], name='alias_changed'),
        ),
        migrations.AddConstraint(
            model_name='customeralias',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('anonymous',), name='anonymous_key_is_one_customer'),
        ),
        migrations.AddConstraint(
            model_name='customeralias',
            constraint=models.CheckConstraint(condition=models.Q(('anonymous', models.F('customer')), _negated=True), name='alias_joins_two'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(fields=['updated_at'], name='item_updated_at'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('title'), name='gin_trgm_ops'), name='item_title_trigrams'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('availability__in', ['in_stock', 'out_of_stock', 'preorder', 'backorder'])), name='item_availability_is_known'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('price', None), ('price__gte', 0), _connector='OR'), name='item_price_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('available_at', None), ('expires_at', None), ('available_at__lt', models.F('expires_at')), _connector='OR'), name='item_sale_starts_before_it_ends'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('shop_id', ''), _negated=True), name='item_has_a_shop_id'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['occurred_at'], name='event_occurred_at', pages_per_range=32),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('customer', None), _negated=True), fields=['customer', 'occurred_at'], name='event_of_customer'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('recommendation_id', None), _negated=True), fields=['recommendation_id'], name='event_of_slate'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('name', 'refund')), fields=['transaction_id'], name='refund_of_transaction'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.CheckConstraint(condition=models.Q(('name__in', ['view_item_list', 'select_item', 'view_item', 'search', 'add_to_cart', 'remove_from_cart', 'begin_checkout', 'purchase', 'refund', 'add_to_wishlist', 'share', 'rate_item', 'dislike_item', 'follow', 'view_homepage'])), name='event_name_is_known'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name__in', ['purchase', 'refund']), _negated=True), models.Q(('transaction_id', None), _negated=True), _connector='OR'), name='purchase_has_a_transaction'),
        ),
        migrations.AddIndex(
            model_name='attributedline',
            index=models.Index(fields=['recommendation_id'], name='attributed_to_slate'),
        ),
        migrations.AddIndex(
            model_name='attributedline',
            index=models.Index(condition=models.Q(('transaction_id', None), _negated=True), fields=['transaction_id'], name='attributed_of_transaction'),
        ),
        migrations.AddConstraint(
            model_name='itemprice',
            constraint=models.UniqueConstraint(fields=('item', 'valid_from'), name='item_has_one_price_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='itemprice',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='price_change_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.UniqueConstraint(fields=('run', 'name'), name='measured_once_per_run'),
        ),
        migrations.AddConstraint(
            model_name='interestprofile',
            constraint=models.UniqueConstraint(fields=('version', 'customer', 'half_life_days'), name='profile_once_per_version'),
        ),
        migrations.AddConstraint(
            model_name='evaluationrun',
            constraint=models.UniqueConstraint(fields=('version', 'cut', 'task'), name='one_evaluation_per_version_cut_and_task'),
        ),
        migrations.AddConstraint(
            model_name='evaluationrun',
            constraint=models.CheckConstraint(condition=models.Q(('window_start__lt', models.F('window_end'))), name='evaluation_window_has_days'),
        ),
        migrations.AddIndex(
            model_name='associationrule',
            index=models.Index(fields=['version', '-lift'], name='association_rule_by_lift'),
        ),
        migrations.AddConstraint(
            model_name='associationrule',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__gte', 0), ('confidence__lte', 1), ('support__gte', 0), ('support__lte', 1)), name='association_shares_are_shares'),
        ),
        migrations.AddConstraint(
            model_name='artefact',
            constraint=models.UniqueConstraint(fields=('version', 'cut', 'name'), name='artefact_once_per_version_and_cut'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.CheckConstraint(condition=models.Q(('repeat__in', ['allow', 'exclude', 'only'])), name='placement_repeat_is_known'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.CheckConstraint(condition=models.Q(('n__gte', 1), ('n__lte', 100)), name='placement_shows_1_to_100'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.CheckConstraint(condition=models.Q(('part__in', ['whole', 'category', 'found', 'newest'])), name='placement_part_is_known'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.CheckConstraint(condition=models.Q(('diversity__gte', 0), ('diversity__lte', 1)), name='placement_diversity_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.CheckConstraint(condition=models.Q(('attribution_window__gte', 1), ('attribution_window__lte', 720)), name='attribution_window_is_1_hour_to_30_days'),
        ),
        migrations.AddIndex(
            model_name='promotion',
            index=models.Index(fields=['-week', 'item'], name='promotion_week_item'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.UniqueConstraint(fields=('item', 'week'), name='item_is_promoted_once_a_week'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(('display__gte', 0), ('display__lte', 1)), name='promotion_display_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='promotion',
            constraint=models.CheckConstraint(condition=models.Q(('mailer__gte', 0), ('mailer__lte', 1)), name='promotion_mailer_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='rulebook',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_book_of_rules'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['exclude', 'include_only', 'pin', 'boost', 'cap', 'minimum_share'])), name='rule_action_is_known'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at', None), ('ends_at', None), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='rule_starts_before_it_ends'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('strength', None), models.Q(('strength__gte', -100), ('strength__lte', 100)), _connector='OR'), name='rule_strength_is_from_minus_100_to_100'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('share', None), models.Q(('share__gte', 0), ('share__lte', 1)), _connector='OR'), name='rule_share_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.UniqueConstraint(fields=('blend', 'number'), name='weights_number_once_per_blend'),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('blend', 'segment'), name='one_default_per_blend_and_segment', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.CheckConstraint(condition=models.Q(('is_default', False), ('status', 'published'), _connector='OR'), name='only_published_weights_are_default'),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.CheckConstraint(condition=models.Q(('diversity__gte', 0), ('diversity__lte', 1), ('exploration__gte', 0), ('exploration__lte', 1)), name='diversity_and_exploration_are_shares'),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.CheckConstraint(condition=models.Q(('promotion__gte', 0)), name='promotion_exponent_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='blendweights',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'draft')), fields=('blend', 'segment'), name='one_draft_per_blend_and_segment', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='segmentmembership',
            constraint=models.UniqueConstraint(fields=('version', 'customer'), name='one_segment_per_customer_and_version'),
        ),
        migrations.AddIndex(
            model_name='slate',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['served_at'], name='slate_served_at', pages_per_range=32),
        ),
        migrations.AddIndex(
            model_name='slate',
            index=models.Index(fields=['recommendation_id'], name='slate_by_recommendation'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'])), name='turn_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='turn',
            constraint=models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='turn_progress_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('is_live', True)), fields=('is_live',), name='one_model_version_is_live'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('is_live', False), ('status', 'ready'), _connector='OR'), name='only_a_ready_version_is_live'),
        ),
        migrations.AddConstraint(
            model_name='turnstage',
            constraint=models.UniqueConstraint(fields=('turn', 'stage', 'cut'), name='stage_once_per_turn_and_cut'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.UniqueConstraint(fields=('customer', 'item', 'placement', 'staff'), name='one_verdict_of_each', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.CheckConstraint(condition=models.Q(('judgement__in', ['good', 'odd', 'wrong'])), name='judgement_is_known'),
        ),
        migrations.RunSQL(PARTITIONS, migrations.RunSQL.noop),
    ]
