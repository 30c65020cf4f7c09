"""What a draft of an experiment may be; what is wrong stands by field, with what would help."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from recommendations.models import BlendWeights, Placement, RuleBook, Segment, ShopPage
from recommendations.models.experiments import MOST_ARMS
from recommendations.services.experiments.forms import ExperimentForm, shares_of
from recommendations.services.experiments.levers import TESTABLE, all_levers, live_changes
from recommendations.terms import ExperimentKind, Metric, Repeat, WeightsStatus
from recommendations.wording.experiment_labels import PLACEMENT_FIELDS
from recommendations.wording.labels import placement_label

GUARDRAILS = frozenset({Metric.REFUNDS, Metric.FALLBACK, Metric.LATENCY, Metric.DISLIKES, Metric.CONVERTED})
PRIMARY = frozenset({Metric.REVENUE, Metric.CONVERTED, Metric.ORDERS, Metric.CTR, Metric.ATTRIBUTED})
OF_BANDITS = frozenset({Metric.CTR, Metric.CONVERTED, Metric.ATTRIBUTED})
GUARDING_BANDITS = frozenset({Metric.CONVERTED, Metric.FALLBACK, Metric.LATENCY})
SHORTEST, LONGEST = 7, 56  # days
MOST_HALF_LIFE = 365  # days
LIMITS: Mapping[str, tuple[int, int]] = {"n": (1, 100), "diversity": (0, 1), "cool_down": (0, 1), "fatigue": (0, 2)}
"""What fields of a placement can be in an arm, from the least to the most."""

type Flaws = dict[str, list[str]]


def check(form: ExperimentForm) -> None:
    """Check a draft. Raises ValidationError with ``message_dict`` by field."""
    flaws: Flaws = {}
    _check_basics(form, flaws)
    _check_arms(form, flaws)
    for place, arm in enumerate(form.arms, 1):
        _check_changes(arm.changes, f"arm-{place}", flaws)
        if form.kind != ExperimentKind.AA and f"arm-{place}" not in flaws and _is_live(arm.changes):
            flaws[f"arm-{place}"] = [_("It is what is live, which A gets already: choose another.")]
    if form.kind == ExperimentKind.BANDIT:
        check_bandit(form, flaws)
    if flaws:
        raise ValidationError(dict(flaws))


def _check_basics(form: ExperimentForm, flaws: Flaws) -> None:
    if not form.name.strip():
        flaws["name"] = [_("Give it a name, by which people will speak of it.")]
    elif len(form.name.strip()) > 120:
        flaws["name"] = [_("At most 120 characters.")]
    allowed = OF_BANDITS if form.kind == ExperimentKind.BANDIT else PRIMARY
    if form.primary not in allowed:
        flaws["primary"] = [_("This cannot be what decides here; choose one of the list.")]
    if not 0.01 <= form.traffic <= 1:
        flaws["traffic"] = [_("Between 1 and 100 per cent of the visitors.")]
    if not 0.001 <= form.smallest_lift <= 1:
        flaws["smallest_lift"] = [_("Between 0.1 and 100 per cent.")]
    if not SHORTEST <= form.planned_days <= LONGEST:
        flaws["planned_days"] = [
            _("Between %(least)s and %(most)s days, whole weeks at best: people shop differently on different days.")
            % {"least": SHORTEST, "most": LONGEST}
        ]
    unknown = set(form.guardrails) - (GUARDING_BANDITS if form.kind == ExperimentKind.BANDIT else GUARDRAILS)
    wrong = [name for name, tolerance in form.guardrails.items() if not 0 <= tolerance <= 1]
    if unknown or wrong:
        flaws["guardrails"] = [_("How much worse it may become is between 0 and 100 per cent of a known guardrail.")]
    known = set(Segment.objects.filter(number__in=form.segments).values_list("number", flat=True))
    if gone := sorted(set(form.segments) - known):
        flaws["segments"] = [_("There is no segment %(number)s any more.") % {"number": gone[0]}]


def _check_arms(form: ExperimentForm, flaws: Flaws) -> None:
    if not form.arms or len(form.arms) >= MOST_ARMS:
        flaws["arms"] = [
            _("Compare what is served with at least one other version, and at most %(most)s.") % {"most": MOST_ARMS - 1}
        ]
        return
    shares = shares_of(form)
    if min(shares) < 0.01 or max(shares) > 0.99:
        flaws["shares"] = [_("Each version, what is served too, needs between 1 and 99 per cent of the visitors.")]
    changes = [arm.changes for arm in form.arms]
    if form.kind == ExperimentKind.AA:
        if not all_levers(changes):
            flaws["arms"] = [_("Say where: choose a blend or a placement. Both get what is live there.")]
    elif any(not all_levers([one]) for one in changes):
        flaws["arms"] = [_("Say what the other version changes: weights, rules, a placement or the order of a page.")]
    elif any(one in changes[:place] for place, one in enumerate(changes)):
        flaws["arms"] = [_("The same version stands in it twice.")]


def _check_changes(changes: Mapping[str, Any], place: str, flaws: Flaws) -> None:
    """Check that what an arm refers to is there."""
    for blend, key in changes.get("weights", {}).items():
        row = BlendWeights.objects.filter(pk=key, blend__name=blend).first()
        if row is None or row.status == WeightsStatus.DRAFT:
            flaws.setdefault(place, []).append(_("Choose a version of the weights that is there."))
        elif row.group is not None:
            flaws.setdefault(place, []).append(_("Only weights that are for everyone can be tested."))
    if (key := changes.get("rules")) is not None and not RuleBook.objects.filter(pk=key).exists():
        flaws.setdefault(place, []).append(_("Choose a version of the rules that is there."))
    for name, values in changes.get("placements", {}).items():
        if not Placement.objects.filter(name=name).exists() or set(values) - set(TESTABLE) or not values:
            flaws.setdefault(place, []).append(_("Choose a placement, and what is to change about it."))
        elif impossible := list(_impossible(name, values)):
            flaws.setdefault(place, []).extend(impossible)
    for name, order in changes.get("pages", {}).items():
        page = ShopPage.objects.filter(name=name).first()
        stand = set(page.slots.values_list("placement__name", flat=True)) if page else set()
        if page is None or set(order) != stand or len(set(order)) != len(order):
            flaws.setdefault(place, []).append(_("The order has to name each list of the page once."))


def _is_live(changes: Mapping[str, Any]) -> bool:
    return bool(all_levers([changes])) and live_changes([changes]) == changes


def _impossible(placement: str, values: Mapping[str, Any]) -> Iterator[str]:
    """What values of a placement cannot be: each by its name, with what it can be."""
    for name, (least, most) in LIMITS.items():
        value = values.get(name)
        if value is not None and not (isinstance(value, int | float) and least <= value <= most):
            text = _("“%(placement)s”, %(field)s: from %(least)s to %(most)s.")
            yield text % (_field_words(placement, name) | {"least": least, "most": most})
    if values.get("repeat", Repeat.ALLOW) not in set(Repeat):
        yield _("“%(placement)s”, %(field)s: choose one of the list.") % _field_words(placement, "repeat")


def _field_words(placement: str, name: str) -> dict[str, Any]:
    return {"placement": placement_label(placement), "field": PLACEMENT_FIELDS[name]}


def check_bandit(form: ExperimentForm, flaws: Flaws) -> None:
    """Check what is a bandit's own: versions of one blend, a placement that serves it, a half-life."""
    blends = {blend for arm in form.arms for blend in arm.changes.get("weights", {})}
    if "arms" not in flaws and (len(blends) != 1 or any(set(arm.changes) != {"weights"} for arm in form.arms)):
        flaws["arms"] = [_("A bandit compares versions of the weights of one blend: choose them all from it.")]
    placement = Placement.objects.filter(name=form.placement, enabled=True).select_related("blend").first()
    if placement is None:
        flaws["placement"] = [_("Choose the placement where it decides.")]
    elif len(blends) == 1 and (placement.blend is None or placement.blend.name not in blends):
        flaws["placement"] = [_("This placement is served by another blend: choose one of the blend that is compared.")]
    if form.half_life is not None and not 1 <= form.half_life <= MOST_HALF_LIFE:
        flaws["half_life"] = [
            _("Between 1 and %(most)s days, or tick that the shop does not change.") % {"most": MOST_HALF_LIFE}
        ]
