"""What the agent believes of its terms: a logistic regression with a normal posterior, carried from night to night.

Each night it forgets a little towards its prior, P ← g P + (1 − g) P₀ and the mean likewise, g = 2^(−1/90), and learns
from decisions whose days are over, by Newton's method on the posterior (Laplace). What is stored is rounded, so that
another machine comes to the same version.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from recommendations.engine.push.agent.terms import AgentTerm, AgentTermKind, Menu, Rows, Values
from recommendations.engine.rng import generator

HALF_LIFE = 90.0  # days
SPREAD, LEVEL_SPREAD, RESPONSE_SPREAD = 0.35, 0.7, 0.3  # standard deviations of the prior
STEPS = 8  # of Newton
CLOSE = 1e-9  # a step that is no step any more
MODELS, HALVED = 32, 0.5  # drawn models, and how far they lie apart beside the posterior
HEAVIEST = 0.01  # of a night: what one person counts at most
STATE_BITS, DRAW_BITS = 30, 20  # of what is stored: grids of 1e-9 and 1e-6
STREAM = "push_agent"


@dataclass(frozen=True, kw_only=True, eq=False)
class Belief:
    """Mean [terms] and precision [terms, terms] of a menu's terms; ``rate`` is of answers before any came."""

    menu: Menu
    rate: float
    mean: Values
    precision: Values

    @cached_property
    def start(self) -> Values:
        """Mean of the prior [terms]: the level that of the rate, ``response`` 1, all else 0."""
        level = float(logit(np.clip(self.rate, 1e-6, 1 - 1e-6)))
        means = {AgentTermKind.LEVEL: level, AgentTermKind.RESPONSE: 1.0}
        return np.array([means.get(term.kind, 0.0) for term in self.menu.terms])

    @cached_property
    def spread(self) -> Values:
        """Standard deviations of the prior [terms]."""
        spreads = {AgentTermKind.LEVEL: LEVEL_SPREAD, AgentTermKind.RESPONSE: RESPONSE_SPREAD}
        return np.array([spreads.get(term.kind, SPREAD) for term in self.menu.terms])

    @cached_property
    def covariance(self) -> Values:
        inverse: Values = np.linalg.inv(self.precision)
        return (inverse + inverse.T) / 2

    @property
    def errors(self) -> Values:
        """Standard deviations [terms]."""
        deviations: Values = np.sqrt(np.diag(self.covariance))
        return deviations


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosedDecisions:
    """Messages whose days are over: what the terms weighed, whether an answer came, and whose they were."""

    rows: Values  # [messages, terms]
    answered: Values  # [messages], 0 or 1
    people: Rows  # [messages]


@dataclass(frozen=True, kw_only=True)
class StoredBelief:
    """A version's arrays as little-endian float64, and the digest of all of them."""

    mean: bytes
    precision: bytes
    draws: bytes
    digest: str


def prior(menu: Menu, *, rate: float) -> Belief:
    """The belief before anything is learned: each term 0 ± .35, the level the purpose's rate of answers ± .7."""
    nothing = np.zeros(len(menu.terms))
    blank = Belief(menu=menu, rate=rate, mean=nothing, precision=np.diag(nothing))
    return replace(blank, mean=_on_grid(blank.start, STATE_BITS), precision=_on_grid(np.diag(1 / blank.spread**2)))


def learn(
    belief: Belief,
    closed: ClosedDecisions,
    *,
    nights: float = 1.0,
    half_life: float = HALF_LIFE,
    still: NDArray[np.bool_] | None = None,
) -> Belief:
    """The belief after a night; ``still`` [terms] are terms that are not to be learned and keep what they have.

    One person's messages count together at most 1 % of the night's, and never less than one. A number that is not
    finite counts as 0. Without messages it forgets only.
    """
    keep = 2 ** (-nights / half_life)
    first = np.diag(1 / belief.spread**2)
    precision = keep * belief.precision + (1 - keep) * first
    centre = np.linalg.solve(precision, keep * belief.precision @ belief.mean + (1 - keep) * first @ belief.start)
    rows = np.nan_to_num(closed.rows, nan=0.0, posinf=0.0, neginf=0.0)
    if still is not None:
        rows = rows * ~still
    mean = _mode(rows, closed.answered, weights_of(closed.people), centre=centre, precision=precision)
    curvature = _curvature(rows, weights_of(closed.people), mean) + precision
    return replace(belief, mean=_on_grid(mean, STATE_BITS), precision=_on_grid((curvature + curvature.T) / 2))


def weights_of(people: Rows) -> Values:
    """How much each message counts [messages]."""
    _, place, counts = np.unique(people, return_inverse=True, return_counts=True)
    most = max(HEAVIEST * len(people), 1.0)
    weights: Values = np.minimum(1.0, most / counts)[place]
    return weights


