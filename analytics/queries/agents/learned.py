"""What the agent learned, as sentences with intervals, what is not known yet, and the prices that it weighs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.agents.words import AgentNames
from analytics.templatetags.display import number
from analytics.templatetags.display import share as ratio
from recommendations.engine.push.agent.caused import FEWEST_HELD, HALF, LEAST, MOST, WIDEST
from recommendations.engine.push.agent.learned import LearnedTerm
from recommendations.engine.push.agent.terms import Menu
from recommendations.engine.push.agent.tiredness import Tiredness
from recommendations.services.agents.overview import terms_of
from recommendations.services.push_models.agent_versions import AgentPrices, RestoredVersion
from recommendations.wording.agent_terms import BANDS, learned_sentence


@dataclass(frozen=True, kw_only=True)
class LearnedPart:
    """Sentences of what is known, the surest first, and names of what is not, with why."""

    known: Sequence[str]
    unknown: Sequence[tuple[str, str]]
    terms: int


@dataclass(frozen=True, kw_only=True)
class WeighedPart:
    """Shares of caused answers by band in words, and the price of tiredness with its factors."""

    caused: Sequence[str]
    tiredness: Tiredness


def learned_part(version: RestoredVersion, names: AgentNames) -> LearnedPart:
    terms = terms_of(version)
    known = sorted((each for each in terms if each.is_known), key=lambda each: -abs(each.value))
    return LearnedPart(
        known=[sentence_of(each, version.menu, names) for each in known],
        unknown=[(names.term(each.term, version.menu), _why_unknown(each)) for each in terms if not each.is_known],
        terms=len(terms),
    )


def weighed_part(prices: AgentPrices) -> WeighedPart:
    return WeighedPart(caused=[_caused(prices, band) for band in range(len(prices.caused))], tiredness=prices.tiredness)


def sentence_of(each: LearnedTerm, menu: Menu, names: AgentNames) -> str:
    """What is known of a term, of whatever belief it is, with its interval."""
    times, low, high = (times_of(value) for value in (each.value, each.low, each.high))
    return learned_sentence(each.term.kind, names.facts(each.term, menu), times=times, low=low, high=high)


def times_of(value: float) -> str:
    """How many times as often, of log odds."""
    return number(math.exp(value), 1 if abs(value) > 0.1 else 2)


def _why_unknown(each: LearnedTerm) -> str:
    if each.missing:
        text = ngettext("%(n)s answer is still missing", "%(n)s answers are still missing", each.missing)
        return text % {"n": number(each.missing)}
    return _("so far it cannot be told from chance")


def _caused(prices: AgentPrices, band: int) -> str:
    """How many of a band's answers would have come without a message, or that it is not known."""
    half, share, held = prices.halves[band], prices.caused[band], prices.held[band]
    if half is not None and held >= FEWEST_HELD and half <= WIDEST:
        low, high = max(share - half, LEAST), min(share + half, MOST)
        text = _("Of 100 answers of %(band)s %(n)s would have come without a message (%(low)s–%(high)s).")
        return text % {
            "band": BANDS[band], "n": number(100 * (1 - share)), "low": number(100 * (1 - high)),
            "high": number(100 * (1 - low)),
        }  # fmt: skip
    facts = {"band": BANDS[band], "held": number(held), "needed": number(FEWEST_HELD)}
    if math.isclose(share, HALF):
        text = _("Answers of %(band)s: not known, one half is assumed (%(held)s of %(needed)s people held out).")
        return text % facts
    text = _("Answers of %(band)s: not known of them alone, %(share)s are taken to be caused (%(held)s held out).")
    return text % {**facts, "share": ratio(share)}
