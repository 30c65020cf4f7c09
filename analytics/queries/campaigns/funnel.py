"""The funnel of a campaign: from everybody considered to who left, with all that was lost between; it adds up."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.templatetags.words import label
from recommendations.models import Campaign
from recommendations.push_terms import ERASED, SENDING, MessageState, OccurrenceState, Verdict
from recommendations.services.campaigns.results import MessageFate
from recommendations.wording import push_labels


@dataclass(frozen=True, kw_only=True)
class FunnelStep:
    """A line of the funnel. ``minus``: it is taken from the step before; ``beside``: a part of it, not taken away."""

    words: str
    count: int
    minus: bool = False
    beside: bool = False


def funnel_of(campaign: Campaign, fates: Sequence[MessageFate]) -> list[FunnelStep]:
    """The steps; everybody considered is counted once a sending."""
    sent = [fate for fate in fates if fate.state is not MessageState.HELD]
    taken = [fate for fate in sent if fate.state is MessageState.TAKEN]
    counts = _counts_of(campaign)
    erased, erased_taken = counts[f"{ERASED}messages"], counts[f"{ERASED}taken"]
    planned, total, clicked = _sum(sent, "messages") + erased, _sum(taken, "messages"), _sum(taken, "clicked")
    lost = list(_not_planned(counts, planned))
    everybody = planned + sum(step.count for step in lost)
    return [
        FunnelStep(words=_("Considered"), count=everybody),
        *lost,
        FunnelStep(words=pgettext("funnel", "Planned"), count=planned),
        *_not_taken(sent),
        *_erased(erased - erased_taken),
        FunnelStep(words=_("Taken by the provider"), count=total + erased_taken),
        *_erased(erased_taken),
        FunnelStep(words=_("Not clicked by a person"), count=total - clicked, minus=True),
        FunnelStep(words=_("Clicked by a person"), count=clicked),
        FunnelStep(words=_("Of those taken: bought something shown"), count=_sum(taken, "bought"), beside=True),
        FunnelStep(words=_("Of those taken: unsubscribed or complained"), count=_sum(taken, "left"), beside=True),
    ]


def erased_of(campaign: Campaign) -> int:
    """How many mails of a campaign went to people who have been erased since."""
    return _counts_of(campaign)[f"{ERASED}taken"]


def fate_words(state: str, reason: str) -> str:
    """What became of a message, with why where that is known as a verdict."""
    words = label(push_labels.MESSAGE_STATES, state)
    if state == MessageState.WITHDRAWN and reason in set(Verdict):
        return _("%(state)s: %(reason)s") % {"state": words, "reason": label(push_labels.VERDICTS, reason)}
    return words


def _counts_of(campaign: Campaign) -> Counter[str]:
    """What the sendings of a campaign have counted, together."""
    counts: Counter[str] = Counter()
    for each in campaign.occurrences.exclude(state=OccurrenceState.PLANNED).values_list("counts", flat=True):
        counts.update(each)
    return counts


def _not_planned(verdicts: Mapping[str, int], planned: int) -> Iterator[FunnelStep]:
    """People by the verdict for which they got nothing, sending by sending."""
    for verdict in Verdict:
        if verdict not in SENDING and verdicts.get(verdict):
            yield FunnelStep(words=label(push_labels.VERDICTS, verdict), count=verdicts[verdict], minus=True)
    held_up = sum(verdicts.get(verdict, 0) for verdict in SENDING) - planned
    if held_up > 0:
        yield FunnelStep(words=_("Held up or cancelled before it was put on its way"), count=held_up, minus=True)


def _erased(messages: int) -> Iterator[FunnelStep]:
    """Messages of people who have been erased since."""
    if messages:
        yield FunnelStep(
            words=_("Contact erased since: what came of it is not known any more"), count=messages, minus=True
        )


def _not_taken(sent: Sequence[MessageFate]) -> Iterator[FunnelStep]:
    """Messages that were planned and not taken, by what became of them."""
    counts: Counter[str] = Counter()
    for fate in sent:
        if fate.state is not MessageState.TAKEN:
            counts[fate_words(fate.state, fate.reason)] += fate.messages
    for words, count in counts.most_common():
        yield FunnelStep(words=words, count=count, minus=True)


def _sum(fates: Sequence[MessageFate], name: str) -> int:
    return sum(getattr(fate, name) for fate in fates)
