"""The share of a known customer's score that a visit should make: tried on visits that were cut from a window."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from scipy import sparse

from recommendations.engine.evaluation.accuracy import PerUser, judge, ndcg
from recommendations.engine.evaluation.intervals import Measure, differences, resamples
from recommendations.engine.evaluation.visits import SampledVisits
from recommendations.engine.feedback.tuning import measurably_better
from recommendations.engine.frames import IntArray, Queries, Sparse, TrainingSet
from recommendations.engine.preprocess.weighting import SESSION_FADING
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.score_rows import DenseRow, nominees
from recommendations.engine.ranking.scores import Exponents, Lifts
from recommendations.engine.ranking.visit_share import SHARE, ScoredItems, mixed, with_visit
from recommendations.engine.recommenders.hybrid import NOMINATED
from recommendations.engine.recommenders.protocol import Recommender

NOTHING = 0.0
SHARES = (NOTHING, 0.1, SHARE, 0.35, 0.5, 0.7)
"""Shares that are tried. The first shows what the record reaches alone, and is not chosen: many shops have only
receipts to learn from, and what somebody looks at tells more of what they want now than the first lines of a receipt.
"""
FEWEST = 100  # visits; of fewer nothing is learned
LENGTH = 10
BLOCK = 128  # visits that are scored at once, or fewer
BLOCK_BYTES = 256_000_000  # most that their scores of all items take


@dataclass(frozen=True, kw_only=True)
class LearnedShare:
    """The share of a visit, and how it did against the usual one: NDCG@10 of what was taken later in the visit."""

    share: float = SHARE
    visits: int = 0
    ndcg: Mapping[float, float] = field(default_factory=dict)  # of each share that was tried
    gain: Measure | None = None  # against the usual share, paired by customer

    @classmethod
    def of(cls, reached: Mapping[float, PerUser], *, seed: int) -> Self:
        """Choose from NDCG per visit under each share: the usual one, unless the best above 0 is measurably better.

        Then it is the one nearest to the usual that is measurably better, too, and that the best is not better than.
        """
        visits = len(reached[SHARE])
        if visits < FEWEST:
            return cls(visits=visits)
        means = {share: float(per_visit.mean()) for share, per_visit in reached.items()}
        choices, share = [each for each in reached if each > NOTHING], SHARE
        best = reached[max(choices, key=lambda each: means[each])]
        better = [each for each in choices if measurably_better(reached[each], reached[SHARE])]
        if measurably_better(best, reached[SHARE]):
            as_good = (each for each in better if not measurably_better(best, reached[each]))
            share = min(as_good, key=lambda each: abs(each - SHARE))
        both = (reached[share][:, None], reached[SHARE][:, None])
        return cls(share=share, visits=visits, ndcg=means, gain=differences(*both, resamples(visits, seed=seed))[0])


class Records(NamedTuple):
    """A blend's records, one of each visit's customer in the order of the visits."""

    of_customers: Candidates
    barred: Sparse | None = None  # visits × items that are no candidates


def joined_records[Blend](
    visits: SampledVisits,
    records: Mapping[Blend, Records],
    recommenders: Mapping[str, Recommender],
    training: TrainingSet,
) -> dict[Blend, Candidates]:
    """The records of each blend with what the recommenders of visits say, as an answer to the visit would have it."""
    joined: dict[Blend, list[ScoredItems]] = {blend: [] for blend in records}
    names = {blend: _visiting(of_blend, recommenders) for blend, of_blend in records.items()}
    for number, rows in enumerate(_scored(visits, recommenders, training)):
        seen = np.sort(visits.seen[number][visits.seen[number] >= 0])
        items = nominees([*rows.values()], nominated=NOMINATED, but=seen, width=training.n_items)
        for blend, (of_customers, barred) in records.items():
            own = of_customers.items[number]
            kept = own >= 0
            record = ScoredItems(own[kept], of_customers.z[number][:, kept])
            wanted = items if barred is None else np.setdiff1d(items, barred[[number]].indices).astype(np.int32)
            scores = [rows[name] for name in names[blend]]
            joined[blend].append(with_visit(record, scores, wanted, width=training.n_items))
    return {
        blend: _padded(joined[blend], (*of_blend.of_customers.instances, *names[blend]))
        for blend, of_blend in records.items()
    }


def reached_by_share(
    joined: Candidates,
    visits: SampledVisits,
    *,
    weights: Mapping[str, float],
    session: Mapping[str, float],
    visiting: Sequence[str],
    lifts: Lifts | None = None,
    exponents: Exponents | None = None,
) -> dict[float, PerUser]:
    """NDCG@10 of each visit under every share, with the weights of the record and those of visits."""
    reached = {}
    for share in SHARES:
        both = mixed(weights, session, visiting=visiting, share=share)
        ranked = joined.ranked(both, LENGTH, lifts=lifts, exponents=exponents)
        reached[share] = ndcg(judge(ranked, visits.spent), LENGTH)
    return reached


def _visiting(records: Records, recommenders: Mapping[str, Recommender]) -> list[str]:
    return [name for name in recommenders if name not in records.of_customers.instances]


def _scored(
    visits: SampledVisits, recommenders: Mapping[str, Recommender], training: TrainingSet
) -> Iterator[dict[str, DenseRow]]:
    """What each recommender says of the items, visit by visit, asked in blocks."""
    row_bytes = 4 * max(training.n_items, 1) * max(len(recommenders), 1)
    block = int(np.clip(BLOCK_BYTES // row_bytes, 1, BLOCK))
    for start in range(0, len(visits), block):
        seen = visits.seen[start : start + block]
        queries = _queries(seen, training)
        scores = {name: one.score(queries) for name, one in recommenders.items()}
        for number in range(len(seen)):
            yield {name: DenseRow(of_all[number]) for name, of_all in scores.items()}


def _queries(seen: IntArray, training: TrainingSet) -> Queries:
    """Somebody without a history looks at these items; each counts .8 of the one after it."""
    nothing = replace(training.interactions.of_users(np.empty(0, np.int64)), n_users=len(seen))
    visit, place = np.nonzero(seen >= 0)
    values = np.power(np.float32(SESSION_FADING), place.astype(np.float32))
    context = sparse.csr_matrix((values, (visit, seen[visit, place])), shape=(len(seen), training.n_items))
    return Queries(histories=nothing, training_rows=np.full(len(seen), -1, np.int32), context=context)


def _padded(standings: Sequence[ScoredItems], instances: tuple[str, ...]) -> Candidates:
    """Standings of one width as records; their instances' own best are not asked for."""
    width = max((len(one.items) for one in standings), default=0)
    items = np.full((len(standings), width), -1, np.int32)
    z = np.full((len(standings), len(instances), width), np.nan, np.float16)
    for number, one in enumerate(standings):
        items[number, : len(one.items)] = one.items
        z[number, :, : len(one.items)] = one.z
    own = np.empty((len(standings), len(instances), 0), np.int32)
    return Candidates(instances=instances, items=items, z=z, own=own)
