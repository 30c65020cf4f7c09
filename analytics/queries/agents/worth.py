"""What the agent is worth in words, by the latest look: leavers and money beside the others, and its guardrails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.charts.experiments import MetricEffect
from analytics.queries.agents.words import AgentNames, refusal_words
from analytics.templatetags.display import Direction, money, number, points, share, signed, signed_share
from recommendations.engine.push.agent.groups import MOST_TRIALS, GuardedRate
from recommendations.engine.push.agent.readiness import AgentRefusal, AgentRefusalCode
from recommendations.engine.push.agent.terms import AgentOption, Slot
from recommendations.models import Agent
from recommendations.push_terms import Channel
from recommendations.services.agents.readings import (
    AgentReading,
    AlertReading,
    GuardReading,
    LiftReading,
    WhyNothing,
    latest_reading,
)
from recommendations.wording import agent_terms
from recommendations.wording.agents import GUARDRAILS

RATES: Mapping[str, Promise] = {
    GuardedRate.LEAVERS: gettext_lazy("People who leave"),
    GuardedRate.COMPLAINTS: gettext_lazy("People who complain"),
    GuardedRate.MESSAGES: gettext_lazy("Messages a head"),
}
FIGURE_OF = {GuardedRate.LEAVERS: 1, GuardedRate.COMPLAINTS: 2}  # decimals of a share; messages are a number


@dataclass(frozen=True, kw_only=True)
class GuardedLine:
    """A guarded rate of both groups, the difference with its interval, and which way it points."""

    words: str
    agent: str
    rule: str
    difference: str
    ends: str
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class WorthPart:
    """Sentences and figures of a look; ``leavers`` leads and has a direction, ``money`` are sentences beside it."""

    reading: AgentReading
    leavers: str
    direction: Direction
    money: Sequence[str]
    groups: Sequence[tuple[str, int, float]]
    guarded: Sequence[GuardedLine]
    trials: str
    alerts: Sequence[str]

    @property
    def firing(self) -> list[str]:
        return [line.words for line in self.guarded if line.direction is Direction.WORSE]


def worth_part(agent: Agent, names: AgentNames) -> WorthPart | None:
    """The latest look in words; None before the first."""
    reading = latest_reading(agent)
    return None if reading is None else part_of(reading, names)


def part_of(reading: AgentReading, names: AgentNames) -> WorthPart:
    leavers = reading.guarded.get(GuardedRate.LEAVERS)
    return WorthPart(
        reading=reading, leavers=_leavers(leavers), direction=_direction(leavers), money=money_sentences(reading),
        groups=[
            (str(words), reading.people.get(code, 0), reading.people.get(code, 0) / max(reading.everybody, 1))
            for code, words in agent_terms.GROUPS
        ],
        guarded=[_line(rate, each) for rate, each in _in_order(reading)], trials=_trials(reading.trials),
        alerts=[_alert(each, names) for each in reading.alerts],
    )  # fmt: skip


def pause_words(agent: Agent) -> tuple[str, datetime] | None:
    """Why a guardrail paused the agent, in the reader's language, and when; None where none did."""
    fired = agent.guardrail
    at = parse_datetime(fired["at"]) if fired else None
    if at is None:
        return None
    rates = {side: _rate(fired["rate"], fired[side]) for side in ("agent", "rule")}
    return str(GUARDRAILS[fired["rate"]]) % rates, at


def effect_rows(reading: AgentReading) -> list[MetricEffect]:
    """Rows of the figure, each as a share of what the others have; what has no interval is not drawn."""
    beside = (
        (_("Beside the rule"), reading.rule), (_("Beside those held out"), reading.holdout),
    )  # fmt: skip
    rows = [
        MetricEffect(
            group=_("Beside the rule"), words=str(RATES[rate]), value=each.value / each.rule,
            low=each.low / each.rule, high=each.high / each.rule, lower_is_better=True,
        )
        for rate, each in _in_order(reading)
        if each.rule > 0 and each.low is not None and each.high is not None
    ]  # fmt: skip
    for group, lift in beside:
        if lift and lift.base > 0 and lift.low is not None and lift.high is not None:
            ends = {name: getattr(lift, name) / lift.base for name in ("value", "low", "high")}
            rows.append(MetricEffect(group=group, words=_("Money a head"), **ends))
    return rows


def money_sentences(reading: AgentReading) -> list[str]:
    """Money beside the rule and beside the holdout; where it is refused, why, with the remedy."""
    if reading.refusal:
        return [_("Money: no figure."), refusal_of(reading.refusal)]
    return [
        _money(reading.rule, _("the rule")), _money(reading.holdout, _("those held out")),
    ]  # fmt: skip


