"""The experiments as the list shows them: what to do about each, what it compares, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.utils import timezone

from analytics.queries.experiments.arm_words import ArmNames
from analytics.queries.experiments.people import people_who_count, unjudged, with_replay_only
from analytics.queries.experiments.practice import PracticeLine, practice_lines
from analytics.queries.experiments.starts import failed_starts
from recommendations.engine.experiments.decision import VerdictCode
from recommendations.models import Experiment
from recommendations.services.experiments.bandit_verdicts import bandit_verdicts
from recommendations.terms import ExperimentKind, ExperimentStatus
from recommendations.wording.experiment_advice import advice_undecided, with_advice
from recommendations.wording.experiments import verdict_text, verdict_tone

PER_PAGE = 50


class ExperimentTab(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    DRAFTS = "drafts"
    PRACTICE = "practice"


STATUSES: Mapping[ExperimentTab, tuple[ExperimentStatus, ...]] = {
    ExperimentTab.RUNNING: (ExperimentStatus.STARTING, ExperimentStatus.RUNNING, ExperimentStatus.PAUSED),
    ExperimentTab.FINISHED: (ExperimentStatus.STOPPED, ExperimentStatus.SHIPPED),
    ExperimentTab.DRAFTS: (ExperimentStatus.DRAFT,),
    ExperimentTab.PRACTICE: tuple(ExperimentStatus),
}
"""States of each tab; what is practised stands in its own tab only."""


@dataclass(frozen=True, kw_only=True)
class ExperimentRow:
    """An experiment with its verdict in words, a draft with why it did not start.

    ``effect`` is a share of the control's, None before there is one; ``practice`` is None of what is not practised.
    """

    experiment: Experiment
    verdict: str
    tone: str
    arms: str
    day: int | None
    visitors: int | None
    effect: Mapping[str, float] | None
    practice: PracticeLine | None


def counts() -> dict[ExperimentTab, int]:
    """How many experiments each tab has."""
    rows = Experiment.objects.values_list("simulated", "status").annotate(n=Count("*")).order_by()
    by_status = {(simulated, status): n for simulated, status, n in rows}
    return {
        tab: sum(by_status.get((tab is ExperimentTab.PRACTICE, status), 0) for status in statuses)
        for tab, statuses in STATUSES.items()
    }


def experiments(tab: ExperimentTab, *, page: int, now: datetime) -> tuple[Page[Experiment], list[ExperimentRow]]:
    """A page of a tab, the newest first."""
    practised = tab is ExperimentTab.PRACTICE
    of_tab = Experiment.objects.filter(status__in=STATUSES[tab], simulated=practised)
    of_tab = of_tab.select_related("author", "started_by")
    shown = Paginator(of_tab.prefetch_related("arms"), PER_PAGE).get_page(page)
    rows = list(shown)
    leading = bandit_verdicts([row for row in rows if row.kind == ExperimentKind.BANDIT])
    names = ArmNames.of(arm.changes for row in rows for arm in row.arms.all())
    practices = practice_lines(rows) if practised else {}
    begun = [] if practised or tab == ExperimentTab.DRAFTS else rows
    visitors, replayed = people_who_count(begun), with_replay_only(begun, now=now)
    failed = failed_starts(rows) if tab is ExperimentTab.DRAFTS else {}
    return shown, [
        ExperimentRow(
            experiment=row, verdict=failed.get(row.pk) or leading.get(row.pk) or verdict(row) or (
                unjudged(row, replay_only=row.pk in replayed, people=visitors.get(row.pk, 0)) if begun else ""
            ),
            tone="bad" if row.pk in failed else tone(row), arms=names.sentence(row),
            day=day_of(row, now=now), visitors=visitors.get(row.pk), effect=effect(row),
            practice=practices.get(row.pk),
        )
        for row in rows
    ]  # fmt: skip


def verdict(experiment: Experiment) -> str:
    """The sentence of the last decision, with what to do next where it left that open; empty before there is one."""
    decision, kind = experiment.decision, experiment.kind
    if not decision:
        return ""
    text = verdict_text(decision["code"], decision["facts"], primary=experiment.primary, kind=kind)
    if decision["code"] != VerdictCode.ENDED or kind != ExperimentKind.AB:
        return text
    widens = experiment.traffic < 1
    return with_advice(text, advice_undecided(experiment.status, simulated=experiment.simulated, widens=widens))


def tone(experiment: Experiment) -> str:
    """Whether the last decision is good news, bad news, a warning or neither."""
    return verdict_tone(experiment.decision["code"], kind=experiment.kind) if experiment.decision else "neutral"


def effect(experiment: Experiment) -> Mapping[str, float] | None:
    """The effect on the primary metric that the last decision speaks of, with its interval."""
    facts = experiment.decision.get("facts", {})
    ends = {name: facts.get(name) for name in ("value", "low", "high")}
    return ends if "value" in facts and all(isinstance(end, int | float) for end in ends.values()) else None


def day_of(experiment: Experiment, *, now: datetime) -> int | None:
    """The day of the shop that an experiment is, or was, on, the first being 1; None for a draft.

    Of a practice it is the number of whole days, from a night to a night, and None before its end.
    """
    if experiment.started_at is None or (experiment.simulated and experiment.ended_at is None):
        return None
    last, first = (timezone.localdate(at) for at in (experiment.ended_at or now, experiment.started_at))
    return max((last - first).days, 0) + (0 if experiment.simulated else 1)
