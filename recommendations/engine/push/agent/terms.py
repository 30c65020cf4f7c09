"""What the agent may choose, and the named terms whose sum is the score of a person's option.

An option is a campaign with one of its subjects, a channel and a slot of the day. Its score is a sum of terms: who the
person is, and what is chosen for them. A term has a code, by which it is worded elsewhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.push_terms import Channel

type Values = NDArray[np.float64]
type Rows = NDArray[np.integer]
type Allowed = NDArray[np.bool_]


class Slot(StrEnum):
    """A part of the day, by the person's clock; the minute inside it is chosen elsewhere."""

    MORNING = "morning"
    MIDDAY = "midday"
    EVENING = "evening"


SLOTS = tuple(Slot)
SLOT_HOURS = {Slot.MORNING: (8, 12), Slot.MIDDAY: (12, 17), Slot.EVENING: (17, 21)}
"""Hours of the wall clock, the end not included."""


class Lever(StrEnum):
    """What the agent may vary; ``WHETHER`` is what the other levers leave to *not now*."""

    WHETHER = "whether"
    CAMPAIGN = "campaign"
    SUBJECT = "subject"
    CHANNEL = "channel"
    HOUR = "hour"


class AgentTermKind(StrEnum):
    """What a term says; the first eight, and the two extras, say who somebody is."""

    LEVEL = "level"
    BUYS_OFTEN = "buys_often"
    BROWSES = "browses"
    NEWNESS = "newness"
    DUE = "due"
    SENT_7 = "sent_7"
    SENT_28 = "sent_28"
    SILENCE = "silence"
    RELEVANCE = "relevance"
    RESPONSE = "response"
    CAMPAIGN = "campaign"
    CAMPAIGN_DUE = "campaign_due"
    SUBJECT = "subject"
    SUBJECT_BUYS_OFTEN = "subject_buys_often"
    SUBJECT_BROWSES = "subject_browses"
    CHANNEL = "channel"
    CHANNEL_BUYS_OFTEN = "channel_buys_often"
    CHANNEL_BROWSES = "channel_browses"
    SLOT = "slot"
    OWN_HOURS = "own_hours"
    OWN_ANSWERS = "own_answers"


WHO = tuple(AgentTermKind)[:8]
EXTRAS = (AgentTermKind.RELEVANCE, AgentTermKind.RESPONSE)
LEVER_OF = {
    AgentTermKind.CAMPAIGN: Lever.CAMPAIGN, AgentTermKind.CAMPAIGN_DUE: Lever.CAMPAIGN,
    AgentTermKind.SUBJECT: Lever.SUBJECT, AgentTermKind.SUBJECT_BUYS_OFTEN: Lever.SUBJECT,
    AgentTermKind.SUBJECT_BROWSES: Lever.SUBJECT,
    AgentTermKind.CHANNEL: Lever.CHANNEL, AgentTermKind.CHANNEL_BUYS_OFTEN: Lever.CHANNEL,
    AgentTermKind.CHANNEL_BROWSES: Lever.CHANNEL, AgentTermKind.OWN_ANSWERS: Lever.CHANNEL,
    AgentTermKind.SLOT: Lever.HOUR, AgentTermKind.OWN_HOURS: Lever.HOUR,
}  # fmt: skip
"""The lever of each kind of term; who somebody is has none."""


class AgentTerm(NamedTuple):
    """A named term of the score, and what it is of."""

    kind: AgentTermKind
    campaign: int | None = None
    variant: int | None = None
    channel: Channel | None = None
    slot: Slot | None = None

    @property
    def code(self) -> str:
        """The kind and what it is of, such as ``subject_browses:12:1``: the same for ever."""
        of = (self.campaign, self.variant, self.channel, self.slot)
        return ":".join([str(self.kind), *(str(each) for each in of if each is not None)])

    @property
    def lever(self) -> Lever | None:
        """The lever that it speaks of; None where it says who somebody is."""
        return LEVER_OF.get(self.kind)


class MenuCampaign(NamedTuple):
    """A campaign and how many subjects of it are approved."""

    campaign: int
    variants: int = 1


class AgentOption(NamedTuple):
    """A message that may be sent."""

    campaign: int
    variant: int
    channel: Channel
    slot: Slot


