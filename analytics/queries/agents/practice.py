"""A practice of the agent as its page shows it: how far it is, what it brought and learned, and who got nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from scipy.special import expit

from analytics.queries.agents.learned import sentence_of, times_of
from analytics.queries.agents.person import OptionColumn, TermLine, flip_text, money_text, term_lines
from analytics.queries.agents.words import AgentNames
from analytics.templatetags.display import number, share, signed_share, small_money
from recommendations.engine.push.agent.explain import PersonCase, money_line, smallest_flip
from recommendations.engine.push.agent.learned import LearnedTerm
from recommendations.engine.push.agent.terms import AgentTermKind
from recommendations.engine.simulation.recipients import MENU, NEWS, REMINDER
from recommendations.models import AgentPractice
from recommendations.services.agents.practice import (
    ARMS,
    NobodyToPractiseError,
    PracticeReport,
    PracticeTerm,
    last_practice,
    report_of,
)
from recommendations.terms import RunStatus

MOST_SEED = 9_999
COLUMNS = 4  # options side by side
ARM_WORDS: Mapping[str, Promise] = {
    "rule": pgettext_lazy("of messages", "The rule"),
    "rule_prices": gettext_lazy("The rule with both prices"),
    "agent": pgettext_lazy("of messages", "The agent"),
}
TERMS = {term.code: term for term in MENU.terms}


@dataclass(frozen=True, kw_only=True)
class PractisedArm:
    """An arm by fortnight: net worth a head, leavers and messages a week and 1,000 people."""

    code: str
    words: str
    net: Sequence[float]
    left: Sequence[float]
    sent: Sequence[float]

    @property
    def money(self) -> list[str]:
        return [small_money(each) for each in self.net]


@dataclass(frozen=True, kw_only=True)
class BesideTruth:
    """A term beside what is true of it; what is known is a sentence. ``is_outside``: its interval leaves that out."""

    words: str
    believed: str
    is_known: bool
    truth: str
    is_outside: bool


@dataclass(frozen=True, kw_only=True)
class WaitingPerson:
    """A made person who got nothing: the best option's sum of money, and the options' terms, which add up."""

    sentence: str
    money: str
    flip: str
    columns: Sequence[OptionColumn]
    lines: Sequence[TermLine]


@dataclass(frozen=True, kw_only=True)
class PractisedPart:
    """What came of a practice."""

    report: PracticeReport
    lead: str
    morning: str
    arms: Sequence[PractisedArm]
    terms: Sequence[BesideTruth]
    waiting: WaitingPerson | None

    @property
    def known_terms(self) -> list[BesideTruth]:
        return [each for each in self.terms if each.is_known]

    @property
    def unknown_terms(self) -> list[BesideTruth]:
        return [each for each in self.terms if not each.is_known]


@dataclass(frozen=True, kw_only=True)
class AgentPracticeView:
    """The last practice: where it stands in words, and what came of it where it ended well."""

    job: AgentPractice
    state: str
    lead: str

    @property
    def goes_on(self) -> bool:
        return not self.job.is_over

    @property
    def is_done(self) -> bool:
        return self.job.status == RunStatus.SUCCEEDED

    @property
    def next_seed(self) -> int:
        return self.job.seed % MOST_SEED + 1


def practice_now() -> AgentPracticeView | None:
    """The practice that was asked for last; None before the first."""
    job = last_practice()
    if job is None:
        return None
    report = report_of(job)
    return AgentPracticeView(job=job, state=_state(job), lead=_lead(report) if report else "")


def practised_part(job: AgentPractice) -> PractisedPart | None:
    """All that came of a practice; None where it did not end well."""
    report, names = report_of(job), made_names()
    if report is None:
        return None
    return PractisedPart(
        report=report, lead=_lead(report), morning=_morning(report), arms=[_arm(report, code) for code in ARMS],
        terms=_beside_truth(report, names),
        waiting=_waiting(report.waiting, names) if report.waiting else None,
    )  # fmt: skip


def made_names() -> AgentNames:
    """Names of the two campaigns that are made up."""
    return AgentNames(campaigns={NEWS: _("News (made up)"), REMINDER: _("Reminders (made up)")})


def _state(job: AgentPractice) -> str:
    """Where a practice stands that has no result yet, or never will."""
    if job.cancel_requested_at or job.status == RunStatus.CANCELLED:
        return _("The practice was cancelled.")
    match job.status:
        case RunStatus.QUEUED:
            return _("Waiting for a worker.")
        case RunStatus.INTERRUPTED:
            return _("The worker stopped; another one takes over within a minute.")
        case RunStatus.FAILED:
            return _failure(job.message)
        case _:
            return _("Made people live through eight weeks: with the rule, with both its prices, and with the agent.")


def _failure(message: str) -> str:
    if message == str(NobodyToPractiseError()):
        return _("The shop knows no customers yet whose numbers could be taken.")
    return _("The practice failed: %(why)s") % {"why": message or _("its worker was lost")}


def _lead(report: PracticeReport) -> str:
    """Net worth and leavers of the eight weeks, beside both rules."""
    rule, prices = _beside(report, "rule"), _beside(report, "rule_prices")
    return _(
        "The agent beside the rule: net worth %(net)s, leavers %(left)s; beside the rule with both prices: "
        "%(net_prices)s and %(left_prices)s."
    ) % {"net": rule[0], "left": rule[1], "net_prices": prices[0], "left_prices": prices[1]}


def _beside(report: PracticeReport, other: str) -> tuple[str, str]:
    """Differences of net worth and of leavers in eight weeks, as shares of another arm's."""
    agent, beside = report.arms["agent"], report.arms[other]
    own, its = sum(agent.net), sum(beside.net)
    left = agent.leavers / beside.leavers - 1 if beside.leavers else None
    return signed_share((own - its) / abs(its) if its else None), signed_share(left)


