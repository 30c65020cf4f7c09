"""The agent's night: decisions whose days are over are closed and learned from, and a version is made of it.

It is idempotent by night: the same night, seed and data give the same version.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from django.conf import settings
from django.db import transaction

from recommendations.engine.push.agent.belief import Belief, ClosedDecisions, draws_of, learn, moved_to, prior
from recommendations.engine.push.agent.caused import CausedRecord, CausedShares, caused_shares
from recommendations.engine.push.agent.features import Scales, band_of, scales_of
from recommendations.engine.push.agent.groups import moved_too_far
from recommendations.engine.push.agent.learned import remembered_answers
from recommendations.engine.push.agent.terms import Menu, MenuCampaign, Values
from recommendations.engine.push.agent.tiredness import Tiredness, smoothed_worth, tiredness
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import Agent, AgentVersion
from recommendations.push_terms import AgentStatus, Channel, Priority
from recommendations.services.agents.even_groups import groups_before
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.sendings import live_campaigns
from recommendations.services.push_models.agent_facts import numbers_now, scaled
from recommendations.services.push_models.agent_versions import (
    KEPT,
    BrokenVersionError,
    RestoredVersion,
    fields_of,
    menu_of,
    restored,
    shares_as_prices,
)
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.agents import decision_log
from recommendations.store.agents.decision_log import ANSWER_DAYS, LoggedDecisions
from recommendations.store.agents.night import bought_of_log, shop_rate, some_people

log = structlog.get_logger(__name__)
LOCK = 7_264_122
HOUR = 3  # of the shop's clock, at which a night is learned
REMEMBERED = timedelta(days=90)  # a campaign keeps its place as long as it is learned from
CAUSED_FROM = timedelta(days=84)
MOVED_TOO_FAR = "moved_too_far"


def night_of(now: datetime) -> date:
    """The night that is due: the shop's day, which begins at three."""
    return (now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)) - timedelta(hours=HOUR)).date()


def learn_night(*, now: datetime) -> AgentVersion | None:
    """The version of the night that is due; None where the agent is off, or it is made already."""
    night = night_of(now)
    agent = Agent.objects.exclude(status=AgentStatus.OFF).first()
    if agent is None or AgentVersion.objects.filter(night=night).exists():
        return None
    with advisory_lock(LOCK) as alone:
        if not alone or AgentVersion.objects.filter(night=night).exists():
            return None
        return make_version(agent, night=night, now=now)


def make_version(agent: Agent, *, night: date, now: datetime) -> AgentVersion:
    """Learn from what is closed since the version before, and store what is believed from now on.

    A belief that moved too far in one night is kept, and is not taken: the one before goes on.
    """
    decision_log.close(now=now)
    decision_log.forget(now=now)
    before = last_version()
    closed_at = now - timedelta(days=ANSWER_DAYS)
    rate, menu = shop_rate(closed=closed_at), menu_now(before, now=now)
    scales = before.scales if before else first_scales(menu, rate=rate, now=now)
    old = moved_to(before.belief, menu, rate=rate) if before else prior(menu, rate=rate)
    since, until = _days(before, night)
    decisions = decision_log.closed_decisions(since=since, until=until)
    lessons, nights = _lessons(decisions, menu), max((until - since).days, 1) if before else 1
    belief = learn(old, lessons, nights=nights)
    seed = seed_of(agent.salt, night)
    shares = caused_of(scales, menu, now=now)
    tired = _tiredness(belief, decisions, shares, scales, before, now=now)
    far = before is not None and moved_too_far(old, belief)
    counts = {"answers": _answers(now), "decisions": sum(map(len, decisions)), "until": until.isoformat()}
    told = before.version.counts.get("terms", {}) if before else {}
    terms = remembered_answers(told, belief, lessons.rows, lessons.answered, nights=nights)
    alike = groups_before(agent, now=now) if agent.status == AgentStatus.WATCHES else None  # nobody gets its choices
    stored = {**counts, "terms": terms, "alike": alike.as_json() if alike else None}
    fields = fields_of(belief, draws_of(belief, seed=seed), scales, shares_as_prices(shares, tired))
    with transaction.atomic():
        made = AgentVersion.objects.create(
            night=night, seed=seed, counts=stored, created_at=now, refusal=MOVED_TOO_FAR if far else "", **fields
        )
        if not far:
            take(made)
        _tidy()
    log.info("agent learned", night=night.isoformat(), digest=made.digest, **counts)
    return made


def take(version: AgentVersion) -> None:
    """Let a version decide from the next pass on."""
    AgentVersion.objects.filter(is_live=True).exclude(pk=version.pk).update(is_live=False)
    AgentVersion.objects.filter(pk=version.pk).update(is_live=True)
    version.is_live = True


def last_version() -> RestoredVersion | None:
    """The version that decides, or the latest that was taken; None where there is none whose bytes are whole."""
    for version in [*AgentVersion.objects.filter(is_live=True), *AgentVersion.objects.filter(refusal="")[:KEPT]]:
        try:
            return restored(version)
        except BrokenVersionError:
            log.exception("agent version is broken", night=version.night.isoformat())
    return None


