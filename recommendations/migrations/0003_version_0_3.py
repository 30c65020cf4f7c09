"""Whose word an event is, what is set aside, what keeps a version from going live; sessions of staff, and their files."""

import uuid
from decimal import Decimal


import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import DEFAULT_DB_ALIAS, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Lower, Now
from django.db.models.lookups import Exact
from django.utils import timezone

from recommendations.domains.goods import GOODS
from recommendations.domains.protocol import Domain
from recommendations.domains.table import DOMAINS
from recommendations.models.experiments import new_salt

SIDES = [("server", "On a server"), ("page", "In a page or an app")]
TRUSTS = [
    (0, "A page's"), (1, "A page's, with a proof of who is signed in"), (2, "The shop's server"), (3, "An imported file"),
]  # fmt: skip
SCOPES = [
    ("events:write", "Send events"),
    ("events:replay", "Send events of the demo's replay"),
    ("identity:prove", "Prove who is signed in"),
    ("recommendations:read", "Read recommendations"),
    ("catalogue:write", "Change the catalogue"),
    ("customers:write", "Send customer properties"),
    ("contacts:read", "Read consents, and addresses with stars"), ("contacts:write", "Send addresses and consents"),
    ("campaigns:trigger", "Trigger messages of campaigns"), ("push:subscribe", "Subscribe browsers to notifications"),
    ("privacy:write", "Export, erase and part customers"),
    ("metrics:read", "Read metrics"),
]
SCOPES_SHOWN = [
    ("whole", "All of it"), ("category", "A category"), ("found", "What a search found"),
    ("newest", "The newest items"), ("followed", "What the customer follows"),
    ("begun", "What the customer has begun"),
]  # fmt: skip
CHANNELS = [("email", "E-mail"), ("web_push", "Browser notification"), ("webhook", "Webhook")]
PURPOSES = [
    ("for_you", "Recommendations for you"), ("reminders", "Reminders"), ("news", "News and offers for everybody"),
]  # fmt: skip
CONSENT_STATES = [("asked", "Asked"), ("given", "Given"), ("refused", "Refused"), ("withdrawn", "Withdrawn")]
CONSENT_SOURCES = [
    ("api", "The shop's server"), ("import", "An imported file"), ("confirmed", "Confirmation mail"),
    ("preferences", "Preference page"), ("one_click", "One-click unsubscribe"), ("complaint", "Complaint"),
    ("browser", "Browser"), ("staff", "Staff"), ("demo", "Invented for the demo"),
]  # fmt: skip
IMPORT_KINDS = [
    ("items", "Items"), ("events", "Events"), ("promotions", "Promotions"), ("contacts", "Contacts"),
    ("customers", "Customers"), ("receipts", "Campaigns of other systems"),
]  # fmt: skip
NEW_ITEM_STATES = [
    ("waiting", "Waiting"), ("promised", "Promised"), ("kept", "Kept"), ("late", "Late"),
    ("missed", "No promise in time"), ("known", "Shown enough already"), ("stopped", "Taken out"),
]  # fmt: skip
PICTURE_FAULTS = [
    ("no_answer", "The server gave no answer within five seconds."), ("status", "The server answered with an error."),
    ("gone", "There is nothing at its address."),
    ("forbidden", "Its address is not public, or does not begin with https."),
    ("not_a_picture", "What lies at its address is no picture."),
    ("too_large", "It is larger than 5 MB or 25 million pixels."),
    ("unreadable", "It is broken, or of another kind than JPEG, PNG, WebP, AVIF and GIF."),
    ("small", "It is smaller than 100 by 100 pixels."),
]  # fmt: skip
ADDRESS_STATES = [("unconfirmed", "Not confirmed"), ("active", "In use"), ("gone", "Gone")]
SUPPRESSION_REASONS = [
    ("hard_bounce", "It does not exist"), ("complaint", "Complained"),
    ("unsubscribed_all", "Unsubscribed from everything"), ("staff", "Set by staff"), ("erased", "Erased"),
]  # fmt: skip
CAMPAIGN_KINDS = [
    ("once", "Once"), ("recurring", "Recurring"), ("triggered", "Triggered"), ("imported", "Imported"),
]  # fmt: skip
TRIGGERS = [
    ("cart_left", "Left in the cart"), ("viewed", "Looked at and not bought"), ("back_in_stock", "Back in stock"),
    ("price_drop", "Cheaper now"), ("due_again", "Running low"), ("new_for_you", "New for you"),
    ("win_back", "Long not seen"), ("shop", "The shop says so"),
]  # fmt: skip
MESSAGE_STATES = [
    ("held", "Held out"), ("due", "Waiting"), ("leased", "Taken up"), ("handing", "Being handed over"),
    ("taken", "Taken"), ("refused", "Refused"), ("gone", "Address is gone"),
    ("unknown", "Not known whether it arrived"), ("withdrawn", "Withdrawn"), ("expired", "Too late"),
    ("failed", "Failed"),
]  # fmt: skip
MESSAGE_EVENTS = [
    ("clicked", "Clicked"), ("machine_clicked", "Opened by a machine"), ("unsubscribed", "Unsubscribed"),
    ("resubscribed", "Unsubscribed by mistake"), ("bounced", "Came back"), ("soft_bounced", "Came back for now"),
    ("complained", "Complained"), ("delivered", "Delivered"),
]  # fmt: skip
OCCURRENCE_STATES = [
    ("planned", "Planned"), ("due", "Due"), ("waiting", "Waits for approval"), ("decided", "Going out"),
    ("finished", "Finished"), ("cancelled", "Cancelled"),
]  # fmt: skip
VERDICTS = [
    ("no_address", "No address in use"), ("no_consent", "No consent"), ("suppressed", "Must not be written to"),
    ("held_out", "Held out"), ("capped", "Has had enough"), ("done_already", "Bought or seen already"),
    ("too_little", "Nothing good to say"), ("not_worth", "Costs more than it brings"),
    ("outranked", "A better message first"), ("waits", "Not today"), ("over_budget", "Over the budget"),
    ("later", "Sent later"), ("now", "Sent now"),
]  # fmt: skip
AGENT_STATUSES = [
    ("off", "Off"), ("watches", "Watches"), ("explores", "Explores"), ("acts", "Acts"), ("paused", "Paused"),
]  # fmt: skip
PUSH_MODEL_KINDS = [
    ("due", "What runs low"), ("response", "Who answers"), ("relevance", "What suits"), ("activity", "When they act"),
    ("fatigue", "What tires"),
]  # fmt: skip
PUSH_RATES = [
    ("complaints", "Complaints"), ("bounces", "Addresses that do not exist"), ("unsubscribes", "Unsubscribed"),
    ("failures", "Refused or failed"),
]  # fmt: skip
SUSPICION_RULES = [
    ("twins", "They share items that hardly anyone buys"), ("rush", "A sudden rush"), ("pace", "They act like clockwork"),
    ("staff", "Set aside by staff"),
]  # fmt: skip
QUARANTINE_STATES = [("aside", "Set aside"), ("restored", "Restored"), ("deleted", "Deleted")]


PARTS_OF_ANSWERS: list[tuple[str, str, str, list[tuple[str, models.Field]]]] = [
    ("AnswerBasis", "basis of answers", "bases of answers", []),
    ("AnswerRequest", "request", "requests", []),
    (
        "AnswerState", "state of a customer", "states of customers",
        [
            (
                "customer",
                models.ForeignKey(
                    "recommendations.customer", models.DO_NOTHING, db_constraint=False, related_name="+",
                    verbose_name="customer",
                ),
            )
        ],
    ),
]  # fmt: skip
WAYS = [(0, "As ranked"), (1, "Shuffled"), (2, "From further down")]
MORE_OF_SLATES = {
    "unit": models.BigIntegerField(null=True, verbose_name="unit"),
    "arms": ArrayField(models.BigIntegerField(), db_default=[], default=list, verbose_name="arms"),
    "visit_weights": models.BigIntegerField(null=True, verbose_name="weights version of the visit"),
    "places": ArrayField(models.SmallIntegerField(), db_default=[], default=list, verbose_name="places"),
    "fixed": ArrayField(models.SmallIntegerField(), db_default=[], default=list, verbose_name="fixed slots"),
    "way": models.PositiveSmallIntegerField(choices=WAYS, db_default=0, default=0, verbose_name="way of showing"),
    "basis": models.UUIDField(null=True, verbose_name="basis"),
    "request": models.UUIDField(null=True, verbose_name="request"),
    "state": models.UUIDField(null=True, verbose_name="state"),
}

