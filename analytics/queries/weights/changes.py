"""The effect of a change of weights, told before it is made; and what somebody else did meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analytics.queries.weights.desk import BESIDE, WEIGHT, live_of, plain, setting_label
from analytics.queries.weights.effect import Effects, effects
from analytics.queries.weights.past import WeightChange, changes_between, written
from recommendations.models import BlendWeights
from recommendations.services.weights.blending import StaleDraftError, gate_result_on
from recommendations.services.weights.values import MOST, Values
from recommendations.services.weights.what_if import what_if
from recommendations.terms import BlendName, GateOutcome, WeightsStatus
from recommendations.wording.labels import gate_text


@dataclass(frozen=True, kw_only=True)
class Side:
    """A value of one side: as it is written, and as the form sends it."""

    written: str
    sent: str


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """A value that two people set differently."""

    field: str
    words: str
    live: str
    theirs: Side
    mine: Side


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Somebody changed the draft (or published or discarded it) while it was being edited here."""

    current: BlendWeights | None
    is_draft: bool
    sentence: str
    revision: int | None  # with which the choice is saved
    edited: int | None  # that what was typed here came from
    disputed: Sequence[Disputed]
    agreed: Mapping[str, str]  # fields on which both sides agree


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What publishing a draft would do; ``overtaken``: something else was published since the draft was begun."""

    draft: BlendWeights
    live: BlendWeights
    changes: Sequence[WeightChange]
    effects: Effects
    gate: str
    passes: bool
    overtaken: str


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """What rolling back to a version would do."""

    version: BlendWeights
    live: BlendWeights | None
    changes: Sequence[WeightChange]
    effects: Effects


def draft_conflict(error: StaleDraftError, given: Mapping[str, str], *, edited: int | None) -> Conflict:
    """Conflict over a draft; ``given`` and ``edited`` are the fields and the revision that were sent."""
    current = error.current
    is_draft = current is not None and current.status == WeightsStatus.DRAFT
    disputed = [
        Disputed(
            field=each.name if each.name in BESIDE else f"{WEIGHT}{each.name}", words=setting_label(each.name),
            live=written(each.name, each.before), theirs=_side(each.name, each.theirs),
            mine=_side(each.name, each.yours),
        )
        for each in error.differences
    ]  # fmt: skip
    names = {each.field for each in disputed}
    return Conflict(
        current=current,
        is_draft=is_draft,
        sentence=_whose(current) if current and is_draft else _("The draft was published or discarded meanwhile."),
        revision=current.revision if current and is_draft else None,
        edited=edited,
        disputed=disputed,
        agreed={field: text for field, text in _shares(given).items() if field not in names},
    )


def publication(draft: BlendWeights) -> Publication | None:
    """What publishing the draft would do; None where nothing is live, so that there is nothing to compare with."""
    live = live_of(BlendName(draft.blend.name), draft.segment)
    if live is None:
        return None
    result = gate_result_on(draft)
    return Publication(
        draft=draft,
        live=live,
        changes=changes_between(Values.of(draft), Values.of(live)),
        effects=_effects(draft),
        gate=gate_text(result),
        passes=result["outcome"] == GateOutcome.PASSED,
        overtaken=_("The draft was begun on %(parent)s; now %(live)s is live, and would be replaced.")
        % {"parent": draft.parent, "live": live}
        if draft.parent_id != live.pk
        else "",
    )


def way_back(version: BlendWeights) -> WayBack:
    live = live_of(BlendName(version.blend.name), version.segment)
    before = Values.of(live) if live else None
    changes = changes_between(Values.of(version), before)
    return WayBack(version=version, live=live, changes=changes, effects=_effects(version))


def _effects(version: BlendWeights) -> Effects:
    result = what_if(
        blend=BlendName(version.blend.name), weights=version.weights, diversity=version.diversity,
        promotion=version.promotion, segment=version.segment,
    )  # fmt: skip
    return effects(result)


def _whose(draft: BlendWeights) -> str:
    if draft.author is None:
        return _("The draft has changed while you edited it.")
    return _("%(who)s has changed the draft while you edited it.") % {"who": draft.author}


def _side(name: str, value: float) -> Side:
    return Side(written=written(name, value), sent=plain(value if name in BESIDE else MOST * value))


def _shares(given: Mapping[str, str]) -> dict[str, str]:
    """Fields as they were sent, weights as percent of their sum: what they count as."""
    weights = {field: float(text) for field, text in given.items() if field.startswith(WEIGHT)}
    whole = sum(weights.values())
    return dict(given) | {field: plain(MOST * value / whole) for field, value in weights.items()}
