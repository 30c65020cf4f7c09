"""Releases of numbers about many customers, with noise that hides each of them, and the budget that they spend."""

import uuid
from datetime import date, timedelta
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.jobs import Job, JobQuerySet
from recommendations.models.staff import Staff
from recommendations.privacy_terms import LEAST_EPSILON, MOST_EPSILON, ReleaseDomain
from recommendations.wording.privacy import labels as privacy_labels


class Release(Job):
    """Numbers of customers by value, told with noise that is drawn once: a trigger keeps what was drawn as it is.

    ``rows``, the largest first: the shop's id of a value, its name, the number; none where they would be noise, which
    ``enough`` says. ``expected``: the ``share`` of the true first values that is among them, and how far a number is
    ``within`` the counted one in 19 of 20 cases.
    """

    TASK = "recommendations.tasks.make_release"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.CharField(pgettext_lazy("release", "of"), max_length=10, choices=privacy_labels.RELEASE_DOMAINS)
    weeks = models.PositiveSmallIntegerField(_("weeks"))
    last_day = models.DateField(_("last day"))
    bound = models.PositiveSmallIntegerField(_("values of a customer at most"))
    epsilon = models.DecimalField("ε", max_digits=4, decimal_places=2)
    started_by = models.ForeignKey(Staff, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    drawn_at = models.DateTimeField(_("noise drawn"), null=True)
    values = models.PositiveIntegerField(_("values counted"), null=True)
    enough = models.BooleanField(_("more than noise"), null=True)
    rows = models.JSONField(_("numbers"), default=list)
    expected = models.JSONField(_("expected errors"), default=dict)
    published_at = models.DateTimeField(_("published"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects: ClassVar[models.Manager["Release"]] = models.Manager.from_queryset(JobQuerySet["Release"])()

    class Meta(Job.Meta):
        verbose_name = pgettext_lazy("privacy", "release")
        verbose_name_plural = pgettext_lazy("privacy", "releases")
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["domain", "weeks", "last_day", "epsilon"], name="same_release_is_never_drawn_again"
            ),
            models.CheckConstraint(condition=models.Q(domain__in=list(ReleaseDomain)), name="release_domain_is_known"),
            models.CheckConstraint(condition=models.Q(bound__gte=1, weeks__gte=1), name="release_is_bounded"),
            models.CheckConstraint(
                condition=models.Q(epsilon__gte=LEAST_EPSILON, epsilon__lte=MOST_EPSILON), name="release_epsilon_fits"
            ),
            models.CheckConstraint(
                condition=models.Q(published_at=None) | models.Q(enough__isnull=False, enough=True),
                name="published_is_more_than_noise",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at=None) | models.Q(published_at__isnull=False),
                name="withdrawn_was_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.first_day}/{self.last_day} ε{self.epsilon.normalize():f}"

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(weeks=self.weeks, days=-1)

    @property
    def is_public(self) -> bool:
        """Whether everybody may have it now."""
        return self.published_at is not None and self.withdrawn_at is None


class BudgetLine(models.Model):
    """A line of the ledger: so much of the privacy budget a release has spent. It is only added."""

    release = models.OneToOneField(Release, models.PROTECT, related_name="spent", verbose_name=_("release"))
    epsilon = models.DecimalField("ε", max_digits=4, decimal_places=2)
    at = models.DateTimeField(_("spent"), db_index=True)

    class Meta:
        verbose_name = _("line of the privacy budget")
        verbose_name_plural = _("lines of the privacy budget")
        ordering: ClassVar[list[str]] = ["at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(epsilon__gt=0), name="budget_is_spent_only"),
        ]

    def __str__(self) -> str:
        return f"ε{self.epsilon.normalize():f}"
