"""What a draft of an experiment can choose from: versions of weights and rules, placements, orders of pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analytics.queries.segments.choices import segment_choices
from analytics.templatetags.words import blend_label
from recommendations.models import BlendWeights, PageSlot, Placement, RuleBook
from recommendations.services.experiments.checks import GUARDING_BANDITS, GUARDRAILS, OF_BANDITS, PRIMARY
from recommendations.terms import BlendName, ExperimentKind, WeightsStatus
from recommendations.wording import experiment_labels, labels

OFFERED = 30  # versions of a blend, and of the rules, the newest first
LONGEST = 60  # characters of a version's note

type Choice = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Values and words of each field; ``pages`` by name: the placements that stand on it, in order."""

    weights: Sequence[tuple[str, Sequence[Choice]]]
    books: Sequence[Choice]
    placements: Sequence[Choice]
    pages: Mapping[str, Sequence[str]]
    segments: Sequence[Choice]
    primaries: Sequence[Choice]
    guardrails: Sequence[Choice]

    @property
    def places(self) -> list[Choice]:
        """Blends and placements in which an A/A can compare; a value is a lever, ``weights:home``."""
        blends = [
            (f"weights:{versions[0][0].partition(':')[0]}", _("Blend"), words) for words, versions in self.weights
        ]
        placements = [(f"placement:{name}", _("Placement"), words) for name, words in self.placements]
        text = _("%(field)s: %(value)s")
        return [(lever, text % {"field": kind, "value": words}) for lever, kind, words in [*blends, *placements]]

    def weights_words(self, value: str) -> str:
        """Blend and version of a value of the weights: "For you v13"; empty where it is not offered."""
        for blend, versions in self.weights:
            for key, words in versions:
                if key == value:
                    return f"{blend} {words.partition(' ')[0]}"
        return ""


def offer(kind: str, *, weights: Sequence[str] = (), books: Sequence[str] = (), segments: Sequence[int] = ()) -> Offer:
    """What the form of a kind of experiment offers, with what is chosen there though it is old, or gone."""
    return Offer(
        weights=_weights(chosen=weights),
        books=_books(chosen=books),
        placements=[(row.name, labels.placement_label(row.name)) for row in Placement.objects.filter(enabled=True)],
        pages=page_orders(),
        segments=_segments(segments),
        primaries=_metrics(OF_BANDITS if kind == ExperimentKind.BANDIT else PRIMARY),
        guardrails=_metrics(GUARDING_BANDITS if kind == ExperimentKind.BANDIT else GUARDRAILS),
    )


def _weights(*, chosen: Sequence[str]) -> list[tuple[str, list[Choice]]]:
    """Versions for everyone that are no drafts, by blend; a value is ``home:41``, blend and key."""
    rows = BlendWeights.objects.of_group(None).exclude(status=WeightsStatus.DRAFT).defer("weights", "expected", "gate")
    by_blend: dict[str, list[Choice]] = {}
    for row in rows.select_related("blend").order_by("-number"):
        versions, key = by_blend.setdefault(row.blend.name, []), f"{row.blend.name}:{row.pk}"
        if len(versions) < OFFERED or key in chosen or row.is_default:
            about = _("live") if row.is_default else (row.note or row.reason)[:LONGEST]
            versions.append((key, f"v{row.number} · {about}"))
    return [(blend_label(name), by_blend[name]) for name in BlendName if name in by_blend]


def _books(*, chosen: Sequence[str]) -> list[Choice]:
    newest = RuleBook.objects.exclude(number=0).defer("rules").order_by("-number")
    rows = list(newest[:OFFERED])
    missing = [int(key) for key in chosen if key.isdigit() and int(key) not in {row.pk for row in rows}]
    rows += list(newest.filter(pk__in=missing)) if missing else []
    return [(str(row.pk), f"r{row.number} · {_('live') if row.is_default else row.note[:LONGEST]}") for row in rows]


def placements_of(blend: str) -> list[str]:
    """Names of the placements that a blend serves, the one that is called like it first."""
    names = Placement.objects.filter(enabled=True, blend__name=blend).values_list("name", flat=True)
    return sorted(names, key=lambda name: (name != blend, name))


def page_orders() -> dict[str, list[str]]:
    """Placements of every page that has two or more, so that their order can be another."""
    slots = PageSlot.objects.order_by("page", "position").values_list("page__name", "placement__name")
    pages: dict[str, list[str]] = {}
    for page, placement in slots:
        pages.setdefault(page, []).append(placement)
    return {page: placements for page, placements in pages.items() if len(placements) > 1}


def _segments(chosen: Sequence[int]) -> list[Choice]:
    offered = segment_choices()
    return offered + [segment_choices(key)[-1] for key in chosen if str(key) not in dict(offered)]


def _metrics(allowed: frozenset[str]) -> list[Choice]:
    return [(code, str(words)) for code, words in experiment_labels.METRICS if code in allowed]
