"""The catalogue that an items file describes."""

from pathlib import Path

import numpy as np
from scipy import sparse

from bench.files.acts import Vocabulary
from bench.files.parts import undescribed
from bench.files.tables import read_items
from recommendations.engine.describe.text import count_texts, text_space
from recommendations.engine.frames import Catalogue
from recommendations.engine.preprocess.terms import description, membership, term_counts

SEVERAL = "|"
"""Separator of the paths of an item that stands in more than one category."""


def catalogue(path: Path | None, items: Vocabulary, *, n_items: int) -> tuple[Catalogue, int]:
    """Read (catalogue, how many of the items the file describes). Items that it does not hold are undescribed."""
    blank = undescribed(n_items)
    if path is None:
        return blank, 0
    columns = read_items(path)
    place = {item: row for row, item in enumerate(columns["item_id"])}
    places = [place.get(item, -1) for item in items.values.to_pylist()[:n_items]]

    def texts(name: str) -> list[str]:
        column = columns.get(name)
        return [column[row] if column and row >= 0 else "" for row in places]

    both = zip(texts("category"), texts("categories"), strict=True)
    paths = [[part.strip() for text in pair for part in text.split(SEVERAL) if part.strip()] for pair in both]
    numbers = {name: number for number, name in enumerate(sorted({path for row in paths for path in row}))}
    categories = membership(
        [np.array([numbers[path] for path in row], np.int64) for row in paths], n_columns=len(numbers)
    )
    rows = list(zip(texts("title"), texts("brand"), paths, strict=True))
    terms = term_counts(description(title, brand=brand, paths=row) for title, brand, row in rows)
    counted = count_texts([" ".join(part for part in (title, brand, *row) if part) for title, brand, row in rows])
    every = np.arange(n_items)
    described = Catalogue(
        categories=sparse.csr_matrix(categories, dtype=np.float32),
        terms=terms,
        price=blank.price,
        listed_age=blank.listed_age,
        vectors=text_space(counted, every).vectors(counted, every),
    )
    return described, sum(row >= 0 for row in places)
