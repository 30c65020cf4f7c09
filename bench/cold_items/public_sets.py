"""Published sets of which a random tenth of the items is made cold: MovieLens 100k and citeulike-a.

The split is not by time, so all acts are of one age. Films are described by title, genres and year, articles by the
tags that people gave them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.cold_items.sets import ColdSet, with_a_cold_tenth
from bench.files.parts import undescribed
from bench.movielens import fetched
from demo.sets.citeulike import LIBRARIES, article_tags
from demo.sets.files import rows_of, verify
from recommendations.engine.frames import Interactions, Sparse, TrainingSet
from recommendations.engine.preprocess.terms import membership, term_counts

SEEDS = {"ml-100k": (3, 4, 5), "citeulike-a": (3,)}
MOST = 3_000  # people asked, as many as the figures of the design are of


def movielens(seed: int) -> ColdSet:
    """Films of MovieLens 100k, from the wheel; everybody who rated one counts."""
    file = fetched()
    items = pd.read_csv(file.with_suffix(".item"), sep="\t", dtype=str, keep_default_na=False, quoting=3)
    ratings = pd.read_csv(file, sep="\t")
    items.columns, ratings.columns = ([str(name).partition(":")[0] for name in each] for each in (items, ratings))
    texts = (items["movie_title"] + " " + items["class"] + " " + items["release_year"]).tolist()
    genres, numbers = [row.split() for row in items["class"]], pd.Index(sorted(set(" ".join(items["class"]).split())))
    item = pd.Index(items["item_id"].astype(int)).get_indexer(pd.Index(ratings["item_id"]))
    acts = _interactions(pd.factorize(ratings["user_id"])[0], item, n_items=len(items))
    categories = membership([numbers.get_indexer(row) for row in genres], n_columns=len(numbers))
    catalogue = replace(undescribed(len(items)), categories=categories, terms=_terms(texts))
    training = TrainingSet(interactions=acts, catalogue=catalogue)
    return with_a_cold_tenth(training, texts, name=f"ml-100k, seed {seed}", seed=seed, most=MOST)


def citeulike(folder: Path, seed: int) -> ColdSet:
    """Articles of citeulike-a. Raises WrongFileError."""
    verify(folder, LIBRARIES)
    tags = article_tags(folder)
    libraries = [[int(value) for value in row[1:]] for _, row in rows_of(folder, LIBRARIES)]
    item = np.concatenate([np.array(row, np.int64) for row in libraries])
    acts = _interactions(np.repeat(np.arange(len(libraries)), list(map(len, libraries))), item, n_items=len(tags))
    texts: Sequence[str] = [" ".join(own).replace("_", " ").replace("-", " ") for own in tags.values()]
    catalogue = replace(undescribed(len(texts)), terms=_terms(texts))
    training = TrainingSet(interactions=acts, catalogue=catalogue)
    return with_a_cold_tenth(training, texts, name=f"citeulike-a, seed {seed}", seed=seed, most=MOST)


def _terms(texts: Sequence[str]) -> Sparse:
    return term_counts(text.lower().split() for text in texts)


def _interactions(user: NDArray[np.integer], item: NDArray[np.integer], *, n_items: int) -> Interactions:
    order = np.lexsort((item, user))
    ones = np.ones(len(order), np.float32)
    return Interactions(
        user=user[order].astype(np.int32), item=item[order].astype(np.int32),
        basket=np.arange(len(order), dtype=np.int32), age=np.zeros_like(ones), quantity=ones, strength=ones,
        amount=np.zeros_like(ones), bought=ones > 0, n_users=int(user.max()) + 1, n_items=n_items,
    )  # fmt: skip