type Cell = tuple[int, AgentTerm]
"""A column of a person's numbers, the constant first, and the term that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Menu:
    """Campaigns, channels and extras that are in question, and with them options and terms.

    The first campaign, the first subject of each campaign, the first channel and midday are what the terms of others
    are differences to, so that two campaigns of two subjects by two channels have 23 terms, and each further campaign 2
    and each further subject 3. A campaign that ended keeps its place as long as it is learned from.
    """

    campaigns: tuple[MenuCampaign, ...]
    channels: tuple[Channel, ...]
    extras: tuple[AgentTermKind, ...] = ()

    @cached_property
    def options(self) -> tuple[AgentOption, ...]:
        return tuple(
            AgentOption(campaign, variant, channel, slot)
            for campaign, variants in self.campaigns
            for variant in range(variants)
            for channel in self.channels
            for slot in SLOTS
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of a person's numbers [people, columns], in their order: 12 without extras and with two channels."""
        who = [str(kind) for kind in (*WHO[1:], *self.extras)]
        hours = [f"{AgentTermKind.OWN_HOURS}:{slot}" for slot in SLOTS]
        return (*who, *hours, *(f"{AgentTermKind.OWN_ANSWERS}:{channel}" for channel in self.channels))

    @cached_property
    def terms(self) -> tuple[AgentTerm, ...]:
        """All terms in a fixed order: who, then as the options bring them."""
        who = [AgentTerm(kind) for kind in (*WHO, *self.extras)]
        return tuple(dict.fromkeys([*who, *(term for option in self.options for _, term in self._cells(option))]))

    @cached_property
    def matrix(self) -> Values:
        """M [options, 1 + columns, terms] of ones and zeros: (1, a person's numbers) @ M[option] are the terms."""
        at = {term: place for place, term in enumerate(self.terms)}
        matrix = np.zeros((len(self.options), 1 + len(self.columns), len(self.terms)))
        for place, option in enumerate(self.options):
            for column, term in self._cells(option):
                matrix[place, column, at[term]] = 1.0
        return matrix

    def rows(self, features: Values, option: Rows) -> Values:
        """What each term weighs in the score of the options chosen [rows, terms], by numbers [rows, columns]."""
        rows, ones = np.empty((len(option), len(self.terms))), with_constant(features)
        for place in np.unique(option):
            chosen = option == place
            rows[chosen] = ones[chosen] @ self.matrix[place]
        return rows

    def scores(self, features: Values, model: Values) -> Values:
        """Scores [people, options] of a model [terms]: log odds of an answer."""
        bend = self.matrix @ model  # [options, 1 + columns]
        scores: Values = with_constant(features) @ bend.T
        return scores

    def _cells(self, option: AgentOption) -> Iterator[Cell]:
        at = {name: 1 + place for place, name in enumerate(self.columns)}
        kind, buys, browses = AgentTermKind, at[AgentTermKind.BUYS_OFTEN], at[AgentTermKind.BROWSES]
        campaign, variant, channel, slot = option
        yield 0, AgentTerm(kind.LEVEL)
        for each in (*WHO[1:], *self.extras):
            yield at[each], AgentTerm(each)
        if campaign != self.campaigns[0].campaign:
            yield 0, AgentTerm(kind.CAMPAIGN, campaign)
            yield at[kind.DUE], AgentTerm(kind.CAMPAIGN_DUE, campaign)
        if variant:
            yield 0, AgentTerm(kind.SUBJECT, campaign, variant)
            yield buys, AgentTerm(kind.SUBJECT_BUYS_OFTEN, campaign, variant)
            yield browses, AgentTerm(kind.SUBJECT_BROWSES, campaign, variant)
        if channel is not self.channels[0]:
            yield 0, AgentTerm(kind.CHANNEL, channel=channel)
            yield buys, AgentTerm(kind.CHANNEL_BUYS_OFTEN, channel=channel)
            yield browses, AgentTerm(kind.CHANNEL_BROWSES, channel=channel)
        if slot is not Slot.MIDDAY:
            yield 0, AgentTerm(kind.SLOT, slot=slot)
        yield at[f"{kind.OWN_HOURS}:{slot}"], AgentTerm(kind.OWN_HOURS)
        yield at[f"{kind.OWN_ANSWERS}:{channel}"], AgentTerm(kind.OWN_ANSWERS)


def with_constant(features: Values) -> Values:
    """Numbers with a column of ones before them."""
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)


def is_of(terms: Sequence[AgentTerm], levers: Sequence[Lever]) -> NDArray[np.bool_]:
    """Mark the terms [terms] that speak of these levers."""
    return np.array([term.lever in levers for term in terms], bool)
