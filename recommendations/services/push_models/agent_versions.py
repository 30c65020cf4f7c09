"""Versions of the agent: what is stored of a night, and made again of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from recommendations.engine.push.agent.belief import Belief, StoredBelief, restore, store
from recommendations.engine.push.agent.caused import NOTHING_KNOWN, CausedShares
from recommendations.engine.push.agent.features import Scales
from recommendations.engine.push.agent.terms import AgentTermKind, Menu, MenuCampaign, Values
from recommendations.engine.push.agent.tiredness import Tiredness
from recommendations.models import AgentVersion
from recommendations.push_terms import Channel

KEPT = 14  # nights that can be gone back to
NOT_TIRED = Tiredness(messages=0.0, fades=0.0, brings=0.0, rise=0.0, lost=0.0)


class BrokenVersionError(Exception):
    """The bytes of a version are not those that its digest is of."""


@dataclass(frozen=True, kw_only=True)
class AgentPrices:
    """Shares of caused answers by band of buying rate, and the price of tiredness, with what they rest on."""

    caused: tuple[float, ...] = tuple(NOTHING_KNOWN.bands.tolist())
    halves: tuple[float | None, ...] = (None,) * 3  # of the intervals; None: nothing is known
    held: tuple[int, ...] = (0, 0, 0)
    tiredness: Tiredness = NOT_TIRED

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        if not stored:
            return cls()
        return cls(
            caused=tuple(stored["caused"]), halves=tuple(stored["halves"]), held=tuple(stored["held"]),
            tiredness=Tiredness(**stored["tiredness"]),
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def shares_as_prices(shares: CausedShares, tiredness: Tiredness) -> AgentPrices:
    """What a night found, as it is stored."""
    return AgentPrices(
        caused=tuple(shares.bands.tolist()),
        halves=tuple(None if half == float("inf") else half for half in shares.halves.tolist()),
        held=tuple(shares.held.tolist()), tiredness=tiredness,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class RestoredVersion:
    """A version with its arrays."""

    version: AgentVersion
    menu: Menu
    scales: Scales
    belief: Belief
    draws: Values
    prices: AgentPrices


def menu_as_json(menu: Menu) -> dict[str, Any]:
    return {
        "campaigns": [list(each) for each in menu.campaigns], "channels": [channel.value for channel in menu.channels],
        "extras": [kind.value for kind in menu.extras],
    }  # fmt: skip


def menu_of(stored: dict[str, Any]) -> Menu:
    campaigns: Sequence[Sequence[int]] = stored["campaigns"]
    return Menu(
        campaigns=tuple(MenuCampaign(*each) for each in campaigns),
        channels=tuple(Channel(each) for each in stored["channels"]),
        extras=tuple(AgentTermKind(each) for each in stored["extras"]),
    )  # fmt: skip


def restored(version: AgentVersion) -> RestoredVersion:
    """A version as it decides. Raises BrokenVersionError."""
    menu = menu_of(version.menu)
    stored = StoredBelief(
        mean=bytes(version.mean), precision=bytes(version.precision), draws=bytes(version.draws), digest=version.digest
    )
    try:
        belief, draws = restore(stored, menu, rate=version.rate)
    except ValueError as error:
        raise BrokenVersionError(str(version)) from error
    scales: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in version.scales.items()
    }
    return RestoredVersion(
        version=version, menu=menu, scales=Scales(**scales), belief=belief, draws=draws,
        prices=AgentPrices.of(version.prices),
    )  # fmt: skip


def fields_of(belief: Belief, draws: Values, scales: Scales, prices: AgentPrices) -> dict[str, Any]:
    """The fields of a version, as they are stored."""
    stored = store(belief, draws)
    return {
        "menu": menu_as_json(belief.menu), "scales": asdict(scales), "rate": belief.rate, "mean": stored.mean,
        "precision": stored.precision, "draws": stored.draws, "digest": stored.digest, "prices": prices.as_json(),
    }  # fmt: skip
