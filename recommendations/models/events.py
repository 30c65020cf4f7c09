"""Events of customers: append-only, a row per item line, in monthly partitions made by ``store/events/partitions.py``.

Customer and item are integers without a foreign key in the database: every insert joins both tables, neither is ever
deleted before its events, and the check would cost a bulk load half its speed.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models.functions import FirstValue
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations import terms
from recommendations.event_types import TRADES, EventName
from recommendations.models.catalogue import Item
from recommendations.models.customers import Customer, CustomerAlias
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.wording import labels


class EventQuerySet(models.QuerySet["Event"]):
    def of_customer(self, customer: Customer) -> Self:
        """Events of a customer, with those of the anonymous keys that were merged into them."""
        return self.of_customers([customer.pk])

    def of_customers(self, customers: Collection[int]) -> Self:
        """Events of customers by their keys, with those of the anonymous keys that were merged into them."""
        merged = CustomerAlias.objects.filter(customer__in=customers, undone_at=None).values("anonymous")
        own = Customer.objects.filter(pk__in=customers).values("pk")
        return self.filter(customer__in=merged.union(own, all=True))  # "or" would read every event of the shop

    def to_personalise(self) -> Self:
        """Events that may be used to personalise, as the view ``events_to_personalise`` has them.

        Nobody's are among them; what was before somebody agreed again is not, unless they said that it may be.
        """
        own = Customer.objects.filter(pk=models.OuterRef("customer"))
        earlier = own.filter(resumed_at__isnull=False, resumed_at__gt=models.OuterRef("occurred_at"))
        return self.filter(~models.Exists(own.filter(personalise=False)), ~models.Exists(earlier))

    def to_measure(self) -> Self:
        """Events that may be tied to answers, as the view ``events_to_measure`` has them."""
        return self.filter(~models.Exists(Customer.objects.filter(pk=models.OuterRef("customer"), measure=False)))

    def between(self, start: datetime, end: datetime) -> Self:
        """Events at or after start and before end."""
        return self.filter(occurred_at__gte=start, occurred_at__lt=end)

    def with_confirmation(self) -> Self:
        """Events, each with whether a source that is believed told of the same item of the order: ``told_again``."""
        same = {name: models.OuterRef(name) for name in ("transaction_id", "item", "name")}
        return self.annotate(told_again=models.Exists(Event.objects.purchases().filter(**same)))

    def purchases(self) -> Self:
        """Purchases that count: of a source that is believed (``settings.PURCHASES_FROM``)."""
        return self.filter(name=EventName.PURCHASE, trust__gte=settings.PURCHASES_FROM)

    def taking(self, names: Collection[str], *, played_from: float) -> Self:
        """Acts of these names by which an item was taken: purchases that count, plays of at least this share."""
        long_enough = models.Q(progress=None) | models.Q(progress__gte=played_from)
        others = models.Q(name__in=[name for name in names if name != EventName.PURCHASE])
        bought = models.Q(name=EventName.PURCHASE, trust__gte=settings.PURCHASES_FROM)
        return self.filter((others & long_enough) | bought if EventName.PURCHASE in names else others & long_enough)

    def told_once(self) -> Self:
        """Purchases among these without what was told again, as attribution counts them.

        Of an order's item the word of the best source holds, of equal ones the first; all rows of a file do.
        """
        whose = models.Case(models.When(trust__lt=terms.Trust.SERVER, then="customer"))
        same = [models.F("transaction_id"), models.F("item"), models.F("name")]
        best = models.Window(models.Max("trust"), partition_by=same)
        first = models.Window(
            FirstValue("event_id"), partition_by=[*same, whose],
            order_by=[models.F("trust").desc(), "received_at", "event_id"],
        )  # fmt: skip
        return self.annotate(best_word=best, first_word=first).filter(
            models.Q(trust=terms.Trust.IMPORT) | models.Q(event_id=models.F("first_word")),
            trust=models.F("best_word"),
        )


class Event(models.Model):
    pk = models.CompositePrimaryKey("occurred_at", "event_id", "line")
    occurred_at = models.DateTimeField(_("occurred"))
    event_id = models.UUIDField(_("event id"))
    line = models.SmallIntegerField(_("line"), default=0)
    received_at = models.DateTimeField(_("received"), db_default=models.functions.Now())
    name = models.CharField(_("event"), max_length=20, choices=labels.EVENT_NAMES)
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="events", db_constraint=False, db_index=False,
        verbose_name=_("customer"),
    )  # fmt: skip
    item = models.ForeignKey(
        Item, models.DO_NOTHING, null=True, related_name="events", db_constraint=False, db_index=False,
        verbose_name=_("item"),
    )  # fmt: skip
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=3, null=True)
    price = models.DecimalField(_("unit price paid"), max_digits=12, decimal_places=2, null=True)
    amount = models.DecimalField(_("line total paid"), max_digits=12, decimal_places=2, null=True)
    rating = models.FloatField(_("rating"), null=True)
    rating_scale = models.FloatField(_("rating scale"), null=True)
    search_term = models.CharField(_("search term"), max_length=512, null=True)  # noqa: DJ001 absent is not empty
    transaction_id = models.CharField(_("transaction"), max_length=128, null=True)  # noqa: DJ001
    session_id = models.CharField(_("session"), max_length=128, null=True)  # noqa: DJ001
    recommendation_id = models.CharField(_("recommendation"), max_length=64, null=True)  # noqa: DJ001
    position = models.SmallIntegerField(_("position"), null=True)
    target_type = models.CharField(_("followed kind"), max_length=20, null=True)  # noqa: DJ001
    target_id = models.CharField(_("followed"), max_length=128, null=True)  # noqa: DJ001
    progress = models.FloatField(_("share played"), null=True)
    source = models.CharField(_("source"), max_length=20, default="api")
    attributes = models.JSONField(_("attributes"), null=True)
    trust = models.SmallIntegerField(
        _("whose word"), choices=labels.TRUSTS, default=terms.Trust.SERVER, db_default=terms.Trust.SERVER
    )
    key_id = models.IntegerField(_("API key"), null=True)  # an ApiKey's

    objects: ClassVar[models.Manager["Event"]] = models.Manager.from_queryset(EventQuerySet)()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = pgettext_lazy("model", "events")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(name__in=list(EventName)), name="event_name_is_known"),
            models.CheckConstraint(
                condition=~models.Q(name__in=list(TRADES)) | ~models.Q(transaction_id=None),
                name="purchase_has_a_transaction",
            ),
            models.CheckConstraint(
                condition=models.Q(progress__gte=0, progress__lte=1), name="event_progress_is_a_share"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            BrinIndex(fields=["occurred_at"], name="event_occurred_at", pages_per_range=32),  # windows of a run
            # timeline and history of one customer
            models.Index(
                fields=["customer", "occurred_at"], name="event_of_customer", condition=~models.Q(customer=None)
            ),
            # what led back to a slate
            models.Index(
                fields=["recommendation_id"], name="event_of_slate", condition=~models.Q(recommendation_id=None)
            ),
            # who follows a person
            models.Index(fields=["target_id"], name="event_of_followed", condition=models.Q(target_type="customer")),
            # what was told of a transaction, and what was taken back of it
            models.Index(
                fields=["transaction_id"], name="trade_of_transaction", condition=~models.Q(transaction_id=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it is a purchase by the word of somebody who is not believed, so that it counts for nothing."""
        return self.name == EventName.PURCHASE and self.trust < settings.PURCHASES_FROM


