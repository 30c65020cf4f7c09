"""Every named instance: a recommender with a frozen configuration, and the blends that may weigh it.

Home and discover want different settings of the same recommender. They were chosen on the tuning cut of the demo data,
never on its test window.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from recommendations.engine.frames import TrainingSet
from recommendations.engine.ranking.confidence import BlendLeaning
from recommendations.engine.recommenders import (
    als,
    also_bought,
    buy_again,
    content,
    content_ridge,
    ease,
    interests,
    item_knn,
    next_item,
    popularity,
    recent_neighbours,
    repurchase,
    segments,
    sequence,
    session_knn,
    social,
    transformer,
    user_knn,
)
from recommendations.engine.recommenders.protocol import Recommender, learned, restored
from recommendations.terms import BlendName

HOME, DISCOVER, ITEM, CART = BlendName.HOME, BlendName.DISCOVER, BlendName.ITEM, BlendName.CART
SESSION = BlendName.SESSION
TREND = 0.25  # g: what is asked for more than usual leads a discovery up; significant in 5 of 6 rolling windows
SEEDED: frozenset[type[Recommender]] = frozenset({als.Als, repurchase.Repurchase, segments.Segments})
"""Kinds whose fit draws at random: another seed is another start, or another sample."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Recommender instance. With ``trend`` g > 0 callers use max(score, 0) · trend_j^g (``preprocess.popularity``)."""

    name: str
    kind: type[Recommender]
    config: Any
    trend: float = 0.0
    blends: frozenset[BlendName] = frozenset()

    def can_learn(self, training: TrainingSet) -> bool:
        """Whether it has anything to say: who follows whom, where it needs that, or a trained net."""
        if self.kind is social.Social:
            return training.links is not None
        return self.kind is not transformer.Transformer or training.net is not None

    def under(self, settings: Mapping[str, float]) -> Self:
        """The instance with these settings in the place of its own."""
        return replace(self, config=replace(self.config, **settings)) if settings else self

    def learns_as(self, other: Self) -> bool:
        """Whether both learn the same: what a question is about, ``profile``, is no part of that."""
        if self.kind is not other.kind:
            return False
        one, two = ({**asdict(each.config), "profile": None} for each in (self, other))
        return one == two

    def taught_by(self, fitted: Recommender) -> Recommender:
        """The recommender of an instance that learns the same; ``fitted`` itself where it is asked the same, too."""
        return fitted if fitted.config == self.config else restored(self.kind, self.config, learned(fitted))

    def build(self) -> Recommender:
        """A recommender that is not fitted yet."""
        return self.kind(self.config)


def _instance(name: str, kind: type[Recommender], config: Any, *blends: BlendName, trend: float = 0.0) -> Instance:
    return Instance(name=name, kind=kind, config=config, trend=trend, blends=frozenset(blends))


