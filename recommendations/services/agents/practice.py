"""Practice of the agent: made answers over the numbers of the shop's own customers; it stands in no other figure.

Who buys how often, looks how much, is new and acts when is the shop's. What people would answer, how they are reached,
two campaigns, who leaves and who tires are made up, and so the truth is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Self
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from recommendations.engine.push.agent.choice import Stakes
from recommendations.engine.push.agent.explain import PersonCase
from recommendations.engine.push.agent.features import features_of, scales_of
from recommendations.engine.rng import generator
from recommendations.engine.simulation.recipient_practice import (
    FORTNIGHT,
    MorningPeople,
    PracticeArmResult,
    PracticeOutcome,
    practise,
    traits_of,
)
from recommendations.engine.simulation.recipients import MENU, PRICE, SCALES, RecipientTraits
from recommendations.models import AgentPractice, Staff
from recommendations.services.access import audit
from recommendations.services.agents.supervision import the_agent
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import habits_of
from recommendations.services.push_models.agent_facts import numbers_now
from recommendations.store import jobs
from recommendations.store.agents.night import some_people
from recommendations.store.push.people import people_of
from recommendations.terms import RunStatus

FIRST_SEED = 1
LEAST, MOST = 2_500, 10_000  # people: fewer teach nothing in eight weeks, more take long
LEAST_WORTH = 0.01  # money of a purchase, where nobody has bought yet
ARMS = ("rule", "rule_prices", "agent")


class NobodyToPractiseError(Exception):
    """The shop knows no customer whose numbers could be taken."""

    def __init__(self) -> None:
        super().__init__("The shop knows no customers yet.")


@dataclass(frozen=True, kw_only=True)
class PracticeTerm:
    """A term that was learned, in log odds a step, with its interval; ``truth`` is what is so, None if it adds nothing
    that is known.
    """

    code: str
    value: float
    low: float
    high: float
    answers: int
    known: bool
    truth: float | None


@dataclass(frozen=True, kw_only=True)
class PracticeReport:
    """What came of a practice: by arm and fortnight net worth a head, leavers and messages a week and 1,000 people."""

    seed: int
    customers: int  # of the shop, whose numbers were taken
    people: int  # who were made of them
    arms: Mapping[str, PracticeArmResult]
    terms: Sequence[PracticeTerm]
    morning: MorningPeople
    waiting: PersonCase | None  # somebody to whom nothing was worth sending on the last day

    def gain(self, other: str) -> list[float]:
        """How much more the agent is worth than another arm, as a share of that one's worth, fortnight by fortnight."""
        agent, beside = self.arms["agent"].net, self.arms[other].net
        return [(own - its) / abs(its) if its else float("nan") for own, its in zip(agent, beside, strict=True)]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            seed=stored["seed"], customers=stored["customers"], people=stored["people"],
            arms={
                name: PracticeArmResult(**{column: tuple(values) for column, values in arm.items()})
                for name, arm in stored["arms"].items()
            },
            terms=[PracticeTerm(**term) for term in stored["terms"]],
            morning=MorningPeople(**stored["morning"]),
            waiting=_case_of(stored["waiting"]) if stored["waiting"] else None,
        )  # fmt: skip


@transaction.atomic
def ask_practice(*, seed: int = FIRST_SEED, by: Staff | None) -> AgentPractice:
    """Ask a worker for a practice; one that goes on is given again."""
    running = AgentPractice.objects.unfinished().filter(cancel_requested_at=None).first()
    if running is not None:
        return running
    asked = AgentPractice.objects.create(seed=seed, started_by=by)
    audit.record(by=by, verb="practise", subject=the_agent(), after={"seed": seed})
    transaction.on_commit(lambda: jobs.enqueue(asked))
    return asked


def last_practice() -> AgentPractice | None:
    """The practice that was asked for last, over or not."""
    return AgentPractice.objects.first()