class WaitingLine(models.Model):
    """A line of an event about an item that is not in the catalogue yet: it becomes an ``Event`` when the item comes.

    Whoever is in it is a key of ours, as in events, and who objects is not. ``sent`` is the line as it will be stored.
    """

    occurred_at = models.DateTimeField(_("occurred"))
    event_id = models.UUIDField(_("event id"))
    line = models.SmallIntegerField(_("line"))
    received_at = models.DateTimeField(_("received"), db_default=models.functions.Now())
    shop_id = models.CharField(_("item id"), max_length=128)
    customer_id = models.BigIntegerField(_("customer"), null=True)
    key_id = models.IntegerField(_("API key"), null=True)
    sent = models.JSONField(_("line as sent"))

    class Meta:
        verbose_name = _("waiting line")
        verbose_name_plural = _("waiting lines")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["event_id", "occurred_at", "line"], name="a_line_waits_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["shop_id"], name="waiting_for_item"),
            models.Index(fields=["key_id"], name="waiting_of_key"),
            models.Index(fields=["customer_id"], name="waiting_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.line}: {self.shop_id}"


class EventListing(models.Model):
    """Rows of ``Event`` for lists of Django's admin, which takes no model with a composite key. They are only read.

    ``event_id`` alone may name several lines, which a list does not mind.
    """

    event_id = models.UUIDField(_("event id"), primary_key=True)
    occurred_at = models.DateTimeField(_("occurred"))
    received_at = models.DateTimeField(_("received"))
    line = models.SmallIntegerField(_("line"))
    name = models.CharField(_("event"), max_length=20, choices=labels.EVENT_NAMES)
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, verbose_name=_("customer")
    )
    item = models.ForeignKey(
        Item, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, verbose_name=_("item")
    )
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=3, null=True)
    amount = models.DecimalField(_("line total paid"), max_digits=12, decimal_places=2, null=True)
    transaction_id = models.CharField(_("transaction"), max_length=128, null=True)  # noqa: DJ001
    source = models.CharField(_("source"), max_length=20)

    class Meta:
        managed = False
        db_table = "recommendations_event"
        verbose_name = _("event")
        verbose_name_plural = pgettext_lazy("model", "events")
        ordering: ClassVar[list[str]] = ["-occurred_at", "-event_id", "-line"]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class EventFile(models.Model):
    """A file of a month's events under the artefacts, from which runs read them; it is whole before this row exists.

    ``seen`` is PostgreSQL's snapshot that it was written from, ``basis`` all else that it depends on. One that is
    ``archived`` is all that there is of a month which the database has no more.
    """

    month = models.DateTimeField(_("month"))
    late = models.BooleanField(_("what came late"))
    archived = models.BooleanField(_("archived"), default=False)
    path = models.CharField(_("file"), max_length=300)
    rows = models.BigIntegerField(_("rows"))
    size = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    basis = models.CharField(_("basis"), max_length=200)
    seen = models.TextField(_("written from"))
    written_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("file of events")
        verbose_name_plural = _("files of events")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "late"], name="a_month_has_one_file_of_each_kind"),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def end(self) -> datetime:
        """First moment after the month."""
        return (self.month + timedelta(days=31)).replace(day=1)


