"""A visit: what somebody did that the model does not know of, and what it makes of the next answer.

For a visitor whom the model does not know it makes all of it, under the weights of the blend ``session``. For a
customer with a record it makes a share: the record says what they buy, the visit what they have in mind.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from recommendations.engine.frames import IntArray
from recommendations.engine.preprocess.weighting import SESSION_FADING
from recommendations.engine.ranking.score_rows import ScoreRow, nominees, standing
from recommendations.engine.ranking.visit_share import ScoredItems, with_visit
from recommendations.engine.recommenders.hybrid import NOMINATED
from recommendations.serving.candidates import CandidatePool, CandidateSource, candidate_source
from recommendations.serving.history import History
from recommendations.store.live.change_watch import people_cache
from recommendations.store.live.state import LiveState
from recommendations.store.models.held_by_model import held_by_model
from recommendations.store.models.model import Model
from recommendations.terms import BlendName

MOST = 20  # items of a visit that count, the newest ones
NEVER = -np.inf
VISITS_HELD, JOINED_HELD = 64, 1_024  # of about 150 and 40 kB


def visit(candidates: CandidateSource, state: LiveState, *, known: bool) -> tuple[int, ...]:
    """Rows of the model of what was looked at or bought, each once, the newest first.

    For a customer with a record only what the record cannot know, and what a purchase has not settled since.
    """
    if not state.recent and not state.bought:
        return ()
    since = candidates.until if known else NEVER
    last: dict[int, float] = {}
    for item, _, at in state.recent:
        if at > since and not (known and at <= state.bought.get(item, NEVER)):
            last[item] = max(at, last.get(item, at))
    for item, at in () if known else state.bought.items():
        if at >= state.refunded.get(item, NEVER):
            last[item] = max(at, last.get(item, at))
    newest = sorted(last, key=lambda item: -last[item])
    rows = candidates.model.items.rows(np.array(newest, np.int64))
    return tuple(rows[rows >= 0][:MOST].tolist())


class ScoredVisit(NamedTuple):
    """What was made of a visit before it is known whose it is."""

    scores: Mapping[str, ScoreRow]  # by instance
    items: IntArray  # candidates, ascending
    history: History


class Visits:
    """Candidate pools of visits under one model; two visits that saw the same have one pool."""

    def __init__(self, candidates: CandidateSource) -> None:
        self.pools = candidates
        self.width = len(candidates.model.items)
        self.scored = people_cache(VISITS_HELD)(self._scored)
        self.joined = people_cache(JOINED_HELD)(self._joined)

    def alone(self, rows: tuple[int, ...]) -> CandidatePool:
        """Candidates of a visit, and of nothing else; what was seen is none."""
        scored = self.scored(rows)
        z = standing([*scored.scores.values()], scored.items)
        return CandidatePool(instances=tuple(scored.scores), items=scored.items, z=z, history=scored.history)

    def _scored(self, rows: tuple[int, ...]) -> "ScoredVisit":
        query = self.pools.query_of(self.pools.nobody, rows, fading=SESSION_FADING)
        scores = self.pools.score_rows(BlendName.SESSION, query)
        items = nominees(
            [*scores.values()], nominated=NOMINATED, but=np.array(sorted(rows), np.int32), width=self.width
        )
        return ScoredVisit(scores=scores, items=items, history=self.pools.nobody.asking(query))

    def _joined(self, blend: BlendName, record: int, rows: tuple[int, ...]) -> CandidatePool | None:
        """A record with the candidates of a visit beside its own; None without a record."""
        own = self.pools.stored(blend, record)
        if own is None:
            return None
        visit = self.scored(rows)
        names = tuple(name for name in visit.scores if name not in own.instances)
        scores = [visit.scores[name] for name in names]
        items, z = with_visit(ScoredItems(own.items, own.z), scores, visit.items, width=self.width)
        return CandidatePool(
            instances=(*own.instances, *names), items=items, z=z, history=own.history,
            visit=visit.history, visiting=frozenset(names), record=own, leaning=own.leaning, sure=own.sure,
        )  # fmt: skip


@held_by_model
def visits_of(model: Model) -> Visits:
    """Visits under a model."""
    return Visits(candidate_source(model))
