"""The push agent: what it may do, what it believes of each night, and every decision that it made or would have."""

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.models.customers import Customer
from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.push_terms import AgentStatus
from recommendations.wording import push_labels


class AgentRules(models.Model):
    """What staff let the agent do, in versions that are never changed.

    ``levers`` it may vary; ``pins`` [{campaign, lever, value}] settle a lever; ``forbids`` [{campaign or null, lever,
    value}] close options; ``floors`` [{campaign, variant, chance}] keep a subject in play. ``floor`` is the chance of
    trials of all that is allowed; a guardrail halves it where they are dear.
    """

    number = models.PositiveIntegerField(_("version"), unique=True)
    levers = models.JSONField(_("may vary"), default=list)
    pins = models.JSONField(_("pinned"), default=list, blank=True)
    forbids = models.JSONField(_("forbidden"), default=list, blank=True)
    floors = models.JSONField(_("kept in play"), default=list, blank=True)
    floor = models.FloatField(_("chance of a trial"), default=0.02)
    share = models.FloatField(
        _("share of people"), default=0.45, validators=[MinValueValidator(0.05), MaxValueValidator(0.8)]
    )
    note = models.TextField(_("note"), blank=True)
    author = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("author"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("rules of the agent")
        verbose_name_plural = _("rules of the agent")
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(share__gte=0.05, share__lte=0.8), name="the_rule_keeps_its_people"
            ),
            models.CheckConstraint(condition=models.Q(floor__gt=0, floor__lte=0.02), name="trials_go_on"),
        ]

    def __str__(self) -> str:
        return f"a{self.number}"


class AgentVersion(models.Model):
    """What the agent believes from a night on; ``state`` are mean, precision and drawn models as little-endian float64.

    ``digest`` is of all three and of the ``menu``, whose terms they are of.
    """

    night = models.DateField(_("night"), unique=True)
    seed = models.BigIntegerField(_("seed"))
    menu = models.JSONField(_("campaigns and channels"))
    scales = models.JSONField(_("scales"))
    rate = models.FloatField(_("answers a message"))
    mean = models.BinaryField(_("mean"))
    precision = models.BinaryField(_("precision"))
    draws = models.BinaryField(_("drawn models"))
    digest = models.CharField(_("digest"), max_length=32)
    prices = models.JSONField(_("caused answers and the price of tiredness"), default=dict)
    counts = models.JSONField(_("what it rests on"), default=dict)
    refusal = models.CharField(_("why it was not taken"), max_length=60, blank=True)
    is_live = models.BooleanField(_("live"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("version of the agent")
        verbose_name_plural = _("versions of the agent")
        ordering: ClassVar[list[str]] = ["-night"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["is_live"], condition=models.Q(is_live=True), name="one_live_version_of_the_agent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.night}"


class Agent(models.Model):
    """The agent of the shop: how far it may go, and since when. There is one.

    ``guardrail`` is what paused it, if one did and nothing was changed since: {rate, agent, rule, at}. ``reading`` is
    what the latest look found of its groups and trials (``services/agents/readings.py``); empty before the first.
    """

    status = models.CharField(_("status"), max_length=10, choices=push_labels.AGENT_STATUSES, default=AgentStatus.OFF)
    salt = models.CharField(_("salt"), max_length=40)
    rules = models.ForeignKey(AgentRules, models.PROTECT, related_name="+", verbose_name=_("rules"))
    since = models.DateTimeField(_("since"), default=timezone.now)
    paused_reason = models.TextField(_("why it is paused"), blank=True)
    was = models.CharField(_("before the pause"), max_length=10, choices=push_labels.AGENT_STATUSES, blank=True)
    guardrail = models.JSONField(_("guardrail that paused it"), default=dict, blank=True)
    reading = models.JSONField(_("latest look"), default=dict, blank=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(status__in=list(AgentStatus)), name="agent_status_is_known"),
            models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_agent"),
        ]

    def __str__(self) -> str:
        return str(self.get_status_display())


class AgentDecision(models.Model):
    """One decision on a person, a day where they live, and a class of messages; it is made once.

    ``allowed`` are bits of the version's options, ``option`` the one that was taken, ``agents`` and ``rule`` those that
    the agent and the rule would have taken, −1 *not now*; ``features`` and ``chances`` (of all options and
    *not now*) are float32. ``campaign`` and ``key`` are the
    occasion of the message. ``answered`` is null until its days are over.
    """

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="agent_decisions", db_index=False, verbose_name=_("customer")
    )
    day = models.DateField(_("day"))
    rank = models.PositiveSmallIntegerField(_("class"))
    version = models.ForeignKey(AgentVersion, models.CASCADE, related_name="decisions", verbose_name=_("version"))
    group = models.CharField(_("group"), max_length=8)
    held = models.BooleanField(_("held out"), default=False)
    allowed = models.BinaryField(_("allowed options"))
    features = models.BinaryField(_("what was known"))
    option = models.SmallIntegerField(_("option"))
    agents = models.SmallIntegerField(_("the agent's option"))
    chance = models.FloatField(_("chance"))
    chances = models.BinaryField(_("chances"))
    trial = models.BooleanField(_("a trial"), default=False)
    value = models.FloatField(_("value"), default=0)
    rule = models.SmallIntegerField(_("the rule's option"))
    worth = models.FloatField(_("worth of an answer"), default=0)
    leaving = models.FloatField(_("price of leaving"), default=0)
    campaign = models.BigIntegerField(_("campaign"), null=True)
    key = models.CharField(_("occasion"), max_length=64, blank=True)
    answered = models.BooleanField(_("answered"), null=True)
    void = models.BooleanField(_("closed before it left"), default=False)
    decided_at = models.DateTimeField(_("decided"), db_default=Now())

    class Meta:
        verbose_name = _("decision of the agent")
        verbose_name_plural = _("decisions of the agent")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["customer", "day", "rank"], name="one_decision_a_day_and_class"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["day"], name="agent_decision_of_day"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}/{self.day}"


class AgentStatement(models.Model):
    """What the agent did in a month and what it is worth, as its night found it; that of a month that is over stands.

    ``facts`` are codes and figures (``services/agents/statements.py``), worded where they are read.
    """

    month = models.DateField(_("month"), unique=True)  # its first day
    until = models.DateField(_("until"))  # the last day that is in it
    facts = models.JSONField(_("facts"))
    written_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        verbose_name = _("statement of the agent")
        verbose_name_plural = _("statements of the agent")
        ordering: ClassVar[list[str]] = ["-month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class AgentPractice(Job):
    """A practice of the agent: made people with this shop's numbers live through eight weeks, and nobody real is in it.

    ``result`` is what came of it; it stands in no other figure.
    """

    TASK = "recommendations.tasks.practise_agent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    seed = models.PositiveIntegerField(_("seed"))
    result = models.JSONField(_("what came of it"), default=dict)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))

    objects: ClassVar[models.Manager["AgentPractice"]] = models.Manager.from_queryset(JobQuerySet["AgentPractice"])()

    class Meta(Job.Meta):
        verbose_name = _("practice of the agent")
        verbose_name_plural = _("practices of the agent")
        ordering: ClassVar[list[str]] = ["-created_at"]
