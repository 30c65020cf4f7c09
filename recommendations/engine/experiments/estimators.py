"""Off-policy estimators: what a policy would have earned, from the log of another; each gives a value per logged row.

A row is one choice: its ``reward``, and ``w`` = π_e(a | x) / π_0(a | x), how much more often the policy that is judged
makes it. ``expected`` is a model's reward of the choice, ``base`` the model's under the judged policy. The mean over
rows is the estimate. Those of slates take [slates, slots] and give a value per slate. All equal those of Open Bandit
Pipeline.
"""

import numpy as np
from numpy.typing import NDArray

type Values = NDArray[np.float64]


def ips(reward: Values, w: Values) -> Values:
    """Inverse propensity scores (Horvitz and Thompson 1952): unbiased where every choice had a chance."""
    return reward * w


def clipped_ips(reward: Values, w: Values, *, most: float) -> Values:
    """IPS with weights of ``most`` at the most (Ionides 2008): less variance for some bias."""
    return reward * np.minimum(w, most)


def snips(reward: Values, w: Values) -> Values:
    """Self-normalised IPS (Swaminathan and Joachims 2015): weights have mean 1."""
    return reward * w / w.mean()


def dm(base: Values) -> Values:
    """Direct method (Beygelzimer and Langford 2009): the model alone."""
    return base


def dr(reward: Values, w: Values, *, expected: Values, base: Values) -> Values:
    """Doubly robust (Dudík et al. 2014): the model, and IPS of what it leaves."""
    return w * (reward - expected) + base


def sndr(reward: Values, w: Values, *, expected: Values, base: Values) -> Values:
    """Doubly robust with weights of mean 1."""
    return w * (reward - expected) / w.mean() + base


def switch_dr(reward: Values, w: Values, *, expected: Values, base: Values, most: float) -> Values:
    """Doubly robust, but the model alone speaks where the weight is above ``most`` (Wang et al. 2017)."""
    return np.where(w <= most, w, 0.0) * (reward - expected) + base


def sips(reward: Values, w: Values) -> Values:
    """Standard IPS of slates: every slot counts by the whole slate; ``w`` is each slot's, given those above."""
    return reward.sum(axis=1) * w.prod(axis=1)


def iips(reward: Values, w: Values) -> Values:
    """Independent IPS (Li et al. 2018): every slot counts by itself; ``w`` is each slot's own."""
    return (reward * w).sum(axis=1)


def rips(reward: Values, w: Values) -> Values:
    """Reward-interaction IPS (McInerney et al. 2020): every slot counts by itself and those above."""
    return (reward * w.cumprod(axis=1)).sum(axis=1)


def cascade_dr(reward: Values, w: Values, *, expected: Values, base: Values) -> Values:
    """Cascade doubly robust (Kiyohara et al. 2022): RIPS of what a model of the slots from here on leaves."""
    through = w.cumprod(axis=1)
    before = np.concatenate([np.ones((len(w), 1)), through[:, :-1]], axis=1)
    return (through * (reward - expected) + before * base).sum(axis=1)


def effective_size(w: Values) -> float:
    """How many rows of weight 1 would be worth as much (Kish 1965); 0 without weight."""
    squares = float((w**2).sum())
    return float(w.sum()) ** 2 / squares if squares else 0.0