def moved_to(belief: Belief, menu: Menu, *, rate: float) -> Belief:
    """The belief for another menu: terms that stay keep what is known of them, new ones begin at their prior.

    Where another campaign is the first, levels become differences to that one: the score of an option stays.
    """
    begin = prior(menu, rate=rate)
    shift, known = _shift(belief.menu, menu)
    mean, covariance = begin.mean.copy(), np.diag(begin.spread**2)
    mean[known] = shift[known] @ belief.mean
    covariance[np.ix_(known, known)] = shift[known] @ belief.covariance @ shift[known].T
    return replace(begin, mean=_on_grid(mean, STATE_BITS), precision=_on_grid(np.linalg.inv(covariance)))


def draws_of(belief: Belief, *, seed: int, count: int = MODELS, spread: float = HALVED) -> Values:
    """Drawn models [count, terms], the same for all people of a day; ``spread`` shrinks them towards the mean."""
    normal = generator(seed, STREAM).standard_normal((count, len(belief.mean)))
    lower = np.linalg.cholesky(belief.precision)
    return _on_grid(belief.mean + spread * np.linalg.solve(lower.T, normal.T).T, DRAW_BITS)


def store(belief: Belief, draws: Values) -> StoredBelief:
    """The version's bytes, and the digest that holds them to their terms."""
    mean, precision, models = (_bytes_of(each) for each in (belief.mean, belief.precision, draws))
    return StoredBelief(
        mean=mean, precision=precision, draws=models, digest=_digest(belief, (mean, precision, models))
    )  # fmt: skip


def restore(stored: StoredBelief, menu: Menu, *, rate: float) -> tuple[Belief, Values]:
    """The belief and its drawn models. Raises ValueError where the bytes are not those that the digest is of."""
    size = len(menu.terms)
    mean, precision, draws = (
        np.frombuffer(each, "<f8").astype(np.float64) for each in (stored.mean, stored.precision, stored.draws)
    )
    if len(mean) != size or len(precision) != size * size or not len(draws) or len(draws) % size:
        raise ValueError("a version of other terms")
    belief = Belief(menu=menu, rate=rate, mean=mean, precision=precision.reshape(size, size))
    if _digest(belief, (stored.mean, stored.precision, stored.draws)) != stored.digest:
        raise ValueError("a version whose digest is another one")
    return belief, draws.reshape(-1, size)


def _mode(rows: Values, answered: Values, weights: Values, *, centre: Values, precision: Values) -> Values:
    """The mode of the posterior; a step that makes it worse is halved."""

    def height(mean: Values) -> float:
        score, off = rows @ mean, mean - centre
        return float(weights @ (answered * score - np.logaddexp(0, score)) - off @ precision @ off / 2)

    mean, best = centre, height(centre)
    for _ in range(STEPS):
        slope = rows.T @ (weights * (answered - expit(rows @ mean))) - precision @ (mean - centre)
        step = np.linalg.solve(_curvature(rows, weights, mean) + precision, slope)
        while (reached := height(mean + step)) < best and np.abs(step).max() > CLOSE:
            step = step / 2
        if reached < best:
            break
        mean, best = mean + step, reached
        if np.abs(step).max() < CLOSE:
            break
    return mean


def _curvature(rows: Values, weights: Values, mean: Values) -> Values:
    chance = expit(rows @ mean)
    curvature: Values = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows
    return curvature


def _shift(old: Menu, new: Menu) -> tuple[Values, NDArray[np.bool_]]:
    """How the new terms are made of the old ones [new terms, old terms], and which of them are."""
    at = {term: place for place, term in enumerate(old.terms)}
    row = {term: place for place, term in enumerate(new.terms)}
    shift = np.zeros((len(new.terms), len(old.terms)))
    for term in row.keys() & at.keys():
        shift[row[term], at[term]] = 1.0
    before, first = {each.campaign for each in old.campaigns}, next((each.campaign for each in new.campaigns), None)
    pairs = ((AgentTermKind.CAMPAIGN, AgentTermKind.LEVEL), (AgentTermKind.CAMPAIGN_DUE, AgentTermKind.DUE))
    for kind, of_all in pairs:
        own = None if first is None else at.get(AgentTerm(kind, first))
        if own is not None:  # another campaign was the first
            shift[row[AgentTerm(of_all)], own] += 1.0
            for term in row:
                if term.kind is kind and term.campaign in before:
                    shift[row[term], own] -= 1.0
    return shift, np.abs(shift).sum(axis=1) > 0


def _on_grid(values: Values, bits: int | None = None) -> Values:
    """Values rounded to 2^−bits; a precision, without ``bits``, to 2^−30 of its largest entry."""
    scale = 2.0 ** (-bits if bits is not None else np.ceil(np.log2(np.abs(values).max())) - STATE_BITS)
    rounded: Values = np.round(values / scale) * scale + 0.0  # no negative zero
    return rounded


def _bytes_of(values: Values) -> bytes:
    return np.ascontiguousarray(values, "<f8").tobytes()


def _digest(belief: Belief, parts: Sequence[bytes]) -> str:
    digest = blake2b(digest_size=16)
    digest.update(repr((belief.menu.campaigns, belief.menu.channels, belief.menu.extras)).encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
