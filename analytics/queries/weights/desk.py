"""The desk at which weights are tuned: what stands on its sliders, what is live, and what can be loaded onto them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from analytics.charts.hues import of_recommender
from analytics.templatetags.display import ago, number
from analytics.templatetags.weights import BESIDE, WEIGHT, field_name, plain
from recommendations.engine.feedback.presets import PRESETS, PROMOTION
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.models import BlendWeights, Segment
from recommendations.services.weights.drafts import draft_of
from recommendations.services.weights.values import HIGHEST, MOST, Values, weighable
from recommendations.services.weights.versions import PresetKind, WeightsVersion, presets
from recommendations.terms import BlendName
from recommendations.wording import labels

LIVE, DRAFT, PRESET, BEST_SINGLE = "live", "draft", "preset", "best"
"""What can be loaded besides a version, which is called by its number."""

type Fields = Mapping[str, float]
"""Values as they stand on the sliders: weights from 0 to 100."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A slider with its number box; ``text`` is what stands in the box, also where it is no number."""

    name: str
    field: str
    text: str
    live: float
    saved: float
    highest: float
    share: float | None = None  # of the whole; None for what is no weight
    hue: int | None = None
    hatched: bool = False
    help: str = ""
    error: str = ""

    @property
    def weighs(self) -> bool:
        return self.highest == MOST

    @property
    def idle(self) -> bool:
        """Whether it counts neither here nor live, and nobody has to look at it."""
        return self.weighs and not self.live and not self.error and _number(self.text) == 0

    @property
    def mark(self) -> float:
        """Where live is, in percent of the track."""
        return round(100 * self.live / self.highest, 2)

    @property
    def live_text(self) -> str:
        return number(self.live, 0 if float(self.live).is_integer() else 2)


@dataclass(frozen=True, kw_only=True)
class StartingPoint:
    """Something that can be loaded onto the sliders; ``version`` where it is one."""

    key: str
    words: str
    about: str
    values: Values
    version: BlendWeights | None = None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """``loaded`` is what stands on the sliders, and ``draft`` what is saved; both None before the first weights."""

    blend: BlendName
    segment: Segment | None
    points: Mapping[str, StartingPoint]
    draft: BlendWeights | None
    loaded: StartingPoint | None
    settings: Sequence[Setting] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def live(self) -> BlendWeights | None:
        return self.points[LIVE].version if LIVE in self.points else None

    @property
    def menu(self) -> list[StartingPoint]:
        """Points of the menu; versions have a list of their own."""
        return [self.points[key] for key in (LIVE, DRAFT, PRESET) if key in self.points]

    @property
    def used(self) -> list[Setting]:
        return [each for each in self.settings if each.weighs and not each.idle]

    @property
    def unused(self) -> list[Setting]:
        return [each for each in self.settings if each.idle]

    @property
    def beside(self) -> list[Setting]:
        return [each for each in self.settings if not each.weighs]

    @property
    def revision(self) -> int | None:
        return self.draft.revision if self.draft else None

    @property
    def inherits(self) -> bool:
        """Whether the segment gets everybody's weights."""
        return bool(self.segment and self.live and self.live.segment_id is None)

    @property
    def changed(self) -> int:
        """How many sliders do not stand at live's mark."""
        return sum(_number(each.text) != each.live for each in self.settings)


