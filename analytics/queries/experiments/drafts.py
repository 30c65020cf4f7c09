"""Drafts of experiments: what is stored, what a copy would be, and how two of them differ."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Prefetch
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.queries.experiments.arm_words import ArmNames
from analytics.queries.last_change import last_change
from analytics.templatetags.display import number, share
from analytics.templatetags.words import label
from recommendations.models import Arm, BlendWeights, Experiment, RuleBook
from recommendations.services.experiments import drafts as service
from recommendations.services.experiments.forms import ArmForm, ExperimentForm
from recommendations.terms import ExperimentStatus
from recommendations.wording import experiment_labels
from recommendations.wording.labels import placement_label

FIELDS: Mapping[str, Promise] = {
    "name": gettext_lazy("Name"),
    "arms": gettext_lazy("What changes"),
    "traffic": gettext_lazy("Share of the visitors"),
    "segments": gettext_lazy("Segments"),
    "signed_in": gettext_lazy("Signed in"),
    "primary": gettext_lazy("What decides"),
    "smallest_lift": gettext_lazy("Smallest lift worth having"),
    "guardrails": gettext_lazy("Guardrails"),
    "planned_days": gettext_lazy("Planned days"),
    "kind": gettext_lazy("Kind"),
    "placement": gettext_lazy("Placement"),
    "half_life": gettext_lazy("Half-life"),
    "by_segment": gettext_lazy("Shares by segment"),
}


def find_experiment(pk: int) -> Experiment | None:
    arms = Prefetch("arms", Arm.objects.order_by("position"))
    people = ("author", "started_by", "ended_by")
    return Experiment.objects.select_related(*people).prefetch_related(arms).filter(pk=pk).first()


def find_book(pk: int) -> RuleBook | None:
    return RuleBook.objects.defer("rules").exclude(number=0).filter(pk=pk).first()


def find_draft_weights(pk: int) -> BlendWeights | None:
    """Weights for everyone that are not served."""
    rows = BlendWeights.objects.of_group(None).filter(pk=pk, is_default=False)
    return rows.select_related("blend", "segment", "audience").first()


def form_of(experiment: Experiment) -> ExperimentForm:
    """The form that would draft an experiment like this one, each arm with what it alone changes.

    Arms of an experiment that was started say all that it takes hold of; what they share with the control is left out.
    """
    form = service.form_of(experiment)
    control: Mapping[str, Any] = next((arm.changes for arm in experiment.arms.all() if arm.is_control), {})
    return replace(form, arms=[replace(arm, changes=_beyond(arm.changes, control) or arm.changes) for arm in form.arms])


def stale(current: Experiment, mine: ExperimentForm) -> dict[str, Any]:
    """Who changed or started it meanwhile, and in what that differs from what is in the form."""
    fresh = find_experiment(current.pk) or current
    theirs = form_of(fresh)
    names = ArmNames.of(arm.changes for form in (mine, theirs) for arm in form.arms)
    sides = [_words(form, names) for form in (theirs, mine)]
    who, at = last_change("experiment", fresh.pk)
    return {
        "who": who,
        "at": at,
        "started": fresh.status != ExperimentStatus.DRAFT,
        "status": fresh.get_status_display(),
        "revision": fresh.revision,
        "differences": [
            {"words": words, "theirs": sides[0][name] or "–", "mine": sides[1][name] or "–"}
            for name, words in FIELDS.items()
            if sides[0][name] != sides[1][name]
        ],
    }


def deletion(pk: int) -> dict[str, Any]:
    """Who deleted a draft, and when, as far as the trail knows."""
    who, at = last_change("experiment", pk, verbs=["delete"])
    return {"who": who, "at": at}


def audience_words(form: ExperimentForm | Experiment, segments: Mapping[str, str]) -> str:
    """Whom an experiment is for: the segments, by names of theirs, and who is signed in; empty for everybody."""
    names = _(", ").join(segments.get(str(number), str(number)) for number in form.segments)
    parts = [_("segments %(names)s") % {"names": names}] if names else []
    return _(", ").join([*parts, *([signed_in_words(form)] if form.signed_in is not None else [])])


def signed_in_words(form: ExperimentForm | Experiment) -> str:
    if form.signed_in is None:
        return _("signed in or not")
    return _("signed in only") if form.signed_in else _("not signed in only")


def guardrails_words(guardrails: Mapping[str, float]) -> str:
    """Guardrails with what each tolerates: "Money given back by 10% at most"."""
    parts = [
        (_("%(metric)s: at most %(share)s worse") if part else _("%(metric)s: not worse at all"))
        % {"metric": label(experiment_labels.METRICS, name), "share": share(part, 1)}
        for name, part in guardrails.items()
    ]
    return _("; ").join(parts)


def _words(form: ExperimentForm, names: ArmNames) -> dict[str, str]:
    """Every field of a form as a person reads it."""
    return {
        "name": form.name,
        "arms": _("; ").join(_arm_words(arm, names) for arm in form.arms),
        "traffic": share(form.traffic, 1),
        "segments": _(", ").join(map(str, form.segments)),
        "signed_in": signed_in_words(form),
        "primary": label(experiment_labels.METRICS, form.primary),
        "smallest_lift": share(form.smallest_lift, 1),
        "guardrails": guardrails_words(dict(sorted(form.guardrails.items()))),
        "planned_days": str(form.planned_days),
        "kind": label(experiment_labels.EXPERIMENT_KINDS, form.kind),
        "placement": placement_label(form.placement) if form.placement else "",
        "half_life": "" if form.half_life is None else number(form.half_life),
        "by_segment": _("yes") if form.by_segment else _("no"),
    }


def _arm_words(arm: ArmForm, names: ArmNames) -> str:
    rows = names.rows([Arm(position=0, changes={}), Arm(position=1, changes=dict(arm.changes))])
    return _(", ").join(f"{row.words} {row.values[1].words}" for row in rows)


def _beyond(changes: Mapping[str, Any], control: Mapping[str, Any]) -> dict[str, Any]:
    """What the changes have and the control has otherwise, or not at all."""
    different: dict[str, Any] = {}
    for kind, value in changes.items():
        if isinstance(value, Mapping):
            inner = _beyond(value, control.get(kind) or {})
            different |= {kind: inner} if inner else {}
        elif value != control.get(kind):
            different[kind] = value
    return different
