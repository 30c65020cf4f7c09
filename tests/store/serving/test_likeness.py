"""Likeness of items by main category, against the dense matrix."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from recommendations.engine.frames import Catalogue
from recommendations.store.models.model import likeness

shares = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 6), st.integers(1, 5)), elements=st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0])
)


@given(shares)
def test_the_main_category_has_the_largest_share_and_is_unknown_without_any(dense: np.ndarray) -> None:
    n_items = len(dense)
    catalogue = Catalogue(
        categories=sparse.csr_matrix(dense), terms=sparse.csr_matrix((n_items, 1), dtype=np.float32),
        price=np.ones(n_items, np.float32), listed_age=np.ones(n_items, np.float32),
    )  # fmt: skip
    expected = np.where(dense.any(axis=1), dense.argmax(axis=1), -1)
    assert likeness(catalogue).traits[:, 0].tolist() == expected.tolist()