def desk(
    blend: BlendName,
    segment: Segment | None,
    *,
    versions: Sequence[WeightsVersion] = (),
    best: StartingPoint | None = None,
    load: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Desk:
    """The desk; ``given`` are fields as they were typed, which go before what ``load`` names; ``errors`` by name."""
    rows = [version.weights for version in versions]
    live = next((row for row in rows if row.is_default), None) or live_of(blend, segment)
    draft = draft_of(blend, segment)
    points = {point.key: point for point in _points(blend, live, draft, rows, best)} if live else {}
    loaded = points.get(load) or points.get(DRAFT) or points.get(LIVE)
    return Desk(
        blend=blend,
        segment=segment,
        points=points,
        draft=draft,
        loaded=loaded,
        settings=_settings(blend, points, loaded, given=given or {}, errors=errors or {}) if loaded else (),
        errors=errors or {},
    )


def live_of(blend: BlendName, segment: Segment | None) -> BlendWeights | None:
    """Weights that the segment's customers get: its own where it has any, else everybody's."""
    defaults = BlendWeights.objects.defaults().filter(blend__name=blend).select_related("blend", "author", "segment")
    by_segment = {row.segment_id: row for row in defaults.filter(Q(segment=None) | Q(segment=segment))}
    return by_segment.get(segment.pk if segment else None) or by_segment.get(None)


def best_single(blend: BlendName, segment: Segment | None) -> StartingPoint | None:
    """The recommender that does best alone on the panel; asking takes a measurement of each, once a model."""
    for preset in presets(blend, segment):
        if preset.kind is PresetKind.BEST_SINGLE and preset.instance:
            about = _("The recommender that does best alone: %(name)s")
            return StartingPoint(
                key=BEST_SINGLE, words=_("Only the best one"), values=preset.values,
                about=about % {"name": labels.instance_label(preset.instance)},
            )  # fmt: skip
    return None


def loadable(desk: Desk) -> dict[str, dict[str, object]]:
    """What each point is called, and its fields, for the browser."""
    if LIVE not in desk.points:
        return {}
    base, names = desk.points[LIVE].values, [each.name for each in desk.settings if each.weighs]
    return {
        key: {"words": point.words, "fields": fields(point.values, live=base, names=names)}
        for key, point in desk.points.items()
    }


def fields(values: Values, *, live: Values, names: Sequence[str]) -> Fields:
    """Fields on the scale where most recommenders stand at live's mark, so that one that was moved is seen as such."""
    scale = _scale(values.weights, live.weights)
    weights = {f"{WEIGHT}{name}": round(MOST * scale * values.weights.get(name, 0.0), 2) for name in names}
    return weights | {name: getattr(values, name) for name in HIGHEST}


def blend_of(name: str) -> BlendName:
    return BlendName(name) if name in set(BlendName) else BlendName.HOME


def segment_of(numbered: int | None) -> Segment | None:
    return Segment.objects.filter(number=numbered).first() if numbered is not None else None


def by_whom(version: BlendWeights) -> str:
    """Author and age of a version."""
    who = str(version.author) if version.author else _("the loop")
    return _("by %(who)s, %(when)s") % {"who": who, "when": ago(version.published_at or version.created_at)}


def _points(
    blend: BlendName,
    live: BlendWeights,
    draft: BlendWeights | None,
    versions: Sequence[BlendWeights],
    best: StartingPoint | None,
) -> list[StartingPoint]:
    points = [_version_point(live, key=LIVE, words=_("Live v%(n)s") % {"n": live.number})]
    if draft:
        points.append(_version_point(draft, key=DRAFT, words=_("Draft v%(n)s") % {"n": draft.number}))
    shipped = Values(weights=PRESETS[blend], promotion=PROMOTION[blend], exploration=live.exploration)
    about = _("The start for shops that have no purchases to tune on yet")
    points.append(StartingPoint(key=PRESET, words=_("Shipped preset"), about=about, values=shipped))
    return [*points, *([best] if best else []), *map(_version_point, versions)]


def _version_point(version: BlendWeights, *, key: str = "", words: str = "") -> StartingPoint:
    return StartingPoint(
        key=key or str(version.number), words=words or f"v{version.number}", about=by_whom(version),
        values=Values.of(version), version=version,
    )  # fmt: skip


def _settings(
    blend: BlendName,
    points: Mapping[str, StartingPoint],
    loaded: StartingPoint,
    *,
    given: Mapping[str, str],
    errors: Mapping[str, str],
) -> list[Setting]:
    """Settings of the desk, those that weigh most in what is live first."""
    base, saved = points.get(LIVE, loaded).values, points.get(DRAFT, points.get(LIVE, loaded)).values
    names = _names(blend, [point.values for point in points.values()])
    sliders, live, stored = (fields(each, live=base, names=names) for each in (loaded.values, base, saved))
    whole = sum(sliders[f"{WEIGHT}{name}"] for name in names)
    settings = []
    for name in (*sorted(names, key=lambda name: -live[f"{WEIGHT}{name}"]), *BESIDE):
        at = field_name(name)
        hue, hatched = (None, False) if name in BESIDE else of_recommender(name)
        settings.append(
            Setting(
                name=name, field=at, text=given.get(at, plain(sliders[at])), live=live[at], saved=stored[at],
                highest=HIGHEST.get(name, MOST), share=None if name in BESIDE or not whole else sliders[at] / whole,
                hue=hue, hatched=hatched, help=str(BESIDE[name][1]) if name in BESIDE else "",
                error=errors.get(name, ""),
            )
        )  # fmt: skip
    return settings


def _names(blend: BlendName, values: Sequence[Values]) -> list[str]:
    """Recommenders of the blend, and others that some version weighs; a second stage only where one does."""
    named = [name for each in values for name in each.weights]
    return list(dict.fromkeys([*(name for name in weighable(blend) if name != SECOND_STAGE), *named]))


def _scale(weights: Mapping[str, float], live: Mapping[str, float]) -> float:
    ratios = {name: live[name] / weight for name, weight in weights.items() if weight and live.get(name)}
    common = Counter(round(ratio, 3) for ratio in ratios.values()).most_common(1)
    if not common or common[0][1] < 2:
        return 1.0
    alike = [name for name, ratio in ratios.items() if round(ratio, 3) == common[0][0]]
    scale = ratios[max(alike, key=lambda name: weights[name])]
    return scale if scale * max(weights.values()) <= 1 else 1.0


def _number(text: str) -> float | None:
    """Parse a number; None for what is none."""
    try:
        return float(text)
    except ValueError:
        return None