def refusal_of(stored: WhyNothing) -> str:
    return refusal_words(AgentRefusal(code=AgentRefusalCode(stored.code), facts=stored.facts))


def _leavers(rate: GuardReading | None) -> str:
    if rate is None:
        return _("Who leaves is not compared before there are 50 people on each side.")
    if rate.low is None or rate.high is None:
        return _("Nobody has left on either side so far.")
    if not rate.rule:
        ends = {"agent": share(rate.agent, 1), "low": signed_share(rate.low, 1), "high": signed_share(rate.high, 1)}
        return _("Of the agent's people %(agent)s left, of the rule's nobody (%(low)s … %(high)s).") % ends
    low, high = rate.low / rate.rule, rate.high / rate.rule
    if rate.is_better:
        facts = {"share": share(-rate.value / rate.rule), "low": share(max(-high, 0)), "high": share(min(-low, 1))}
        return _("%(share)s fewer leave than by the rule (%(low)s–%(high)s).") % facts
    if rate.is_harm:
        facts = {"share": share(rate.value / rate.rule), "low": share(low), "high": share(high)}
        return _("%(share)s more leave than by the rule (%(low)s–%(high)s).") % facts
    facts = {"low": signed_share(low), "high": signed_share(high)}
    return _("Leavers: no difference from the rule is shown (%(low)s … %(high)s).") % facts


def _money(lift: LiftReading | None, others: str) -> str:
    if lift is None or lift.low is None or lift.high is None:
        return _("Money beside %(others)s: no figure, as nobody spent anything that counts.") % {"others": others}
    facts = {
        "others": others, "value": _signed(lift.value), "low": _signed(lift.low), "high": _signed(lift.high),
        "smallest": money(lift.smallest),
    }  # fmt: skip
    if lift.is_shown:
        return _("Money beside %(others)s: %(value)s a head (%(low)s … %(high)s).") % facts
    text = _("Money beside %(others)s: not shown (%(low)s … %(high)s a head); below %(smallest)s none would be seen.")
    return text % facts


def _signed(amount: float) -> str:
    return ("−" if amount < 0 else "+") + money(abs(amount))


def _direction(rate: GuardReading | None) -> Direction:
    if rate is None or not (rate.is_better or rate.is_harm):
        return Direction.UNCLEAR
    return Direction.BETTER if rate.is_better else Direction.WORSE


def _line(rate: str, each: GuardReading) -> GuardedLine:
    low, high = (_difference(rate, end) if end is not None else "–" for end in (each.low, each.high))
    difference = _difference(rate, each.value)
    return GuardedLine(
        words=str(RATES[GuardedRate(rate)]), agent=_rate(rate, each.agent), rule=_rate(rate, each.rule),
        difference=_("%(value)s points") % {"value": difference} if rate in FIGURE_OF else difference,
        ends=f"{low} … {high}", direction=_direction(each),
    )  # fmt: skip


def _in_order(reading: AgentReading) -> list[tuple[str, GuardReading]]:
    """Guarded rates in the order in which they are judged; what is stored has none."""
    return [(rate.value, reading.guarded[rate]) for rate in GuardedRate if rate in reading.guarded]


def _rate(rate: str, value: float) -> str:
    """A rate a head: a share of the people, or a number of messages."""
    return share(value, FIGURE_OF[GuardedRate(rate)]) if rate in FIGURE_OF else number(value, 2)


def _difference(rate: str, value: float) -> str:
    """A difference of two rates with its sign, of shares in points."""
    return points(value, FIGURE_OF[GuardedRate(rate)]) if rate in FIGURE_OF else signed(value)


def _trials(cost: float | None) -> str:
    if cost is None:
        return _("Trials: the agent decided nothing in the last 7 days.")
    facts = {"share": share(cost, 1), "most": share(MOST_TRIALS)}
    return _("Trials cost %(share)s of what 7 days are worth; above %(most)s there are half as many.") % facts


def _alert(alert: AlertReading, names: AgentNames) -> str:
    if alert.option is None:
        facts = {name: share(value, 2) for name, value in alert.facts.items()}
        return _("Trials were dear, so that their chance is %(floor)s now instead of %(usual)s.") % facts
    option = AgentOption(
        alert.option.campaign, alert.option.variant, Channel(alert.option.channel), Slot(alert.option.slot)
    )
    facts = {
        "share": share(alert.facts["share"]), "messages": number(alert.facts["messages"]),
        "option": names.option(option),
    }  # fmt: skip
    text = _("One way was %(share)s of the %(messages)s messages of a day: %(option)s. Pin it if that is meant.")
    return text % facts
