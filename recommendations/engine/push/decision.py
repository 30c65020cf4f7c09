"""Who gets which message, when, and why the others do not: one pure function for the plan and for the sending.

Every case passes the gates in their order, and the first that closes is its verdict: verdicts add up to the audience.
Who is held out goes on through all later gates as a shadow: what would have been sent is what sent messages are
compared with.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.cases import (
    EVERYTHING,
    CampaignTerms,
    CaseVerdict,
    ChannelReach,
    Clock,
    Person,
    Pressure,
    PushCase,
)
from recommendations.engine.push.competition import (
    Candidate,
    PersonWindows,
    PressureCap,
    SentMessage,
    compete,
    fits_with,
)
from recommendations.engine.push.timing import DAY, allowed_from
from recommendations.push_terms import Channel, Purpose, Verdict

WEEK = timedelta(days=7).total_seconds()
EVER = datetime.max.replace(tzinfo=UTC)  # no pause lasts so long

type Lists = Callable[[Sequence[PushCase]], Sequence[tuple[int, ...]]]
"""The items that each case would be shown, the best first."""


def decide(
    cases: Sequence[PushCase],
    *,
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    pressure: Pressure,
    lists: Lists,
    now: datetime,
) -> list[CaseVerdict]:
    """The verdict on each case, in their order. Cases of all campaigns that want the same people belong in one call."""
    first = [
        before_lists(case, people[case.customer], terms[case.campaign], pressure=pressure, now=now) for case in cases
    ]
    listed = _with_lists(first, people, terms, lists)
    going = _after_competition(listed, people, terms, pressure)
    return [as_said(each, now) for each in _with_shadows(going, listed, people, terms, pressure)]


def before_lists(
    case: PushCase, person: Person, terms: CampaignTerms, *, pressure: Pressure, now: datetime
) -> CaseVerdict:
    """The gates that need no list; a case that passes them is ``now``."""
    with_address = [one for channel in terms.channels for one in person.reach if one.channel is channel]
    may_write = [one for one in with_address if _consents(person, one, terms, now)]
    heard = [one for one in may_write if not one.silent]
    closed = (
        Verdict.NO_ADDRESS if not with_address
        else Verdict.NO_CONSENT if not may_write
        else Verdict.SUPPRESSED if not heard
        else None
    )  # fmt: skip
    if closed is not None:
        return CaseVerdict(case=case, verdict=closed)
    held = _is_held(person, terms, pressure)
    due_at = due_from(max(case.wanted_at, now), person, terms, shop=pressure.zone)
    caps, past = caps_of(person, pressure), _past(person, held=held)
    roomy = [one for one in heard if fits_with(past, _candidate(terms, one, due_at, 0.0), caps)]
    verdict = Verdict.CAPPED if not roomy else Verdict.DONE_ALREADY if case.done else Verdict.NOW
    return CaseVerdict(case=case, verdict=verdict, held=held, reach=(roomy or heard)[0], due_at=due_at)


def due_from(at: datetime, person: Person, terms: CampaignTerms, *, shop: ZoneInfo) -> datetime:
    """The earliest moment at or after ``at`` at the hour that is wanted, outside of quiet hours."""
    if terms.hour is not None:
        zone = person.zone if terms.hour.clock is Clock.CUSTOMER else shop
        wall = at.astimezone(zone)
        day = wall.date() if wall.time() <= terms.hour.at else wall.date() + DAY
        at = datetime.combine(day, terms.hour.at, zone).astimezone(UTC)
    return allowed_from(at, person.zone, person.quiet)


def next_allowed(person: Person, terms: CampaignTerms, *, pressure: Pressure, after: datetime) -> datetime | None:
    """The first moment from ``after`` on that is wanted, not quiet, and at which every cap has room.

    None where no moment is allowed: nobody may write to the person for the campaign's purpose on its channels.
    """
    reach = next(
        (one for channel in terms.channels for one in person.reach if _hears(person, one, channel, terms)), None
    )
    if reach is None:
        return None
    past, caps = person.sent, caps_of(person, pressure)
    at = due_from(max(after, person.paused_until), person, terms, shop=pressure.zone)
    while not fits_with(past, _candidate(terms, reach, at, 0.0), caps):
        # Room comes only when a message leaves a window.
        ends = (each.at + cap.seconds for each in past for cap in caps)
        free = ceil(min(end for end in ends if end > at.timestamp()))
        at = due_from(datetime.fromtimestamp(free, UTC), person, terms, shop=pressure.zone)
    return at


def full_caps(person: Person, terms: CampaignTerms, *, pressure: Pressure, at: datetime) -> list[PressureCap]:
    """The caps, everybody's and the person's own, that leave no room for a message of the campaign at a moment."""
    return [
        cap
        for channel in terms.channels
        for cap in caps_of(person, pressure)
        if not fits_with(
            person.sent, Candidate(campaign=0, at=at.timestamp(), channel=channel, rank=0, value=0), (cap,)
        )
    ]


def caps_of(person: Person, pressure: Pressure) -> tuple[PressureCap, ...]:
    """Everybody's caps, and the person's own."""
    own = () if person.most_a_week is None else (PressureCap(None, person.most_a_week, WEEK),)
    return (*pressure.caps, *own)


def _hears(person: Person, reach: ChannelReach, channel: Channel, terms: CampaignTerms) -> bool:
    """Whether a channel reaches somebody for a purpose, when no pause is on."""
    return reach.channel is channel and not reach.silent and _consents(person, reach, terms, EVER)


def _consents(person: Person, reach: ChannelReach, terms: CampaignTerms, now: datetime) -> bool:
    if terms.purpose not in reach.purposes or person.paused_until > now:
        return False
    return person.personalise or terms.purpose is Purpose.NEWS


def is_held_from_all(customer: int, pressure: Pressure) -> bool:
    """Whether somebody is held out of everything this season."""
    return bool(pressure.holdout) and share_of(pressure.season, customer) < pressure.holdout


def _is_held(person: Person, terms: CampaignTerms, pressure: Pressure) -> bool:
    if terms.rank == 0:
        return False
    if is_held_from_all(person.customer, pressure):
        return True
    return bool(terms.holdout) and share_of(terms.salt, person.customer) < terms.holdout


def _past(person: Person, *, held: bool) -> tuple[SentMessage, ...]:
    """What counts: of a shadow its world, in which shadows were sent."""
    return (*person.sent, *person.shadows) if held else person.sent


def _candidate(terms: CampaignTerms, reach: ChannelReach, due_at: datetime, value: float) -> Candidate:
    return Candidate(
        campaign=terms.campaign, at=due_at.timestamp(), channel=reach.channel, rank=terms.rank, value=value
    )


def _with_lists(
    first: Sequence[CaseVerdict], people: Mapping[int, Person], terms: Mapping[int, CampaignTerms], lists: Lists
) -> list[CaseVerdict]:
    """Add items and values; whoever has too few items gets too little."""
    every = list(first)
    places = [place for place, each in enumerate(every) if each.verdict is Verdict.NOW]
    for place, items in zip(places, lists([every[place].case for place in places]), strict=True):
        each, own = every[place], terms[every[place].case.campaign]
        value = own.chance * people[each.case.customer].worth
        enough = len(items) >= own.least_items
        every[place] = replace(
            each, items=items, chance=own.chance, value=value, verdict=Verdict.NOW if enough else Verdict.TOO_LITTLE
        )
    return every


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
        own = windows.setdefault(person.customer, PersonWindows(_past(person, held=False), caps_of(person, pressure)))
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
        outcomes = compete(_past(person, held=True), candidates, caps_of(person, pressure))
        for place, outcome in zip(places, outcomes, strict=True):
            if listed[place].held and not outcome.goes:
                every[place] = replace(every[place], verdict=Verdict.OUTRANKED, lost_to=outcome.lost_to)
    return every


def _of_case(each: CaseVerdict, terms: Mapping[int, CampaignTerms]) -> Candidate:
    if each.reach is None or each.due_at is None:
        raise ValueError("a case that passed the gates has a channel and a moment")
    return _candidate(terms[each.case.campaign], each.reach, each.due_at, each.value)


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
