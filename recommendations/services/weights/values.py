"""Values of a set of weights, as staff set them: read from a form, compared with another set."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.models import BlendWeights
from recommendations.store.domain import shop_domain, shop_instances
from recommendations.terms import BlendName, Lift

HIGHEST: Mapping[str, float] = {
    "diversity": 1.0, "exploration": 1.0, "cards": 1.0, "promotion": 3.0, "revenue": 2.0, "margin": 2.0,
    "clearance": 2.0,
}  # fmt: skip
"""Highest values of what is set beside the weights; the lowest is 0."""

MOST = 100.0
DECIMALS = 6
WHOLE = 1e-6
"""Weights that add up to 1 within this are shares already, and stay as they are to the last bit."""


@dataclass(frozen=True, kw_only=True)
class Values:
    """Shares of instances, above 0 and adding up to 1, and what is set beside them."""

    weights: Mapping[str, float]
    diversity: float = 0.0
    exploration: float = 0.0  # share of the answers that are shuffled
    cards: float = 0.0  # how often one of the last positions shows an item from further down
    promotion: float = 0.0  # exponents of the lifts, this one and those below
    revenue: float = 0.0
    margin: float = 0.0
    clearance: float = 0.0

    @classmethod
    def of(cls, version: BlendWeights) -> Self:
        return cls(
            weights={name: weight for name, weight in version.weights.items() if weight > 0},
            **{name: getattr(version, name) for name in HIGHEST},
        )

    @property
    def exponents(self) -> dict[Lift, float]:
        """How much each lift counts."""
        return {name: getattr(self, name) for name in Lift}

    def as_fields(self) -> dict[str, Any]:
        """Values by the names of the fields of ``BlendWeights``."""
        return {"weights": dict(self.weights), **{name: getattr(self, name) for name in HIGHEST}}

    def _flat(self) -> dict[str, float]:
        return {**self.weights, **{name: getattr(self, name) for name in HIGHEST}}


class WeightDifference(NamedTuple):
    """A value (an instance, or one of ``HIGHEST``) that is not the same on both sides; 0 for one that is not set."""

    name: str
    yours: float
    theirs: float
    before: float  # in the version that both were made from


def differences(yours: Values, theirs: Values, *, before: Values | None = None) -> list[WeightDifference]:
    """Values that differ, the largest difference first."""
    mine, other, base = (one._flat() if one else {} for one in (yours, theirs, before or theirs))  # noqa: SLF001
    rows = [
        WeightDifference(name, mine.get(name, 0.0), other.get(name, 0.0), base.get(name, 0.0))
        for name in dict.fromkeys([*mine, *other])
        if mine.get(name, 0.0) != other.get(name, 0.0)
    ]
    return sorted(rows, key=lambda one: -abs(one.yours - one.theirs))


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that add up to 1, in six decimals; those without weight are left out."""
    total = sum(weights.values())
    if not total > 0:
        return {}
    if abs(total - 1) <= WHOLE:
        return {name: float(weight) for name, weight in weights.items() if weight > 0}
    parts = {name: round(weight / total, DECIMALS) for name, weight in weights.items()}
    largest = max(parts, key=lambda name: parts[name])
    parts[largest] = round(parts[largest] + 1 - sum(parts.values()), DECIMALS)
    return {name: part for name, part in parts.items() if part > 0}


def shipped_values(blend: BlendName, *, beside: BlendWeights) -> Values:
    """The preset of the shop's domain, exploring as these weights do."""
    domain = shop_domain()
    return Values(
        weights=domain.weights[blend], promotion=domain.promotion[blend], exploration=beside.exploration,
        cards=beside.cards,
    )  # fmt: skip


def weighable(blend: BlendName) -> Sequence[str]:
    """The instances that a blend may weigh; a second stage is one where a run has trained it."""
    names = [instance.name for instance in shop_instances(blend)]
    return [*names, SECOND_STAGE] if blend in (BlendName.HOME, BlendName.DISCOVER) else names


def values_of(given: Mapping[str, Any], *, blend: BlendName, otherwise: Values, known: Iterable[str] = ()) -> Values:
    """Read a form: ``weights`` (instance → 0 … 100, or shares), and what is set beside them (``HIGHEST``).

    What is not given is as ``otherwise`` has it; ``known`` are instances besides those of the blend. Raises
    ValidationError by field: an instance by its name, ``weights`` where all are 0.
    """
    errors: dict[str, str] = {}
    beside = {
        name: number(given[name], highest=highest, field=name, errors=errors)
        if name in given
        else getattr(otherwise, name)
        for name, highest in HIGHEST.items()
    }
    weights = _weights(given["weights"], {*weighable(blend), *known}, errors) if "weights" in given else None
    if errors:
        raise ValidationError({field: [text] for field, text in errors.items()})
    return Values(weights=otherwise.weights if weights is None else weights, **beside)


def _weights(given: Mapping[str, Any], known: set[str], errors: dict[str, str]) -> dict[str, float]:
    read = {}
    for name, value in given.items():
        read[name] = number(value, highest=MOST, field=name, errors=errors)
        if name not in known and (name in errors or read[name] > 0):
            errors[name] = _("There is no recommender %(name)s in this blend.") % {"name": name}
    weights = shares(read)
    if not weights and not errors:
        errors["weights"] = _("All weights are zero. Give at least one recommender some weight.")
    return weights


def number(value: Any, *, highest: float, field: str, errors: dict[str, str]) -> float:
    """Read a number of a form, from 0 to ``highest``; else 0, and ``errors`` says why."""
    try:
        read = float(str(value).strip())
    except ValueError:
        read = math.nan
    if not math.isfinite(read):
        errors[field] = _("Enter a number.")
    elif not 0 <= read <= highest:
        errors[field] = _("Enter a number from 0 to %(highest)s.") % {"highest": f"{highest:g}"}
    return 0.0 if field in errors else read
