"""The gates that need no list, and what holds of one person under a campaign: consents, caps, hours, the holdout."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.cases import (
    CampaignTerms,
    CaseVerdict,
    ChannelReach,
    Clock,
    Person,
    Pressure,
    PushCase,
)
from recommendations.engine.push.competition import Candidate, PressureCap, SentMessage, fits_with
from recommendations.engine.push.hours import drawn_hour
from recommendations.engine.push.timing import DAY, allowed_from
from recommendations.push_terms import Channel, Purpose, Verdict

WEEK = timedelta(days=7).total_seconds()
EVER = datetime.max.replace(tzinfo=UTC)  # no pause lasts so long


def before_lists(
    case: PushCase, person: Person, terms: CampaignTerms, *, pressure: Pressure, now: datetime
) -> CaseVerdict:
    """The gates that need no list; a case that passes them is ``now``."""
    with_address = [one for channel in channels_of(person, terms) for one in person.reach if one.channel is channel]
    may_write = [one for one in with_address if consents(person, one, terms, now)]
    heard = [one for one in may_write if not one.silent]
    closed = (
        Verdict.NO_ADDRESS if not with_address
        else Verdict.NO_CONSENT if not may_write
        else Verdict.SUPPRESSED if not heard
        else None
    )  # fmt: skip
    if closed is not None:
        return CaseVerdict(case=case, verdict=closed)
    held = is_held(person, terms, pressure)
    due_at, propensity = timing_of(case, person, terms, shop=pressure.zone, now=now)
    caps, past = caps_of(person, pressure), past_of(person, held=held)
    roomy = [one for one in heard if fits_with(past, candidate_of(terms, one, due_at, 0.0), caps)]
    verdict = Verdict.CAPPED if not roomy else Verdict.DONE_ALREADY if case.done else Verdict.NOW
    return CaseVerdict(
        case=case, verdict=verdict, held=held, reach=(roomy or heard)[0], due_at=due_at, hour_propensity=propensity,
        reaches=tuple(heard),
    )  # fmt: skip


def channels_of(person: Person, terms: CampaignTerms) -> Sequence[Channel]:
    """The campaign's channels, the best first: by preference, or by what the person clicks."""
    if not terms.best_channel:
        return terms.channels
    return sorted(terms.channels, key=lambda channel: -person.clicks.get(channel, 0.0))


def timing_of(
    case: PushCase, person: Person, terms: CampaignTerms, *, shop: ZoneInfo, now: datetime
) -> tuple[datetime, float | None]:
    """When a message would leave, and the chance with which that hour was drawn, where one was."""
    after = max(case.wanted_at, now)
    if terms.best_within is None or person.hours is None:
        return due_from(after, person, terms, shop=shop), None
    day = case.wanted_at.astimezone(shop).toordinal()  # of a plan as of its sending: they draw the same
    drawn = drawn_hour(
        person.hours, after=after, until=case.wanted_at + terms.best_within, shop=shop, zone=person.zone,
        quiet=person.quiet, share=share_of(b"hour:%s:%d" % (terms.salt, day), person.customer),
    )  # fmt: skip
    return drawn.at, drawn.propensity


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
        (one for channel in terms.channels for one in person.reach if hears(person, one, channel, terms)), None
    )
    if reach is None:
        return None
    past, caps = person.sent, caps_of(person, pressure)
    at = due_from(max(after, person.paused_until), person, terms, shop=pressure.zone)
    while not fits_with(past, candidate_of(terms, reach, at, 0.0), caps):
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


def hears(person: Person, reach: ChannelReach, channel: Channel, terms: CampaignTerms) -> bool:
    """Whether a channel reaches somebody for a purpose, when no pause is on."""
    return reach.channel is channel and not reach.silent and consents(person, reach, terms, EVER)


def consents(person: Person, reach: ChannelReach, terms: CampaignTerms, now: datetime) -> bool:
    if terms.purpose not in reach.purposes or person.paused_until > now:
        return False
    return person.personalise or terms.purpose is Purpose.NEWS


def is_held_from_all(customer: int, pressure: Pressure) -> bool:
    """Whether somebody is held out of everything this season."""
    return bool(pressure.holdout) and share_of(pressure.season, customer) < pressure.holdout


def is_held(person: Person, terms: CampaignTerms, pressure: Pressure) -> bool:
    if terms.rank == 0:
        return False
    if is_held_from_all(person.customer, pressure):
        return True
    return bool(terms.holdout) and share_of(terms.salt, person.customer) < terms.holdout


def past_of(person: Person, *, held: bool) -> tuple[SentMessage, ...]:
    """What counts: of a shadow its world, in which shadows were sent."""
    return (*person.sent, *person.shadows) if held else person.sent


def candidate_of(terms: CampaignTerms, reach: ChannelReach, due_at: datetime, value: float) -> Candidate:
    return Candidate(
        campaign=terms.campaign, at=due_at.timestamp(), channel=reach.channel, rank=terms.rank, value=value
    )