EXPERIMENT_KINDS = [("ab", "A/B test"), ("aa", "A/A test"), ("bandit", "Bandit")]
EXPERIMENT_STATUSES = [
    ("draft", "Draft"), ("running", "Running"), ("paused", "Paused"), ("stopped", "Stopped"), ("shipped", "Published"),
]  # fmt: skip
CONTACT_CODES = {"channel": CHANNELS, "purpose": PURPOSES, "state": CONSENT_STATES, "source": CONSENT_SOURCES}
CONSENT_IS_ONLY_ADDED = """
CREATE FUNCTION recommendations_consent_is_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'statements of consent are only added'; END $$;
CREATE TRIGGER consent_is_only_added BEFORE UPDATE ON recommendations_consentstatement
FOR EACH ROW EXECUTE FUNCTION recommendations_consent_is_only_added();
"""
RECEIPT_IS_ONLY_ADDED = """
CREATE FUNCTION recommendations_receipt_is_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '2190 days' THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'receipts are only added';
END $$;
CREATE TRIGGER receipt_is_only_added BEFORE UPDATE OR DELETE ON recommendations_receipt
FOR EACH ROW EXECUTE FUNCTION recommendations_receipt_is_only_added();
"""
WORD_IS_ONLY_ADDED = """
CREATE FUNCTION recommendations_word_is_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'words on purposes are only added'; END $$;
CREATE TRIGGER word_is_only_added BEFORE UPDATE ON recommendations_purposeword
FOR EACH ROW EXECUTE FUNCTION recommendations_word_is_only_added();
"""
# What customers said before there was a ledger; who said it, and where, nobody wrote down: the shop handed it in.
WORDS_OF_BEFORE = """
INSERT INTO recommendations_purposeword (customer_id, purpose, state, at, source, resume, proof)
SELECT id, 'personalise', CASE WHEN personalise THEN 'given' ELSE 'refused' END, consent_at, 'server', personalise, '{}'
FROM recommendations_customer WHERE consent_at IS NOT NULL;
"""
# Purpose-bound reading: events without those of whom they must not be used for it. ``person_id`` is the customer whom
# the key was merged into, or its own; events of nobody are among them. Who is erased allows nothing.
EVENTS_BY_PURPOSE = """
CREATE VIEW events_to_personalise AS
SELECT event.*, coalesce(alias.customer_id, event.customer_id) AS person_id
FROM recommendations_event event
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND alias.undone_at IS NULL
WHERE NOT EXISTS (
    SELECT FROM recommendations_customer objector WHERE objector.id = event.customer_id AND NOT objector.personalise)
  AND NOT EXISTS (
    SELECT FROM recommendations_customer resumed
    WHERE resumed.id = event.customer_id AND resumed.resumed_at IS NOT NULL AND resumed.resumed_at > event.occurred_at);
CREATE VIEW events_to_measure AS
SELECT event.*, coalesce(alias.customer_id, event.customer_id) AS person_id
FROM recommendations_event event
LEFT JOIN recommendations_customeralias alias ON alias.anonymous_id = event.customer_id AND alias.undone_at IS NULL
WHERE NOT EXISTS (
    SELECT FROM recommendations_customer refuser WHERE refuser.id = event.customer_id AND NOT refuser.measure);
"""
# The noise of a release is drawn once; afterwards it can be published and withdrawn, and nothing else. Its line of the
# ledger keeps it from being deleted.
RELEASE_IS_DRAWN_ONCE = """
CREATE FUNCTION recommendations_release_is_drawn_once() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a release is drawn once'; END $$;
CREATE TRIGGER release_is_drawn_once BEFORE UPDATE ON recommendations_release
FOR EACH ROW WHEN (OLD.drawn_at IS NOT NULL AND
  (NEW.domain, NEW.weeks, NEW.last_day, NEW.bound, NEW.epsilon, NEW.drawn_at, NEW.values, NEW.enough, NEW.rows, NEW.expected)
  IS DISTINCT FROM
  (OLD.domain, OLD.weeks, OLD.last_day, OLD.bound, OLD.epsilon, OLD.drawn_at, OLD.values, OLD.enough, OLD.rows, OLD.expected))
EXECUTE FUNCTION recommendations_release_is_drawn_once();
CREATE FUNCTION recommendations_budget_is_only_spent() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'lines of the privacy budget are only added'; END $$;
CREATE TRIGGER budget_is_only_spent BEFORE UPDATE OR DELETE ON recommendations_budgetline
FOR EACH ROW EXECUTE FUNCTION recommendations_budget_is_only_spent();
"""
DROP_OF_RELEASES = (
    "DROP FUNCTION recommendations_release_is_drawn_once CASCADE; "
    "DROP FUNCTION recommendations_budget_is_only_spent CASCADE"
)
STATEMENT_STAYS = """
CREATE FUNCTION recommendations_statement_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'statements of main parameters are only added'; END $$;
CREATE TRIGGER statement_stays BEFORE UPDATE ON recommendations_recommendationstatement
FOR EACH ROW EXECUTE FUNCTION recommendations_statement_stays();
"""
IS_STATED = """
CREATE FUNCTION recommendations_live_changed() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM set_config('recsite.unstated', 'yes', true); RETURN NULL; END $$;
CREATE FUNCTION recommendations_live_is_stated() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF current_setting('recsite.unstated', true) = 'yes' THEN
    RAISE EXCEPTION 'what is live changed without a statement: call note_statement() last in the same transaction'
    USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
"""
SERVES = "OLD.is_default IS DISTINCT FROM NEW.is_default"
SET = "blend_id", "repeat", "cool_down", "fatigue", "diversity", "explores", "enabled", "scope"
IN_TRAFFIC = "OLD.status IN ('running', 'paused') OR NEW.status IN ('running', 'paused')"
TRAFFIC_OLD, TRAFFIC_NEW = (f"({row}.status, {row}.range_to - {row}.range_from)" for row in ("OLD", "NEW"))
CHANGES_OF_LIVE = [  # table, act, and when it changes what is live
    *((table, "INSERT", "NEW.is_default") for table in ("blendweights", "rulebook", "newitempromise")),
    *((table, "UPDATE", SERVES) for table in ("blendweights", "rulebook", "newitempromise")),
    ("placement", "UPDATE", " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in SET)),
    ("experiment", "UPDATE", f"NOT NEW.simulated AND ({IN_TRAFFIC}) AND {TRAFFIC_OLD} <> {TRAFFIC_NEW}"),
]  # fmt: skip
CHANGES_ARE_STATED = IS_STATED + "".join(
    f"""
CREATE TRIGGER live_changed_{act.lower()} AFTER {act} ON recommendations_{table}
FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION recommendations_live_changed();
CREATE CONSTRAINT TRIGGER live_is_stated_{act.lower()} AFTER {act} ON recommendations_{table}
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION recommendations_live_is_stated();
"""
    for table, act, when in CHANGES_OF_LIVE
)
FORGET_STATED = (
    "DROP FUNCTION recommendations_live_changed CASCADE; DROP FUNCTION recommendations_live_is_stated CASCADE"
)
DATA_PURPOSES = [("personalise", "Personalise"), ("measure", "Measure"), ("push", "Messages")]
PURPOSE_STATES = [("given", "Given"), ("refused", "Refused"), ("withdrawn", "Withdrawn")]
WORD_SOURCES = [
    ("page", "A page of the shop"), ("server", "The shop's server"), ("import", "An imported file"), ("staff", "Staff"),
    ("link", "The customer's own link"),
]  # fmt: skip
PRIVACY_KINDS = [("export", "Export"), ("erase", "Erase")]
ERASE_MODES = [("forget", "Forget"), ("block", "Block")]
RECEIPT_PARTS = [("erased", "Erased everywhere"), ("closed", "Learned without them; closed")]
RETENTION_KINDS = [
    ("events", "Events"), ("event_files", "Files of past events"), ("slates", "Recommendation lists"),
    ("refused_rows", "Refused rows"), ("trail", "Audit trail"), ("tombstones", "Erased ids"),
    ("receipts", "Receipts and requests"),
]  # fmt: skip
RETENTION_IS_ONLY_ADDED = """
CREATE FUNCTION recommendations_retention_is_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'rules of retention are only added'; END $$;
CREATE TRIGGER retention_is_only_added BEFORE UPDATE OF kind, days, note, at ON recommendations_retentionrule
FOR EACH ROW EXECUTE FUNCTION recommendations_retention_is_only_added();
"""
# What a shop kept before there were rules stays until somebody wants it otherwise: an upgrade deletes nothing.
KEEP_WHAT_IS_THERE = """
INSERT INTO recommendations_retentionrule (kind, days, note, at)
SELECT kind, extract(day FROM now() - oldest)::integer + 31, 'What there was when rules of retention came.', now()
FROM (
  SELECT 'events', 730, min(occurred_at) FROM recommendations_event
  UNION ALL SELECT 'slates', 400, min(served_at) FROM recommendations_slate
  UNION ALL SELECT 'refused_rows', 30, min(started_at) FROM recommendations_import
    WHERE EXISTS (SELECT FROM recommendations_rejectedrow WHERE source_id = recommendations_import.id)
  UNION ALL SELECT 'trail', 1095, min(at) FROM recommendations_auditentry
) stored(kind, usual, oldest)
WHERE oldest < now() - make_interval(days => usual)
"""
RELEASE_DOMAINS = [("items", "Items"), ("types", "Product types"), ("interests", "Main interests")]
METRICS = [
    ("revenue", "Revenue per visitor"), ("converted", "Visitors who buy"), ("orders", "Orders per visitor"),
    ("items_per_basket", "Items per order"), ("basket_value", "Revenue per order"), ("ctr", "Lists clicked"),
    ("attributed", "Revenue through these lists"), ("refunds", "Money given back"),
    ("fallback", "Answers not from the model"), ("latency", "Time to answer"), ("dislikes", "Dislikes per visitor"),
    ("coverage", "Different items shown"),
]  # fmt: skip
ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
IN_0_1 = [MinValueValidator(0), MaxValueValidator(1)]

STATUSES = [
    ("queued", "Waiting"), ("running", "Running"), ("succeeded", "Finished"), ("failed", "Failed"),
    ("cancelled", "Cancelled"), ("interrupted", "Interrupted"),
]  # fmt: skip

APPROVAL_STATES = [
    ("waiting", "Waiting for approval"), ("published", "Published"), ("returned", "Sent back"),
    ("withdrawn", "Withdrawn"),
]  # fmt: skip
SEGMENTS_OF_VERSIONS = """
INSERT INTO recommendations_segmentstate (version_id, segment_id, size, top_categories)
SELECT m.version_id, m.segment_id, count(*), s.top_categories
FROM recommendations_segmentmembership m JOIN recommendations_segment s ON s.id = m.segment_id GROUP BY 1, 2, 4;
UPDATE recommendations_segment s SET size = t.size, version_id = t.version_id
FROM recommendations_segmentstate t JOIN recommendations_modelversion v ON v.id = t.version_id AND v.is_live
WHERE t.segment_id = s.id;
UPDATE recommendations_segment SET automatic_name = coalesce((SELECT string_agg(each ->> 'name', ' & ' ORDER BY place)
FROM jsonb_array_elements(top_categories) WITH ORDINALITY AS top (each, place) WHERE place <= 2), '');
"""


# The live version's interests as rows of customers: later ones are written as their version goes live.
LIVE_PROFILES = """
INSERT INTO recommendations_liveprofile (customer_id, segment_id, weight, shift, leads)
SELECT c.id, m.segment_id, coalesce(t.weight, 0), CASE WHEN l.weight >= 1 THEN greatest(l.shares[1]
  - coalesce(t.shares[array_position(t.categories, l.categories[1])], 0), 0) ELSE 0 END, l.categories[1]
FROM recommendations_customer c JOIN recommendations_modelversion v ON v.is_live
LEFT JOIN recommendations_interestprofile t ON (t.customer_id, t.version_id, t.half_life_days) = (c.id, v.id, 90)
LEFT JOIN recommendations_interestprofile l ON (l.customer_id, l.version_id, l.half_life_days) = (c.id, v.id, 7)
LEFT JOIN recommendations_segmentmembership m ON (m.customer_id, m.version_id) = (c.id, v.id)
WHERE coalesce(t.id, l.id, m.id) IS NOT NULL
"""


# page → its placements in order, and how many items each shows
PAGES = {
    "home": (("home", 12), ("buy_again", 6), ("discover", 6), ("trending", 6), ("new", 6)),
    "item": (("also_bought", 6), ("item", 6)),
    "cart": (("cart", 6),),
    "category": (("category", 24),),
    "search": (("search", 24),),
    "thanks": (("discover", 6),),
}
SIMILAR_BEFORE = {"also_bought": 0.45, "item_knn_context": 0.30, "content_context": 0.20, "popularity_home": 0.05}
SIMILAR = {"content_context": 0.70, "item_knn_context": 0.20, "popularity_home": 0.10}


EXPLORATION_BY_CARDS = """
UPDATE recommendations_blendweights SET cards = exploration, exploration = 0 WHERE exploration > 0;
UPDATE recommendations_weightsearch SET request = jsonb_set(request, '{values}', request -> 'values'
|| jsonb_build_object('cards', request -> 'values' -> 'exploration', 'exploration', 0))
WHERE request -> 'values' ? 'exploration';
UPDATE recommendations_weightsearch SET result = jsonb_set(result, '{values}', result -> 'values'
|| jsonb_build_object('cards', result -> 'values' -> 'exploration', 'exploration', 0))
WHERE result -> 'values' ? 'exploration';
"""
"""What weights explored so far was items from further down; shuffled answers are new, and nobody asked for them."""

WEIGHTS_BY_NUMBER = """
UPDATE recommendations_slate SET weights_version = weights.number
FROM recommendations_blendweights weights WHERE weights.id = recommendations_slate.weights_version
"""
"""What a slate was made with is told by the number of the version, as on the pages, and no longer by its key."""


def put_into_pages(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """A key with origins stands in a page."""
    keys = apps.get_model("recommendations", "ApiKey").objects.using(editor.connection.alias)
    keys.exclude(origins=[]).update(side="page")


def furnish_pages(apps: Apps, editor: BaseDatabaseSchemaEditor | None) -> None:
    """The pages of a usual shop, with those placements that are there."""
    alias = editor.connection.alias if editor else DEFAULT_DB_ALIAS
    placements = {row.name: row for row in apps.get_model("recommendations", "Placement").objects.using(alias)}
    slots = apps.get_model("recommendations", "PageSlot").objects.using(alias)
    for name, parts in PAGES.items():
        page = apps.get_model("recommendations", "ShopPage").objects.using(alias).create(name=name)
        for position, (placement, n) in enumerate((part for part in parts if part[0] in placements), 1):
            slots.create(page=page, placement=placements[placement], position=position, n=n)


def let_mails_be_read_later(apps: Apps, editor: BaseDatabaseSchemaEditor | None) -> None:
    """A mail is gone back to for days: a click in it counts for longer, unless staff have set the window."""
    alias = editor.connection.alias if editor else DEFAULT_DB_ALIAS
    placements = apps.get_model("recommendations", "Placement").objects.using(alias)
    placements.filter(name="email", attribution_window=24).update(attribution_window=72)


def furnish_domain(apps: Apps, _editor: BaseDatabaseSchemaEditor | None) -> None:
    """The placements and pages of a new shop's domain; where something happened already it goes on selling goods."""
    known = {name: apps.get_model("recommendations", name).objects for name in ("Item", "Run")}
    if GOODS.name != settings.SHOP_DOMAIN and not any(rows.exists() for rows in known.values()):
        set_up(DOMAINS[settings.SHOP_DOMAIN], apps)


def set_up(domain: Domain, apps: Apps) -> None:
    """Put the placements and pages of a domain in the place of those that are there."""
    page, slot, placement = (apps.get_model("recommendations", name) for name in ("ShopPage", "PageSlot", "Placement"))
    blends = {blend.name: blend for blend in apps.get_model("recommendations", "Blend").objects.all()}
    page.objects.all().delete()
    placement.objects.all().delete()
    rows = {}
    for preset in domain.placements:
        fields = vars(preset) | {"blend": blends[preset.blend] if preset.blend else None}
        rows[preset.name] = placement.objects.create(**fields)
    for name, parts in domain.pages.items():
        of = page.objects.create(name=name)
        for position, (part, n) in enumerate(parts, 1):
            slot.objects.create(page=of, placement=rows[part], position=position, n=n)
    settings_of = apps.get_model("recommendations", "ShopSetting").objects
    settings_of.update_or_create(key="domain", defaults={"value": domain.name.value})


def furnish_channels(apps: Apps, editor: BaseDatabaseSchemaEditor | None) -> None:
    """The placements under which lists of notifications and webhooks are kept, beside that of mails."""
    alias = editor.connection.alias if editor else DEFAULT_DB_ALIAS
    blend = apps.get_model("recommendations", "Blend").objects.using(alias).filter(name="home").first()
    placements = apps.get_model("recommendations", "Placement").objects.using(alias)
    for name, n, hours in (("web_push", 1, 24), ("webhook", 6, 72)):
        placements.get_or_create(
            name=name, defaults={"blend": blend, "n": n, "diversity": 0.3, "attribution_window": hours}
        )


def furnish_following(apps: Apps, editor: BaseDatabaseSchemaEditor | None) -> None:
    """The placement of what is new from the brands and categories that a customer follows."""
    alias = editor.connection.alias if editor else DEFAULT_DB_ALIAS
    placements = apps.get_model("recommendations", "Placement").objects.using(alias)
    placements.get_or_create(name="following", defaults={"scope": "followed", "n": 20, "explores": False})


def let_similar_be_similar(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """A new version of the weights of *Similar*, where those that shipped are served: mostly what is bought together."""
    versions = apps.get_model("recommendations", "BlendWeights").objects.using(editor.connection.alias)
    before = versions.select_related("blend").filter(
        blend__name="item", segment=None, is_default=True, weights=SIMILAR_BEFORE
    ).first()  # fmt: skip
    if before is None:
        return
    blend, now = before.blend, timezone.now()
    versions.filter(pk=before.pk).update(is_default=False)
    blend.last_number += 1
    blend.save(update_fields=["last_number"])
    versions.create(
        blend=blend, number=blend.last_number, weights=SIMILAR, diversity=before.diversity,
        exploration=before.exploration, promotion=before.promotion, status="published", is_default=True, parent=before,
        reason="Shipped preset of version 0.3", created_at=now, published_at=now,
    )  # fmt: skip


RATES = [
    ("clicks", "Clicks"), ("purchases", "Purchases"), ("revenue", "Revenue"),
    ("fallback", "Answers not from the model"), ("slow", "Slow answers"), ("events", "Events"),
    ("interests", "What customers are interested in"), ("popularity", "What is popular"),
    ("overfit", "Over-fitting"),
]  # fmt: skip
DIRECTIONS = [("rise", "up"), ("fall", "down")]
KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
PLACEMENT = models.CharField(blank=True, max_length=40, verbose_name="placement")
RATE = models.CharField(choices=RATES, max_length=10, verbose_name="rate")
WATCHES = [
    migrations.CreateModel(
        name="PlacementHour",
        fields=[
            KEY,
            ("hour", models.DateTimeField(verbose_name="hour")),
            ("placement", PLACEMENT),
            ("slates", models.IntegerField(default=0, verbose_name="lists served")),
            ("fallback", models.IntegerField(default=0, verbose_name="not from the model")),
            ("times", ArrayField(models.IntegerField(), default=list, verbose_name="answers by the time they took")),
            ("clicked", models.IntegerField(default=0, verbose_name="lists clicked")),
            ("bought", models.IntegerField(default=0, verbose_name="lists bought from")),
            ("revenue", models.FloatField(default=0, verbose_name="revenue")),
            ("squares", models.FloatField(default=0, verbose_name="squares of the revenue")),
            ("events", models.IntegerField(default=0, verbose_name="events")),
        ],
        options={"verbose_name": "hour of a placement", "verbose_name_plural": "hours of placements"},
    ),
    migrations.CreateModel(
        name="RateWatch",
        fields=[
            KEY,
            ("rate", RATE),
            ("placement", PLACEMENT),
            ("watched_until", models.DateTimeField(verbose_name="watched until")),
            ("by_day", models.BooleanField(default=False, verbose_name="by day")),
            ("silent", models.BooleanField(default=True, verbose_name="too little data")),
            ("rise", models.FloatField(default=0, verbose_name="evidence for a rise")),
            ("rise_steps", models.IntegerField(default=0)),
            ("fall", models.FloatField(default=0, verbose_name="evidence for a fall")),
            ("fall_steps", models.IntegerField(default=0)),
        ],
        options={"verbose_name": "watch of a rate", "verbose_name_plural": "watches of rates"},
    ),
    migrations.CreateModel(
        name="Alarm",
        fields=[
            KEY,
            ("rate", RATE),
            ("placement", PLACEMENT),
            ("direction", models.CharField(choices=DIRECTIONS, max_length=4, verbose_name="direction")),
            ("by_day", models.BooleanField(default=False, verbose_name="by day")),
            ("onset", models.DateTimeField(verbose_name="since")),
            ("raised_at", models.DateTimeField(verbose_name="raised")),
            ("last_at", models.DateTimeField(verbose_name="last seen again")),
            ("times", models.PositiveIntegerField(default=1, verbose_name="times")),
            (
                "change",
                models.FloatField(
                    help_text="As a share of what is usual; of a distribution its shift.", verbose_name="change"
                ),
            ),
            ("ended_at", models.DateTimeField(null=True, verbose_name="as usual again")),
            ("seen_at", models.DateTimeField(null=True, verbose_name="seen")),
            (
                "seen_by",
                models.ForeignKey(
                    settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="seen by"
                ),
            ),
        ],
        options={"verbose_name": "alarm", "verbose_name_plural": "alarms", "ordering": ["-onset", "-pk"]},
    ),
    migrations.CreateModel(
        name="StabilityReading",
        fields=[
            KEY,
            (
                "version",
                models.OneToOneField(
                    "recommendations.modelversion", models.CASCADE, related_name="stability", verbose_name="version"
                ),
            ),
            (
                "before",
                models.ForeignKey(
                    "recommendations.modelversion", models.SET_NULL, null=True, related_name="+",
                    verbose_name="version before",
                ),
            ),
            ("at", models.DateTimeField(verbose_name="read")),
            ("shifts", models.JSONField(default=dict, verbose_name="shifts")),
            ("churn", models.JSONField(default=dict, verbose_name="churn")),
            ("basis", models.JSONField(default=dict, verbose_name="basis")),
            ("seconds", models.FloatField(default=0, verbose_name="seconds")),
        ],
        options={
            "verbose_name": "reading of stability", "verbose_name_plural": "readings of stability", "ordering": ["-at"],
        },
    ),
    *(
        migrations.AddConstraint(model, constraint)
        for model, constraint in (
            ("placementhour", models.UniqueConstraint(fields=("placement", "hour"), name="placement_hour_once")),
            ("ratewatch", models.UniqueConstraint(fields=("placement", "rate"), name="one_watch_of_a_rate")),
            (
                "alarm",
                models.CheckConstraint(
                    condition=models.Q(("rate__in", [code for code, _ in RATES])), name="alarm_rate_is_known"
                ),
            ),
            (
                "alarm",
                models.CheckConstraint(
                    condition=models.Q(("direction__in", [code for code, _ in DIRECTIONS])),
                    name="alarm_direction_is_known",
                ),
            ),
            (
                "alarm",
                models.UniqueConstraint(
                    condition=models.Q(("ended_at", None)), fields=("placement", "rate"),
                    name="one_lasting_alarm_of_a_rate",
                ),
            ),
        )
    ),
]  # fmt: skip


EVENT_NAMES = [
    ("view_item_list", "List shown"), ("select_item", "Clicked in a list"), ("view_item", "Viewed"),
    ("search", "Searched"), ("add_to_cart", "Added to cart"), ("remove_from_cart", "Removed from cart"),
    ("begin_checkout", "Began checkout"), ("purchase", "Bought"), ("refund", "Returned"),
    ("add_to_wishlist", "Wishlisted"), ("share", "Shared"), ("rate_item", "Rated"), ("dislike_item", "Disliked"),
    ("follow", "Followed"), ("unfollow", "Unfollowed"), ("view_homepage", "Viewed home page"),
    ("view_cart", "Viewed cart"), ("play", "Played"), ("complete", "Finished"), ("skip", "Skipped"), ("save", "Saved"),
]  # fmt: skip


ITEM_KINDS = [
    ("product", "Product"), ("article", "Article"), ("track", "Track"), ("album", "Album"), ("artist", "Artist"),
    ("film", "Film"), ("episode", "Episode"), ("series", "Series"),
]  # fmt: skip
MORE_OF_ITEMS = {
    "creator": models.CharField(
        blank=True, db_default="", default="", help_text="Who made it: the author, artist or director.", max_length=200,
        verbose_name="creator",
    ),
    "collection": models.CharField(
        blank=True, db_default="", default="", help_text="What it is a part of: the album, series or column.",
        max_length=200, verbose_name="collection",
    ),
    "number": models.PositiveIntegerField(
        blank=True, help_text="Its place in the collection, the first is 1.", null=True, verbose_name="number in it"
    ),
    "duration": models.PositiveIntegerField(blank=True, null=True, verbose_name="seconds long"),
    "published_at": models.DateTimeField(
        blank=True, help_text="When it came out, wherever that was.", null=True, verbose_name="published"
    ),
    "language": models.CharField(
        blank=True, db_default="", default="", help_text="A tag such as en or zh-Hans.", max_length=35,
        verbose_name="language",
    ),
}  # fmt: skip


def name_field() -> models.CharField:
    return models.CharField(choices=EVENT_NAMES, max_length=20, verbose_name="event")


def quantity_field() -> models.DecimalField:
    return models.DecimalField(decimal_places=3, max_digits=10, null=True, verbose_name="quantity")


def show_each_that_was_found(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("recommendations", "Placement").objects.filter(scope="found").update(variants="each")


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0002_version_0_2"), ("otp_totp", "0003_add_timestamps")]
    operations = [
        migrations.RemoveConstraint("apikey", "only_a_key_that_reads_nothing_has_origins"),
        migrations.RemoveIndex("dueline", "due_line_next"),
        migrations.RemoveIndex("event", "refund_of_transaction"),
        migrations.AddField(
            "apikey", "seen_in_page_at",
            models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="sent by a browser",
                help_text="A browser sent this server key. If it is in a page, replace it."),
        ),
        migrations.AddField(
            "apikey", "side",
            models.CharField(
                choices=SIDES, default="server", db_default="server", max_length=6, verbose_name="where it is used",
                help_text="Anyone who opens a page can read the key in it, so what it sends proves nothing."),
        ),
        migrations.AlterField(
            "apikey", "origins",
            ArrayField(
                models.CharField(max_length=200), blank=True, default=list, verbose_name="origins",
                help_text="Pages that may use the key from a browser, such as https://shop.example."),
        ),
        migrations.AlterField(
            "apikey", "scopes", ArrayField(models.CharField(choices=SCOPES, max_length=30), verbose_name="may")),
        migrations.AddField(
            "apikey", "lines_per_minute",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="lines of events a minute",
                help_text="Empty: 60,000 of a key on a server, 6,000 of a key in a page."),
        ),
        migrations.AddField(
            "apikey", "new_people_per_hour",
            models.PositiveIntegerField(
                blank=True, null=True, verbose_name="new people an hour",
                help_text="Of a key in a page. Empty: 600, or ten times what is usual at this hour of the week."),
        ),
        migrations.RunPython(put_into_pages, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(
                condition=models.Q(side="server", origins=[])
                | models.Q(scopes=["events:write"])
                | (
                    models.Q(scopes__contains=["events:write"])
                    & models.Q(scopes__contained_by=["events:write", "recommendations:read", "push:subscribe"])
                    & ~models.Q(origins=[])
                ),
                name="a_key_in_a_page_does_little",
            ),
        ),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(condition=models.Q(side="page") | models.Q(origins=[]), name="only_pages_have_origins"),
        ),
        migrations.AddField("dueline", "fault", models.TextField(default="", db_default="")),
        migrations.AddIndex(
            "dueline", models.Index(fields=["due_at", "id"], name="due_line_next", condition=models.Q(fault=""))
        ),
        # A constant default rewrites no table. What stands there already counts as a server's word.
        migrations.AddField(
            "event", "trust", models.SmallIntegerField(choices=TRUSTS, default=2, db_default=2, verbose_name="whose word")
        ),
        migrations.AddField("event", "key_id", models.IntegerField(null=True, verbose_name="API key")),
        migrations.AddIndex(
            "event",
            models.Index(
                fields=["transaction_id"], name="trade_of_transaction", condition=~models.Q(transaction_id=None)
            ),
        ),
        migrations.AlterField(
            "placementday", "revenue", models.DecimalField(max_digits=30, decimal_places=2, verbose_name="revenue")),
        migrations.AlterField(
            "placementday", "squares",
            models.DecimalField(max_digits=60, decimal_places=4, verbose_name="squares of the revenue"),
        ),
        migrations.AlterField(
            "slateoutcome", "revenues",
            ArrayField(
                models.DecimalField(max_digits=24, decimal_places=2), verbose_name="revenue of each position bought"
            ),
        ),
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(choices=SUSPICION_RULES, max_length=10, verbose_name="why")),
                (
                    "state",
                    models.CharField(choices=QUARANTINE_STATES, default="aside", max_length=10, verbose_name="state"),
                ),
                ("events", models.PositiveIntegerField(default=0, verbose_name="events")),
                ("people", models.PositiveIntegerField(default=0, verbose_name="customers")),
                ("items", ArrayField(models.BigIntegerField(), default=list, verbose_name="items")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="set aside")),
                (
                    "reason",
                    models.TextField(blank=True, help_text="That staff gave for setting it aside.", verbose_name="reason"),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, help_text="Of the decision to restore or delete it.", verbose_name="note"
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "emptied_at",
                    models.DateTimeField(
                        help_text="When its events were deleted; it covers nothing since.", null=True,
                        verbose_name="emptied",
                    ),
                ),
                (
                    "set_aside_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="set aside by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="decided by",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        help_text="That found it; none where staff set it aside.", null=True,
                        on_delete=django.db.models.deletion.SET_NULL, related_name="quarantines",
                        to="recommendations.run", verbose_name="run",
                    ),
                ),
            ],
            options={"verbose_name": "quarantine", "verbose_name_plural": "quarantines", "ordering": ["-id"]},
        ),
        migrations.CreateModel(
            name="Aside",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(null=True, verbose_name="received since")),
                ("until", models.DateTimeField(null=True, verbose_name="received before")),
                *(
                    (
                        name,
                        models.ForeignKey(
                            null=True, on_delete=django.db.models.deletion.CASCADE, related_name="asides",
                            to=f"recommendations.{model}", verbose_name=label,
                        ),
                    )
                    for name, model, label in (
                        ("customer", "customer", "customer"), ("item", "item", "item"), ("key", "apikey", "API key")
                    )
                ),
                (
                    "quarantine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="asides",
                        to="recommendations.quarantine", verbose_name="quarantine",
                    ),
                ),
            ],
            options={
                "verbose_name": "what is set aside", "verbose_name_plural": "what is set aside",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(customer__isnull=False, item=None, key=None)
                        | models.Q(customer=None, item__isnull=False, key=None)
                        | models.Q(customer=None, item=None, key__isnull=False),
                        name="one_thing_is_set_aside",
                    )
                ],
            },
        ),
        migrations.AddField(
            "modelversion", "guard",
            models.JSONField(
                default=list, help_text="What is so unusual about the version that it waits for a person.",
                verbose_name="guard",
            ),
        ),
        migrations.AddField(
            "modelversion", "risers",
            models.JSONField(
                default=list, help_text="Items that rose most, and who asked for them.", verbose_name="risers"
            ),
        ),
        migrations.CreateModel(
            "StaffSession",
            [
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("browser", models.CharField(blank=True, max_length=100, verbose_name="browser")),
                ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="address")),
                ("signed_in_at", models.DateTimeField(blank=True, null=True, verbose_name="signed in")),
                ("last_seen_at", models.DateTimeField(default=timezone.now, verbose_name="last seen")),
                (
                    "staff",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.CASCADE, related_name="sessions",
                        to="recommendations.staff", verbose_name="staff member",
                    ),
                ),
            ],
            {"verbose_name": "session", "verbose_name_plural": "sessions"},
        ),
        migrations.CreateModel(
            "AuthenticatorApp",
            [],
            {
                "verbose_name": "authenticator app", "verbose_name_plural": "authenticator apps", "proxy": True,
                "indexes": [], "constraints": [],
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.CreateModel(
            "SourceHour",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("lines", models.PositiveIntegerField(default=0, verbose_name="lines")),
                (
                    "people",
                    models.PositiveIntegerField(
                        default=0, help_text="About 1% too many or too few.", verbose_name="people"
                    ),
                ),
                ("new_people", models.PositiveIntegerField(default=0, verbose_name="new people")),
                ("purchases", models.PositiveIntegerField(default=0, verbose_name="purchases")),
                (
                    "not_kept",
                    models.PositiveIntegerField(
                        default=0, verbose_name="accepted without a name",
                        help_text="Events of new people beyond the quota.",
                    ),
                ),
                (
                    "crawled",
                    models.PositiveIntegerField(
                        default=0, help_text="Events of pages that crawlers opened.", verbose_name="of crawlers"
                    ),
                ),
                (
                    "unproven",
                    models.PositiveIntegerField(
                        default=0, help_text="Events that named a customer without a valid proof.",
                        verbose_name="without proof",
                    ),
                ),
                (
                    "refused",
                    models.PositiveIntegerField(
                        default=0, help_text="Requests of events beyond a quota.", verbose_name="refused"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="hours", to="recommendations.apikey",
                        verbose_name="API key",
                    ),
                ),
            ],
            options={
                "ordering": ["-hour"], "verbose_name": "hour of a source", "verbose_name_plural": "hours of sources",
                "indexes": [models.Index(fields=["hour"], name="source_hour_by_hour")],
                "constraints": [models.UniqueConstraint(fields=["key", "hour"], name="one_hour_of_a_source")],
            },
        ),
        migrations.CreateModel(
            "CatalogueFile",
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
                ("kind", models.CharField(choices=IMPORT_KINDS, default="items", max_length=10, verbose_name="kind")),
                (
                    "phase",
                    models.CharField(
                        choices=[("look", "look through"), ("take", "take")], default="look", max_length=4,
                        verbose_name="phase",
                    ),
                ),
                ("file", models.CharField(max_length=300, verbose_name="file")),
                ("stored_as", models.CharField(max_length=60, verbose_name="stored as")),
                ("lang", models.CharField(max_length=10, verbose_name="language")),
                ("result", models.JSONField(default=dict, verbose_name="found")),
                (
                    "imported",
                    models.ForeignKey(
                        "recommendations.import", models.SET_NULL, null=True, related_name="+", verbose_name="import"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="started by"
                    ),
                ),
            ],
            {
                "verbose_name": "catalogue file", "verbose_name_plural": "catalogue files", "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]),
                        name="cataloguefile_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1), name="cataloguefile_progress_is_a_share"
                    ),
                ],
            },
        ),
        migrations.AddField(
            "customer", "properties",
            models.JSONField(
                blank=True, default=dict, verbose_name="properties",
                help_text="What the shop says of the customer, for audiences.",
            ),
        ),
        migrations.CreateModel(
            "Audience",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "conditions",
                    models.JSONField(
                        default=dict, verbose_name="conditions",
                        help_text="“all”: what holds for every customer; “none”: what holds for none of them.",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="order")),
                (
                    "revision",
                    models.PositiveIntegerField(
                        default=1, verbose_name="revision",
                        help_text="Goes up with every change, so that nobody overwrites what they have not seen.",
                    ),
                ),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                ("updated_at", models.DateTimeField(default=timezone.now, verbose_name="changed")),
                ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived")),
                ("size", models.PositiveIntegerField(default=0, verbose_name="customers")),
                ("size_before", models.PositiveIntegerField(null=True, verbose_name="customers the day before")),
                ("counted_at", models.DateTimeField(null=True, verbose_name="counted")),
                (
                    "generation",
                    models.PositiveIntegerField(
                        default=0, verbose_name="generation", help_text="Goes up whenever someone joins or leaves.",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
                        verbose_name="author",
                    ),
                ),
            ],
            {
                "verbose_name": "audience", "verbose_name_plural": "audiences", "ordering": ["position", "pk"],
                "constraints": [models.UniqueConstraint(Lower("name"), name="audience_name_once")],
            },
        ),
        migrations.CreateModel(
            "AudienceMember",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audience",
                    models.ForeignKey(
                        "recommendations.audience", models.CASCADE, related_name="members", verbose_name="audience"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        "recommendations.customer", models.CASCADE, related_name="audiences", verbose_name="customer"
                    ),
                ),
            ],
            {
                "verbose_name": "member of an audience", "verbose_name_plural": "members of audiences",
                "constraints": [
                    models.UniqueConstraint(fields=["audience", "customer"], name="member_once_per_audience")
                ],
            },
        ),
        migrations.AddField(
            "rule", "audience",
            models.ForeignKey(
                "recommendations.audience", models.PROTECT, null=True, blank=True, related_name="rules",
                verbose_name="audience", help_text="Empty: every audience.",
            ),
        ),
        migrations.AlterField(
            "segment", "version",
            models.ForeignKey(
                "recommendations.modelversion", models.SET_NULL, null=True, related_name="segments",
                verbose_name="last live in",
            ),
        ),
        migrations.CreateModel(
            "SegmentState",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.PositiveIntegerField(verbose_name="customers")),
                ("top_categories", models.JSONField(verbose_name="top categories")),
                (
                    "segment",
                    models.ForeignKey(
                        "recommendations.segment", models.CASCADE, related_name="states", verbose_name="segment"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        "recommendations.modelversion", models.CASCADE, related_name="segment_states",
                        verbose_name="version",
                    ),
                ),
            ],
            {
                "verbose_name": "segment of a version", "verbose_name_plural": "segments of versions",
                "constraints": [
                    models.UniqueConstraint(fields=["version", "segment"], name="one_state_of_a_segment_per_version")
                ],
            },
        ),
        migrations.AddField(
            "segment", "automatic_name", models.TextField(default="", editable=False, verbose_name="automatic name")
        ),
        migrations.RunSQL(SEGMENTS_OF_VERSIONS, migrations.RunSQL.noop, elidable=True),
        migrations.CreateModel(
            "ApprovalRequest",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("note", models.TextField(verbose_name="note")),
                ("asked_at", models.DateTimeField(default=timezone.now, verbose_name="asked")),
                (
                    "state",
                    models.CharField(choices=APPROVAL_STATES, default="waiting", max_length=10, verbose_name="status"),
                ),
                ("answer", models.TextField(blank=True, verbose_name="answer")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "asked_by",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="approvals_asked",
                        verbose_name="asked by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="approvals_decided",
                        verbose_name="decided by",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        "recommendations.rule", models.CASCADE, null=True, related_name="approvals", verbose_name="rule"
                    ),
                ),
                (
                    "weights",
                    models.ForeignKey(
                        "recommendations.blendweights", models.CASCADE, null=True, related_name="approvals",
                        verbose_name="weights",
                    ),
                ),
            ],
            {
                "verbose_name": "approval request", "verbose_name_plural": "approval requests",
                "ordering": ["-asked_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(rule=None, weights__isnull=False)
                        | models.Q(rule__isnull=False, weights=None),
                        name="approval_is_of_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(state__in=[code for code, _ in APPROVAL_STATES]),
                        name="approval_state_is_known",
                    ),
                    models.UniqueConstraint(
                        fields=["rule", "weights"], nulls_distinct=False, condition=models.Q(state="waiting"),
                        name="one_approval_waits_per_draft",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ShopPage",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=40, unique=True, verbose_name="name")),
            ],
            {"verbose_name": "page of the shop", "verbose_name_plural": "pages of the shop", "ordering": ["id"]},
        ),
        migrations.CreateModel(
            "PageSlot",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "page",
                    models.ForeignKey(
                        "recommendations.shoppage", models.CASCADE, related_name="slots", verbose_name="page"
                    ),
                ),
                (
                    "placement",
                    models.ForeignKey(
                        "recommendations.placement", models.PROTECT, related_name="page_slots", verbose_name="placement"
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        validators=[MinValueValidator(1), MaxValueValidator(12)], verbose_name="position"
                    ),
                ),
                (
                    "n",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Empty: as many as the placement has.", null=True,
                        validators=[MinValueValidator(1), MaxValueValidator(100)], verbose_name="items shown",
                    ),
                ),
            ],
            {
                "verbose_name": "placement on a page", "verbose_name_plural": "placements on pages",
                "ordering": ["page", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=["page", "position"], name="one_placement_at_a_position"),
                    models.UniqueConstraint(fields=["page", "placement"], name="placement_once_per_page"),
                    models.CheckConstraint(condition=models.Q(n__gte=1, n__lte=100), name="page_slot_shows_1_to_100"),
                ],
            },
        ),
        migrations.RunPython(furnish_pages, migrations.RunPython.noop),
        migrations.RunPython(let_similar_be_similar, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(let_mails_be_read_later, migrations.RunPython.noop),
        migrations.AddField(
            "rejectedrow", "given",
            models.JSONField(default=dict, help_text="Column → text, without what is hashed.", verbose_name="values"),
        ),
        migrations.AlterModelOptions(
            "rejectedrow",
            {
                "ordering": ["source", "line", "pk"], "verbose_name": "rejected row",
                "verbose_name_plural": "rejected rows",
            },
        ),
        migrations.AddIndex(
            "rejectedrow",
            GinIndex(
                models.Func(
                    models.F("content"), models.Value("[^0-9A-Za-z_-]+"), function="regexp_split_to_array",
                    output_field=ArrayField(models.TextField()),
                ),
                name="rejected_row_words",
            ),
        ),
        migrations.AlterField(
            "import", "status",
            models.CharField(
                choices=[(each, each.title()) for each in ("running", "finished", "failed", "stopped", "undone")],
                default="running", max_length=10, verbose_name="status",
            ),
        ),
        migrations.RunSQL(WEIGHTS_BY_NUMBER, migrations.RunSQL.noop),
        migrations.AddField(
            "blendweights", "audience",
            models.ForeignKey(
                "recommendations.audience", models.PROTECT, blank=True, null=True, related_name="weights",
                verbose_name="audience",
            ),
        ),
        migrations.AddField(
            "weightsearch", "audience",
            models.ForeignKey(
                "recommendations.audience", models.CASCADE, null=True, related_name="+", verbose_name="audience"
            ),
        ),
        migrations.RemoveConstraint("blendweights", "one_default_per_blend_and_segment"),
        migrations.RemoveConstraint("blendweights", "one_draft_per_blend_and_segment"),
        migrations.AddConstraint(
            "blendweights",
            models.UniqueConstraint(
                condition=models.Q(is_default=True), fields=["blend", "segment", "audience"], nulls_distinct=False,
                name="one_default_per_blend_and_group",
            ),
        ),
        migrations.AddConstraint(
            "blendweights",
            models.UniqueConstraint(
                condition=models.Q(status="draft"), fields=["blend", "segment", "audience"], nulls_distinct=False,
                name="one_draft_per_blend_and_group",
            ),
        ),
        migrations.AddConstraint(
            "blendweights",
            models.CheckConstraint(
                condition=models.Q(segment=None) | models.Q(audience=None), name="weights_are_for_one_group"
            ),
        ),
        migrations.AddField(
            "staff", "tour_ended_at", models.DateTimeField(blank=True, null=True, verbose_name="tour seen, or left")
        ),
        migrations.AddField(
            "blendweights", "revenue",
            models.FloatField(
                default=0, validators=[MinValueValidator(0)], verbose_name="revenue",
                help_text="How much an item's price counts: the exponent of its lift; 0: not at all.",
            ),
        ),
        migrations.AddField(
            "blendweights", "margin",
            models.FloatField(
                default=0, validators=[MinValueValidator(0)], verbose_name="margin",
                help_text="How much an item's margin counts: the exponent of its lift; 0: not at all.",
            ),
        ),
        migrations.AddField(
            "blendweights", "clearance",
            models.FloatField(
                default=0, validators=[MinValueValidator(0)], verbose_name="stock to clear",
                help_text=(
                    "How much it counts that there is too much of an item: the exponent of its lift; 0: not at all."
                ),
            ),
        ),
        migrations.AddConstraint(
            "blendweights",
            models.CheckConstraint(
                condition=models.Q(revenue__gte=0, margin__gte=0, clearance__gte=0), name="goals_are_not_negative"
            ),
        ),
        *[
            migrations.CreateModel(
                name,
                [
                    ("key", models.UUIDField(editable=False, primary_key=True, serialize=False, verbose_name="key")),
                    ("used_on", models.DateField(verbose_name="last used")),
                    ("content", models.BinaryField(verbose_name="content")),
                    *more,
                ],
                options={"verbose_name": singular, "verbose_name_plural": plural},
            )
            for name, singular, plural, more in PARTS_OF_ANSWERS
        ],
        *[migrations.AddField("slate", name, field) for name, field in MORE_OF_SLATES.items()],
        migrations.CreateModel(
            name="Experiment",
            fields=[
                ID,
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("hypothesis", models.TextField(blank=True, verbose_name="hypothesis")),
                ("kind", models.CharField(choices=EXPERIMENT_KINDS, max_length=8, verbose_name="kind")),
                (
                    "status",
                    models.CharField(choices=EXPERIMENT_STATUSES, default="draft", max_length=8, verbose_name="status"),
                ),
                (
                    "segments",
                    ArrayField(
                        models.IntegerField(),
                        blank=True,
                        default=list,
                        help_text="Numbers of segments; empty: everybody.",
                        verbose_name="segments",
                    ),
                ),
                (
                    "signed_in",
                    models.BooleanField(
                        blank=True, help_text="Empty: signed in or not.", null=True, verbose_name="signed in"
                    ),
                ),
                ("range_from", models.PositiveSmallIntegerField(default=0, verbose_name="traffic from")),
                (
                    "range_to",
                    models.PositiveSmallIntegerField(
                        default=10000,
                        help_text="Of 10,000 parts of the traffic; the last is not included.",
                        verbose_name="traffic to",
                    ),
                ),
                ("salt", models.BinaryField(default=new_salt, max_length=16, verbose_name="salt")),
                ("primary", models.CharField(choices=METRICS, max_length=20, verbose_name="primary metric")),
                (
                    "guardrails",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Metric → how much worse it may become, as a share.",
                        verbose_name="guardrails",
                    ),
                ),
                (
                    "smallest_lift",
                    models.FloatField(
                        default=0.02,
                        validators=[MinValueValidator(0.001), MaxValueValidator(1)],
                        verbose_name="smallest lift worth having",
                    ),
                ),
                (
                    "planned_days",
                    models.PositiveSmallIntegerField(
                        default=28,
                        validators=[MinValueValidator(7), MaxValueValidator(56)],
                        verbose_name="planned days",
                    ),
                ),
                (
                    "half_life",
                    models.FloatField(
                        blank=True,
                        default=14,
                        help_text="Of a bandit's days; empty: the shop does not change.",
                        null=True,
                        validators=[MinValueValidator(1)],
                        verbose_name="half-life, days",
                    ),
                ),
                ("by_segment", models.BooleanField(default=False, verbose_name="by segment")),
                (
                    "scales",
                    models.JSONField(
                        default=dict, help_text="Metric → τ² of its interval, set at the start.", verbose_name="scales"
                    ),
                ),
                (
                    "caps",
                    models.JSONField(
                        default=dict, help_text="Metric → the most that a person counts.", verbose_name="caps"
                    ),
                ),
                ("decision", models.JSONField(default=dict, verbose_name="decision")),
                ("simulated", models.BooleanField(default=False, verbose_name="simulated")),
                ("settled_until", models.DateTimeField(null=True, verbose_name="people settled until")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                (
                    "revision",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="Goes up with every change, so that nobody overwrites what they have not seen.",
                        verbose_name="revision",
                    ),
                ),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="ended by",
                    ),
                ),
                (
                    "placements",
                    models.ManyToManyField(
                        related_name="experiments", to="recommendations.placement", verbose_name="placements"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "experiment",
                "verbose_name_plural": "experiments",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Arm",
            fields=[
                ID,
                ("position", models.PositiveSmallIntegerField(verbose_name="order")),
                ("name", models.CharField(blank=True, max_length=120, verbose_name="name")),
                ("changes", models.JSONField(default=dict, verbose_name="changes")),
                ("share", models.FloatField(validators=IN_0_1, verbose_name="share")),
                ("floor", models.FloatField(null=True, validators=IN_0_1, verbose_name="least share")),
                ("pinned", models.FloatField(null=True, validators=IN_0_1, verbose_name="pinned share")),
                ("out_at", models.DateTimeField(null=True, verbose_name="taken out")),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="arms",
                        to="recommendations.experiment",
                        verbose_name="experiment",
                    ),
                ),
            ],
            options={
                "verbose_name": "arm",
                "verbose_name_plural": "arms",
                "ordering": ["experiment", "position"],
            },
        ),
        migrations.CreateModel(
            name="ExperimentNote",
            fields=[
                ID,
                ("at", models.DateTimeField(verbose_name="time")),
                ("code", models.CharField(max_length=24, verbose_name="code")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="notes",
                        to="recommendations.experiment",
                        verbose_name="experiment",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of an experiment's log",
                "verbose_name_plural": "lines of experiments' logs",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                ID,
                ("segment", models.IntegerField(null=True, verbose_name="segment")),
                ("metric", models.CharField(choices=METRICS, max_length=20, verbose_name="metric")),
                ("at", models.DateTimeField(verbose_name="read")),
                ("n", models.PositiveIntegerField(verbose_name="people")),
                ("y", models.FloatField()),
                ("yy", models.FloatField()),
                ("x", models.FloatField()),
                ("xx", models.FloatField()),
                ("xy", models.FloatField()),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "arm",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="readings", to="recommendations.arm", verbose_name="arm"
                    ),
                ),
            ],
            options={
                "verbose_name": "reading",
                "verbose_name_plural": "readings",
            },
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                ID,
                ("unit", models.BigIntegerField(verbose_name="unit")),
                ("first_at", models.DateTimeField(verbose_name="first answer")),
                ("mixed", models.BooleanField(db_default=False, default=False, verbose_name="saw two arms")),
                (
                    "arm",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="units", to="recommendations.arm", verbose_name="arm"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                        to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=models.CASCADE,
                        related_name="units",
                        to="recommendations.experiment",
                        verbose_name="experiment",
                    ),
                ),
                (
                    "stays_in",
                    models.ForeignKey(
                        help_text="After a merger: the arm of the earlier exposure.",
                        null=True,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="recommendations.arm",
                        verbose_name="stays in arm",
                    ),
                ),
            ],
            options={
                "verbose_name": "person in an experiment",
                "verbose_name_plural": "people in experiments",
            },
        ),
        migrations.CreateModel(
            name="ArmShare",
            fields=[
                ID,
                ("segment", models.IntegerField(null=True, verbose_name="segment")),
                ("day", models.DateField(verbose_name="day")),
                ("share", models.FloatField(validators=IN_0_1, verbose_name="share")),
                ("chance_best", models.FloatField(null=True, verbose_name="chance to be the best")),
                ("mean", models.FloatField(null=True, verbose_name="mean")),
                ("sd", models.FloatField(null=True, verbose_name="standard deviation")),
                (
                    "arm",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="shares", to="recommendations.arm", verbose_name="arm"
                    ),
                ),
            ],
            options={
                "verbose_name": "share of an arm",
                "verbose_name_plural": "shares of arms",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("arm", "segment", "day"), name="share_of_an_arm_once_a_day", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["ab", "aa", "bandit"])), name="experiment_kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "running", "paused", "stopped", "shipped"])),
                name="experiment_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("range_from__gte", 0), ("range_from__lt", models.F("range_to")), ("range_to__lte", 10000)
                ),
                name="experiment_range_is_of_the_traffic",
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.CheckConstraint(
                condition=models.Q(("started_at__isnull", False), ("status", "draft"), _connector="OR"),
                name="experiment_is_a_draft_until_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="experiment",
            constraint=models.UniqueConstraint(
                Lower("name"), condition=models.Q(("status", "running")), name="one_running_of_a_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.UniqueConstraint(fields=("experiment", "position"), name="one_arm_at_a_position"),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__lt", 6)), name="experiment_has_six_arms_at_most"
            ),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gte", 0), ("share__lte", 1)), name="arm_share_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(
                fields=("arm", "metric", "segment", "at"), name="reading_once_at_a_time", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.UniqueConstraint(fields=("experiment", "unit"), name="unit_once_per_experiment"),
        ),
        migrations.AddIndex(
            "customer",
            models.Index(
                RawSQL("('x' || encode(substring(pseudonym from 1 for 8), 'hex'))::bit(64)::bigint", ()),
                name="customer_by_unit",
            ),
        ),
        migrations.AlterField(
            "placement", "explores",
            models.BooleanField(
                default=True, verbose_name="explores",
                help_text="Answers may be shown otherwise than ranked, as often as the weights say.",
            ),
        ),
        migrations.AlterField(
            "blendweights", "exploration",
            models.FloatField(
                default=0, validators=[MinValueValidator(0), MaxValueValidator(1)], verbose_name="shuffled answers",
                help_text="Share of the answers in which neighbouring positions change places.",
            ),
        ),
        migrations.AddField(
            "blendweights", "cards",
            models.FloatField(
                default=0, validators=[MinValueValidator(0), MaxValueValidator(1)],
                verbose_name="items from further down",
                help_text="How often each of the last two positions shows an item from further down.",
            ),
        ),
        migrations.AddConstraint(
            "blendweights",
            models.CheckConstraint(condition=models.Q(cards__gte=0, cards__lte=1), name="cards_are_a_share"),
        ),
        *WATCHES,
        migrations.AddField(
            "placement", "fatigue",
            models.FloatField(
                default=0, validators=[MinValueValidator(0), MaxValueValidator(2)], verbose_name="fatigue",
                help_text="How far an item goes down that was shown and not clicked. 0: not at all; 0.25: after about "
                "twenty looks a quarter of the way from the best to the middle.",
            ),
        ),
        migrations.AddConstraint(
            "placement",
            models.CheckConstraint(
                condition=models.Q(fatigue__gte=0, fatigue__lte=2), name="placement_fatigue_is_0_to_2"
            ),
        ),
        migrations.AddField(
            "modelversion", "feedback",
            models.JSONField(
                default=dict, db_default={}, verbose_name="looking at lists",
                help_text="Patience and attention, and what they were measured on.",
            ),
        ),
        migrations.CreateModel(
            "DraftEstimate",
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
                ("revision", models.PositiveIntegerField(verbose_name="revision")),
                ("placement", models.CharField(max_length=40, verbose_name="placement")),
                ("watermark", models.CharField(max_length=80, verbose_name="watermark")),
                ("result", models.JSONField(default=dict, verbose_name="figures")),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="estimates",
                        to="recommendations.blendweights", verbose_name="draft",
                    ),
                ),
                (
                    "live",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to="recommendations.blendweights", verbose_name="compared with",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "estimate of a draft",
                "verbose_name_plural": "estimates of drafts",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]),
                        name="draftestimate_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1),
                        name="draftestimate_progress_is_a_share",
                    ),
                ],
            },
        ),
        migrations.AddField(
            "modelversion", "visit_shares",
            models.JSONField(
                default=dict, db_default={}, verbose_name="shares of visits",
                help_text="What a visit makes of a known customer's score, by blend, and what it was learned on.",
            ),
        ),
        migrations.AddField(
            "modelversion", "points_proposal",
            models.JSONField(
                default=dict, db_default={}, verbose_name="proposed event weights",
                help_text="Learned from outcomes, with how they did, and what staff decided.",
            ),
        ),
        migrations.AddField(
            "modelversion", "edition",
            models.PositiveIntegerField(
                db_default=0, default=0, verbose_name="edition",
                help_text="How often people who were erased were taken out of its files.",
            ),
        ),
        migrations.AddField(
            "armshare", "own_mean", models.FloatField(null=True, verbose_name="mean of the segment alone")
        ),
        migrations.AlterField(
            "experiment", "status",
            models.CharField(
                choices=[
                    ("draft", "Draft"), ("starting", "Starting"), ("running", "Running"), ("paused", "Paused"),
                    ("stopped", "Stopped"), ("shipped", "Published"),
                ],
                default="draft", max_length=8, verbose_name="status",
            ),
        ),
        migrations.RemoveConstraint("experiment", "experiment_status_is_known"),
        migrations.RemoveConstraint("experiment", "experiment_is_a_draft_until_it_starts"),
        migrations.RemoveConstraint("experiment", "one_running_of_a_name"),
        migrations.AddConstraint(
            "experiment",
            models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "starting", "running", "paused", "stopped", "shipped"])),
                name="experiment_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            "experiment",
            models.CheckConstraint(
                condition=models.Q(("started_at__isnull", False), ("status__in", ["draft", "starting"]), _connector="OR"),
                name="experiment_is_a_draft_until_it_starts",
            ),
        ),
        migrations.AddConstraint(
            "experiment",
            models.UniqueConstraint(
                Lower("name"), condition=models.Q(("simulated", False), ("status__in", ["running", "starting"])),
                name="one_running_of_a_name",
            ),
        ),
        migrations.RunSQL(EXPLORATION_BY_CARDS, migrations.RunSQL.noop),
        migrations.CreateModel(
            "PracticeRun",
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
                ("seed", models.PositiveIntegerField(verbose_name="seed")),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("better", "B is clearly better"), ("same", "B is no different"),
                            ("worse", "B is clearly worse"), ("harmful", "B does harm, and a guardrail sees it"),
                        ],
                        max_length=8, verbose_name="effect",
                    ),
                ),
                ("truth", models.JSONField(default=dict, verbose_name="true effect")),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="practice_runs",
                        to="recommendations.experiment", verbose_name="experiment",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="started by",
                    ),
                ),
            ],
            options={
                "verbose_name": "run of a practice",
                "verbose_name_plural": "runs of practices",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]),
                        name="practicerun_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1),
                        name="practicerun_progress_is_a_share",
                    ),
                ],
            },
        ),
        migrations.AddField(
            "Experiment",
            "beginning",
            models.JSONField(
                blank=True, default=dict, help_text="While it starts: what the worker is at.", verbose_name="beginning",
            ),
        ),
        migrations.CreateModel(
            "Contact",
            [
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="contact",
                        serialize=False, to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                (
                    "time_zone",
                    models.CharField(
                        blank=True, help_text="Empty: that of the shop.", max_length=64, verbose_name="time zone"
                    ),
                ),
                (
                    "link_generation",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Goes up when links that were sent must not open any more.",
                        verbose_name="generation of links",
                    ),
                ),
                ("paused_until", models.DateTimeField(null=True, verbose_name="paused until")),
                (
                    "most_a_week",
                    models.PositiveSmallIntegerField(
                        null=True, validators=[MinValueValidator(1), MaxValueValidator(7)],
                        verbose_name="most messages a week",
                    ),
                ),
                ("quiet_from", models.TimeField(null=True, verbose_name="quiet from")),
                ("quiet_until", models.TimeField(null=True, verbose_name="quiet until")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                ("changed_at", models.DateTimeField(default=timezone.now, verbose_name="changed")),
            ],
            {
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(most_a_week=None) | models.Q(most_a_week__gte=1, most_a_week__lte=7),
                        name="contact_bears_1_to_7_a_week",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(quiet_from=None, quiet_until=None)
                        | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                        name="contact_has_both_quiet_hours_or_none",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Suppression",
            [
                ID,
                ("channel", models.CharField(choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("digest", models.BinaryField(max_length=32, verbose_name="keyed hash of the address")),
                ("reason", models.CharField(choices=SUPPRESSION_REASONS, max_length=20, verbose_name="why")),
                ("at", models.DateTimeField(default=timezone.now, verbose_name="since")),
                ("until", models.DateTimeField(help_text="Empty: for good.", null=True, verbose_name="until")),
            ],
            {
                "verbose_name": "silent address",
                "verbose_name_plural": "silent addresses",
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "digest"), name="one_suppression_per_address"),
                    models.CheckConstraint(
                        condition=models.Q(reason__in=[code for code, _ in SUPPRESSION_REASONS]),
                        name="suppression_reason_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ConsentStatement",
            [
                ID,
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="consents",
                        to="recommendations.contact", verbose_name="contact",
                    ),
                ),
                ("channel", models.CharField(choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(choices=PURPOSES, max_length=10, verbose_name="purpose")),
                ("state", models.CharField(choices=CONSENT_STATES, max_length=10, verbose_name="said")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("source", models.CharField(choices=CONSENT_SOURCES, max_length=12, verbose_name="where")),
                (
                    "proof",
                    models.JSONField(
                        blank=True, default=dict, help_text="Version and language of the text, the form, a reference.",
                        verbose_name="proof",
                    ),
                ),
                ("recorded_at", models.DateTimeField(db_default=Now(), verbose_name="recorded")),
            ],
            {
                "verbose_name": "statement of consent",
                "verbose_name_plural": "statements of consent",
                "ordering": ["-at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "channel", "purpose", "state", "at"), name="statement_of_consent_once"
                    ),
                    *(
                        models.CheckConstraint(
                            condition=models.Q(**{f"{field}__in": [code for code, _ in codes]}),
                            name=f"consent_{field}_is_known",
                        )
                        for field, codes in CONTACT_CODES.items()
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Permission",
            [
                ID,
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="permissions",
                        to="recommendations.contact", verbose_name="contact",
                    ),
                ),
                ("channel", models.CharField(choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("purpose", models.CharField(choices=PURPOSES, max_length=10, verbose_name="purpose")),
                ("state", models.CharField(choices=CONSENT_STATES, max_length=10, verbose_name="state")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("source", models.CharField(choices=CONSENT_SOURCES, max_length=12, verbose_name="where")),
            ],
            {
                "verbose_name": "permission to write",
                "verbose_name_plural": "permissions to write",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "channel", "purpose"), name="one_permission_per_purpose"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(state__in=[code for code, _ in CONSENT_STATES]),
                        name="permission_state_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Address",
            [
                ID,
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="addresses",
                        to="recommendations.contact", verbose_name="contact",
                    ),
                ),
                ("channel", models.CharField(choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("sealed", models.BinaryField(verbose_name="address, sealed")),
                ("digest", models.BinaryField(max_length=32, verbose_name="keyed hash of the address")),
                (
                    "state",
                    models.CharField(
                        choices=ADDRESS_STATES, default="unconfirmed", max_length=12, verbose_name="state"
                    ),
                ),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="confirmed")),
                ("confirmations", models.PositiveSmallIntegerField(default=0, verbose_name="confirmation mails")),
                ("asked_at", models.DateTimeField(null=True, verbose_name="last asked to confirm")),
                (
                    "proven",
                    models.BooleanField(db_default=False, default=False, verbose_name="the shop vouches for it"),
                ),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
            ],
            {
                "verbose_name": "address",
                "verbose_name_plural": "addresses",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(channel__in=[code for code, _ in CHANNELS]), name="address_channel_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(state__in=[code for code, _ in ADDRESS_STATES]),
                        name="address_state_is_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(state="active"), fields=("channel", "digest"),
                        name="address_belongs_to_one",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(channel="email") & ~models.Q(state="gone"), fields=("contact",),
                        name="one_email_per_contact",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(channel="webhook") & ~models.Q(state="gone"), fields=("contact",),
                        name="one_webhook_per_contact",
                    ),
                ],
                "indexes": [models.Index(fields=["digest"], name="address_by_digest")],
            },
        ),
        migrations.AlterField(
            "Import", "kind", models.CharField(choices=IMPORT_KINDS, max_length=10, verbose_name="kind")
        ),
        migrations.RunSQL(
            CONSENT_IS_ONLY_ADDED,
            "DROP FUNCTION recommendations_consent_is_only_added CASCADE",
        ),
        migrations.CreateModel(
            "Campaign",
            [
                ID,
                ("slug", models.SlugField(max_length=60, unique=True, verbose_name="short name")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("kind", models.CharField(choices=CAMPAIGN_KINDS, max_length=10, verbose_name="kind")),
                ("trigger", models.CharField(blank=True, choices=TRIGGERS, max_length=15, verbose_name="trigger")),
                ("purpose", models.CharField(choices=PURPOSES, max_length=10, verbose_name="purpose")),
                ("draft", models.JSONField(default=dict, verbose_name="draft")),
                (
                    "revision",
                    models.PositiveIntegerField(
                        default=1,
                        help_text="Goes up with every change, so that nobody overwrites what they have not seen.",
                        verbose_name="revision",
                    ),
                ),
                ("review_asked_at", models.DateTimeField(null=True, verbose_name="review asked for")),
                ("review_note", models.TextField(blank=True, verbose_name="note for the review")),
                ("paused_at", models.DateTimeField(null=True, verbose_name="paused")),
                ("pause_reason", models.TextField(blank=True, verbose_name="why it is paused")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                ("archived_at", models.DateTimeField(null=True, verbose_name="archived")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                ("updated_at", models.DateTimeField(default=timezone.now, verbose_name="changed")),
                (
                    "audiences",
                    models.ManyToManyField(
                        blank=True, help_text="Empty: everybody.", related_name="campaigns",
                        to="recommendations.audience", verbose_name="audiences",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
                (
                    "review_asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="review asked by",
                    ),
                ),
            ],
            {
                "verbose_name": "campaign",
                "verbose_name_plural": "campaigns",
                "ordering": ["-updated_at"],
            },
        ),
        migrations.CreateModel(
            "CampaignVersion",
            [
                ID,
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("frozen", models.JSONField(verbose_name="frozen form")),
                ("note", models.TextField(verbose_name="note")),
                ("expected", models.JSONField(default=dict, verbose_name="planned")),
                ("approved_at", models.DateTimeField(default=timezone.now, verbose_name="approved")),
                ("starts_at", models.DateTimeField(verbose_name="starts")),
                ("ends_at", models.DateTimeField(null=True, verbose_name="ends")),
                ("is_live", models.BooleanField(default=True, verbose_name="live")),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="approved by",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
            ],
            {
                "verbose_name": "version of a campaign",
                "verbose_name_plural": "versions of campaigns",
                "ordering": ["campaign", "-number"],
            },
        ),
        migrations.CreateModel(
            "ItemAbsence",
            [
                ID,
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(help_text="Empty: it is away still.", null=True, verbose_name="until")),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="absences",
                        to="recommendations.item", verbose_name="item",
                    ),
                ),
            ],
            {
                "verbose_name": "absence of an item",
                "verbose_name_plural": "absences of items",
            },
        ),
        migrations.CreateModel(
            "Message",
            [
                ID,
                ("contact", models.BigIntegerField(null=True, verbose_name="contact")),
                ("key", models.CharField(max_length=64, verbose_name="occasion")),
                ("channel", models.CharField(choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("state", models.CharField(choices=MESSAGE_STATES, max_length=10, verbose_name="state")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("expires_at", models.DateTimeField(verbose_name="too late from")),
                ("trigger_item", models.BigIntegerField(null=True, verbose_name="item of the occasion")),
                ("items", ArrayField(base_field=models.BigIntegerField(), default=list, verbose_name="items")),
                ("variant", models.PositiveSmallIntegerField(default=0, verbose_name="subject variant")),
                ("chance", models.FloatField(default=0, verbose_name="chance")),
                ("value", models.FloatField(default=0, verbose_name="value")),
                (
                    "hour_propensity",
                    models.FloatField(
                        help_text="Empty: the hour was not drawn.", null=True, verbose_name="chance of its hour"
                    ),
                ),
                ("recommendation_id", models.CharField(blank=True, max_length=64, verbose_name="recommendation")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("faults", models.PositiveSmallIntegerField(default=0, verbose_name="times it could not be written")),
                ("holder", models.CharField(blank=True, max_length=64, verbose_name="sender")),
                ("lease_until", models.DateTimeField(null=True, verbose_name="sender has it until")),
                ("handed_at", models.DateTimeField(null=True, verbose_name="handed over")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
                ("provider_id", models.CharField(blank=True, max_length=200, verbose_name="the provider's id")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("created_at", models.DateTimeField(db_default=Now(), verbose_name="created")),
                (
                    "address",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="messages",
                        to="recommendations.address", verbose_name="address",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="messages",
                        to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+",
                        to="recommendations.campaignversion", verbose_name="version",
                    ),
                ),
            ],
            {
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            "MessageEvent",
            [
                ID,
                ("kind", models.CharField(choices=MESSAGE_EVENTS, max_length=16, verbose_name="what")),
                ("place", models.SmallIntegerField(default=0, verbose_name="link")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("told_as", models.CharField(blank=True, max_length=200, verbose_name="the teller's id")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events",
                        to="recommendations.message", verbose_name="message",
                    ),
                ),
            ],
            {
                "verbose_name": "what came of a message",
                "verbose_name_plural": "what came of messages",
            },
        ),
        migrations.CreateModel(
            "Occurrence",
            [
                ID,
                ("key", models.CharField(max_length=20, verbose_name="which")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                (
                    "state",
                    models.CharField(choices=OCCURRENCE_STATES, default="due", max_length=10, verbose_name="state"),
                ),
                ("counts", models.JSONField(default=dict, verbose_name="people by verdict")),
                ("seed", models.PositiveIntegerField(default=0, verbose_name="seed")),
                ("model_version", models.BigIntegerField(null=True, verbose_name="model version")),
                ("rules_version", models.BigIntegerField(default=0, verbose_name="rules version")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="occurrences",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="occurrences",
                        to="recommendations.campaignversion", verbose_name="version",
                    ),
                ),
            ],
            {
                "verbose_name": "sending of a campaign",
                "verbose_name_plural": "sendings of campaigns",
                "ordering": ["-due_at"],
            },
        ),
        migrations.AddField(
            "message", "occurrence",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="messages", to="recommendations.occurrence",
                verbose_name="sending of a campaign",
            ),
        ),
        migrations.CreateModel(
            "Considered",
            [
                ID,
                ("key", models.CharField(max_length=64, verbose_name="occasion")),
                ("verdict", models.CharField(choices=VERDICTS, max_length=12, verbose_name="verdict")),
                ("would_send", models.BooleanField(verbose_name="would have been sent")),
                (
                    "otherwise",
                    models.CharField(
                        blank=True, choices=VERDICTS, max_length=12, verbose_name="verdict without the holdout"
                    ),
                ),
                ("channel", models.CharField(blank=True, choices=CHANNELS, max_length=10, verbose_name="channel")),
                ("wanted_at", models.DateTimeField(verbose_name="wanted")),
                ("item", models.BigIntegerField(null=True, verbose_name="item of the occasion")),
                ("due_at", models.DateTimeField(null=True, verbose_name="due")),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
                ("items", ArrayField(base_field=models.BigIntegerField(), default=list, verbose_name="items")),
                ("chance", models.FloatField(default=0, verbose_name="chance")),
                ("value", models.FloatField(default=0, verbose_name="value")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                        to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                (
                    "lost_to",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to="recommendations.campaign", verbose_name="lost to",
                    ),
                ),
                (
                    "occurrence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="considered",
                        to="recommendations.occurrence", verbose_name="sending of a campaign",
                    ),
                ),
            ],
            {
                "verbose_name": "verdict on a person",
                "verbose_name_plural": "verdicts on people",
            },
        ),
        migrations.CreateModel(
            "PressureRules",
            [
                ID,
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("caps", models.JSONField(default=list, verbose_name="caps")),
                ("quiet_from", models.TimeField(verbose_name="quiet from")),
                ("quiet_until", models.TimeField(verbose_name="quiet until")),
                ("holdout", models.FloatField(verbose_name="held out")),
                ("season", models.CharField(max_length=20, verbose_name="season of the holdout")),
                ("per_day", models.PositiveIntegerField(null=True, verbose_name="messages a day")),
                (
                    "prices",
                    models.JSONField(
                        blank=True, default=dict, help_text="By channel, in the shop's currency.",
                        verbose_name="price of a message",
                    ),
                ),
                (
                    "lost_contact",
                    models.FloatField(
                        help_text="Empty: 5% of what one spends in 90 days.", null=True,
                        verbose_name="worth of a contact that leaves",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                ("is_default", models.BooleanField(default=False, verbose_name="live")),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
            ],
            {
                "verbose_name": "pressure rules",
                "verbose_name_plural": "pressure rules",
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            "occurrence", "pressure",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="occurrences",
                to="recommendations.pressurerules", verbose_name="pressure",
            ),
        ),
        migrations.CreateModel(
            "ShopOccasion",
            [
                ID,
                ("key", models.CharField(max_length=64, verbose_name="occasion")),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                ("at", models.DateTimeField(default=timezone.now, verbose_name="when")),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="occasions",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                        to="recommendations.item", verbose_name="item",
                    ),
                ),
            ],
            {
                "verbose_name": "occasion of the shop",
                "verbose_name_plural": "occasions of the shop",
            },
        ),
        migrations.AddConstraint("campaign", models.UniqueConstraint(Lower("name"), name="campaign_name_once")),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="campaign_kind_is_known", condition=models.Q(kind__in=[code for code, _ in CAMPAIGN_KINDS]),
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="campaign_purpose_is_known", condition=models.Q(purpose__in=[code for code, _ in PURPOSES]),
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                condition=models.Q(kind="triggered", trigger__in=[code for code, _ in TRIGGERS])
                | (~models.Q(kind="triggered") & models.Q(trigger="")),
                name="campaign_has_a_trigger_if_triggered",
            ),
        ),
        migrations.AddConstraint(
            "campaignversion", models.UniqueConstraint(name="campaign_version_once", fields=("campaign", "number")),
        ),
        migrations.AddConstraint(
            "campaignversion",
            models.UniqueConstraint(
                name="one_live_version_per_campaign", fields=("campaign",), condition=models.Q(is_live=True),
            ),
        ),
        migrations.AddIndex(
            "itemabsence", models.Index(name="absence_until", fields=["until"], condition=~models.Q(until=None)),
        ),
        migrations.AddConstraint(
            "itemabsence",
            models.UniqueConstraint(name="one_open_absence_per_item", fields=("item",), condition=models.Q(until=None)),
        ),
        migrations.AddConstraint(
            "itemabsence",
            models.CheckConstraint(
                name="absence_ends_after_it_began", condition=models.Q(until=None) | models.Q(until__gte=models.F("since")),
            ),
        ),
        migrations.AddConstraint(
            "messageevent",
            models.CheckConstraint(
                name="message_event_is_known", condition=models.Q(kind__in=[code for code, _ in MESSAGE_EVENTS]),
            ),
        ),
        migrations.AddConstraint(
            "messageevent",
            models.UniqueConstraint(name="message_event_once", fields=("message", "kind", "place", "told_as")),
        ),
        migrations.AddIndex(
            "message", models.Index(name="message_due", fields=["due_at", "id"], condition=models.Q(state="due")),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                name="message_leased", fields=["lease_until"], condition=models.Q(state__in=["leased", "handing"]),
            ),
        ),
        migrations.AddIndex("message", models.Index(name="message_of_customer", fields=["customer", "due_at"])),
        migrations.AddIndex(
            "message",
            models.Index(name="message_waits", fields=["contact"], condition=models.Q(state__in=["due", "leased"])),
        ),
        migrations.AddConstraint(
            "message",
            models.UniqueConstraint(
                name="one_message_per_customer_and_occasion", fields=("campaign", "customer", "key"),
            ),
        ),
        migrations.AddConstraint(
            "message",
            models.CheckConstraint(
                name="message_state_is_known", condition=models.Q(state__in=[code for code, _ in MESSAGE_STATES]),
            ),
        ),
        migrations.AddIndex(
            "considered", models.Index(name="considered_of_customer", fields=["customer", "occurrence"]),
        ),
        migrations.AddConstraint(
            "considered",
            models.UniqueConstraint(name="considered_once_per_occasion", fields=("occurrence", "customer", "key")),
        ),
        migrations.AddConstraint(
            "considered",
            models.CheckConstraint(
                name="verdict_is_known", condition=models.Q(verdict__in=[code for code, _ in VERDICTS]),
            ),
        ),
        migrations.AddConstraint(
            "pressurerules",
            models.UniqueConstraint(
                name="one_default_pressure", fields=("is_default",), condition=models.Q(is_default=True),
            ),
        ),
        migrations.AddConstraint(
            "pressurerules",
            models.CheckConstraint(
                name="holdout_is_half_at_most", condition=models.Q(holdout__gte=0) & models.Q(holdout__lte=0.5),
            ),
        ),
        migrations.AddConstraint(
            "occurrence", models.UniqueConstraint(name="one_sending_per_key", fields=("campaign", "key")),
        ),
        migrations.AddConstraint(
            "occurrence",
            models.CheckConstraint(
                name="occurrence_state_is_known", condition=models.Q(state__in=[code for code, _ in OCCURRENCE_STATES]),
            ),
        ),
        migrations.AddIndex("shopoccasion", models.Index(name="occasion_of_campaign", fields=["campaign", "at"])),
        migrations.AddConstraint(
            "shopoccasion",
            models.UniqueConstraint(name="one_occasion_per_key", fields=("campaign", "customer", "key")),
        ),
        migrations.CreateModel(
            "SendPlan",
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
                ("revision", models.PositiveIntegerField(verbose_name="revision")),
                ("as_of", models.DateTimeField(verbose_name="as of")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plans", to="recommendations.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "occurrence",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="plan",
                        to="recommendations.occurrence", verbose_name="sending of a campaign",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="started by",
                    ),
                ),
            ],
            {
                "verbose_name": "send plan",
                "verbose_name_plural": "send plans",
                "ordering": ["-created_at"],
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            "sendplan",
            models.CheckConstraint(
                name="sendplan_status_is_known", condition=models.Q(status__in=[code for code, _ in STATUSES]),
            ),
        ),
        migrations.AddConstraint(
            "sendplan",
            models.CheckConstraint(
                name="sendplan_progress_is_a_share", condition=models.Q(progress__gte=0) & models.Q(progress__lte=1),
            ),
        ),
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
                ID,
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
        migrations.RunPython(show_each_that_was_found, migrations.RunPython.noop),
        migrations.AddConstraint(
            "placement",
            models.CheckConstraint(
                condition=models.Q(variants__in=["one", "each"]), name="placement_variants_is_known"
            ),
        ),
        migrations.CreateModel(
            "Endpoint",
            [
                ID,
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("url", models.URLField(max_length=500, verbose_name="address")),
                ("sealed_secret", models.BinaryField(verbose_name="secret, sealed")),
                ("sealed_before", models.BinaryField(null=True, verbose_name="secret before, sealed")),
                ("before_until", models.DateTimeField(null=True, verbose_name="the secret before signs until")),
                ("enabled", models.BooleanField(default=True, verbose_name="in use")),
                ("off_reason", models.CharField(blank=True, max_length=300, verbose_name="why it is off")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("last_taken_at", models.DateTimeField(null=True, verbose_name="last taken")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
            ],
            {
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(Lower("name"), name="endpoint_name_once")],
            },
        ),
        migrations.CreateModel(
            "PushModel",
            [
                ID,
                ("kind", models.CharField(choices=PUSH_MODEL_KINDS, max_length=10, verbose_name="what")),
                ("fitted_at", models.DateTimeField(default=timezone.now, verbose_name="learned")),
                ("lessons_until", models.DateTimeField(null=True, verbose_name="learned from what was before")),
                ("parameters", models.JSONField(default=dict, verbose_name="parameters")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
                ("refusal", models.CharField(blank=True, max_length=60, verbose_name="why it is not used")),
                ("in_use", models.BooleanField(default=False, verbose_name="in use")),
            ],
            {
                "verbose_name": "model of messages",
                "verbose_name_plural": "models of messages",
                "ordering": ["kind", "-fitted_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(in_use=True), fields=("kind",), name="one_push_model_in_use_per_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(kind__in=[code for code, _ in PUSH_MODEL_KINDS]),
                        name="push_model_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ImportedReceipt",
            [
                ID,
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="receipts",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="recommendations.customer",
                        verbose_name="customer",
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("answers", models.PositiveIntegerField(default=0, verbose_name="answers")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="first answered")),
            ],
            {
                "verbose_name": "receipt of an imported campaign",
                "verbose_name_plural": "receipts of imported campaigns",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "customer"), name="one_receipt_per_customer"),
                    models.CheckConstraint(
                        condition=models.Q(answers=0, answered_at=None)
                        | models.Q(answers__gt=0, answered_at__isnull=False),
                        name="an_answered_receipt_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "GuardrailLook",
            [
                ID,
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="looks",
                        to="recommendations.campaign", verbose_name="campaign",
                    ),
                ),
                ("guardrail", models.CharField(choices=PUSH_RATES, max_length=12, verbose_name="rate")),
                ("messages", models.PositiveIntegerField(verbose_name="messages")),
                ("count", models.PositiveIntegerField(verbose_name="of them")),
                ("limit", models.FloatField(verbose_name="limit")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("fired", models.BooleanField(default=False, verbose_name="paused the campaign")),
            ],
            {
                "verbose_name": "look at a guardrail",
                "verbose_name_plural": "looks at guardrails",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "guardrail", "messages"), name="one_look_per_step"),
                    models.CheckConstraint(
                        condition=models.Q(guardrail__in=[code for code, _ in PUSH_RATES]), name="guardrail_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "AgentRules",
            [
                ID,
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("levers", models.JSONField(default=list, verbose_name="may vary")),
                ("pins", models.JSONField(blank=True, default=list, verbose_name="pinned")),
                ("forbids", models.JSONField(blank=True, default=list, verbose_name="forbidden")),
                ("floors", models.JSONField(blank=True, default=list, verbose_name="kept in play")),
                ("floor", models.FloatField(default=0.02, verbose_name="chance of a trial")),
                (
                    "share",
                    models.FloatField(
                        default=0.45, validators=[MinValueValidator(0.05), MaxValueValidator(0.8)],
                        verbose_name="share of people",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
            ],
            {
                "verbose_name": "rules of the agent",
                "verbose_name_plural": "rules of the agent",
                "ordering": ["-number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(share__gte=0.05, share__lte=0.8), name="the_rule_keeps_its_people"
                    ),
                    models.CheckConstraint(condition=models.Q(floor__gt=0, floor__lte=0.02), name="trials_go_on"),
                ],
            },
        ),
        migrations.CreateModel(
            "AgentVersion",
            [
                ID,
                ("night", models.DateField(unique=True, verbose_name="night")),
                ("seed", models.BigIntegerField(verbose_name="seed")),
                ("menu", models.JSONField(verbose_name="campaigns and channels")),
                ("scales", models.JSONField(verbose_name="scales")),
                ("rate", models.FloatField(verbose_name="answers a message")),
                ("mean", models.BinaryField(verbose_name="mean")),
                ("precision", models.BinaryField(verbose_name="precision")),
                ("draws", models.BinaryField(verbose_name="drawn models")),
                ("digest", models.CharField(max_length=32, verbose_name="digest")),
                ("prices", models.JSONField(default=dict, verbose_name="caused answers and the price of tiredness")),
                ("counts", models.JSONField(default=dict, verbose_name="what it rests on")),
                ("refusal", models.CharField(blank=True, max_length=60, verbose_name="why it was not taken")),
                ("is_live", models.BooleanField(default=False, verbose_name="live")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="created")),
            ],
            {
                "verbose_name": "version of the agent",
                "verbose_name_plural": "versions of the agent",
                "ordering": ["-night"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(is_live=True), fields=("is_live",), name="one_live_version_of_the_agent"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Agent",
            [
                ID,
                (
                    "status",
                    models.CharField(choices=AGENT_STATUSES, default="off", max_length=10, verbose_name="status"),
                ),
                ("salt", models.CharField(max_length=40, verbose_name="salt")),
                ("since", models.DateTimeField(default=timezone.now, verbose_name="since")),
                ("paused_reason", models.TextField(blank=True, verbose_name="why it is paused")),
                (
                    "was",
                    models.CharField(
                        blank=True, choices=AGENT_STATUSES, max_length=10, verbose_name="before the pause"
                    ),
                ),
                (
                    "rules",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to="recommendations.agentrules", verbose_name="rules",
                    ),
                ),
                ("guardrail", models.JSONField(blank=True, default=dict, verbose_name="guardrail that paused it")),
                ("reading", models.JSONField(blank=True, default=dict, verbose_name="latest look")),
            ],
            {
                "verbose_name": "agent",
                "verbose_name_plural": "agents",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in AGENT_STATUSES]), name="agent_status_is_known"
                    ),
                    models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_agent"),
                ],
            },
        ),
        migrations.CreateModel(
            "AgentDecision",
            [
                ID,
                ("day", models.DateField(verbose_name="day")),
                ("rank", models.PositiveSmallIntegerField(verbose_name="class")),
                ("group", models.CharField(max_length=8, verbose_name="group")),
                ("held", models.BooleanField(default=False, verbose_name="held out")),
                ("allowed", models.BinaryField(verbose_name="allowed options")),
                ("features", models.BinaryField(verbose_name="what was known")),
                ("option", models.SmallIntegerField(verbose_name="option")),
                ("agents", models.SmallIntegerField(verbose_name="the agent's option")),
                ("chance", models.FloatField(verbose_name="chance")),
                ("chances", models.BinaryField(verbose_name="chances")),
                ("trial", models.BooleanField(default=False, verbose_name="a trial")),
                ("value", models.FloatField(default=0, verbose_name="value")),
                ("rule", models.SmallIntegerField(verbose_name="the rule's option")),
                ("worth", models.FloatField(default=0, verbose_name="worth of an answer")),
                ("leaving", models.FloatField(default=0, verbose_name="price of leaving")),
                ("campaign", models.BigIntegerField(null=True, verbose_name="campaign")),
                ("key", models.CharField(blank=True, max_length=64, verbose_name="occasion")),
                ("answered", models.BooleanField(null=True, verbose_name="answered")),
                ("void", models.BooleanField(default=False, verbose_name="closed before it left")),
                ("decided_at", models.DateTimeField(db_default=Now(), verbose_name="decided")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="agent_decisions",
                        to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions",
                        to="recommendations.agentversion", verbose_name="version",
                    ),
                ),
            ],
            {
                "verbose_name": "decision of the agent",
                "verbose_name_plural": "decisions of the agent",
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "day", "rank"), name="one_decision_a_day_and_class"),
                ],
                "indexes": [models.Index(fields=["day"], name="agent_decision_of_day")],
            },
        ),
        migrations.CreateModel(
            "AgentStatement",
            [
                ID,
                ("month", models.DateField(unique=True, verbose_name="month")),
                ("until", models.DateField(verbose_name="until")),
                ("facts", models.JSONField(verbose_name="facts")),
                ("written_at", models.DateTimeField(default=timezone.now, verbose_name="written")),
            ],
            {
                "verbose_name": "statement of the agent",
                "verbose_name_plural": "statements of the agent",
                "ordering": ["-month"],
            },
        ),
        migrations.CreateModel(
            "AgentPractice",
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
                ("seed", models.PositiveIntegerField(verbose_name="seed")),
                ("result", models.JSONField(default=dict, verbose_name="what came of it")),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="started by",
                    ),
                ),
            ],
            {
                "verbose_name": "practice of the agent",
                "verbose_name_plural": "practices of the agent",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]),
                        name="agentpractice_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1),
                        name="agentpractice_progress_is_a_share",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "NewItemBudget",
            [
                (
                    "placement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="new_item_budget",
                        serialize=False, to="recommendations.placement", verbose_name="placement",
                    ),
                ),
                ("share", models.FloatField(verbose_name="share of the answers")),
                ("load", models.FloatField(help_text="0: empty; 1: as full as it may be.", verbose_name="load")),
                ("requests_a_day", models.FloatField(verbose_name="answers a day")),
                ("counted_until", models.DateTimeField(verbose_name="counted until")),
            ],
            {"verbose_name": "room for new items", "verbose_name_plural": "room for new items"},
        ),
        migrations.CreateModel(
            "NewItemPromise",
            [
                ID,
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("impressions", models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(10_000)], verbose_name="impressions")),
                ("days", models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(60)], verbose_name="days")),
                (
                    "highest_share",
                    models.FloatField(
                        help_text="Share of the answers that may give their last open slot to a new item.",
                        validators=[MinValueValidator(0.01), MaxValueValidator(0.5)], verbose_name="answers at most",
                    ),
                ),
                (
                    "new_days",
                    models.PositiveSmallIntegerField(
                        validators=[MinValueValidator(1), MaxValueValidator(365)], verbose_name="days for which an item is new"
                    ),
                ),
                ("needs_price", models.BooleanField(default=True, verbose_name="only with a price")),
                ("needs_picture", models.BooleanField(default=False, verbose_name="only with a picture")),
                (
                    "gives",
                    models.BooleanField(
                        default=True, help_text="Without, promises that were given are kept and none is new.",
                        verbose_name="gives promises",
                    ),
                ),
                ("is_default", models.BooleanField(default=False, verbose_name="live")),
                (
                    "price",
                    models.JSONField(
                        default=dict, help_text="What it could cost at most when it was published.",
                        verbose_name="price",
                    ),
                ),
                ("note", models.TextField(verbose_name="note")),
                ("created_at", models.DateTimeField(default=timezone.now, verbose_name="published")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="author",
                    ),
                ),
                (
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="promises",
                        to="recommendations.placement", verbose_name="placement",
                    ),
                ),
            ],
            {
                "verbose_name": "promise to new items",
                "verbose_name_plural": "promises to new items",
                "ordering": ["placement", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=["placement", "number"], name="promise_number_once_per_placement"),
                    models.UniqueConstraint(
                        fields=["placement"], condition=models.Q(is_default=True),
                        name="one_default_promise_per_placement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(impressions__gte=1, days__gte=1, new_days__gte=1),
                        name="promise_is_of_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(highest_share__gt=0, highest_share__lte=0.5), name="promise_leaves_half"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "NewItem",
            [
                ID,
                ("state", models.CharField(choices=NEW_ITEM_STATES, max_length=10, verbose_name="state")),
                ("first", models.BooleanField(default=False, verbose_name="put first")),
                (
                    "fit",
                    models.FloatField(
                        help_text="How well it fits customers on average, by its texts.", null=True, verbose_name="fit"
                    ),
                ),
                ("noted_at", models.DateTimeField(verbose_name="noted")),
                ("promised_at", models.DateTimeField(null=True, verbose_name="promised")),
                ("shown", models.PositiveIntegerField(default=0, verbose_name="shown")),
                ("clicks", models.PositiveIntegerField(default=0, verbose_name="clicks")),
                (
                    "expected",
                    models.FloatField(
                        default=0, help_text="As many as other items got in the same slots.",
                        verbose_name="expected clicks",
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="new_at", to="recommendations.item",
                        verbose_name="item",
                    ),
                ),
                (
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="new_items",
                        to="recommendations.placement", verbose_name="placement",
                    ),
                ),
                (
                    "promise",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="items",
                        to="recommendations.newitempromise", verbose_name="promise",
                    ),
                ),
            ],
            {
                "verbose_name": "new item",
                "verbose_name_plural": "new items",
                "ordering": ["placement", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=["placement", "item"], name="item_is_new_once_per_placement"),
                    models.CheckConstraint(
                        condition=models.Q(state__in=[code for code, _ in NEW_ITEM_STATES]),
                        name="state_of_new_item_is_known",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(state="promised")
                        | models.Q(promise__isnull=False, promised_at__isnull=False),
                        name="promised_item_has_a_promise",
                    ),
                ],
            },
        ),
        migrations.AddField(
            "evaluation", "acts_known",
            models.JSONField(
                default=dict, verbose_name="by acts known",
                help_text="NDCG@10 on histories cut to few acts, of customers left out of training: "
                "blend and popularity."),
        ),
        migrations.AddField(
            "evaluation", "generalisation",
            models.JSONField(
                default=dict, db_default={}, verbose_name="on what was learned",
                help_text="NDCG@10 by row: on a tenth of what it learned, on what came after, and the paired "
                "difference."),
        ),
        migrations.AddField(
            "evaluation", "luck",
            models.JSONField(
                default=dict, db_default={}, verbose_name="under other seeds",
                help_text="Seeds, and by row its NDCG@10 under each; the first is that of the run."),
        ),
        migrations.CreateModel(
            "EmbeddingSpace",
            [
                KEY,
                ("name", models.CharField(max_length=40, unique=True, verbose_name="name")),
                ("provider", models.CharField(max_length=20, verbose_name="provider")),
                ("model", models.CharField(blank=True, max_length=200, verbose_name="model")),
                (
                    "dimensions",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Empty until the first vector is there.", null=True,
                        verbose_name="dimensions",
                    ),
                ),
                ("asked_at", models.DateTimeField(blank=True, null=True, verbose_name="last asked")),
                (
                    "outcome",
                    models.JSONField(
                        blank=True, default=dict, help_text="What the provider gave then.", verbose_name="outcome"
                    ),
                ),
            ],
            {
                "verbose_name": "space of vectors",
                "verbose_name_plural": "spaces of vectors",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(provider__in=["given", "http", "picture"]),
                        name="provider_of_vectors_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(dimensions=None) | models.Q(dimensions__gte=1, dimensions__lte=3072),
                        name="space_has_few_dimensions",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ItemVector",
            [
                KEY,
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
                ("dimensions", models.PositiveSmallIntegerField(verbose_name="dimensions")),
                ("values", models.BinaryField(verbose_name="values")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="vectors",
                        to="recommendations.item", verbose_name="item",
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="vectors",
                        to="recommendations.embeddingspace", verbose_name="space",
                    ),
                ),
            ],
            {
                "verbose_name": "vector of an item",
                "verbose_name_plural": "vectors of items",
                "indexes": [models.Index(fields=["space", "made_at"], name="item_vector_made")],
                "constraints": [
                    models.UniqueConstraint(fields=["item", "space"], name="item_has_one_vector_in_a_space"),
                    models.CheckConstraint(
                        condition=Exact(
                            models.Func("values", function="octet_length", output_field=models.IntegerField()),
                            models.F("dimensions") * 2,
                        ),
                        name="vector_is_as_long_as_it_says",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "ItemPicture",
            [
                KEY,
                ("url", models.CharField(max_length=1000, verbose_name="address")),
                ("etag", models.CharField(blank=True, max_length=200, verbose_name="ETag")),
                (
                    "fault",
                    models.CharField(blank=True, choices=PICTURE_FAULTS, max_length=20, verbose_name="fault"),
                ),
                ("width", models.PositiveIntegerField(blank=True, null=True, verbose_name="width")),
                ("height", models.PositiveIntegerField(blank=True, null=True, verbose_name="height")),
                (
                    "hash",
                    models.BigIntegerField(
                        blank=True, help_text="Its 64 bits, as a signed number.", null=True, verbose_name="hash"
                    ),
                ),
                (
                    "is_shared",
                    models.BooleanField(
                        default=False, help_text="Another item has the same picture.", verbose_name="shared"
                    ),
                ),
                (
                    "compared_hash",
                    models.BigIntegerField(
                        editable=False, help_text="With which it was compared with the others.", null=True,
                        verbose_name="compared hash",
                    ),
                ),
                (
                    "compared_family",
                    models.BigIntegerField(
                        editable=False, help_text="The item whose variant it was then, or its own.", null=True,
                        verbose_name="compared family",
                    ),
                ),
                ("looked_at", models.DateTimeField(verbose_name="looked at")),
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seen_picture",
                        to="recommendations.item", verbose_name="item",
                    ),
                ),
            ],
            {
                "verbose_name": "picture of an item",
                "verbose_name_plural": "pictures of items",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(fault__in=["", *(code for code, _ in PICTURE_FAULTS)]),
                        name="fault_of_picture_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "StatedTaste",
            [
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="stated_taste",
                        serialize=False, to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                *(
                    (
                        name,
                        ArrayField(
                            models.CharField(max_length=longest), default=list, size=None, verbose_name=called
                        ),
                    )
                    for name, longest, called in (
                        ("categories", 500, "categories"), ("item_ids", 128, "items"), ("tags", 100, "tags"),
                    )
                ),
                ("stated_at", models.DateTimeField(default=timezone.now, verbose_name="stated")),
            ],
            {"verbose_name": "stated taste", "verbose_name_plural": "stated tastes"},
        ),
        migrations.AlterField(
            "placement", "scope",
            models.CharField(choices=SCOPES_SHOWN, default="whole", max_length=8, verbose_name="part of the shop"),
        ),
        migrations.RemoveConstraint("placement", "placement_scope_is_known"),
        migrations.AddConstraint(
            "placement",
            models.CheckConstraint(
                condition=models.Q(scope__in=[code for code, _ in SCOPES_SHOWN]), name="placement_scope_is_known"
            ),
        ),
        migrations.RunPython(furnish_channels, migrations.RunPython.noop),
        migrations.RunPython(furnish_following, migrations.RunPython.noop),
        *(migrations.AddField("item", name, field) for name, field in MORE_OF_ITEMS.items()),
        migrations.AlterField(
            "item", "kind",
            models.CharField(choices=ITEM_KINDS, default="product", max_length=20, verbose_name="kind"),
        ),
        migrations.AddField("event", "progress", models.FloatField(null=True, verbose_name="share played")),
        migrations.AddConstraint(
            "event",
            models.CheckConstraint(
                condition=models.Q(progress__gte=0, progress__lte=1), name="event_progress_is_a_share"
            ),
        ),
        migrations.RunPython(furnish_domain, migrations.RunPython.noop),
        migrations.AddField(
            "customer", "not_before",
            models.DateTimeField(
                help_text="The id was erased then: what happened before is not taken.", null=True,
                verbose_name="acts taken since",
            ),
        ),
        migrations.AddField(
            "customer", "erased_at",
            models.DateTimeField(
                help_text="Nobody knows this customer any more; the row goes within minutes.", null=True,
                verbose_name="erased",
            ),
        ),
        migrations.AddIndex(
            "customer",
            models.Index(
                condition=models.Q(("erased_at__isnull", False)), fields=["id"], name="customer_is_erased"
            ),
        ),
        migrations.CreateModel(
            "PrivacyRequest",
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
                ("kind", models.CharField(choices=PRIVACY_KINDS, max_length=10, verbose_name="kind")),
                ("mode", models.CharField(choices=ERASE_MODES, default="forget", max_length=10, verbose_name="mode")),
                (
                    "reference",
                    models.CharField(
                        help_text="The shop's own; the same one is the same request.", max_length=128, null=True,
                        verbose_name="reference",
                    ),
                ),
                ("asked_for", models.BinaryField(max_length=32, verbose_name="digest of the call")),
                ("subject", models.BinaryField(max_length=32, verbose_name="digest of the id")),
                ("sealed", models.BinaryField(null=True, verbose_name="subject, sealed")),
                ("options", models.JSONField(default=dict, verbose_name="options")),
                ("counts", models.JSONField(default=dict, verbose_name="counts by holder")),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="started by",
                    ),
                ),
                (
                    "api_key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to="recommendations.apikey", verbose_name="API key",
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("unknown_at", models.DateTimeField(null=True, verbose_name="unknown to answers since")),
                ("scanned_at", models.DateTimeField(null=True, verbose_name="first scan")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed")),
                ("file", models.CharField(blank=True, max_length=100, verbose_name="file")),
                ("file_until", models.DateTimeField(null=True, verbose_name="file kept until")),
            ],
            {
                "verbose_name": "privacy request",
                "verbose_name_plural": "privacy requests",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]),
                        name="privacyrequest_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1),
                        name="privacyrequest_progress_is_a_share",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reference__isnull", False)), fields=("reference",),
                        name="privacy_reference_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(kind__in=[code for code, _ in PRIVACY_KINDS]), name="privacy_kind_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(mode__in=[code for code, _ in ERASE_MODES]), name="privacy_mode_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sealed", None), ("closed_at", None), _connector="OR"),
                        name="ids_only_while_running",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "Receipt",
            [
                ("serial", models.BigAutoField(primary_key=True, serialize=False, verbose_name="number")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts",
                        to="recommendations.privacyrequest", verbose_name="request",
                    ),
                ),
                ("part", models.CharField(choices=RECEIPT_PARTS, max_length=10, verbose_name="part")),
                ("document", models.JSONField(verbose_name="document")),
                ("signature", models.BinaryField(max_length=64, verbose_name="signature")),
                ("key_id", models.CharField(max_length=16, verbose_name="key")),
                ("previous", models.BinaryField(max_length=32, verbose_name="hash of the one before")),
                ("at", models.DateTimeField(verbose_name="signed")),
            ],
            {
                "verbose_name": "receipt",
                "verbose_name_plural": "receipts",
                "ordering": ["-serial"],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "part"), name="receipt_once_per_part"),
                    models.CheckConstraint(
                        condition=models.Q(part__in=[code for code, _ in RECEIPT_PARTS]), name="receipt_part_is_known"
                    ),
                ],
            },
        ),
        migrations.RunSQL(RECEIPT_IS_ONLY_ADDED, "DROP FUNCTION recommendations_receipt_is_only_added CASCADE"),
        migrations.AddIndex("slate", models.Index(Coalesce("customer", "unit"), name="slate_of_person")),
        migrations.AddIndex(
            "event",
            models.Index(fields=["target_id"], name="event_of_followed", condition=models.Q(target_type="customer")),
        ),
        migrations.CreateModel(
            "Tombstone",
            [
                ID,
                ("digest", models.BinaryField(max_length=32, unique=True, verbose_name="digest")),
                ("generation", models.PositiveSmallIntegerField(default=1, verbose_name="generation")),
                ("at", models.DateTimeField(verbose_name="erased")),
                ("mode", models.CharField(choices=ERASE_MODES, max_length=10, verbose_name="mode")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="block lifted")),
            ],
            {
                "verbose_name": "erased id",
                "verbose_name_plural": "erased ids",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(mode__in=[code for code, _ in ERASE_MODES]), name="tombstone_mode_is_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "LegalHold",
            [
                ID,
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
                ("pseudonym", models.BinaryField(max_length=32, null=True, verbose_name="pseudonym")),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="by",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
            ],
            {
                "verbose_name": "legal hold",
                "verbose_name_plural": "legal holds",
                "ordering": ["-since"],
                "indexes": [models.Index(fields=["digest"], name="hold_by_digest")],
            },
        ),
        migrations.CreateModel(
            "RecommendationStatement",
            [
                ID,
                ("number", models.PositiveIntegerField(unique=True, verbose_name="version")),
                ("text", models.JSONField(verbose_name="text")),
                ("parameters", models.JSONField(verbose_name="main parameters")),
                (
                    "digest",
                    models.BinaryField(
                        help_text="Of number, text, parameters and the digest before.", max_length=32, unique=True,
                        verbose_name="digest",
                    ),
                ),
                ("because", models.JSONField(default=dict, verbose_name="because")),
                ("at", models.DateTimeField(default=timezone.now, verbose_name="published")),
            ],
            {
                "verbose_name": "statement of main parameters",
                "verbose_name_plural": "statements of main parameters",
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            "RetentionRule",
            [
                ID,
                ("kind", models.CharField(choices=RETENTION_KINDS, max_length=20, verbose_name="kind")),
                ("days", models.PositiveIntegerField(verbose_name="days")),
                ("note", models.TextField(verbose_name="note")),
                (
                    "by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="by",
                    ),
                ),
                ("at", models.DateTimeField(default=timezone.now, verbose_name="set")),
            ],
            {
                "verbose_name": "retention rule",
                "verbose_name_plural": "retention rules",
                "ordering": ["-at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(kind__in=[code for code, _ in RETENTION_KINDS]),
                        name="retention_kind_is_known",
                    ),
                    models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_is_a_day_at_least"),
                ],
            },
        ),
        migrations.CreateModel(
            "RetentionDrop",
            [
                ID,
                ("kind", models.CharField(choices=RETENTION_KINDS, max_length=20, verbose_name="kind")),
                ("partition", models.CharField(blank=True, max_length=63, verbose_name="month's table")),
                ("rows", models.BigIntegerField(verbose_name="rows")),
                ("size", models.BigIntegerField(default=0, verbose_name="bytes")),
                ("held", models.PositiveIntegerField(default=0, verbose_name="rows of people who are held")),
                (
                    "customers",
                    models.PositiveIntegerField(
                        help_text="Of whom nothing was left; none: they are still looked for.", null=True,
                        verbose_name="customers",
                    ),
                ),
                ("at", models.DateTimeField(default=timezone.now, verbose_name="dropped")),
            ],
            {
                "verbose_name": "dropped data",
                "verbose_name_plural": "dropped data",
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["partition"], name="dropped_month")],
            },
        ),
        migrations.CreateModel(
            "EventFile",
            [
                ID,
                ("month", models.DateTimeField(verbose_name="month")),
                ("late", models.BooleanField(verbose_name="what came late")),
                ("archived", models.BooleanField(default=False, verbose_name="archived")),
                ("path", models.CharField(max_length=300, verbose_name="file")),
                ("rows", models.BigIntegerField(verbose_name="rows")),
                ("size", models.BigIntegerField(verbose_name="bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("basis", models.CharField(max_length=200, verbose_name="basis")),
                ("seen", models.TextField(verbose_name="written from")),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="written")),
            ],
            {
                "verbose_name": "file of events",
                "verbose_name_plural": "files of events",
                "constraints": [
                    models.UniqueConstraint(fields=("month", "late"), name="a_month_has_one_file_of_each_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            "HeldEvent",
            [
                ID,
                ("held_for", models.BigIntegerField(verbose_name="customer")),
                ("occurred_at", models.DateTimeField(verbose_name="occurred")),
                ("event_id", models.UUIDField(verbose_name="event id")),
                ("line", models.SmallIntegerField(verbose_name="line")),
                ("event", models.JSONField(verbose_name="event")),
            ],
            {
                "verbose_name": "event that is held",
                "verbose_name_plural": "events that are held",
                "constraints": [
                    models.UniqueConstraint(fields=("event_id", "occurred_at", "line"), name="a_line_is_held_once"),
                ],
                "indexes": [models.Index(fields=["held_for"], name="held_for_customer")],
            },
        ),
        migrations.RunSQL(RETENTION_IS_ONLY_ADDED, "DROP FUNCTION recommendations_retention_is_only_added CASCADE"),
        migrations.RunSQL(KEEP_WHAT_IS_THERE, migrations.RunSQL.noop, elidable=True),
        migrations.AddField(
            "customer", "resumed_at",
            models.DateTimeField(
                help_text="They agreed again then: what was before is not learned from.", null=True,
                verbose_name="known again since",
            ),
        ),
        migrations.AddField(
            "customer", "measure",
            models.BooleanField(
                db_default=True, default=True, help_text="Off: what they do is tied to no answer.",
                verbose_name="measure",
            ),
        ),
        migrations.AddField(
            "customer", "measure_at",
            models.DateTimeField(
                help_text="When the customer last spoke about measuring.", null=True,
                verbose_name="measuring allowed or refused",
            ),
        ),
        migrations.AddIndex(
            "customer",
            models.Index(condition=models.Q(("resumed_at__isnull", False)), fields=["id"], name="customer_resumed"),
        ),
        migrations.AddIndex(
            "customer", models.Index(condition=models.Q(("measure", False)), fields=["id"], name="customer_unmeasured"),
        ),
        migrations.CreateModel(
            "PurposeWord",
            [
                ID,
                ("purpose", models.CharField(choices=DATA_PURPOSES, max_length=11, verbose_name="purpose")),
                ("state", models.CharField(choices=PURPOSE_STATES, max_length=9, verbose_name="said")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("source", models.CharField(choices=WORD_SOURCES, max_length=6, verbose_name="where")),
                (
                    "resume",
                    models.BooleanField(
                        default=False, help_text="What was done before the objection is learned again.",
                        verbose_name="for the past as well",
                    ),
                ),
                (
                    "proof",
                    models.JSONField(
                        blank=True, default=dict,
                        help_text="Version and language of the text, the form, a reference.", verbose_name="proof",
                    ),
                ),
                ("recorded_at", models.DateTimeField(db_default=Now(), verbose_name="recorded")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="purpose_words",
                        to="recommendations.customer", verbose_name="customer",
                    ),
                ),
            ],
            {
                "verbose_name": "word on a purpose",
                "verbose_name_plural": "words on purposes",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "given"), _negated=True), fields=["at"], name="objection_by_time"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "purpose", "state", "at"), name="word_on_a_purpose_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["personalise", "measure"])), name="word_purpose_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", [code for code, _ in PURPOSE_STATES])),
                        name="word_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", [code for code, _ in WORD_SOURCES])),
                        name="word_source_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("resume", False), ("state", "given"), _connector="OR"),
                        name="only_a_yes_resumes",
                    ),
                ],
            },
        ),
        migrations.RunSQL(WORD_IS_ONLY_ADDED, "DROP FUNCTION recommendations_word_is_only_added CASCADE"),
        migrations.RunSQL(WORDS_OF_BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL(EVENTS_BY_PURPOSE, "DROP VIEW events_to_personalise; DROP VIEW events_to_measure"),
        migrations.CreateModel(
            "Release",
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
                ("domain", models.CharField(choices=RELEASE_DOMAINS, max_length=10, verbose_name="of")),
                ("weeks", models.PositiveSmallIntegerField(verbose_name="weeks")),
                ("last_day", models.DateField(verbose_name="last day")),
                ("bound", models.PositiveSmallIntegerField(verbose_name="values of a customer at most")),
                ("epsilon", models.DecimalField(decimal_places=2, max_digits=4, verbose_name="ε")),
                ("drawn_at", models.DateTimeField(null=True, verbose_name="noise drawn")),
                ("values", models.PositiveIntegerField(null=True, verbose_name="values counted")),
                ("enough", models.BooleanField(null=True, verbose_name="more than noise")),
                ("rows", models.JSONField(default=list, verbose_name="numbers")),
                ("expected", models.JSONField(default=dict, verbose_name="expected errors")),
                ("published_at", models.DateTimeField(null=True, verbose_name="published")),
                ("withdrawn_at", models.DateTimeField(null=True, verbose_name="withdrawn")),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+",
                        to=settings.AUTH_USER_MODEL, verbose_name="started by",
                    ),
                ),
            ],
            {
                "verbose_name": "release",
                "verbose_name_plural": "releases",
                "ordering": ["-created_at"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(status__in=[code for code, _ in STATUSES]), name="release_status_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(progress__gte=0, progress__lte=1), name="release_progress_is_a_share"
                    ),
                    models.UniqueConstraint(
                        fields=("domain", "weeks", "last_day", "epsilon"), name="same_release_is_never_drawn_again"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(domain__in=[code for code, _ in RELEASE_DOMAINS]),
                        name="release_domain_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(bound__gte=1, weeks__gte=1), name="release_is_bounded"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(epsilon__gte=Decimal("0.1"), epsilon__lte=Decimal(10)),
                        name="release_epsilon_fits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at", None), models.Q(("enough", True), ("enough__isnull", False)),
                            _connector="OR",
                        ),
                        name="published_is_more_than_noise",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None), ("published_at__isnull", False), _connector="OR"
                        ),
                        name="withdrawn_was_published",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            "BudgetLine",
            [
                ID,
                ("epsilon", models.DecimalField(decimal_places=2, max_digits=4, verbose_name="ε")),
                ("at", models.DateTimeField(db_index=True, verbose_name="spent")),
                (
                    "release",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="spent",
                        to="recommendations.release", verbose_name="release",
                    ),
                ),
            ],
            {
                "verbose_name": "line of the privacy budget",
                "verbose_name_plural": "lines of the privacy budget",
                "ordering": ["at"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(epsilon__gt=0), name="budget_is_spent_only"),
                ],
            },
        ),
        migrations.RunSQL(RELEASE_IS_DRAWN_ONCE, DROP_OF_RELEASES),
        migrations.RunSQL(STATEMENT_STAYS, "DROP FUNCTION recommendations_statement_stays CASCADE"),
        migrations.RunSQL(CHANGES_ARE_STATED, FORGET_STATED),
        migrations.CreateModel(
            "LiveProfile",
            [
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="live_profile",
                        serialize=False, to="recommendations.customer", verbose_name="customer",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="members",
                        to="recommendations.segment", verbose_name="segment",
                    ),
                ),
                ("weight", models.FloatField(verbose_name="weight of all activity")),
                (
                    "shift",
                    models.FloatField(
                        help_text="Share that what leads the last 7 days gained.", verbose_name="shift of interests"
                    ),
                ),
                (
                    "leads",
                    models.BigIntegerField(
                        help_text="Its key; of the last 7 days.", null=True, verbose_name="leading category"
                    ),
                ),
            ],
            {
                "verbose_name": "profile of the live version",
                "verbose_name_plural": "profiles of the live version",
            },
        ),
        migrations.RunSQL(LIVE_PROFILES, migrations.RunSQL.noop, elidable=True),
        migrations.DeleteModel("InterestProfile"),
        migrations.DeleteModel("SegmentMembership"),
    ]  # fmt: skip
