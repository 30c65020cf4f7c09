"""Words for why an item is not in an answer, and what would bring it in, in the active language."""

from collections.abc import Mapping

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.serving.pipeline import Prepared
from recommendations.simulation.counterfactuals import Counterfactual, CounterfactualKind
from recommendations.simulation.diagnosis import Diagnosis
from recommendations.terms import AnswerStage
from recommendations.wording.instance_labels import instance_label
from recommendations.wording.labels import placement_quoted


def stage_text(stands: Diagnosis, asked: Prepared) -> str:
    """Say what happened to the item, in one sentence or two."""
    rank, n = stands.rank or 0, asked.params.n
    match stands.stage:
        case AnswerStage.SHOWN:
            return gettext("It is shown, at position %(rank)d.") % {"rank": rank}
        case AnswerStage.MODEL:
            text = gettext("The model does not know it: there was no event for it before the last run.")
        case AnswerStage.CANDIDATES:
            text = _not_a_candidate(stands, asked)
        case AnswerStage.FATIGUE:
            text = _worn(stands, asked)
        case AnswerStage.RANKING:
            text = gettext("By score it ranks %(rank)d of %(eligible)d; %(n)d are shown.") % {
                "rank": rank, "eligible": stands.eligible, "n": n,
            }  # fmt: skip
        case AnswerStage.DIVERSITY:
            text = gettext("By score it would rank %(rank)d of %(n)d, but another item takes its position.") % {
                "rank": rank,
                "n": n,
            }
        case _:
            return barred_text(stands, asked)
    more = barred_text(stands, asked) or _why_outranked(stands, asked)
    return f"{text} {more}" if more else text


def barred_text(stands: Diagnosis, asked: Prepared) -> str:
    """Say why the item may not be shown; empty where it may."""
    if stands.lost is None:
        return ""
    if stands.lost is IneligibleReason.RULED_OUT:
        return gettext("The rule “%(rule)s” removes it.") % {"rule": rule_name(stands.rule, asked)}
    if stands.lost is IneligibleReason.EXCLUDED and _is_disliked(stands, asked):
        return gettext("The customer dislikes it.")
    return str(_BARRED[stands.lost])


def remedy(stands: Diagnosis, asked: Prepared, *, suggested: bool, held: bool = False) -> str:
    """Say what to do where no single change of weights or rules helps; empty where one does, or the item is shown.

    ``held``: an experiment keeps them as they are.
    """
    if suggested or stands.stage is AnswerStage.SHOWN:
        return ""
    if held:
        return gettext("The customer is in an experiment: its weights and rules stay as they are until it ends.")
    if stands.lost is IneligibleReason.EXCLUDED and _is_disliked(stands, asked):
        return gettext("Nothing to do: customers do not see items again that they dislike.")
    if stands.lost is not None and stands.lost in _REMEDIES:
        return str(_REMEDIES[stands.lost])
    if stands.stage is AnswerStage.FATIGUE:
        return gettext("It comes back on its own, half the way in a week, and at once with a click.")
    if stands.stage is AnswerStage.MODEL:
        return gettext("The next run learns it once it has an event, or if it is newly listed.")
    return gettext("It needs more than one change: try them together in a draft.")


def change_text(change: Counterfactual, asked: Prepared) -> str:
    """Say what the change does, as one would tell a colleague."""
    match change.kind:
        case CounterfactualKind.WEIGHT:
            return gettext("Weight of “%(recommender)s”: %(before)s %% → %(after)s %%") % {
                "recommender": instance_label(change.instance),
                "before": _per_cent(asked.chosen.weights, change.instance),
                "after": _per_cent(change.weights or {}, change.instance),
            }
        case CounterfactualKind.DIVERSITY:
            return gettext("Diversity: %(before)s → %(after)s") % {
                "before": f"{asked.params.diversity:.3g}", "after": f"{change.diversity or 0:.3g}",
            }  # fmt: skip
        case CounterfactualKind.BOOST:
            return gettext("Boost it by %(strength)d on %(placement)s") % {
                "strength": change.strength, "placement": placement_quoted(asked.request.placement),
            }  # fmt: skip
        case CounterfactualKind.PIN:
            return gettext("Pin it to slot %(slot)d on %(placement)s") % {
                "slot": change.slot, "placement": placement_quoted(asked.request.placement),
            }  # fmt: skip
        case CounterfactualKind.OWN_PIN:
            return gettext("Pin it to slot %(slot)d on %(placement)s for this customer only") % {
                "slot": change.slot, "placement": placement_quoted(asked.request.placement),
            }  # fmt: skip
        case CounterfactualKind.LIMIT:
            return gettext("Remove it from the rule “%(rule)s”") % {"rule": rule_name(change.rule, asked)}
        case CounterfactualKind.END:
            return gettext("End the rule “%(rule)s”") % {"rule": rule_name(change.rule, asked)}


