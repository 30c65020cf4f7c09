"""Decisions of the log, looked at again: what was known, what each option was worth, and how many models chose it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.push.agent.choice import AgentPolicy, Chances, Stakes, chances
from recommendations.engine.push.agent.explain import PersonCase
from recommendations.engine.push.agent.features import band_of
from recommendations.engine.push.agent.terms import Allowed, Menu, Values
from recommendations.engine.push.choices import NOT_NOW
from recommendations.models import AgentDecision
from recommendations.push_terms import Channel
from recommendations.services.push_models.agent_versions import RestoredVersion


@dataclass(frozen=True, kw_only=True, eq=False)
class DecisionsAgain:
    """Decisions of one version, by rows; ``stakes`` are of then, but for the prices of sending, which are of now."""

    version: RestoredVersion
    decisions: Sequence[AgentDecision]
    features: Values  # [decisions, columns]
    allowed: Allowed  # [decisions, options]
    stakes: Stakes

    @cached_property
    def rule(self) -> NDArray[np.int64]:
        """The rule's options [decisions]; as many as there are options where it says *not now*."""
        rule = np.array([each.rule for each in self.decisions], np.int64)
        return np.where(rule == NOT_NOW, self.allowed.shape[1], rule)

    def chances_of(self, policy: AgentPolicy, allowed: Allowed | None = None) -> Chances:
        """Chances of the options, among those of then or among others."""
        return chances(policy, self.features, self.allowed if allowed is None else allowed, self.stakes)

    def case(self, row: int) -> PersonCase:
        """One decision, to be explained."""
        return PersonCase(
            menu=self.version.menu, mean=self.version.belief.mean, features=self.features[row],
            allowed=self.allowed[row], stakes=self.stakes.of(slice(row, row + 1)),
        )  # fmt: skip


def seen_again(
    decisions: Sequence[AgentDecision], version: RestoredVersion, *, prices: Mapping[Channel, float]
) -> DecisionsAgain:
    """Decisions of a version with their arrays; there must be one at least."""
    menu = version.menu
    features = np.stack([np.frombuffer(bytes(each.features), "<f4").astype(np.float64) for each in decisions])
    return DecisionsAgain(
        version=version, decisions=decisions, features=features, allowed=_allowed(decisions, menu),
        stakes=Stakes(
            worth=np.array([each.worth for each in decisions]), leaving=np.array([each.leaving for each in decisions]),
            caused=np.array(version.prices.caused)[band_of(features, version.scales, menu)],
            price=np.array([prices.get(option.channel, 0.0) for option in menu.options]),
            tiredness=version.prices.tiredness.price,
        ),
    )  # fmt: skip


def _allowed(decisions: Sequence[AgentDecision], menu: Menu) -> Allowed:
    bits = [np.frombuffer(bytes(each.allowed), np.uint8) for each in decisions]
    return np.stack([np.unpackbits(each)[: len(menu.options)].astype(bool) for each in bits])