def menu_now(before: RestoredVersion | None, *, now: datetime) -> Menu:
    """Campaigns that run, with their subjects, after those that are still learned from; channels of all of them."""
    known = dict(before.menu.campaigns) if before else {}
    remembered = _remembered(known, now=now)
    channels = set(before.menu.channels) if before else set()
    running: dict[int, int] = {}
    for live in live_campaigns():
        if live.form.safety.priority is not Priority.SERVICE:
            texts = live.form.what.texts.values()
            running[live.campaign.pk] = max(len(each.subjects) for each in texts)
            channels |= set(live.form.channels)
    numbers = {key: max(known.get(key, 1), running.get(key, 1)) for key in [*remembered, *running]}
    first = [*remembered, *sorted(set(running) - set(remembered))]
    campaigns = tuple(MenuCampaign(key, numbers[key]) for key in first)
    used = channels or {Channel.EMAIL}
    return Menu(campaigns=campaigns, channels=tuple(channel for channel in Channel if channel in used))


def first_scales(menu: Menu, *, rate: float, now: datetime) -> Scales:
    """The scales by the people of the shop as they are now; they are kept from then on."""
    return scales_of(numbers_now(some_people().tolist(), menu, now=now), rate=rate)


def seed_of(salt: str, night: date) -> int:
    """The seed of a night's drawn models, which stands on the page."""
    return int.from_bytes(blake2b(f"{salt}:{night}".encode(), digest_size=6).digest(), "big")


def caused_of(scales: Scales, menu: Menu, *, now: datetime) -> CausedShares:
    """Shares of answers that messages cause, by orders of those who are held out beside the others'."""
    record = bought_of_log(since=(now - CAUSED_FROM).date(), now=now)
    people = sorted(record)
    held, bought, before, answers = (np.array([record[key][part] for key in people]) for part in range(4))
    band = band_of(scaled(people, scales, menu, now=now), scales, menu) if people else np.zeros(0, np.int64)
    return caused_shares(
        CausedRecord(
            bought=bought.astype(float), before=before.astype(float), answers=answers.astype(float), band=band,
            held=held.astype(bool),
        )
    )  # fmt: skip


def _remembered(known: dict[int, int], *, now: datetime) -> list[int]:
    """Campaigns of the menu before that decisions of ninety days are of, in their order."""
    used = decision_log.campaigns_since((now - REMEMBERED).date())
    return [key for key in known if key in used]


def _days(before: RestoredVersion | None, night: date) -> tuple[date, date]:
    """Days of decisions that are learned from this night: those that closed since the version before."""
    until = night - timedelta(days=ANSWER_DAYS)
    since = date.fromisoformat(before.version.counts["until"]) if before else until - REMEMBERED
    return min(since, until), until


def _lessons(decisions: Sequence[LoggedDecisions], menu: Menu) -> ClosedDecisions:
    """Messages of all groups that did leave, on the terms of the menu; columns are found by their names."""
    parts = [part for log in decisions if (part := _lesson(log, menu)) is not None]
    if not parts:
        nothing = np.zeros((0, len(menu.terms)))
        return ClosedDecisions(rows=nothing, answered=np.zeros(0), people=np.zeros(0, np.int64))
    return ClosedDecisions(
        rows=np.concatenate([part.rows for part in parts]), people=np.concatenate([part.people for part in parts]),
        answered=np.concatenate([part.answered for part in parts]),
    )  # fmt: skip


def _lesson(log: LoggedDecisions, menu: Menu) -> ClosedDecisions | None:
    old = menu_of(AgentVersion.objects.get(pk=log.version).menu)
    at = {option: place for place, option in enumerate(menu.options)}
    sent = (log.option != NOT_NOW) & ~log.held
    kept = np.array([bool(keep) and old.options[option] in at for keep, option in zip(sent, log.option, strict=True)])
    if not kept.any():
        return None
    columns = {name: place for place, name in enumerate(old.columns)}
    features = np.column_stack([
        log.features[kept, columns[name]] if name in columns else np.zeros(kept.sum()) for name in menu.columns
    ])  # fmt: skip
    option = np.array([at[old.options[option]] for option in log.option[kept]])
    return ClosedDecisions(
        rows=menu.rows(features, option), answered=log.answered[kept].astype(float), people=log.customer[kept]
    )


def _tiredness(
    belief: Belief,
    decisions: Sequence[LoggedDecisions],
    shares: CausedShares,
    scales: Scales,
    before: RestoredVersion | None,
    *,
    now: datetime,
) -> Tiredness:
    """The price of one message more, by tonight's messages."""
    rules = rules_now(now=now)
    models = LearnedModels.in_use()
    costs = costs_under(rules, models=models, now=now)
    caused = [_caused_worth(log, shares, scales) for log in decisions]
    was = before.prices.tiredness.brings if before else 0.0
    brings = smoothed_worth(was, np.concatenate(caused) if caused else np.zeros(0))
    return tiredness(
        belief, messages=decision_log.messages_a_week(now=now), brings=brings, leave=np.array(models.leaving),
        lost=costs.lost_contact,
    )  # fmt: skip


def _caused_worth(log: LoggedDecisions, shares: CausedShares, scales: Scales) -> Values:
    """Money that each of these messages caused: its answer, by the band of its person, times what it is worth."""
    old = menu_of(AgentVersion.objects.get(pk=log.version).menu)
    sent = (log.option != NOT_NOW) & ~log.held
    band = band_of(log.features[sent], scales, old)
    return np.asarray(log.answered[sent] * shares.bands[band] * log.worth[sent])


def _answers(now: datetime) -> int:
    return decision_log.answers_since((now - timedelta(days=56)).date())


def _tidy() -> None:
    """Delete versions that cannot be gone back to any more; those of kept decisions stay."""
    kept = list(AgentVersion.objects.values_list("pk", flat=True)[:KEPT])
    AgentVersion.objects.exclude(pk__in=kept).filter(decisions=None, is_live=False).delete()