class Import(models.Model):
    """One run of an import: what came in, what was kept, what was refused."""

    class Kind(models.TextChoices):
        ITEMS = "items", _("Items")
        EVENTS = "events", _("Events")
        PROMOTIONS = "promotions", _("Promotions")
        CONTACTS = "contacts", _("Contacts")
        CUSTOMERS = "customers", _("Customers")
        RECEIPTS = "receipts", _("Campaigns of other systems")

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", pgettext_lazy("import", "Stopped")  # by somebody or a bound, before it changed anything
        UNDONE = "undone", _("Undone")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    file = models.CharField(_("file"), max_length=300)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    kept = models.PositiveIntegerField(_("kept"), default=0)
    duplicates = models.PositiveIntegerField(_("already there"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    held = models.PositiveIntegerField(
        _("held for the replay"), default=0, help_text=_("Rows of the demo that come in later, through the API.")
    )
    reasons = models.JSONField(_("rejected by reason"), default=dict)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering: ClassVar[list[str]] = ["-started_at"]

    def __str__(self) -> str:
        return self.file


class RejectedRow(models.Model):
    """A flaw of a row of an import that was refused, with the remedy; a row has one for each of its flaws."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="rejected_rows", verbose_name=_("import"))
    line = models.PositiveIntegerField(_("line"))
    field = models.CharField(_("field"), max_length=50, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    content = models.TextField(_("row"), blank=True)
    given = models.JSONField(_("values"), default=dict, help_text=_("Column → text, without what is hashed."))

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        ordering: ClassVar[list[str]] = ["source", "line", "pk"]
        # An erasure looks for the numbers of somebody's orders and visits.
        indexes: ClassVar[list[models.Index]] = [
            GinIndex(
                models.Func(
                    models.F("content"), models.Value("[^0-9A-Za-z_-]+"), function="regexp_split_to_array",
                    output_field=ArrayField(models.TextField()),
                ),
                name="rejected_row_words",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"

    @property
    def value(self) -> str:
        """What stands in the field; behind our name of it may be the file's own, in brackets."""
        return str(self.given.get(self.field.partition(" (")[0], ""))


class CatalogueFile(Job):
    """A file that a worker looks through, or takes; ``result`` has what it would change."""

    class Phase(models.TextChoices):
        LOOK = "look", _("look through")
        TAKE = "take", _("take")

    TASK = "recommendations.tasks.work_on_file"
    MOST_TRIES = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Import.Kind, default=Import.Kind.ITEMS)
    phase = models.CharField(_("phase"), max_length=4, choices=Phase, default=Phase.LOOK)
    file = models.CharField(_("file"), max_length=300)
    stored_as = models.CharField(_("stored as"), max_length=60)
    lang = models.CharField(_("language"), max_length=10)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    result = models.JSONField(_("found"), default=dict)
    imported = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+", verbose_name=_("import"))

    objects: ClassVar[models.Manager["CatalogueFile"]] = models.Manager.from_queryset(JobQuerySet["CatalogueFile"])()

    class Meta(Job.Meta):
        verbose_name = _("catalogue file")
        verbose_name_plural = _("catalogue files")
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return self.file
