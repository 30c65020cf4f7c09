"""Who gets which message, when, and why the others do not: one pure function for the plan and for the sending.

Every case passes the gates in their order, and the first that closes is its verdict: verdicts add up to the audience.
Who is held out goes on through all later gates as a shadow: what would have been sent is what sent messages are
compared with.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from recommendations.engine.push.agent.choosing import AgentFacts, after_taken, applied, choose
from recommendations.engine.push.agent.points import PersonPoint, PointCase, point_of
from recommendations.engine.push.cases import (
    EVERYTHING,
    CampaignTerms,
    CaseItems,
    CaseVerdict,
    Person,
    Pressure,
    PushCase,
)
from recommendations.engine.push.choices import PointKey
from recommendations.engine.push.competition import Candidate, PersonWindows, compete
from recommendations.engine.push.gates import before_lists, candidate_of, caps_of, past_of
from recommendations.engine.push.subjects import subject_of
from recommendations.engine.push.value import ValueLine, messages_before, value_line
from recommendations.push_terms import Verdict

type Lists = Callable[[Sequence[PushCase]], Sequence[CaseItems]]
"""The items that each case would be shown."""


class PersonalChances(NamedTuple):
    """The chance that each case is answered, with the items that it would be shown.

    What is not ``proven`` on messages of ours only orders: whether one is worth it the campaign's own chance says.
    """

    of: Callable[[Sequence[PushCase], Sequence[tuple[int, ...]]], Sequence[float]]
    proven: bool


def decide(
    cases: Sequence[PushCase],
    *,
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    pressure: Pressure,
    lists: Lists,
    now: datetime,
    chances: PersonalChances | None = None,
    agent: AgentFacts | None = None,
) -> list[CaseVerdict]:
    """The verdict on each case, in their order. Cases of all campaigns that want the same people belong in one call.

    Without ``chances`` all cases of a campaign have its own; without an ``agent`` the rule decides for everybody.
    """
    first = [
        before_lists(case, people[case.customer], terms[case.campaign], pressure=pressure, now=now) for case in cases
    ]
    listed = _with_values(_with_lists(first, terms, lists), people, terms, pressure, chances=chances)
    if agent is not None:
        listed = _with_agent(listed, people, terms, pressure, agent=agent, now=now)
    going = _after_competition(listed, people, terms, pressure)
    return [as_said(each, now) for each in _with_shadows(going, listed, people, terms, pressure)]


def _with_lists(first: Sequence[CaseVerdict], terms: Mapping[int, CampaignTerms], lists: Lists) -> list[CaseVerdict]:
    """Add items; whoever has too few good ones gets too little."""
    every = list(first)
    places = [place for place, each in enumerate(every) if each.verdict is Verdict.NOW]
    for place, (items, good) in zip(places, lists([every[place].case for place in places]), strict=True):
        each = every[place]
        enough = good >= terms[each.case.campaign].least_items
        every[place] = replace(each, items=items, verdict=Verdict.NOW if enough else Verdict.TOO_LITTLE)
    return every


def _with_values(
    listed: Sequence[CaseVerdict],
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    pressure: Pressure,
    *,
    chances: PersonalChances | None,
) -> list[CaseVerdict]:
    """Add chances and values; what costs more than it brings is not worth it, unless it was asked for or chosen."""
    every = list(listed)
    places = [place for place, each in enumerate(every) if each.verdict in {Verdict.NOW, Verdict.TOO_LITTLE}]
    own = [terms[every[place].case.campaign].chance for place in places]
    if chances is not None:
        own = list(chances.of([every[place].case for place in places], [every[place].items for place in places]))
    for place, chance in zip(places, own, strict=True):
        each, asked = every[place], terms[every[place].case.campaign]
        value = line_of(each, people[each.case.customer], pressure, chance=chance).value
        counts = value
        if chances is not None and not chances.proven:
            counts = line_of(each, people[each.case.customer], pressure, chance=asked.chance).value
        settled = asked.rank == 0 or each.case.chosen
        goes = each.verdict is Verdict.NOW and (counts >= 0 or settled)
        closed = Verdict.NOT_WORTH if each.verdict is Verdict.NOW else each.verdict
        every[place] = replace(each, chance=chance, value=value, verdict=Verdict.NOW if goes else closed)
    return every


def _with_agent(
    listed: Sequence[CaseVerdict],
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    pressure: Pressure,
    *,
    agent: AgentFacts,
    now: datetime,
) -> list[CaseVerdict]:
    """What the agent chooses of all that would go today, person by person and class by class; never of a service."""
    wanted: defaultdict[tuple[int, int], list[PointCase]] = defaultdict(list)
    for place, each in enumerate(listed):
        own = terms[each.case.campaign]
        if each.verdict in {Verdict.NOW, Verdict.NOT_WORTH} and own.rank > 0:
            subject = subject_of(own.campaign, each.case.customer, own.variants)
            wanted[each.case.customer, own.rank].append(PointCase(place, each, own, subject))
    every, points = list(listed), []
    for (customer, rank), cases in wanted.items():
        person, held = people[customer], cases[0].verdict.held
        point = PersonPoint(
            person=person, cases=sorted(cases, key=lambda case: (-case.verdict.value, case.terms.campaign)),
            past=past_of(person, held=held), caps=caps_of(person, pressure), now=now,
        )  # fmt: skip
        before = agent.decided.get(PointKey(customer, point.day, rank))
        if before is not None:
            for case in cases:
                every[case.place] = after_taken(case.verdict, before)
            continue
        decision = point_of(point, agent.policy.menu, agent.rules, rank=rank)
        points += [decision] if decision else []
    return applied(every, points, choose(points, agent))


def line_of(each: CaseVerdict, person: Person, pressure: Pressure, *, chance: float) -> ValueLine:
    """What a message brings and costs, by the channel and the moment of its verdict."""
    if each.reach is None or each.due_at is None:
        raise ValueError("a case that passed the gates has a channel and a moment")
    past = past_of(person, held=each.held)
    return value_line(
        pressure.costs, chance=chance, worth=person.worth, channel=each.reach.channel,
        before=messages_before(past, at=each.due_at.timestamp()), caused=person.caused,
    )  # fmt: skip


def _after_competition(
    listed: Sequence[CaseVerdict], people: Mapping[int, Person], terms: Mapping[int, CampaignTerms], pressure: Pressure
) -> list[CaseVerdict]:
    """What goes, by rank and value: where its person's windows have room, and then the budgets of its day.

    What is over a budget takes no room from what comes after it. Shadows stand in the same line, so that a short budget
    takes as many of them as of the others; they use nothing of it, and their windows are another world's.
    """
    every, used, windows = list(listed), Counter(pressure.used), dict[int, PersonWindows]()
    going = [place for place, each in enumerate(every) if each.verdict is Verdict.NOW]
    for place in sorted(going, key=lambda place: _by_value(every[place], terms)):
        each, person = every[place], people[every[place].case.customer]
        one = _of_case(each, terms)
        own = windows.setdefault(person.customer, PersonWindows(past_of(person, held=False), caps_of(person, pressure)))
        budgets = _budgets_of(each, terms, pressure)
        if not each.held and not own.have_room(one):
            # Room in the past was found before: what is in the way is another candidate.
            every[place] = replace(each, verdict=Verdict.OUTRANKED, lost_to=own.in_the_way(one))
        elif any(limit is not None and used[key] >= limit for key, limit in budgets.items()):
            every[place] = replace(each, verdict=Verdict.OVER_BUDGET)
        elif not each.held:
            own.reserve(one)
            used.update(budgets.keys())
    return every


def _budgets_of(
    each: CaseVerdict, terms: Mapping[int, CampaignTerms], pressure: Pressure
) -> dict[tuple[int, int], int | None]:
    """The limits that count on the day of a case: its campaign's, and that of all together."""
    day = each.due_at.astimezone(pressure.zone).toordinal() if each.due_at else 0
    own = terms[each.case.campaign].per_day
    return {(each.case.campaign, day): own, (EVERYTHING, day): pressure.per_day}


