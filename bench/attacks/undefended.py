"""How the loop learned before it knew whose word an act is: acts and baskets counted, whoever and how few they were of.

Only the bench of attacks uses it, so that what the defences do stands beside what they cost in one table.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from recommendations.engine.frames import FloatArray, Interactions
from recommendations.engine.preprocess.weighting import decay
from recommendations.engine.recommenders import also_bought, buy_again, content, interests, repurchase, sequence
from recommendations.engine.recommenders.registry import Instance

PRIORS = (buy_again, content, interests, repurchase)


def acts_popularity(interactions: Interactions, *, half_life: float | None) -> FloatArray:
    """Σ strength · λ_h(age) of each item, of however few people."""
    weights = interactions.strength * decay(interactions.age, half_life)
    sums = np.bincount(interactions.item, weights, minlength=interactions.n_items)
    return np.maximum(sums, 0).astype(np.float32)


def acts_trend(interactions: Interactions, *, days: float = 21.0, smoothing: float = 3.0) -> FloatArray:
    """Acts lately over those expected, of however few people."""
    if not len(interactions) or interactions.age.max() <= days:
        return np.ones(interactions.n_items, np.float32)
    acts = np.maximum(interactions.strength, 0)
    recent = np.bincount(interactions.item, acts * (interactions.age < days), minlength=interactions.n_items)
    whole = np.bincount(interactions.item, acts, minlength=interactions.n_items)
    expected = whole * (days / float(interactions.age.max()))
    return ((recent + smoothing) / (expected + smoothing)).astype(np.float32)


def instance_of(one: Instance) -> Instance:
    """The instance with the settings of then."""
    if one.kind in {also_bought.AlsoBought, sequence.Transitions}:
        return replace(one, config=replace(one.config, people=1))
    return one


@contextmanager
def undefended() -> Iterator[None]:
    """Let recommenders count acts where they count people."""
    with ExitStack() as patches:
        for module in PRIORS:
            patches.enter_context(patch.object(module, "recent_popularity", acts_popularity))
        patches.enter_context(patch.object(repurchase, "trend", acts_trend))
        yield