def _morning(report: PracticeReport) -> str:
    morning = report.morning
    facts = {
        "planted": number(morning.planted), "people": number(report.people), "theirs": share(morning.theirs),
        "others": share(morning.others),
    }  # fmt: skip
    if morning.is_found:
        text = _(
            "Planted morning people found: yes. %(planted)s of %(people)s act in the morning; of the last fortnight's "
            "messages to them %(theirs)s left in the morning, of those to the others %(others)s."
        )
    else:
        text = _(
            "Planted morning people found: no. %(planted)s of %(people)s act in the morning; of the last fortnight's "
            "messages to them %(theirs)s left in the morning, of those to the others %(others)s."
        )
    return text % facts


def _arm(report: PracticeReport, code: str) -> PractisedArm:
    arm = report.arms[code]
    return PractisedArm(code=code, words=str(ARM_WORDS[code]), net=arm.net, left=arm.left, sent=arm.sent)


def _beside_truth(report: PracticeReport, names: AgentNames) -> list[BesideTruth]:
    """All terms, the farthest from no difference first."""
    ordered = sorted(report.terms, key=lambda each: -abs(each.value))
    return [_term_line(each, names) for each in ordered]


def _term_line(each: PracticeTerm, names: AgentNames) -> BesideTruth:
    term = TERMS[each.code]
    learned = LearnedTerm(term=term, value=each.value, low=each.low, high=each.high, answers=each.answers)
    truth = None if term.kind is AgentTermKind.OWN_ANSWERS else each.truth or 0.0
    believed = _("%(times)s times (%(low)s–%(high)s)") % {
        "times": times_of(each.value), "low": times_of(each.low), "high": times_of(each.high),
    }  # fmt: skip
    return BesideTruth(
        words=sentence_of(learned, MENU, names) if each.known else names.term(term, MENU), believed=believed,
        is_known=each.known, truth=_truth_words(truth),
        is_outside=truth is not None and not each.low <= truth <= each.high,
    )  # fmt: skip


def _truth_words(truth: float | None) -> str:
    if truth is None:
        return _("nobody can say")
    return _("%(times)s times") % {"times": times_of(truth)} if truth else _("no difference")


def _waiting(case: PersonCase, names: AgentNames) -> WaitingPerson:
    """Why nothing was worth sending, by the options that came nearest."""
    money = {int(place): money_line(case, int(place)) for place in np.flatnonzero(case.allowed)}
    places = sorted(money, key=lambda place: -money[place].value)[:COLUMNS]
    text = ngettext(
        "On the last day %(n)s option was open to them, and it was not worth what it costs.",
        "On the last day %(n)s options were open to them, and none was worth what it costs.", len(money),
    )  # fmt: skip
    return WaitingPerson(
        sentence=text % {"n": number(len(money))},
        money=money_text(money[places[0]], names.option(MENU.options[places[0]])),
        flip=flip_text(smallest_flip(case), case, names), lines=term_lines(case, places, names),
        columns=[
            OptionColumn(
                words=names.option(MENU.options[place]), tags=[], score=(score := float(case.rows[place] @ case.mean)),
                chance=float(expit(score)), value=small_money(money[place].value), models=0,
            )
            for place in places
        ],
    )  # fmt: skip