def rule_name(key: int | None, asked: Prepared) -> str:
    return asked.snapshot.rules.names.get(key, "") if key else ""


def _not_a_candidate(stands: Diagnosis, asked: Prepared) -> str:
    place = stands.would_rank
    if place is None or asked.chosen.pool is None:
        return gettext("Too little is known about this customer to choose candidates.")
    facts = {"candidates": len(asked.chosen.pool.items), "rank": place.place, "of": place.of}
    if place.by_model:
        return (
            gettext(
                "It is not among the %(candidates)d items considered for this customer; scored now, it would rank "
                "%(rank)d."
            )
            % facts
        )
    return (
        gettext(
            "It is not among the %(candidates)d items considered for this customer, and no recommender can score it. "
            "By popularity it ranks %(rank)d of %(of)d."
        )
        % facts
    )


def _why_outranked(stands: Diagnosis, asked: Prepared) -> str:
    if stands.rule and stands.stage is AnswerStage.RANKING:
        return gettext("The rule “%(rule)s” buries it.") % {"rule": rule_name(stands.rule, asked)}
    if stands.rule:
        return gettext("The rule “%(rule)s” gives its position to another item.") % {
            "rule": rule_name(stands.rule, asked)
        }
    if stands.stage is AnswerStage.DIVERSITY:
        return gettext("It is too similar to the items above it.")
    return ""


def _worn(stands: Diagnosis, asked: Prepared) -> str:
    ignored = asked.params.ignored
    times = 0 if ignored is None else int(ignored.times_of(np.array([stands.row], np.int32))[0])
    words = ngettext(
        "It was shown %(times)d time and not clicked; without that it would be shown.",
        "It was shown %(times)d times and not clicked; without that it would be shown.",
        times,
    )
    return words % {"times": times}


def _is_disliked(stands: Diagnosis, asked: Prepared) -> bool:
    return stands.row in asked.customer.disliked


def _per_cent(weights: Mapping[str, float], name: str) -> str:
    return f"{100 * weights.get(name, 0.0) / sum(weights.values()):.1f}"


_BARRED: Mapping[IneligibleReason, Promise] = {
    IneligibleReason.UNSELLABLE: _("It is out of stock or not on sale now."),
    IneligibleReason.EXCLUDED: _("It is one of the items in view."),
    IneligibleReason.FILTERED: _("It is outside the filter of the request."),
    IneligibleReason.BOUGHT: _("The customer has bought it, and this placement shows only what is new to them."),
    IneligibleReason.NOT_BOUGHT: _(
        "The customer has never bought it, and this placement shows only what they have bought before."
    ),
    IneligibleReason.RESTING: _("The customer bought it so recently that it is not due again."),
    IneligibleReason.VARIANT: _("Another variant of the same product ranks higher, or is pinned."),
}
_REMEDIES: Mapping[IneligibleReason, Promise] = {
    IneligibleReason.UNSELLABLE: _("Put it back in stock, or change its time of sale, in the catalogue."),
    IneligibleReason.EXCLUDED: _("Nothing to do: an item in view does not recommend itself."),
    IneligibleReason.FILTERED: _("The shop has to send a wider filter."),
    IneligibleReason.BOUGHT: _("See “For you” or “Buy again”: they show what was bought before."),
    IneligibleReason.NOT_BOUGHT: _("See “For you” or “Discover”: they show what is new."),
    IneligibleReason.RESTING: _(
        "It comes back on its own; a shorter cool-down for the placement brings it back sooner."
    ),
    IneligibleReason.VARIANT: _("To see each variant, set the placement to “A tile for each variant”, under Setup."),
}
