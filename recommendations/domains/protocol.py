"""A domain: what a shop offers, as a preset of all that differs between goods, articles, music and video.

A preset is data: nothing reads a domain's name to decide what to do. What the pages call an item, a customer and what
these do stands in ``locale/domains/``, as a translation laid over the usual one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from recommendations.event_types import EventName
from recommendations.terms import TASKS, BlendName, CatalogueScope, ItemKind, Repeat, Task, Variants


class DomainName(StrEnum):
    """What a shop offers; there is a preset for each."""

    GOODS = "goods"
    ARTICLES = "articles"
    MUSIC = "music"
    VIDEO = "video"


@dataclass(frozen=True, kw_only=True)
class PlacementPreset:
    """A placement as a new shop gets it; ``blend`` None: the same list for everybody."""

    name: str
    blend: BlendName | None
    repeat: Repeat = Repeat.ALLOW
    needs_context: bool = False
    scope: CatalogueScope = CatalogueScope.WHOLE
    n: int = 20
    diversity: float | None = None
    explores: bool = True
    cool_down: float = 0.0
    variants: Variants = Variants.ONE
    attribution_window: int = 24  # hours


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Preset of a domain.

    A play counts ``played_at_once`` and the rest by the share that was played, one below ``least_played`` not at all;
    from ``taken_from`` on the item is taken. What is taken is what the loop predicts and a placement may leave out.
    """

    name: DomainName
    kinds: Sequence[ItemKind]
    points: Mapping[str, float]  # α of each act by its name, in a unit of the domain's own
    unit: EventName  # the act that the others are compared with; it takes the item
    taken: Collection[EventName]  # acts that take the item, as a purchase does
    played_at_once: float = 0.0
    least_played: float = 0.0
    taken_from: float = 0.0
    goes_on: bool = False  # what was begun is gone on with, and of a series the next episode is offered alone
    settings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # instance → what differs in its settings
    extra: Collection[str] = ()  # instances beside those that every shop has
    weights: Mapping[BlendName, Mapping[str, float]]  # first weights of each blend, adding up to 1
    promotion: Mapping[BlendName, float]  # exponent of the promotion plan's lift
    placements: Sequence[PlacementPreset]
    pages: Mapping[str, Sequence[tuple[str, int]]]  # page → its placements in order, and how many items each shows
    wanted: Collection[str]  # of an item: what the data doctor asks for
    impressions: int = 30  # that a new item is promised
    days: int = 7  # within which it gets them

    @property
    def tasks(self) -> Sequence[Task]:
        """Tasks of evaluations whose blend makes lists of the whole shop; others say nothing of what people see."""
        served = {each.blend for each in self.placements if each.scope is CatalogueScope.WHOLE}
        return [task for task, blend in TASKS.items() if blend in served]


ORDERED = ("next_item", "next_item_discover", "next_item_context", "transformer", "transformer_discover")
"""Instances of domains where it matters in what order things are taken."""


def halving(taste: float, popularity: float) -> dict[str, Mapping[str, float]]:
    """Settings of the instances where a taste halves in ``taste`` days and what is popular in ``popularity``."""
    of_taste, of_all = {"half_life": taste}, {"half_life": popularity}
    of_both = of_taste | {"popularity_half_life": popularity}
    of_profile = of_taste | {"profile_half_life": taste}
    return {
        **dict.fromkeys(("interests", "interests_discover", "content", "content_discover"), of_both),
        **dict.fromkeys(("content_ridge_discover", "als", "als_discover"), of_taste),
        **dict.fromkeys(("ease_home", "ease_discover", "social", "social_discover"), of_profile),
        **dict.fromkeys(("segments", "segments_discover"), of_taste | {"affinity_half_life": popularity}),
        **dict.fromkeys(("popularity_home", "popularity_discover"), of_all),
        "buy_again": of_taste | {"prior_half_life": popularity},
    }


def channels(blend: BlendName, repeat: Repeat = Repeat.ALLOW) -> tuple[PlacementPreset, ...]:
    """The placements under which lists of mails, notifications and webhooks are kept."""
    return (
        PlacementPreset(
            name="email", blend=blend, repeat=repeat, n=6, diversity=0.3, explores=False, attribution_window=72
        ),
        PlacementPreset(name="web_push", blend=blend, repeat=repeat, n=1, diversity=0.3),
        PlacementPreset(name="webhook", blend=blend, repeat=repeat, n=6, diversity=0.3, attribution_window=72),
    )


TAKEN_ONCE: tuple[PlacementPreset, ...] = (
    PlacementPreset(name="home", blend=BlendName.DISCOVER, repeat=Repeat.EXCLUDE),
    PlacementPreset(name="discover", blend=BlendName.DISCOVER, repeat=Repeat.EXCLUDE),
    PlacementPreset(name="item", blend=BlendName.ITEM, repeat=Repeat.EXCLUDE, needs_context=True),
    PlacementPreset(name="trending", blend=None),
    PlacementPreset(name="category", blend=BlendName.HOME, needs_context=True, scope=CatalogueScope.CATEGORY),
    PlacementPreset(
        name="search", blend=BlendName.HOME, scope=CatalogueScope.FOUND, explores=False, variants=Variants.EACH
    ),
    PlacementPreset(name="new", blend=BlendName.DISCOVER, repeat=Repeat.EXCLUDE, scope=CatalogueScope.NEWEST),
    PlacementPreset(name="following", blend=None, scope=CatalogueScope.FOLLOWED, explores=False),
    *channels(BlendName.DISCOVER, Repeat.EXCLUDE),
)
"""Placements of what people take once: nothing is shown again."""

PAGES_TAKEN_ONCE: Mapping[str, Sequence[tuple[str, int]]] = {
    "home": (("home", 12), ("trending", 6), ("new", 6)),
    "item": (("item", 6),),
    "category": (("category", 24),),
    "search": (("search", 24),),
}
