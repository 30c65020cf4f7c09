"""The article's method, by hand."""

import numpy as np
import pytest
from scipy import sparse

from bench.ranking.article import Article
from tests.shop import Act, training_set

COUNTS = [[3, 4, 0], [3, 0, 0], [0, 0, 2]]
"""Cosines: users 0 and 1 meet in 9 / (5 · 3) = .6, user 2 meets no one."""


def bought() -> list[Act]:
    baskets = iter(range(100))
    return [
        Act(user, item, next(baskets))
        for user, row in enumerate(COUNTS)
        for item, count in enumerate(row)
        for _ in range(count)
    ]


def test_scores_where_each_user_is_a_cluster() -> None:
    """Where there are as many clusters as users a centroid is the user's own row, so both cosines are .6."""
    article = Article.fit(training_set(bought(), n_users=3, category_of=[0, 0, 0]))
    assert article.counts.toarray().tolist() == COUNTS
    np.testing.assert_allclose(
        article.scores(np.asarray([0, 1, 2])), [[0.36 * 3, 0, 0], [0.36 * 3, 0.36 * 4, 0], [0, 0, 0]], rtol=1e-5
    )


def test_two_groups_of_users_become_two_clusters() -> None:
    """Six people buy item 0 twice, six item 1 twice: within a group both cosines are 1, across they are 0."""
    acts = [Act(user, int(user >= 6), 2 * user + visit) for user in range(12) for visit in range(2)]
    with pytest.warns(Warning, match="distinct clusters"):
        article = Article.fit(training_set(acts, n_users=12, category_of=[0, 0]))
    assert article.scores(np.asarray([0, 7])).tolist() == [[10, 0], [0, 10]]


def test_likeness_of_clusters_weighs_the_neighbours() -> None:
    article = Article(
        counts=sparse.csr_matrix(np.asarray([[1, 0, 0], [1, 1, 0], [1, 0, 1]], np.float32)),
        cluster=np.asarray([0, 0, 1], np.int32),
        affinity=np.asarray([[1, 0.25], [0.25, 1]], np.float32),
    )
    cosine = 2**-0.5
    np.testing.assert_allclose(article.scores(np.asarray([0])), [[cosine * 1.25, cosine, cosine * 0.25]], rtol=1e-5)
    assert article.ranked(np.asarray([0]), excluded=None)[0, :4].tolist() == [0, 1, 2, -1]
    assert article.ranked(np.asarray([0]), excluded=article.counts)[0, :3].tolist() == [1, 2, -1]
