"""Rules of the agent that cannot hold together, or that leave a campaign nothing: they are refused first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from django.utils.translation import gettext as _

from recommendations.engine.push.agent.points import ANY, OptionRule, StaffRules, value_of
from recommendations.engine.push.agent.terms import SLOTS, AgentOption, Lever
from recommendations.push_terms import Channel, Priority
from recommendations.services.push.sendings import live_campaigns
from recommendations.wording.agent_terms import LEVERS, value_words

MOST_SUBJECTS = 3
EVERY_CAMPAIGN = 0
"""Key of what all campaigns together may have: a rule of ``ANY`` holds for it, one of a campaign does not."""


@dataclass(frozen=True, kw_only=True)
class CampaignWays:
    """A campaign that runs, and all ways in which its messages may go."""

    key: int
    name: str
    options: Sequence[AgentOption]

    def values(self, lever: Lever) -> set[str]:
        return {value_of(option, lever) for option in self.options}

    def closes(self, rules: StaffRules, lever: Lever) -> bool:
        """Whether rules leave no value of a lever."""
        own = StaffRules(
            levers=frozenset(), pins=[pin for pin in rules.pins if pin.lever is lever],
            forbids=[each for each in rules.forbids if each.lever is lever],
        )  # fmt: skip
        return not any(own.let(option) for option in self.options)


def contradictions(rules: StaffRules, kept: Sequence[tuple[int, int]]) -> dict[str, str]:
    """What cannot be, by the field of the rules; ``kept`` are campaigns and subjects that stay in play."""
    if not (rules.pins or rules.forbids or kept):
        return {}
    ways = _campaigns()
    names = {each.key: each for each in ways}
    errors: dict[str, str] = {}
    for field, text in [*_missing(rules, names), *_both(rules, names), *_nothing_left(rules, ways),
                        *_kept_away(rules, kept, names)]:  # fmt: skip
        errors.setdefault(field, text)
    return errors


def _campaigns() -> list[CampaignWays]:
    """All campaigns together, and then each whose messages are the agent's to choose."""
    every = [_ways(EVERY_CAMPAIGN, _("all campaigns"), MOST_SUBJECTS, tuple(Channel))]
    for live in live_campaigns():
        if live.form.safety.priority is not Priority.SERVICE:
            subjects = max((len(texts.subjects) for texts in live.form.what.texts.values()), default=1)
            every.append(_ways(live.campaign.pk, live.campaign.name, subjects, live.form.channels))
    return every


def _ways(key: int, name: str, subjects: int, channels: Iterable[Channel]) -> CampaignWays:
    every = [AgentOption(key, *way) for way in product(range(subjects), channels, SLOTS)]
    return CampaignWays(key=key, name=name, options=every)


def _missing(rules: StaffRules, names: dict[int, CampaignWays]) -> Iterable[tuple[str, str]]:
    """Values that their campaign does not have."""
    text = _("“%(campaign)s” has no “%(value)s”: choose one that it has.")
    for field, some in (("pins", rules.pins), ("forbids", rules.forbids)):
        for each in some:
            own = names.get(each.campaign or EVERY_CAMPAIGN)
            if each.lever in {Lever.SUBJECT, Lever.CHANNEL} and own and each.value not in own.values(each.lever):
                yield field, text % {"campaign": own.name, "value": value_words(each.lever, each.value)}


def _both(rules: StaffRules, names: dict[int, CampaignWays]) -> Iterable[tuple[str, str]]:
    """Pins of what is forbidden."""
    text = _("“%(value)s” for %(campaign)s is pinned and forbidden at once: take one of the two away.")
    for pin, other in product(rules.pins, rules.forbids):
        if (pin.lever, pin.value) == (other.lever, other.value) and _meet(pin, other):
            closer = pin if pin.campaign is not ANY else other
            own = names.get(closer.campaign or EVERY_CAMPAIGN)
            yield "pins", text % {
                "value": value_words(pin.lever, pin.value), "campaign": own.name if own else closer.campaign,
            }  # fmt: skip


def _meet(one: OptionRule, other: OptionRule) -> bool:
    return one.campaign == other.campaign or ANY in {one.campaign, other.campaign}


def _nothing_left(rules: StaffRules, ways: Iterable[CampaignWays]) -> Iterable[tuple[str, str]]:
    """Levers of which a campaign keeps no value."""
    text = _(
        "“%(lever)s”: nothing would be left for %(campaign)s, so the agent's people would never get it. Leave one way "
        "open, or pause the campaign."
    )
    words = dict(LEVERS)
    for each in ways:
        for lever in (Lever.SUBJECT, Lever.CHANNEL, Lever.HOUR):
            if each.closes(rules, lever):
                forbids = any(one.lever is lever and one.campaign in {ANY, each.key} for one in rules.forbids)
                yield "forbids" if forbids else "pins", text % {"lever": words[lever], "campaign": each.name}


def _kept_away(
    rules: StaffRules, kept: Sequence[tuple[int, int]], names: dict[int, CampaignWays]
) -> Iterable[tuple[str, str]]:
    """Subjects that are kept in play, and are not there or closed."""
    text = _(
        "“%(value)s” of “%(campaign)s” cannot be kept in play: the campaign does not have it, or a rule closes it."
    )
    for campaign, variant in kept:
        own = names.get(campaign)
        if own and not any(option.variant == variant and rules.let(option) for option in own.options):
            yield "floors", text % {"campaign": own.name, "value": value_words(Lever.SUBJECT, str(variant))}
