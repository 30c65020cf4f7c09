"""Alerts to look at now: stale data, a failed stage, falling coverage, keys out of order, invented demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.fields.json import KeyTransform
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.queries.layout import Frame
from analytics.queries.overview.summary import Answers
from analytics.queries.overview.watch import Watch, watch
from analytics.queries.quality.leader_table import HYBRID
from analytics.queries.runs.history import RunView
from analytics.queries.stability.alarms import AlarmLine, alert_text
from analytics.templatetags.display import day, money, number, share
from analytics.templatetags.stored_words import in_own_words
from analytics.templatetags.words import COVERAGE, label, stage_label
from recommendations.models import Measurement
from recommendations.privacy_terms import RequestState
from recommendations.services.operations.quality import served_tasks
from recommendations.services.privacy.closing import LATE_AFTER
from recommendations.terms import Cut, RunStatus, Trust
from recommendations.wording.experiments import note_text
from recommendations.wording.privacy import labels as privacy_labels

STALE_AFTER = timedelta(days=2)
OLD_MODEL_AFTER = timedelta(days=3)
UNSETTLED_AFTER = timedelta(minutes=10)
TOO_MANY_FALLBACKS = 0.2
MANY_UNPROVEN = 20  # events of a day
FALLEN_BY = 0.2
"""Part of what it was in the evaluation before that coverage loses before there is an alert."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that asks for a look: ``danger``, ``warning`` or ``info``; ``link`` says what ``address`` does."""

    level: str
    text: str
    address: str = ""  # "" where no page of the dashboard helps
    link: str = ""


def alerts(frame: Frame, run: RunView | None, answers: Answers, *, now: datetime) -> list[Alert]:
    """Alerts, the worst first; each says what to do."""
    seen = watch(now)
    return [
        *_of_run(run), *_of_privacy(seen), *_of_keys(seen), *_of_attribution(seen, now=now), *_of_feed(seen),
        *_of_ages(frame, now=now), *_of_rates(seen), *_of_guardrails(seen), *_of_suspicion(seen), *_of_answers(answers),
        *_of_coverage(), *_of_purchases(seen),
    ]  # fmt: skip


def _of_run(run: RunView | None) -> Iterator[Alert]:
    if run is None:
        return
    address = reverse("run", args=[run.record.pk])
    if run.record.status == RunStatus.FAILED:
        stage = stage_label(run.current) if run.current else ""
        text = _("The last run failed at “%(stage)s”.") % {"stage": stage}
        yield Alert(level="danger", text=text, address=address, link=_("See why"))
    if run.worse:
        text = _("The model of the last run is not live: it tested worse.")
        yield Alert(level="warning", text=text, address=address, link=_("Decide"))
    if run.unusual:
        text = _("Model %(model)s waits: %(reasons)s")
        reasons = " ".join(run.unusual)
        words = {"model": run.version, "reasons": reasons}
        yield Alert(level="warning", text=text % words, address=address, link=_("Decide"))


def _of_privacy(seen: Watch) -> Iterator[Alert]:
    """Alerts where people wait for what they asked for."""
    if seen.privacy is None:
        return
    page = reverse("privacy")
    if seen.privacy.lost:
        text = ngettext(
            "The database was restored from a copy of before an erasure, which is to be repeated; the worker does so.",
            "The database was restored from a copy of before %(count)d erasures, which are to be repeated; the worker "
            "does so.",
            seen.privacy.lost,
        )
        yield Alert(level="danger", text=text % {"count": seen.privacy.lost}, address=page, link=_("See them"))
    if seen.privacy.failed:
        text = ngettext(
            "A privacy request failed: something may still be held of who asked.",
            "%(count)d privacy requests failed: something may still be held of those who asked.",
            seen.privacy.failed,
        )
        address = f"{page}?state={RequestState.FAILED}"
        yield Alert(level="danger", text=text % {"count": seen.privacy.failed}, address=address, link=_("See why"))
    if seen.privacy.old:
        text = ngettext(
            "A privacy request is older than %(days)d days and not done; the law gives a month.",
            "%(count)d privacy requests are older than %(days)d days and not done; the law gives a month.",
            seen.privacy.old,
        )
        words = {"count": seen.privacy.old, "days": LATE_AFTER.days}
        yield Alert(level="danger", text=text % words, address=page, link=_("See them"))
    if seen.kept_too_long:
        kinds = ", ".join(label(privacy_labels.RETENTION_KINDS, kind) for kind in seen.kept_too_long)
        text = _("Kept longer than the rule says: %(kinds)s. Is the worker running, and does a backup hold on to it?")
        yield Alert(level="warning", text=text % {"kinds": kinds}, address=reverse("retention"), link=_("See them"))


