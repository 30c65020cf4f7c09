"""Decision points: what may be chosen for a person today, in a class of messages, and when each option would leave."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import numpy as np

from recommendations.engine.push.agent.terms import SLOT_HOURS, SLOTS, AgentOption, Allowed, Lever, Menu, Slot
from recommendations.engine.push.cases import CampaignTerms, CaseVerdict, ChannelReach, Person
from recommendations.engine.push.choices import NOT_NOW, PointKey
from recommendations.engine.push.competition import Candidate, PressureCap, SentMessage, fits_with
from recommendations.engine.push.timing import allowed_from
from recommendations.push_terms import Verdict

ANY = None
"""Campaign of a rule of staff that is for all campaigns."""


class OptionRule(NamedTuple):
    """A lever's value that staff settle or close, such as the channel ``web_push``; for one campaign or ``ANY``."""

    campaign: int | None
    lever: Lever
    value: str

    def holds_for(self, option: AgentOption) -> bool:
        return self.campaign in {ANY, option.campaign}

    def matches(self, option: AgentOption) -> bool:
        return self.value == value_of(option, self.lever)


class OptionMessage(NamedTuple):
    """The message that an option would be: of which verdict (a place in their list), by which address, when, with which
    subject.
    """

    place: int
    reach: ChannelReach
    at: datetime
    variant: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionPoint:
    """A person's options of a day: those that are allowed [options], and which one the rule takes."""

    key: PointKey
    held: bool
    cases: tuple[int, ...]  # places of all verdicts that want the person today, the most valuable first
    messages: Mapping[int, OptionMessage]
    rule: int  # NOT_NOW where the rule sends nothing
    rule_is_closed: bool = False

    def allowed(self, options: int) -> Allowed:
        """What the agent may take; staff may have closed what the rule takes."""
        mask = np.zeros(options, bool)
        mask[list(self.messages)] = True
        if self.rule != NOT_NOW:
            mask[self.rule] = not self.rule_is_closed
        return mask


@dataclass(frozen=True, kw_only=True)
class StaffRules:
    """What staff let the agent vary, what they settled, and what they closed."""

    levers: frozenset[Lever]
    pins: Sequence[OptionRule] = ()
    forbids: Sequence[OptionRule] = ()

    def let(self, option: AgentOption) -> bool:
        """Whether no pin and no prohibition closes an option."""
        pinned = [pin for pin in self.pins if pin.holds_for(option)]
        by_lever = {pin.lever: [one for one in pinned if one.lever is pin.lever] for pin in pinned}
        kept = all(any(one.matches(option) for one in same) for same in by_lever.values())
        return kept and not any(each.holds_for(option) and each.matches(option) for each in self.forbids)


class PointCase(NamedTuple):
    """A case that would be sent: its place among the verdicts, its verdict, what its campaign asks, its subject."""

    place: int
    verdict: CaseVerdict
    terms: CampaignTerms
    variant: int


@dataclass(frozen=True, kw_only=True)
class PersonPoint:
    """All cases of a person in a class, the most valuable first, with what the person bears."""

    person: Person
    cases: Sequence[PointCase]
    past: Sequence[SentMessage]
    caps: Sequence[PressureCap]
    now: datetime

    @property
    def day(self) -> date:
        return self.now.astimezone(self.person.zone).date()


def value_of(option: AgentOption, lever: Lever) -> str:
    """What an option says of a lever, as staff name it in pins and prohibitions."""
    values = {
        Lever.CAMPAIGN: str(option.campaign), Lever.SUBJECT: str(option.variant), Lever.CHANNEL: option.channel.value,
        Lever.HOUR: option.slot.value,
    }  # fmt: skip
    return values.get(lever, "")