def _with_shadows(
    going: Sequence[CaseVerdict],
    listed: Sequence[CaseVerdict],
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    pressure: Pressure,
) -> list[CaseVerdict]:
    """Add what would have become of shadows that their budgets let go: one competes with all of its person."""
    every = list(going)
    by_person: defaultdict[int, list[int]] = defaultdict(list)
    for place, each in enumerate(listed):
        if each.verdict is Verdict.NOW and going[place].verdict is not Verdict.OVER_BUDGET:
            by_person[each.case.customer].append(place)
    for customer, places in by_person.items():
        if not any(listed[place].held for place in places):
            continue
        person, candidates = people[customer], [_of_case(listed[place], terms) for place in places]
        outcomes = compete(past_of(person, held=True), candidates, caps_of(person, pressure))
        for place, outcome in zip(places, outcomes, strict=True):
            if listed[place].held and not outcome.goes:
                every[place] = replace(every[place], verdict=Verdict.OUTRANKED, lost_to=outcome.lost_to)
    return every


def _of_case(each: CaseVerdict, terms: Mapping[int, CampaignTerms]) -> Candidate:
    if each.reach is None or each.due_at is None:
        raise ValueError("a case that passed the gates has a channel and a moment")
    return candidate_of(terms[each.case.campaign], each.reach, each.due_at, each.value)


def _by_value(each: CaseVerdict, terms: Mapping[int, CampaignTerms]) -> tuple[int, float, int, int]:
    return terms[each.case.campaign].rank, -each.value, each.case.campaign, each.case.customer


def as_said(each: CaseVerdict, now: datetime) -> CaseVerdict:
    """The verdict as it is told: sent now or later, or held out whatever else it had been."""
    sent = each.verdict is Verdict.NOW
    if each.held:
        return replace(each, verdict=Verdict.HELD_OUT, would_send=sent, lost_to=None, otherwise=each.verdict)
    if sent and each.due_at is not None and each.due_at > now:
        return replace(each, verdict=Verdict.LATER, would_send=True)
    return replace(each, would_send=sent)