def _of_ages(frame: Frame, *, now: datetime) -> Iterator[Alert]:
    if frame.newest_event and now - frame.newest_event > STALE_AFTER and not frame.catching_up:
        yield _of_silence(frame.newest_event, demo=frame.demo, now=now)
    if frame.live_since and now - frame.live_since > OLD_MODEL_AFTER:
        text = _("The live model is %(days)d days old. Start a run, or see why none ends.")
        words = {"days": (now - frame.live_since).days}
        yield Alert(level="warning", text=text % words, address=reverse("runs"), link=_("Go to runs"))


def _of_silence(newest: datetime, *, demo: bool, now: datetime) -> Alert:
    """Alert of a shop that sends nothing; the demo's data end where they end, and that is no alarm."""
    if demo:
        text = _(
            "The demo's data end on %(day)s, so nothing has come in since. In a real shop this would raise an alarm. "
            "Click around in the demo shop and its events appear here."
        )
        link = _("See what came in")
        return Alert(level="info", text=text % {"day": day(newest)}, address=reverse("event_list"), link=link)
    text = _("No event for %(days)d days. Is the shop still sending?") % {"days": (now - newest).days}
    return Alert(level="warning", text=text, address=reverse("event_list"), link=_("See the last events"))


def _of_keys(seen: Watch) -> Iterator[Alert]:
    """Alerts of keys that may stand in a page, and of what they sent in the last day."""
    for sent in seen.keys:
        name, address = {"name": sent.key.name}, f"{reverse('sources')}#key-{sent.key.pk}"
        if sent.key.seen_in_page_at:
            text = _(
                "A request from a browser carried the server key “%(name)s” (%(prefix)s…). If it is in a page, "
                "replace it."
            )
            page = reverse("api_keys")
            text %= {**name, "prefix": sent.key.prefix}
            yield Alert(level="danger", text=text, address=page, link=_("Open the key"))
        if sent.worst:
            text = _(
                "“%(name)s” sent %(lines)s lines of events in one hour, far more than is usual; %(new)s of the people "
                "were new."
            )
            words = {"lines": number(sent.worst.sent.lines), "new": share(sent.worst.sent.new_share)}
            yield Alert(level="warning", text=text % {**name, **words}, address=address, link=_("See what it sent"))
        if sent.nameless:
            text = ngettext(
                "“%(name)s”, or one address with it, brought more new people than the quota: %(events)s event of the "
                "last day has no name.",
                "“%(name)s”, or one address with it, brought more new people than the quota: %(events)s events of the "
                "last day have no name.",
                sent.nameless,
            )
            words = {**name, "events": number(sent.nameless)}
            yield Alert(level="warning", text=text % words, address=address, link=_("See what it sent"))
        if sent.unproven >= MANY_UNPROVEN:
            text = _(
                "%(events)s events of the last day that came with “%(name)s” named a customer without a valid proof: "
                "either the shop's pages send none, or somebody is posing as a customer."
            )
            words = {**name, "events": number(sent.unproven)}
            yield Alert(level="warning", text=text % words, address=address, link=_("See what it sent"))


def _of_attribution(seen: Watch, *, now: datetime) -> Iterator[Alert]:
    """Alerts where events wait for attribution, or could not be attributed."""
    if seen.oldest_due and now - seen.oldest_due > UNSETTLED_AFTER:
        minutes = (now - seen.oldest_due).total_seconds() // 60
        text = _("Sales have not been attributed for %(minutes)d minutes. Do the workers run?")
        yield Alert(level="danger", text=text % {"minutes": minutes})
    if seen.put_aside:
        text = ngettext(
            "%(count)d line could not be attributed and was put aside; the log of the workers says why.",
            "%(count)d lines could not be attributed and were put aside; the log of the workers says why.",
            seen.put_aside,
        )
        yield Alert(level="warning", text=text % {"count": seen.put_aside})