INSTANCES: tuple[Instance, ...] = (
    _instance("buy_again", buy_again.BuyAgain, buy_again.Config(), HOME, CART),
    _instance("repurchase", repurchase.Repurchase, repurchase.Config(), HOME),
    _instance("ease_home", ease.Ease, ease.Config(), HOME),
    _instance("recent_neighbours_home", recent_neighbours.RecentNeighbours, recent_neighbours.Config(baskets=20), HOME),
    _instance(
        "user_knn",
        user_knn.UserKnn,
        user_knn.Config(half_life=45.0, neighbours=50, power=2.0, taste_half_life=7.0),
        HOME,
    ),
    _instance("als", als.Als, als.Config(), HOME),
    _instance("sequence", sequence.Transitions, sequence.Config(), HOME),
    _instance(
        "item_knn", item_knn.ItemKnn, item_knn.Config(half_life=60.0, shrinkage=100.0, profile_half_life=60.0), HOME
    ),
    _instance("interests", interests.Interests, interests.Config(), HOME, ITEM, CART),
    _instance("content", content.Content, content.Config(transform="log", half_life=60.0), HOME),
    _instance("segments", segments.Segments, segments.Config(), HOME),
    _instance("popularity_home", popularity.Popularity, popularity.Config(), HOME, ITEM, CART, SESSION),
    _instance(
        "ease_discover",
        ease.Ease,
        ease.Config(transform="binary", half_life=180.0, ridge=300.0, profile_half_life=120.0),
        DISCOVER,
        trend=TREND,
    ),
    _instance("als_discover", als.Als, als.Config(), DISCOVER, trend=TREND),
    _instance("user_knn_discover", user_knn.UserKnn, user_knn.Config(), DISCOVER, trend=TREND),
    _instance(
        "recent_neighbours_discover",
        recent_neighbours.RecentNeighbours,
        recent_neighbours.Config(baskets=1, power=2.0),
        DISCOVER,
        trend=TREND,
    ),
    _instance("item_knn_discover", item_knn.ItemKnn, item_knn.Config(), DISCOVER, trend=TREND),
    _instance(
        "interests_discover",
        interests.Interests,
        interests.Config(half_life=60.0, shrinkage=200.0, popularity_power=1.3),
        DISCOVER,
        trend=TREND,
    ),
    _instance("content_discover", content.Content, content.Config(), DISCOVER, trend=TREND),
    _instance("content_ridge_discover", content_ridge.ContentRidge, content_ridge.Config(), DISCOVER, trend=TREND),
    _instance("segments_discover", segments.Segments, segments.Config(affinity_half_life=28.0), DISCOVER, trend=TREND),
    _instance("popularity_discover", popularity.Popularity, popularity.Config(half_life=28.0), DISCOVER),
    _instance("also_bought", also_bought.AlsoBought, also_bought.Config(), ITEM, CART, SESSION),
    _instance("item_knn_context", item_knn.ItemKnn, item_knn.Config(profile="context"), ITEM, CART, SESSION),
    _instance(
        "content_context", content.Content, content.Config(profile="context", popularity_power=0.5), ITEM, SESSION
    ),
    _instance(
        "sequence_context",
        sequence.Transitions,
        sequence.Config(profile="context", target_power=0.3),
        ITEM,
        CART,
        SESSION,
    ),
    _instance("session_knn", session_knn.SessionKnn, session_knn.Config(), SESSION),
    _instance("social", social.Social, social.Config(), HOME),
    _instance(
        "social_discover",
        social.Social,
        social.Config(transform="binary", half_life=180.0, ridge=300.0, profile_half_life=120.0),
        DISCOVER,
        trend=TREND,
    ),
)

EXTRA: tuple[Instance, ...] = (
    _instance("next_item", next_item.NextItem, next_item.Config(), HOME),
    _instance("next_item_discover", next_item.NextItem, next_item.Config(), DISCOVER),
    _instance("next_item_context", next_item.NextItem, next_item.Config(profile="context"), ITEM, CART, SESSION),
    _instance(transformer.Transformer.NAME, transformer.Transformer, transformer.Config(), HOME),
    _instance("transformer_discover", transformer.Transformer, transformer.Config(), DISCOVER),
)
"""Instances of the shops alone whose domain names them."""

EVERY: tuple[Instance, ...] = (*INSTANCES, *EXTRA)

IMPERSONAL: frozenset[type[Recommender]] = frozenset({popularity.Popularity, segments.Segments, social.Social})
"""Kinds that say what many take, or those whom a person follows, not what this person does."""

FRIENDS: Mapping[BlendName, str] = {BlendName.HOME: "social", BlendName.DISCOVER: "social_discover"}
"""What a blend leans on where little is known of a person who follows others."""

POPULAR: Mapping[BlendName, str] = {BlendName.HOME: "popularity_home", BlendName.DISCOVER: "popularity_discover"}
"""What a blend leans on where little is known of a person. The weights of a visit were found on visits as short as they
are, and a blend of items in view does not ask who looks at them: neither leans.
"""


def leaning_of(blend: BlendName) -> BlendLeaning | None:
    """How the blend leans on friends and on what everybody takes; None where it does not."""
    if blend not in POPULAR:
        return None
    personal = frozenset(one.name for one in instances_of(blend, among=EVERY) if one.kind not in IMPERSONAL)
    return BlendLeaning(personal=personal, friends=FRIENDS[blend], popular=POPULAR[blend])


def instances_of(blend: BlendName, among: Iterable[Instance] = INSTANCES) -> tuple[Instance, ...]:
    """The instances that this blend may weigh, in the order of the list."""
    return tuple(instance for instance in among if blend in instance.blends)
