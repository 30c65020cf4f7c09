"""A person's decisions: what was chosen and by whom, how the terms add up, what it was worth, what flips it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from scipy.special import expit

from analytics.queries.agents.words import AgentNames
from analytics.templatetags.display import number, share, signed, small_money
from recommendations.engine.push.agent.explain import (
    MoneyLine,
    PersonCase,
    TermFlip,
    money_line,
    smallest_flip,
    waterfall,
)
from recommendations.engine.push.agent.terms import AgentOption, AgentTerm, Values
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import AgentDecision, AgentVersion
from recommendations.push_terms import AgentGroup, Channel
from recommendations.services.agents.cases import seen_again
from recommendations.services.agents.supervision import the_agent
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import RANKS
from recommendations.services.push_models.agent_facts import policy_of
from recommendations.services.push_models.agent_versions import BrokenVersionError, menu_of, restored
from recommendations.wording import agent_terms, push_labels

LATEST = 7  # decisions that are listed
COLUMNS = 4  # options side by side
LEAST_STEP = 0.0005  # of a weight: what is less is told as 0.000


@dataclass(frozen=True, kw_only=True)
class DecisionLine:
    """A decision of the list, in words."""

    decision: AgentDecision
    kind: str
    group: str
    option: str


@dataclass(frozen=True, kw_only=True)
class OptionColumn:
    """An option: what marks it, its score and chance of an answer, its worth, and how many models chose it."""

    words: str
    tags: Sequence[str]
    score: float
    chance: float
    value: str
    models: int


@dataclass(frozen=True, kw_only=True)
class TermLine:
    """What a term, or all that says who somebody is, adds to the scores of the columns."""

    words: str
    parts: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class ExplainedDecision:
    """A decision in words; the ``lines`` of a column add up to its score."""

    sentence: str
    night: date
    by_chance: str
    money: str
    flip: str
    columns: Sequence[OptionColumn]
    lines: Sequence[TermLine]


@dataclass(frozen=True, kw_only=True)
class AgentPerson:
    """A person's latest decisions, and one of them explained; ``explained`` is None where its version is broken."""

    lines: Sequence[DecisionLine]
    shown: AgentDecision | None
    explained: ExplainedDecision | None

    @property
    def kind(self) -> str:
        """The class of the decision that is explained."""
        return next((line.kind for line in self.lines if line.decision == self.shown), "")


def person_now(customer: int, *, shown: int | None, now: datetime) -> AgentPerson:
    """The decisions on somebody, the latest first; ``shown`` is the key of the one to explain, else the latest."""
    own = AgentDecision.objects.filter(customer=customer).defer("features", "allowed", "chances")
    stored = list(own.order_by("-day", "rank")[:LATEST])
    if shown and all(each.pk != shown for each in stored):
        stored += own.filter(pk=shown)  # a sending leads to an older one
    if not stored:
        return AgentPerson(lines=[], shown=None, explained=None)
    menus = AgentVersion.objects.filter(pk__in={each.version_id for each in stored}).values_list("pk", "menu")
    options = {key: menu_of(menu).options for key, menu in menus}
    names = AgentNames.of({option.campaign for own in options.values() for option in own})
    one = next((each for each in stored if each.pk == shown), stored[0])
    return AgentPerson(
        lines=[_line(each, options[each.version_id], names) for each in stored], shown=one,
        explained=_explained(one.pk, names, now=now),
    )  # fmt: skip


def _line(decision: AgentDecision, options: Sequence[AgentOption], names: AgentNames) -> DecisionLine:
    kinds = {rank: priority for priority, rank in RANKS.items()}
    group = AgentGroup.HOLDOUT if decision.held else AgentGroup(decision.group)
    return DecisionLine(
        decision=decision, kind=str(dict(push_labels.PRIORITIES)[kinds[decision.rank]]),
        group=str(dict(agent_terms.GROUPS)[group]), option=names.option(_option(options, decision.option)),
    )  # fmt: skip


def _explained(key: int, names: AgentNames, *, now: datetime) -> ExplainedDecision | None:
    decision = AgentDecision.objects.select_related("version").get(pk=key)
    try:
        version = restored(decision.version)
    except BrokenVersionError:
        return None
    prices = {Channel(channel): price for channel, price in rules_now(now=now).prices.items()}
    again = seen_again([decision], version, prices=prices)
    outcome = again.chances_of(policy_of(version, the_agent().rules))
    case, models = again.case(0), np.rint(outcome.shares[0] * len(version.draws)).astype(int)
    places = _places(decision, outcome.values[0])
    told = decision.agents if decision.agents != NOT_NOW else _nearest(outcome.values[0])
    return ExplainedDecision(
        sentence=_sentence(decision, case, names), night=version.version.night,
        by_chance=_by_chance(decision, models, len(version.draws)),
        money=money_text(money_line(case, told), names.option(case.menu.options[told])) if told != NOT_NOW else "",
        flip=flip_text(smallest_flip(case), case, names),
        columns=[_column(decision, case, place, int(models[place]), names) for place in places],
        lines=term_lines(case, places, names),
    )  # fmt: skip