def _of_feed(seen: Watch) -> Iterator[Alert]:
    """Alert where the feed of items could not be imported, or would have retired a large part of the catalogue."""
    if seen.feed and seen.feed.failure:
        level = "danger" if seen.feed.stopped else "warning"
        text = _("The feed of items was not imported. %(reason)s") % {"reason": in_own_words(seen.feed.failure)}
        yield Alert(level=level, text=text, address=reverse("imports"), link=_("See the feed"))


def _of_rates(seen: Watch) -> Iterator[Alert]:
    """Alerts of rates that are out of the ordinary, with what was done shortly before."""
    for line in seen.alarms:
        level = "warning" if line.is_bad else "info"
        yield Alert(level=level, text=alert_text(line), address=_address_of(line), link=_("See what moved"))


def _address_of(line: AlarmLine) -> str:
    """Where a page shows what an alarm is about."""
    if line.is_overfit:
        return reverse("quality", fragment="generalisation")
    rate = {"rate": line.alarm.rate, "placement": line.alarm.placement}
    return reverse("stability", query=None if line.is_of_run else rate)


def _of_guardrails(seen: Watch) -> Iterator[Alert]:
    """Alerts of what guardrails stopped without anybody being asked."""
    for stop in seen.stopped:
        reason = note_text(stop.code, stop.facts, primary=stop.primary)
        text = _("A guardrail acted in “%(name)s”. %(reason)s") % {"name": stop.name, "reason": reason}
        address = reverse("experiment", args=[stop.experiment])
        yield Alert(level="warning", text=text, address=address, link=_("Open the experiment"))


def _of_suspicion(seen: Watch) -> Iterator[Alert]:
    for quarantine, key in seen.holding:
        text = _("Everything the key “%(name)s” sends is set aside as it comes in. End this once the key is safe.")
        address = reverse("quarantine", args=[quarantine])
        yield Alert(level="warning", text=text % {"name": key}, address=address, link=_("Open it"))
    if seen.suspicions:
        text = ngettext(
            "A run set suspicious demand aside in the last 7 days. Restore it if it is genuine.",
            "%(count)d kinds of suspicious demand were set aside in the last 7 days. Restore what is genuine.",
            seen.suspicions,
        )
        words = {"count": seen.suspicions}
        yield Alert(level="warning", text=text % words, address=reverse("suspicious"), link=_("Review and decide"))


def _of_purchases(seen: Watch) -> Iterator[Alert]:
    if settings.PURCHASES_FROM < Trust.SERVER:
        text = _("Purchases come from browsers, where anyone can invent them. Let your server send them.")
        yield Alert(level="warning", text=text)
    if seen.odd_amount is not None:
        text = _("A purchase of %(amount)s was counted this week, far above the catalogue's price. Is that right?")
        words = {"amount": money(str(seen.odd_amount))}
        address = f"{reverse('event_list')}?name=purchase"
        yield Alert(level="warning", text=text % words, address=address, link=_("See the purchases"))


def _of_answers(answers: Answers) -> Iterator[Alert]:
    if answers.fallback > TOO_MANY_FALLBACKS:
        text = _("%(share)d%% of the lists did not come from the model.") % {"share": round(100 * answers.fallback)}
        yield Alert(level="warning", text=text, address=reverse("answer_list"), link=_("See why"))


def _of_coverage() -> Iterator[Alert]:
    """Alert where coverage of the hybrid fell between the last two evaluations."""
    measured = Measurement.objects.filter(name=HYBRID, evaluation__cut=Cut.TEST, evaluation__task=served_tasks()[0])
    rows = measured.order_by("-evaluation__created_at")
    values = rows.values_list(KeyTransform("value", KeyTransform(COVERAGE, "metrics")), flat=True)[:2]
    latest, before = [*(float(value) for value in values if value is not None), 0.0, 0.0][:2]
    if latest < (1 - FALLEN_BY) * before:
        text = _("Coverage fell from %(before).1f%% to %(now).1f%% of the catalogue with the last run.")
        shares = {"before": 100 * before, "now": 100 * latest}
        yield Alert(level="warning", text=text % shares, address=reverse("quality"), link=_("Go to Quality"))
