"""Sendings: campaigns that are due are decided together, their verdicts written, and what goes is reserved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import transaction

from recommendations.engine.push.cases import CaseVerdict, PushCase
from recommendations.engine.push.choices import NOT_NOW, AgentChoice
from recommendations.engine.push.schedule import Moment, moments
from recommendations.engine.push.subjects import subject_of
from recommendations.models import Campaign, CampaignVersion, Occurrence
from recommendations.push_terms import SENDING, CampaignKind, Channel, OccurrenceState, Trigger, Verdict
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import Ground, Progress, Sending, considered
from recommendations.services.push.occasions import PACES, occasions
from recommendations.services.push_models.agent_facts import AgentState, agent_stands
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.agents import decision_log
from recommendations.store.push import outbox, verdicts
from recommendations.store.push.audience import people_in
from recommendations.store.push.outbox import Reservation

LOCK = 7_264_121  # one decides at a time, so that no two reserve past a cap
AGAIN = timedelta(hours=1)  # until a verdict that may turn is given anew
AHEAD = timedelta(hours=24)  # campaigns that come within it compete for the same people
OVERLAP = timedelta(minutes=10)  # of two looks for what happened: events come in late
EARLY = timedelta(seconds=10)  # that a tick comes before its time: a look put off for it would be a minute late
MISSED = timedelta(hours=24)  # a moment that passed while nobody decided is made up for so long
PLAN = "plan"
"""Key of the sending that a plan is of; it is never sent."""
BRAKE_FACTOR, BRAKE_PEOPLE = 2.0, 100  # over what was planned: somebody has to look


@dataclass(frozen=True, kw_only=True)
class LiveCampaign:
    """A campaign that runs, with its approved form."""

    campaign: Campaign
    version: CampaignVersion
    form: CampaignForm

    @property
    def lifetime(self) -> timedelta:
        return timedelta(hours=self.form.when.expires_hours)


def decide_pushes(*, now: datetime) -> int:
    """Decide all that is due; how many people got a verdict. Another process that is at it goes on alone."""
    with advisory_lock(LOCK) as alone:
        return _decide(now=now) if alone else 0


def live_campaigns() -> list[LiveCampaign]:
    versions = CampaignVersion.objects.filter(is_live=True, campaign__in=Campaign.objects.live())
    return [
        LiveCampaign(campaign=each.campaign, version=each, form=msgspec.convert(each.frozen, CampaignForm))
        for each in versions.select_related("campaign").order_by("campaign")
    ]


def _decide(*, now: datetime) -> int:
    live = {each.campaign.pk: each for each in live_campaigns()}
    running = [each for each in live.values() if each.campaign.paused_at is None]
    for each in running:
        _open(each, now=now)
    owners = _cases(running, now=now)
    if not owners:
        return 0
    ground = Ground(snapshot=current_snapshot(), rules=rules_now(now=now), now=now)
    outcome: Mapping[int, Sequence[CaseVerdict]] = {}
    stands: AgentState | None = None
    for occurrence in Occurrence.objects.filter(pk__in=set(owners.values())).order_by("pk"):
        while (present := agent_stands()) != stands:  # at first, and where somebody paused it or bound it meanwhile
            stands, left = present, {case: key for case, key in owners.items() if key >= occurrence.pk}
            outcome = _outcome(left, running, live, ground=ground)
        if outcome.get(occurrence.pk):
            _settle(occurrence, outcome[occurrence.pk], live[occurrence.campaign_id], ground=ground)
    return len(owners)


def _outcome(
    owners: Mapping[PushCase, int], running: Iterable[LiveCampaign], live: Mapping[int, LiveCampaign], *, ground: Ground
) -> dict[int, list[CaseVerdict]]:
    """The verdicts on cases, by the key of their sending, beside all others that want the same people."""
    rivals = [case for case in upcoming(running, people_of(owners), now=ground.now) if case not in owners]
    by_occurrence: defaultdict[int, list[CaseVerdict]] = defaultdict(list)
    for verdict in considered(sendings_of([*owners, *rivals], live), ground=ground):
        if verdict.case in owners:
            by_occurrence[owners[verdict.case]].append(verdict)
    return by_occurrence


def plan(draft: LiveCampaign, *, ground: Ground, progress: Progress | None = None) -> list[CaseVerdict]:
    """The verdicts that a campaign would get if it came now, beside all others that want the same people."""
    running = [
        each for each in live_campaigns()
        if each.campaign.paused_at is None and each.campaign.pk != draft.campaign.pk
    ]  # fmt: skip
    own = first_cases(draft, at=ground.now, key=PLAN)
    others = _rivals_of(people_of(own), running, now=ground.now)
    live = {each.campaign.pk: each for each in (*running, draft)}
    outcome = considered(sendings_of([*own, *others], live), ground=ground, progress=progress)
    return [each for each in outcome if each.case.campaign == draft.campaign.pk]


@transaction.atomic
def _rivals_of(people: set[int], running: Sequence[LiveCampaign], *, now: datetime) -> list[PushCase]:
    """Cases of other campaigns for these people, as a decision would take them up now; it leaves no trace of it."""
    for each in running:
        _open(each, now=now)
    deciding = _cases(running, now=now)
    coming = [case for case in upcoming(running, people, now=now) if case not in deciding]
    transaction.set_rollback(True)
    return [*(case for case in deciding if case.customer in people), *coming]


def people_of(cases: Iterable[PushCase]) -> set[int]:
    return {case.customer for case in cases}


def sendings_of(cases: Iterable[PushCase], live: Mapping[int, LiveCampaign]) -> list[Sending]:
    """Cases by their campaigns."""
    by_campaign: defaultdict[int, list[PushCase]] = defaultdict(list)
    for case in cases:
        by_campaign[case.campaign].append(case)
    return [
        Sending(campaign=live[key].campaign, form=live[key].form, cases=of_it) for key, of_it in by_campaign.items()
    ]


def _open(live: LiveCampaign, *, now: datetime) -> None:
    """Make the sendings whose moment has come."""
    for moment in moments_of(live, after=_looked_until(live, now=now), until=now):
        Occurrence.objects.get_or_create(
            campaign=live.campaign, key=moment.key, defaults={"version": live.version, "due_at": moment.at}
        )


def _looked_until(live: LiveCampaign, *, now: datetime) -> datetime:
    """The moment up to which the sendings of a campaign were made; what passed long before it is not made up."""
    last = live.campaign.occurrences.exclude(state=OccurrenceState.PLANNED).order_by("-due_at").first()
    return max(last.due_at, now - MISSED) if last else now - max(MISSED, live.lifetime)


def moments_of(live: LiveCampaign, *, after: datetime, until: datetime) -> Iterator[Moment]:
    return moments(
        CampaignKind(live.campaign.kind), starts_at=live.version.starts_at, ends_at=live.version.ends_at,
        weekdays=live.form.when.weekdays, hour=live.form.when.hour, zone=ZoneInfo(settings.SHOP_TIME_ZONE),
        after=after, until=until,
    )  # fmt: skip


def _cases(running: Iterable[LiveCampaign], *, now: datetime) -> dict[PushCase, int]:
    """The cases that are decided now, each with the key of its sending."""
    owners: dict[PushCase, int] = {}
    for live in running:
        stored = live.campaign.occurrences.filter(
            state__in=[OccurrenceState.DUE, OccurrenceState.DECIDED], due_at__gt=now - live.lifetime - MISSED
        )
        for occurrence in stored.order_by("due_at"):
            for case in _cases_of(live, occurrence, now=now):
                owners.setdefault(case, occurrence.pk)
    return owners


def _cases_of(live: LiveCampaign, occurrence: Occurrence, *, now: datetime) -> list[PushCase]:
    """Cases of a sending: everybody in view when it is due, whose verdict may turn afterwards.

    One that the brake held back is decided afresh.
    """
    key, released = live.campaign.pk, was_held_back(occurrence)
    stored = verdicts.cases_of(occurrence.pk) if released else verdicts.still_open(occurrence.pk, before=now - AGAIN)
    cases = [
        PushCase(key, customer, occasion, wanted_at, item)
        for customer, occasion, item, wanted_at in stored
        if wanted_at + live.lifetime > now
    ]
    if live.campaign.kind == CampaignKind.TRIGGERED:
        return [*cases, *_new_occasions(live, occurrence, now=now)]
    return (
        first_cases(live, at=occurrence.due_at, key=occurrence.key)
        if occurrence.state == OccurrenceState.DUE
        else cases
    )


def first_cases(live: LiveCampaign, *, at: datetime, key: str, since: datetime | None = None) -> list[PushCase]:
    """Everybody whom a campaign has in view when it comes; with a trigger, whom something has happened to.

    They want it from that moment on, whenever it happened.
    """
    people = people_in(any_of=live.form.who.any_of, none_of=live.form.who.none_of)
    if live.campaign.kind != CampaignKind.TRIGGERED:
        return [PushCase(live.campaign.pk, customer, key, at) for customer in people]
    happened = occasions(
        Trigger(live.campaign.trigger), live.form.occasion, campaign=live.campaign.pk, now=at, since=since, among=people
    )
    decided = verdicts.decided_already(live.campaign.pk, people_of(happened))
    view = set(people)
    return [
        case._replace(wanted_at=at)
        for case in happened
        if case.customer in view and (case.customer, case.key) not in decided
    ]


def _new_occasions(live: LiveCampaign, occurrence: Occurrence, *, now: datetime) -> list[PushCase]:
    """What happened since the last look, on the day of the sending; some triggers are looked for more seldom."""
    last = occurrence.decided_at
    today = now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date().isoformat()
    if occurrence.key != today or (last and now - last < PACES[Trigger(live.campaign.trigger)] - EARLY):
        return []
    Occurrence.objects.filter(pk=occurrence.pk).update(decided_at=now)
    return first_cases(live, at=now, key=occurrence.key, since=last - OVERLAP if last else None)


def upcoming(running: Iterable[LiveCampaign], people: set[int], *, now: datetime) -> list[PushCase]:
    """Cases that campaigns will have for these people within a day: one of them may be the better message."""
    cases = []
    for live in running:
        coming = [] if live.campaign.kind == CampaignKind.TRIGGERED else list(
            moments_of(live, after=_looked_until(live, now=now), until=now + AHEAD)
        )  # fmt: skip
        for moment in coming:
            every = first_cases(live, at=moment.at, key=moment.key)
            cases += [case for case in every if case.customer in people]
    return cases


@transaction.atomic
def _settle(occurrence: Occurrence, outcome: Sequence[CaseVerdict], live: LiveCampaign, *, ground: Ground) -> None:
    """Write the verdicts of a sending and reserve what goes, unless it is far more than was planned."""
    released = was_held_back(occurrence)
    if released:
        verdicts.forget(occurrence.pk)
    verdicts.write(occurrence.pk, outcome, now=ground.now)
    counts = verdicts.counts_of(occurrence.pk)
    first = occurrence.state == OccurrenceState.DUE and not released
    brakes = first and too_many(counts, live.version.expected)
    if not brakes:
        reserve(occurrence, outcome, live)
        decision_log.write(_agent_choices(outcome))
    occurrence.state = OccurrenceState.WAITING if brakes else OccurrenceState.DECIDED
    occurrence.counts, occurrence.decided_at = verdicts.counts_for_good(occurrence.pk), ground.now
    occurrence.pressure, occurrence.version = ground.rules, live.version
    occurrence.model_version = ground.snapshot.model.version_id if ground.snapshot.model else None
    occurrence.rules_version = ground.snapshot.rules.version
    occurrence.save()


def reserve(occurrence: Occurrence, outcome: Sequence[CaseVerdict], live: LiveCampaign) -> None:
    """Reserve a place in the outbox for all who get it, and for shadows who would have."""
    going = [each for each in outcome if each.verdict in SENDING or (each.held and each.would_send)]
    for channel in Channel:
        places = [_place(each, live) for each in going if each.reach and each.reach.channel is channel]
        if places:
            outbox.reserve(
                places, campaign=live.campaign.pk, version=live.version.pk, occurrence=occurrence.pk, channel=channel
            )


def _agent_choices(outcome: Iterable[CaseVerdict]) -> Iterator[tuple[AgentChoice, str]]:
    """Decisions of the agent that count from now on, each with its occasion: *not now*, and what is on its way."""
    for each in outcome:
        goes = each.verdict in SENDING or (each.held and each.would_send)
        if each.agent is not None and (
            each.agent.option == NOT_NOW or (goes and each.case.campaign == each.agent.campaign)
        ):
            yield each.agent, "" if each.agent.option == NOT_NOW else each.case.key


def was_held_back(occurrence: Occurrence) -> bool:
    """Whether somebody let a sending go that had waited: it has been counted, and is due all the same."""
    return occurrence.state == OccurrenceState.DUE and bool(occurrence.counts)


def too_many(counts: Mapping[str, int], expected: Mapping[str, int]) -> bool:
    """Whether a sending goes to so many more than was approved that somebody has to look."""
    if not expected:
        return False
    planned, going = (sum(each.get(verdict, 0) for verdict in SENDING) for each in (expected, counts))
    return going > BRAKE_FACTOR * planned and going > planned + BRAKE_PEOPLE


def _place(each: CaseVerdict, live: LiveCampaign) -> Reservation:
    if each.reach is None or each.due_at is None:
        raise ValueError("what goes has a channel and a moment")
    subjects = next(iter(live.form.what.texts.values())).subjects
    return Reservation(
        customer=each.case.customer, contact=each.reach.contact, address=each.reach.address, key=each.case.key,
        due_at=each.due_at, expires_at=each.due_at + live.lifetime, trigger_item=each.case.item, items=each.items,
        variant=each.variant if each.variant is not None else subject_of(
            live.campaign.pk, each.case.customer, len(subjects)
        ),
        chance=each.chance,
        value=each.value, held=each.verdict is Verdict.HELD_OUT, hour_propensity=each.hour_propensity,
    )  # fmt: skip
