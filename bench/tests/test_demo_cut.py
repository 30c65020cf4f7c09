"""A cut of the bench weighs what a shop with the same data weighs."""

import numpy as np
import pytest
from scipy import sparse

from bench.growth.synthetic import shop
from bench.ranking.complete_journey import Part
from bench.ranking.demo_cut import scored_cut
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import Sparse, TrainingSet
from recommendations.engine.ids import IdMap
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.terms import Task

SMALL = shop(1_000)


def part(links: Sparse | None) -> Part:
    rows, catalogue = SMALL.training.interactions, SMALL.training.catalogue
    made = TrainingSnapshot(
        cut=0.0,
        training=TrainingSet(interactions=rows, catalogue=catalogue, links=links),
        users=IdMap(ids=np.arange(rows.n_users)),
        items=IdMap(ids=np.arange(rows.n_items)),
        disliked=sparse.csr_matrix((rows.n_users, rows.n_items), dtype=np.float32),
    )
    return Part(cut=0.0, snapshot=made, truths={Task.DISCOVER: Truth(spent=SMALL.spent)})


@pytest.mark.parametrize("followed", [False, True])
def test_nobody_who_follows_is_weighed_where_nobody_follows(*, followed: bool) -> None:
    links = sparse.csr_matrix(np.eye(SMALL.training.n_users, k=1, dtype=np.float32)) if followed else None
    scored = scored_cut(part(links), tasks=(Task.DISCOVER,), k=10, seed=0, tell=lambda _: None)
    instances = scored.records[Task.DISCOVER].instances
    assert "ease_discover" in instances
    assert ("social_discover" in instances) is ("social_discover" in scored.fit) is followed
