"""The desk at which weights are tuned: what stands on its sliders, what is live, and what can be loaded onto them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from analytics.queries.weights.live_facts import live_facts
from analytics.queries.weights.sliders import Setting, fields, settings_of
from analytics.queries.weights.visiting import visit_texts
from analytics.templatetags.display import ago
from recommendations.models import Audience, BlendWeights, Group
from recommendations.services.weights import versions as service
from recommendations.services.weights.drafts import draft_of
from recommendations.services.weights.values import Values, shipped_values
from recommendations.services.weights.versions import WeightsVersion
from recommendations.terms import BlendName
from recommendations.wording.instance_labels import instance_label

LIVE, DRAFT, PRESET, BEST_SINGLE = "live", "draft", "preset", "best"
"""What can be loaded besides a version, which is called by its number."""


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
    group: Group
    points: Mapping[str, StartingPoint]
    draft: BlendWeights | None
    loaded: StartingPoint | None
    settings: Sequence[Setting] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    visiting: Sequence[str] = ()  # what a visit makes of the score

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
    def goals(self) -> list[Setting]:
        return [each for each in self.settings if each.is_goal]

    @property
    def beside(self) -> list[Setting]:
        return [each for each in self.settings if not (each.weighs or each.is_goal or each.explores)]

    @property
    def exploring(self) -> list[Setting]:
        return [each for each in self.settings if each.explores]

    @property
    def revision(self) -> int | None:
        return self.draft.revision if self.draft else None

    @property
    def inherits(self) -> bool:
        """Whether the group has no weights of its own."""
        return bool(self.group and self.live and self.live.group is None)

    @property
    def is_audience(self) -> bool:
        return isinstance(self.group, Audience)

    @property
    def changed(self) -> int:
        """How many sliders do not stand at live's mark."""
        return sum(each.value != each.live for each in self.settings)


def desk(
    blend: BlendName,
    group: Group,
    *,
    versions: Sequence[WeightsVersion] = (),
    best: StartingPoint | None = None,
    load: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Desk:
    """The desk; ``given`` are fields as they were typed, which go before what ``load`` names; ``errors`` by name."""
    rows = [version.weights for version in versions]
    live = next((row for row in rows if row.is_default), None) or live_of(blend, group)
    draft = draft_of(blend, group)
    points = {point.key: point for point in _points(blend, live, draft, rows, best)} if live else {}
    loaded = points.get(load) or points.get(DRAFT) or points.get(LIVE)
    settings: Sequence[Setting] = ()
    visiting: Sequence[str] = ()
    if loaded:
        facts = live_facts()
        visiting = visit_texts(blend, facts.visit_shares)
        base = points.get(LIVE, loaded)
        settings = settings_of(
            blend, loaded.values, live=base.values, saved=points.get(DRAFT, base).values,
            points=[point.values for point in points.values()], given=given or {}, errors=errors or {},
            lacking=facts.lacking,
        )  # fmt: skip
    return Desk(
        blend=blend,
        group=group,
        points=points,
        draft=draft,
        loaded=loaded,
        settings=settings,
        errors=errors or {},
        visiting=visiting,
    )


def live_of(blend: BlendName, group: Group) -> BlendWeights | None:
    """Weights that the group's customers get: its own where it has any, else everybody's."""
    defaults = BlendWeights.objects.defaults().filter(blend__name=blend)
    either = defaults.of_group(group) | defaults.of_group(None)
    rows = {row.group: row for row in either.select_related("blend", "author", "segment", "audience")}
    return rows.get(group) or rows.get(None)


def best_single(blend: BlendName, group: Group) -> StartingPoint | None:
    """The recommender that does best alone on the panel; asking takes a measurement of each, once a model."""
    best = service.best_single(blend, group)
    if best is None:
        return None
    about = _("The best recommender on its own: %(name)s") % {"name": instance_label(best[0])}
    return StartingPoint(key=BEST_SINGLE, words=_("Only the best one"), about=about, values=best[1])


def loadable(desk: Desk) -> dict[str, dict[str, object]]:
    """What each point is called, and its fields, for the browser."""
    if LIVE not in desk.points:
        return {}
    base, names = desk.points[LIVE].values, [each.name for each in desk.settings if each.weighs]
    return {
        key: {"words": point.words, "fields": fields(point.values, live=base, names=names)}
        for key, point in desk.points.items()
    }


def blend_of(name: str) -> BlendName:
    return BlendName(name) if name in set(BlendName) else BlendName.HOME


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
    about = _("The start for shops that have no purchases to tune on yet")
    points.append(
        StartingPoint(key=PRESET, words=_("Shipped preset"), about=about, values=shipped_values(blend, beside=live))
    )
    return [*points, *([best] if best else []), *map(_version_point, versions)]


def _version_point(version: BlendWeights, *, key: str = "", words: str = "") -> StartingPoint:
    return StartingPoint(
        key=key or str(version.number), words=words or f"v{version.number}", about=by_whom(version),
        values=Values.of(version), version=version,
    )  # fmt: skip