def report_of(practice: AgentPractice) -> PracticeReport | None:
    """What came of a practice; None where it did not end well."""
    return PracticeReport.of(practice.result) if practice.status == RunStatus.SUCCEEDED else None


def work(key: UUID, *, now: datetime | None = None) -> RunStatus | None:
    """Practise in the worker; None where the job is gone, over or somebody else is at it.

    Customers are as they were at ``now``, which is this moment unless one is given.
    """
    job = AgentPractice.objects.filter(pk=key).first()
    practise_now = partial(_practise, now=now or timezone.now())
    return jobs.run_job(job, practise_now, clock=timezone.now, refusals=(NobodyToPractiseError,))


def _practise(job: AgentPractice, *, now: datetime) -> None:
    report = jobs.Reporter(job)
    customers = some_people()
    if not len(customers):
        raise NobodyToPractiseError
    size = min(max(len(customers), LEAST), MOST)
    draw = generator(job.seed, "practised people")
    rows = draw.choice(len(customers), size, replace=len(customers) < size)
    chosen, place = np.unique(customers[rows], return_inverse=True)
    known = _traits(chosen.tolist(), now=now)
    like = RecipientTraits(
        traits=known.traits[place], buys=known.buys[place], worth=known.worth[place], hours=known.hours[place]
    )
    outcome = practise(like, seed=job.seed, progress=lambda share: report(share) if report.is_due else None)
    job.result = _as_json(outcome, seed=job.seed, customers=len(chosen), people=size)
    job.save(update_fields=["result"])


def _traits(customers: Sequence[int], *, now: datetime) -> RecipientTraits:
    """The shop's numbers of these customers, standardised among themselves."""
    numbers = numbers_now(customers, MENU, now=now)
    standard = features_of(numbers, scales_of(numbers, rate=SCALES.rate), MENU)[:, :3]
    people = people_of(customers, habits=habits_of(rules_now(now=now)), now=now)
    worth = np.array([people[key].worth for key in customers])
    return traits_of(numbers.log_rate, standard, worth=np.maximum(worth, LEAST_WORTH), hours=numbers.hours)


def _as_json(outcome: PracticeOutcome, *, seed: int, customers: int, people: int) -> dict[str, Any]:
    return {
        "seed": seed, "customers": customers, "people": people, "fortnight": FORTNIGHT,
        "arms": {
            name: {"net": list(arm.net), "left": list(arm.left), "sent": list(arm.sent)}
            for name, arm in outcome.arms.items()
        },
        "terms": [
            {
                "code": each.term.code, "value": each.value, "low": each.low, "high": each.high,
                "answers": each.answers, "known": each.is_known, "truth": outcome.truth.get(each.term),
            }
            for each in outcome.terms
        ],
        "morning": {
            "planted": outcome.morning.planted, "theirs": outcome.morning.theirs, "others": outcome.morning.others,
        },
        "waiting": _stored_case(outcome.waiting) if outcome.waiting else None,
    }  # fmt: skip


def _stored_case(case: PersonCase) -> dict[str, Any]:
    """A made person's decision; the menu and the prices of sending are the same for all."""
    stakes = case.stakes
    return {
        "mean": case.mean.tolist(), "features": case.features.tolist(), "allowed": case.allowed.tolist(),
        "worth": float(stakes.worth[0]), "caused": float(stakes.caused[0]), "leaving": float(stakes.leaving[0]),
        "tiredness": float(stakes.tiredness),
    }  # fmt: skip


def _case_of(stored: Mapping[str, Any]) -> PersonCase:
    worth, caused, leaving = (np.array([stored[name]]) for name in ("worth", "caused", "leaving"))
    return PersonCase(
        menu=MENU, mean=np.array(stored["mean"]), features=np.array(stored["features"]),
        allowed=np.array(stored["allowed"], bool),
        stakes=Stakes(worth=worth, caused=caused, leaving=leaving, price=PRICE, tiredness=stored["tiredness"]),
    )  # fmt: skip
