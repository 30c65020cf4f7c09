"""Weight versions: appended, never edited; one default per blend, and one per group with its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import Blend, BlendWeights, Group, Staff, group_fields
from recommendations.statement_terms import StatementCause
from recommendations.store.domain import shop_domain
from recommendations.store.statements.ledger import note_statement
from recommendations.terms import BlendName, Lift, WeightsStatus


def default_weights(blend: BlendName) -> BlendWeights | None:
    return BlendWeights.objects.defaults().of_group(None).filter(blend__name=blend).first()


def served_weights(blend: BlendName, group: Group) -> BlendWeights | None:
    """The weights of a group's customers: its own default where it has one, else everybody's."""
    own = BlendWeights.objects.defaults().of_group(group).filter(blend__name=blend).first() if group else None
    return own or default_weights(blend)


def starting_weights(blend: BlendName) -> Mapping[str, float]:
    """The default's weights, else the shipped preset."""
    default = default_weights(blend)
    return default.weights if default else shop_domain().weights[blend]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a new version holds, and how it came about."""

    weights: Mapping[str, float]
    reason: str
    exponents: Mapping[Lift, float] = field(default_factory=dict)  # of the lifts
    diversity: float | None = None  # None: as the default has it
    exploration: float | None = None
    cards: float | None = None
    note: str = ""
    expected: Mapping[str, Any] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def append_weights(
    *, blend: BlendName, made: Made, author: Staff | None, now: datetime, publish: bool, group: Group = None
) -> BlendWeights:
    """Append a version: the published default (of the group, if one is given), or a proposal for staff to publish."""
    row = locked(blend)
    parent = served_weights(blend, group)
    if publish:
        row.versions.filter(is_default=True, **group_fields(group)).update(is_default=False)
    appended = BlendWeights.objects.create(
        blend=row,
        number=next_number(row),
        weights=dict(made.weights),
        **{name: made.exponents.get(name, 0.0) for name in Lift},
        diversity=_else(made.diversity, parent.diversity if parent else 0.0),
        exploration=_else(made.exploration, parent.exploration if parent else 0.0),
        cards=_else(made.cards, parent.cards if parent else 0.0),
        status=WeightsStatus.PUBLISHED if publish else WeightsStatus.PROPOSED,
        is_default=publish,
        parent=parent,
        reason=made.reason,
        note=made.note,
        expected=dict(made.expected),
        gate=dict(made.gate),
        author=author,
        published_at=now if publish else None,
        **group_fields(group),
    )
    if publish:
        note_statement(StatementCause.WEIGHTS, appended.pk)
    return appended


def locked(blend: BlendName) -> Blend:
    """The blend, whose versions nobody else changes until the transaction ends."""
    return Blend.objects.select_for_update().get(name=blend)


def next_number(row: Blend) -> int:
    """Number of the version to come: none is given out twice. The blend has to be ``locked``."""
    row.last_number += 1
    row.save(update_fields=["last_number"])
    return row.last_number


def _else(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


@transaction.atomic
def make_default(
    weights: BlendWeights,
    *,
    now: datetime,
    gate: Mapping[str, Any],
    note: str = "",
    expected: Mapping[str, Any] | None = None,
) -> BlendWeights:
    """Publish the version in place of its blend's (and group's) default; ``expected`` is kept where it is given."""
    row = locked(BlendName(weights.blend.name))
    row.versions.filter(is_default=True, **group_fields(weights.group)).update(is_default=False)
    row.versions.filter(pk=weights.pk).update(
        status=WeightsStatus.PUBLISHED, is_default=True, published_at=now, gate=dict(gate), note=note,
        expected=weights.expected if expected is None else dict(expected),
    )  # fmt: skip
    weights.refresh_from_db()
    note_statement(StatementCause.WEIGHTS, weights.pk)
    return weights


@transaction.atomic
def take_out_of_use(weights: BlendWeights) -> None:
    """Let the default of a group be none: its customers get what others get."""
    locked(BlendName(weights.blend.name)).versions.filter(pk=weights.pk).update(is_default=False)
    note_statement(StatementCause.WEIGHTS, weights.pk)
