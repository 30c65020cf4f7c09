"""What messages bring: all of them beside who is held out of everything, and campaigns of other systems."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum
from django.utils.dateparse import parse_datetime

from recommendations.engine.evaluation.intervals import Measure, wilson
from recommendations.models import Campaign
from recommendations.push_terms import CampaignKind
from recommendations.services.campaigns.importing import left_out
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.campaigns.season_effect import DAYS, SeasonEffect, season_effect


@dataclass(frozen=True, kw_only=True)
class ImportedResult:
    """A campaign of another system: who got it, how many of them answered, and how often they did."""

    campaign: Campaign
    starts_at: datetime
    ends_at: datetime
    people: int
    answered: int
    answers: int

    @property
    def kind(self) -> str:
        return str(self.campaign.draft.get("description", ""))

    @property
    def share(self) -> Measure:
        """Share of people who answered, with its interval (Wilson)."""
        return wilson(self.answered, self.people)


@dataclass(frozen=True, kw_only=True)
class AllResults:
    """``effect`` None: nobody is held out of everything."""

    effect: SeasonEffect | None
    holdout: float
    days: int = DAYS


def results_of_all(*, now: datetime) -> AllResults:
    rules = rules_now(now=now)
    return AllResults(effect=season_effect(rules, now=now), holdout=rules.holdout)


def imported_results() -> list[ImportedResult]:
    """Results of all imported campaigns, the latest first."""
    counted = Campaign.objects.filter(kind=CampaignKind.IMPORTED).annotate(
        people=Count("receipts"), answered=Count("receipts", filter=Q(receipts__answers__gt=0)),
        answers=Sum("receipts__answers", default=0),
    )  # fmt: skip
    numbers = {key: counts for key, *counts in counted.values_list("pk", "people", "answered", "answers")}
    every = Campaign.objects.in_bulk(numbers)
    return [
        ImportedResult(
            campaign=each, starts_at=_moment(each, "starts"), ends_at=_moment(each, "ends"), people=people,
            answered=answered, answers=answers,
        )
        for each in sorted(every.values(), key=lambda each: (each.created_at, each.pk), reverse=True)
        for people, answered, answers in [numbers[each.pk]]
    ]  # fmt: skip


def total_of(rows: Sequence[ImportedResult]) -> tuple[int, int, Measure]:
    """Receipts, answers, and the share of receipts that were answered, of all campaigns."""
    people = sum(row.people for row in rows)
    return people, sum(row.answers for row in rows), wilson(sum(row.answered for row in rows), people)


def what_was_left_out() -> dict[str, int]:
    return left_out()


def _moment(campaign: Campaign, name: str) -> datetime:
    return parse_datetime(campaign.draft.get(name, "")) or campaign.created_at
