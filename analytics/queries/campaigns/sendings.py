"""A sending, planned or real, as its page shows it: from the audience down to who gets it, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analytics.queries.campaigns.verdict_words import BECAUSE, NOT_SENT, later_text, withdrawn_text
from analytics.templatetags.display import moment, number
from recommendations.models import Message, Occurrence
from recommendations.push_terms import (
    ERASED,
    FINAL,
    REAL,
    SENDING,
    CampaignKind,
    MessageState,
    OccurrenceState,
    Verdict,
)
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.push.finishing import has_no_candidates
from recommendations.services.push.person import put_off
from recommendations.services.push.sendings import was_held_back
from recommendations.wording import push_labels


@dataclass(frozen=True, kw_only=True)
class VerdictLine:
    """A line of the waterfall; ``before`` are the people of the sending that it is compared with."""

    verdict: Verdict
    people: int
    before: int | None = None

    @property
    def words(self) -> str:
        return str(dict(push_labels.VERDICTS)[self.verdict])

    @property
    def sends(self) -> bool:
        return self.verdict in SENDING

    @property
    def more(self) -> int | None:
        return None if self.before is None else self.people - self.before


@dataclass(frozen=True, kw_only=True)
class LaterPart:
    """People who get it later for the same reason, and the first moment of theirs; None where it is not known."""

    words: str
    people: int
    first: datetime | None

    @property
    def text(self) -> str:
        """All of it in words."""
        facts = {"why": self.words, "n": number(self.people)}
        if self.first is None:
            return _("%(why)s: %(n)s") % facts
        when = facts | {"when": moment(self.first)}
        return _("%(why)s: %(n)s, first at %(when)s") % when if self.words else _("first at %(when)s") % when


@dataclass(frozen=True, kw_only=True)
class Sequel:
    """What became of a real sending: messages by state with their labels, and what turned on the way."""

    planned: int
    states: Sequence[tuple[str, str, int]]  # code, words, messages; those of who was erased since at the end
    turned: Sequence[str]
    taken: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class OccasionsOfPeople:
    """Occasions of a triggered campaign: of how many people they are, and when the last one was decided.

    People are None where not all of them are there any more.
    """

    people: int | None
    last_decided: datetime | None


@dataclass(frozen=True, kw_only=True)
class SendingView:
    """A sending as its page shows it; its lines add up to the audience."""

    occurrence: Occurrence
    lines: Sequence[VerdictLine]
    later: Sequence[LaterPart]
    channels: Sequence[tuple[str, int]]
    would_send: int  # of those who are held out
    compared: Occurrence | None
    sequel: Sequel | None
    approved: Mapping[str, int]  # what was planned when the version was approved
    is_over: bool
    occasions: OccasionsOfPeople | None  # None: each of the people is there once

    @property
    def label(self) -> str:
        """Where it stands, in words."""
        return state_words(self.occurrence, is_over=self.is_over)

    @property
    def is_released(self) -> bool:
        """Whether it is decided afresh: its counts are those of the decision that the brake held back."""
        return is_released(self.occurrence)

    @property
    def is_plan(self) -> bool:
        return self.occurrence.state == OccurrenceState.PLANNED

    @property
    def audience(self) -> int:
        return sum(line.people for line in self.lines)

    @property
    def before(self) -> int:
        return sum(line.before or 0 for line in self.lines)

    @property
    def sent(self) -> int:
        return sum(line.people for line in self.lines if line.sends)

    @property
    def approved_sent(self) -> int:
        return sum(self.approved.get(verdict, 0) for verdict in SENDING)

    @property
    def sentence(self) -> str:
        """The first sentence of the page."""
        counts = {line.verdict.value: line.people for line in self.lines}
        leaves = self.occurrence.state not in NOT_SENT and not self.is_released
        return sending_sentence(counts, leaves=leaves, occasions=self.occasions is not None)

    @property
    def looked_in_vain(self) -> bool:
        """Whether the last look found nothing to decide, so that what was decided is older, and under other rules."""
        if self.occasions is None or self.is_plan or self.occurrence.decided_at is None:
            return False
        last = self.occasions.last_decided
        return not self.audience or (last is not None and last < self.occurrence.decided_at)


def is_released(occurrence: Occurrence) -> bool:
    """Whether somebody let a sending go, and it is decided afresh; in a campaign that has ended nobody does that."""
    return was_held_back(occurrence) and occurrence.campaign.ended_at is None


def state_words(occurrence: Occurrence, *, is_over: bool) -> str:
    """Where a sending stands; one that nothing more will become of is finished, whether or not it is noted yet."""
    if is_released(occurrence):
        return _("Released, being decided anew")
    state = OccurrenceState.FINISHED if is_over else occurrence.state
    return str(dict(push_labels.OCCURRENCE_STATES)[OccurrenceState(state)])


def find_sending(campaign: int, occurrence: int) -> Occurrence | None:
    stored = Occurrence.objects.select_related("campaign", "version", "pressure", "plan")
    return stored.filter(campaign=campaign, pk=occurrence).first()


def revision_of(occurrence: Occurrence) -> int | None:
    """The revision of the draft that a plan is of; None of a real sending."""
    plan = getattr(occurrence, "plan", None)
    return plan.revision if plan else None


def sending_view(occurrence: Occurrence, form: CampaignForm | None, *, compare: bool = False) -> SendingView:
    """The sending; ``form`` is what it was decided under, None where that is not known any more."""
    counts = occurrence.counts
    before = last_sending(occurrence) if compare else None
    lines = [
        VerdictLine(
            verdict=verdict, people=counts.get(verdict, 0), before=before.counts.get(verdict, 0) if before else None
        )
        for verdict in Verdict
    ]
    is_plan = occurrence.state == OccurrenceState.PLANNED
    sends = any(counts.get(verdict) for verdict in SENDING)
    sequel = None if is_plan or occurrence.state == OccurrenceState.WAITING else _sequel(occurrence)
    return SendingView(
        occurrence=occurrence, lines=lines, compared=before, would_send=counts.get("would_send", 0),
        later=_later(occurrence, form) if counts.get(Verdict.LATER) else (),
        channels=_channels(occurrence) if sends else (),
        sequel=sequel,
        is_over=sequel is not None and not sequel.waiting
        and has_no_candidates(occurrence.campaign, occurrence, now=timezone.now()),
        occasions=_occasions(occurrence) if occurrence.campaign.kind == CampaignKind.TRIGGERED else None,
        approved={} if is_plan or occurrence.version is None else occurrence.version.expected,
    )  # fmt: skip


def last_sending(occurrence: Occurrence) -> Occurrence | None:
    """The last real sending of the campaign before this one."""
    real = Occurrence.objects.filter(campaign=occurrence.campaign_id, state__in=REAL, due_at__lt=occurrence.due_at)
    return real.exclude(pk=occurrence.pk).order_by("-due_at").first()


def sending_sentence(counts: Mapping[str, int], *, leaves: bool, occasions: bool = False) -> str:
    """How many of how many get it, or would, and why most of the others do not; of a trigger occasions are counted."""
    audience = sum(counts.get(verdict, 0) for verdict in Verdict)
    if audience and occasions:
        return _sentence_of_occasions(counts, audience, leaves=leaves)
    if not audience:
        return _("Nobody is in view of it.")
    facts = {
        "audience": number(audience), "now": number(counts.get(Verdict.NOW, 0)),
        "later": number(counts.get(Verdict.LATER, 0)),
    }  # fmt: skip
    rest = audience - sum(counts.get(verdict, 0) for verdict in SENDING)
    if leaves:
        text = _("Of %(audience)s people %(now)s get it at once and %(later)s later.") % facts
    else:
        text = _("Of %(audience)s people %(now)s would get it at once and %(later)s later.") % facts
    if not rest:
        return text
    why = max(BECAUSE, key=lambda verdict: counts.get(verdict, 0))
    if counts.get(why, 0) == rest:
        return pgettext("two sentences", "%(first)s %(second)s") % {
            "first": text, "second": _why_all(rest, why, leaves=leaves)
        }  # fmt: skip
    others = {"rest": number(rest), "most": number(counts.get(why, 0)), "why": BECAUSE[why]}
    if leaves:
        other_text = _("%(rest)s do not, %(most)s of them because %(why)s.") % others
    else:
        other_text = _("%(rest)s would not, %(most)s of them because %(why)s.") % others
    return pgettext("two sentences", "%(first)s %(second)s") % {"first": text, "second": other_text}


def _why_all(rest: int, why: Verdict, *, leaves: bool) -> str:
    """Why none of the rest get it, where it is the same for all of them."""
    if leaves:
        text = ngettext("%(rest)s does not, because %(why)s.", "%(rest)s do not, because %(why)s.", rest)
    else:
        text = _("%(rest)s would not, because %(why)s.")
    return text % {"rest": number(rest), "why": BECAUSE[why]}


def _sentence_of_occasions(counts: Mapping[str, int], audience: int, *, leaves: bool) -> str:
    """How many of the occasions lead to a message, or would; one customer may have several."""
    facts = {
        "n": number(audience), "now": number(counts.get(Verdict.NOW, 0)), "later": number(counts.get(Verdict.LATER, 0)),
    }  # fmt: skip
    text = ngettext(
        "Of %(n)s occasion %(now)s leads to a message at once and %(later)s later.",
        "Of %(n)s occasions %(now)s lead to a message at once and %(later)s later.", audience,
    ) if leaves else ngettext(
        "Of %(n)s occasion %(now)s would lead to a message at once and %(later)s later.",
        "Of %(n)s occasions %(now)s would lead to a message at once and %(later)s later.", audience,
    )  # fmt: skip
    first, rest = text % facts, audience - sum(counts.get(verdict, 0) for verdict in SENDING)
    if not rest:
        return first
    why = max(BECAUSE, key=lambda verdict: counts.get(verdict, 0))
    others = {"n": number(rest), "most": number(counts.get(why, 0)), "why": BECAUSE[why]}
    other_text = (
        ngettext("%(n)s leads to none, because %(why)s.", "%(n)s lead to none, because %(why)s.", rest)
        if counts.get(why, 0) == rest
        else _("%(n)s lead to none, %(most)s of them because %(why)s.")
    )  # fmt: skip
    return pgettext("two sentences", "%(first)s %(second)s") % {"first": first, "second": other_text % others}


def planned_counts(expected: Mapping[str, int]) -> str:
    """What a version expects, in short: 676 now, 388 later."""
    facts = {"now": number(expected.get(Verdict.NOW, 0)), "later": number(expected.get(Verdict.LATER, 0))}
    return _("%(now)s now, %(later)s later") % facts


def _occasions(occurrence: Occurrence) -> OccasionsOfPeople:
    """People whose occasions these are; where verdicts went with a contact, or are too old, nobody can count them."""
    stored = occurrence.considered.aggregate(
        n=Count("pk"), people=Count("customer", distinct=True), last=Max("decided_at")
    )
    is_whole = stored["n"] == sum(occurrence.counts.get(verdict, 0) for verdict in Verdict)
    return OccasionsOfPeople(people=stored["people"] if is_whole else None, last_decided=stored["last"])


def _later(occurrence: Occurrence, form: CampaignForm | None) -> list[LaterPart]:
    """Why it is later, the most people first; under a form that is not known any more nobody can say.

    Of those who were erased since there is only the number.
    """
    parts = [
        LaterPart(
            words="" if form is None else later_text(form, by_hour=part.by_hour), people=part.people,
            first=part.first,
        )
        for part in put_off(occurrence.pk, form)
    ]  # fmt: skip
    if erased := occurrence.counts.get(f"{ERASED}{Verdict.LATER}"):
        parts.append(LaterPart(words=_("contact erased since"), people=erased, first=None))
    return sorted(parts, key=lambda part: -part.people)


def _channels(occurrence: Occurrence) -> list[tuple[str, int]]:
    """Channels of those who get it, with how many; of those who were erased since there is only the number."""
    stored = occurrence.considered.filter(verdict__in=[verdict.value for verdict in SENDING])
    labels = dict(push_labels.CHANNELS)
    by_channel = stored.values_list("channel").annotate(people=Count("pk")).order_by("-people")
    erased = sum(occurrence.counts.get(f"{ERASED}{verdict}", 0) for verdict in SENDING)
    return [
        *((str(labels.get(channel, channel)), people) for channel, people in by_channel),
        *([(_("contact erased since"), erased)] if erased else []),
    ]


def _sequel(occurrence: Occurrence) -> Sequel:
    """Messages by state, shadows apart; withdrawn ones by why."""
    stored = Message.objects.filter(occurrence=occurrence).exclude(state=MessageState.HELD)
    counted: dict[str, int] = {}
    turned: dict[str, int] = {}
    for state, reason, messages in stored.values_list("state", "reason").annotate(messages=Count("pk")).order_by():
        counted[state] = counted.get(state, 0) + messages
        if state == MessageState.WITHDRAWN:
            turned[reason] = turned.get(reason, 0) + messages
    words = dict(push_labels.MESSAGE_STATES)
    states = [(str(state), str(words[state]), counted[state]) for state in MessageState if state in counted]
    if erased := occurrence.counts.get(f"{ERASED}messages"):
        states.append((ERASED, _("Contact erased since: what became of it is not known any more"), erased))
    return Sequel(
        planned=sum(messages for _code, _words, messages in states), states=states,
        waiting=sum(messages for state, messages in counted.items() if state not in FINAL),
        taken=counted.get(MessageState.TAKEN, 0) + occurrence.counts.get(f"{ERASED}taken", 0),
        turned=[withdrawn_text(reason, turned[reason]) for reason in sorted(turned, key=lambda each: -turned[each])],
    )  # fmt: skip