def point_of(point: PersonPoint, menu: Menu, rules: StaffRules, *, rank: int) -> DecisionPoint | None:
    """The options of a person today; None where the rule's own choice is not on the menu, or there is none at all.

    What staff do not let vary is as the rule has it. The rule takes the most valuable of what is worth it.
    """
    number = {option: place for place, option in enumerate(menu.options)}
    messages = {
        number[option]: message for option, message in _options(point, rules) if option in number and rules.let(option)
    }
    best = next((case for case in point.cases if case.verdict.verdict is Verdict.NOW), None)
    rule, closed = NOT_NOW, False
    if best is not None:
        own, message = _own(best, point.person)
        if own not in number:
            return None
        rule, closed = number[own], not rules.let(own)
        messages[rule] = message
    if not messages:
        return None
    return DecisionPoint(
        key=PointKey(point.person.customer, point.day, rank), held=point.cases[0].verdict.held, messages=messages,
        cases=tuple(case.place for case in point.cases), rule=rule, rule_is_closed=closed,
    )  # fmt: skip


def _own(best: PointCase, person: Person) -> tuple[AgentOption, OptionMessage]:
    """The option that the rule takes, and its message."""
    verdict = best.verdict
    if verdict.reach is None or verdict.due_at is None:
        raise ValueError("a case that passed the gates has a channel and a moment")
    slot = slot_of(verdict.due_at, person)
    option = AgentOption(verdict.case.campaign, best.variant, verdict.reach.channel, slot)
    return option, OptionMessage(best.place, verdict.reach, verdict.due_at, best.variant)


def slot_of(at: datetime, person: Person) -> Slot:
    """The slot of a moment by the person's clock; before the first and after the last it is that one."""
    hour = at.astimezone(person.zone).hour
    return next((slot for slot in SLOTS if hour < SLOT_HOURS[slot][1]), SLOTS[-1])


def slot_moment(slot: Slot, point: PersonPoint, *, after: datetime) -> datetime | None:
    """The moment at which a message would leave in a slot of today; None where it is over, or quiet to its end.

    It is the person's best hour of what is left of the slot, where hours are known.
    """
    zone, (first, end) = point.person.zone, SLOT_HOURS[slot]
    begin, over = (datetime.combine(point.day, time(hour), zone).astimezone(UTC) for hour in (first, end))
    at = allowed_from(max(after, begin), zone, point.person.quiet)
    if at >= over:
        return None
    if point.person.hours is None:
        return at
    starts = [at, *(_hour(point, hour) for hour in range(at.astimezone(zone).hour + 1, end))]
    open_to = [start for start in starts if allowed_from(start, zone, point.person.quiet) == start]
    return max(open_to, key=lambda start: (_weight(start, point.person), -start.timestamp()))


def _hour(point: PersonPoint, hour: int) -> datetime:
    return datetime.combine(point.day, time(hour), point.person.zone).astimezone(UTC)


def _weight(at: datetime, person: Person) -> float:
    wall = at.astimezone(person.zone)
    return 0.0 if person.hours is None else float(person.hours[wall.weekday() * 24 + wall.hour])


def _options(point: PersonPoint, rules: StaffRules) -> Iterator[tuple[AgentOption, OptionMessage]]:
    """Every option that no gate closes, by what may be varied."""
    cases = point.cases if Lever.CAMPAIGN in rules.levers else point.cases[:1]
    for place, verdict, terms, variant in cases:
        variants = range(terms.variants) if Lever.SUBJECT in rules.levers else (variant,)
        for reach, at, slot in _ways(point, verdict, terms, rules):
            for subject in variants:
                option = AgentOption(verdict.case.campaign, subject, reach.channel, slot)
                yield option, OptionMessage(place, reach, at, subject)


def _ways(
    point: PersonPoint, verdict: CaseVerdict, terms: CampaignTerms, rules: StaffRules
) -> Iterator[tuple[ChannelReach, datetime, Slot]]:
    """Addresses and moments of a case for which every window has room."""
    if verdict.reach is None or verdict.due_at is None:
        return
    reaches = verdict.reaches if Lever.CHANNEL in rules.levers else (verdict.reach,)
    after = max(verdict.case.wanted_at, point.now)
    own = slot_of(verdict.due_at, point.person)
    for slot in SLOTS if Lever.HOUR in rules.levers else (own,):
        at = slot_moment(slot, point, after=after) if Lever.HOUR in rules.levers else verdict.due_at
        if at is None:
            continue
        for reach in reaches:
            one = Candidate(
                campaign=verdict.case.campaign, at=at.timestamp(), channel=reach.channel, rank=terms.rank, value=0.0
            )
            if fits_with(point.past, one, point.caps):
                yield reach, at, slot
