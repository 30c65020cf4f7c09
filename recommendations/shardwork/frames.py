"""Training sets and queries as named arrays, which may be files that are mapped."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.frames import Catalogue, Interactions, Promotions, Queries, Space, TrainingSet
from recommendations.engine.steps import Arrays, arrays_of, matrix_of

KINDS = {"acts": Interactions, "catalogue": Catalogue, "promotions": Promotions}
COUNTS = ("n_users", "n_items")
SPACES, ENDS = "catalogue/spaces", "catalogue/space_ends"
HISTORIES, QUERIES = "histories", "queries"


def arrays_of_training(training: TrainingSet) -> dict[str, NDArray[Any]]:
    """All that steps of a fit read: the acts that others learn from, the catalogue, the promotions and the net."""
    arrays: dict[str, NDArray[Any]] = {f"net/{name}": array for name, array in (training.net or {}).items()}
    frames = {"acts": training.teaching, "catalogue": training.catalogue, "promotions": training.promotions}
    for name, frame in frames.items():
        arrays |= _arrays_of_frame(name, frame)
    if training.catalogue.spaces:
        arrays[SPACES] = np.array([space.name for space in training.catalogue.spaces])
        arrays[ENDS] = np.array([space.last for space in training.catalogue.spaces])
    return arrays


def training_of(arrays: Arrays) -> TrainingSet:
    """The training set that ``arrays_of_training`` was taken from, of those who teach."""
    frames: dict[str, Any] = {name: _frame(kind, name, arrays) for name, kind in KINDS.items()}
    return TrainingSet(
        interactions=frames["acts"],
        catalogue=frames["catalogue"],
        promotions=frames["promotions"],
        net=under("net/", arrays) or None,
    )


def arrays_of_queries(queries: Queries) -> dict[str, NDArray[Any]]:
    """Queries without what is in view."""
    return _arrays_of_frame(HISTORIES, queries.histories) | _arrays_of_frame(QUERIES, queries)


def queries_of(arrays: Arrays) -> Queries:
    """The queries that ``arrays_of_queries`` was taken from."""
    told = {field.name: _value(f"{QUERIES}/{field.name}", arrays) for field in fields(Queries) if field.init}
    return Queries(**{**told, "histories": _frame(Interactions, HISTORIES, arrays)})


def under(beginning: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, by the rest of these."""
    return {name.removeprefix(beginning): array for name, array in arrays.items() if name.startswith(beginning)}


def _arrays_of_frame(name: str, frame: Any) -> dict[str, NDArray[Any]]:
    """The numbers of a frame; none where there is no frame."""
    arrays: dict[str, NDArray[Any]] = {}
    for field in fields(frame) if frame is not None else ():
        value = getattr(frame, field.name)
        if isinstance(value, sparse.csr_matrix):
            arrays |= arrays_of(f"{name}/{field.name}", value)
        elif isinstance(value, np.ndarray | int):
            arrays[f"{name}/{field.name}"] = np.asarray(value)
    return arrays


def _frame(kind: type[Any], name: str, arrays: Arrays) -> Any:
    """One frame; None where none of its arrays is there."""
    told = {field.name: _value(f"{name}/{field.name}", arrays) for field in fields(kind) if field.init}
    values = {name: value for name, value in told.items() if value is not None}
    return kind(**values) if values else None


def _value(stem: str, arrays: Arrays) -> Any:
    """A field of a frame; None where nothing of it is there."""
    if stem == SPACES and SPACES in arrays:
        ends = arrays[ENDS].tolist()
        return tuple(map(Space, arrays[SPACES].tolist(), [0, *ends[:-1]], ends))
    if f"{stem}.data" in arrays:
        return matrix_of(arrays, stem)
    counted = stem.rpartition("/")[2] in COUNTS
    return None if stem not in arrays else int(arrays[stem]) if counted else arrays[stem]