def _places(decision: AgentDecision, values: Values) -> list[int]:
    """Options that are shown: what was taken, what the agent and the rule have, and the best of the others."""
    own = [each for each in (decision.option, decision.agents, decision.rule) if each != NOT_NOW]
    others = [int(each) for each in np.argsort(-values, kind="stable") if np.isfinite(values[each])]
    return list(dict.fromkeys([*own, *others]))[:COLUMNS]


def _nearest(values: Values) -> int:
    """The option that came nearest to be sent; *not now* where nothing was open."""
    best = int(np.argmax(values))
    return best if np.isfinite(values[best]) else NOT_NOW


def _column(decision: AgentDecision, case: PersonCase, place: int, models: int, names: AgentNames) -> OptionColumn:
    tags = {
        _("taken"): decision.option == place and not decision.held, _("the agent's"): decision.agents == place,
        _("the rule's"): decision.rule == place, _("closed by staff"): not case.allowed[place],
    }  # fmt: skip
    score = float(case.rows[place] @ case.mean)
    return OptionColumn(
        words=names.option(case.menu.options[place]), tags=[words for words, holds in tags.items() if holds],
        score=score, chance=float(expit(score)), value=small_money(money_line(case, place).value), models=models,
    )  # fmt: skip


def term_lines(case: PersonCase, places: Sequence[int], names: AgentNames) -> list[TermLine]:
    """The terms of the columns: those of the person as one line, then the levers', the largest difference first."""
    parts = [{part.term: part.value for part in waterfall(case, place)} for place in places]
    levers: list[AgentTerm] = list(dict.fromkeys(term for own in parts for term in own if term.lever is not None))
    who = [sum(value for term, value in own.items() if term.lever is None) for own in parts]
    lines = [
        TermLine(words=names.term(term, case.menu), parts=[own.get(term, 0.0) for own in parts]) for term in levers
    ]
    lines.sort(key=lambda line: max(line.parts) - min(line.parts), reverse=True)
    return [TermLine(words=_("Who they are: the same for all"), parts=who), *lines]


def _sentence(decision: AgentDecision, case: PersonCase, names: AgentNames) -> str:
    facts = {
        "agents": names.option(_option(case.menu.options, decision.agents)),
        "rule": names.option(_option(case.menu.options, decision.rule)),
    }
    if decision.held:
        return _("They are held out and get nothing; the agent would have chosen: %(agents)s.") % facts
    if decision.group != AgentGroup.AGENT:
        return _("The rule decided: %(rule)s. The agent would have chosen: %(agents)s.") % facts
    taken = names.option(_option(case.menu.options, decision.option))
    return _("The agent decided: %(taken)s. The rule would have chosen: %(rule)s.") % {**facts, "taken": taken}


def _by_chance(decision: AgentDecision, models: np.ndarray[tuple[int], np.dtype[np.int64]], every: int) -> str:
    """How many of the drawn models chose what the agent has, or that it was a trial."""
    acted = decision.group == AgentGroup.AGENT
    chosen = decision.option if acted else decision.agents
    if acted and decision.trial:
        return trial_text(decision)
    text = ngettext("%(n)s of %(every)s models chose it.", "%(n)s of %(every)s models chose it.", int(models[chosen]))
    words = text % {"n": number(int(models[chosen])), "every": number(every)}
    if not acted:
        return words
    return _("%(models)s It was drawn with a chance of %(chance)s.") % {
        "models": words, "chance": share(decision.chance, 1),
    }  # fmt: skip


def trial_text(decision: AgentDecision) -> str:
    """What a trial was drawn with."""
    return _("A trial: no model chose it; it was drawn with a chance of %(chance)s.") % {
        "chance": share(decision.chance, 1)
    }  # fmt: skip


def money_text(line: MoneyLine, option: str) -> str:
    """The sum of what a message is worth."""
    text = _(
        "%(option)s: chance %(chance)s × caused %(caused)s × %(worth)s = %(brings)s; sending %(sending)s, leaving "
        "%(leaving)s, tiredness %(tiredness)s = %(value)s"
    )
    costs = {"sending": line.sending, "leaving": line.leaving, "tiredness": line.tiredness}
    return text % {
        "option": option, "chance": share(line.chance, 1), "caused": number(line.caused, 2),
        "worth": small_money(line.worth), "brings": small_money(line.brings), "value": small_money(line.value),
        **{name: small_money(-cost) for name, cost in costs.items()},
    }  # fmt: skip


def flip_text(flip: TermFlip | None, case: PersonCase, names: AgentNames) -> str:
    """The smallest step of a term that changes what is chosen."""
    if flip is None:
        return _("No single term could change what the model of the night finds best.")
    facts = {
        "term": names.term(flip.term, case.menu), "step": signed(flip.step, 3),
        "option": names.option(_option(case.menu.options, NOT_NOW if flip.option == case.not_now else flip.option)),
    }  # fmt: skip
    if abs(flip.step) < LEAST_STEP:
        return _("A tie, broken by chance: to the model of the night this was worth as much: %(option)s.") % facts
    return _("If the weight of “%(term)s” moved by %(step)s, the model of the night would choose: %(option)s.") % facts


def _option(options: Sequence[AgentOption], place: int) -> AgentOption | None:
    return None if place == NOT_NOW else options[place]
