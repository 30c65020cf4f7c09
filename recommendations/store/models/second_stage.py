"""The second stage of a version's blends as arrays: the lessons it learns from, and what it learned."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.ranking.features import Features
from recommendations.engine.ranking.second_stage import Config, Lesson, SecondStage
from recommendations.models import Blend, ModelVersion
from recommendations.store.models.artefacts import load_arrays, save_arrays
from recommendations.terms import BlendName, Cut


def blends_with_second_stage() -> list[BlendName]:
    """Blends whose second stage staff switched on."""
    names = Blend.objects.filter(second_stage=True).order_by("pk").values_list("name", flat=True)
    return [BlendName(name) for name in names]


def save_lesson(version: ModelVersion, cut: Cut, blend: BlendName, lesson: Lesson) -> int:
    features = lesson.features
    parts = {
        "names": np.array(features.names),
        "groups": np.array(features.groups),
        "values": features.values,
        "counts": features.counts,
        "relevant": lesson.relevant,
    }
    return _save(version, cut, f"second_stage/{blend}/lesson/", parts)


def load_lesson(version_id: int, cut: Cut, blend: BlendName) -> Lesson | None:
    """The lesson of a cut; None where it taught nothing."""
    parts = _load(version_id, cut, f"second_stage/{blend}/lesson/")
    if not parts:
        return None
    features = Features(
        names=tuple(str(name) for name in parts["names"]),
        groups=tuple(str(group) for group in parts["groups"]),
        values=parts["values"],
        counts=parts["counts"],
    )
    return Lesson(features=features, relevant=parts["relevant"])


def save_stage(version: ModelVersion, cut: Cut, blend: BlendName, stage: SecondStage) -> int:
    return _save(version, cut, f"second_stage/{blend}/trees/", stage.arrays())


def load_stage(version_id: int, cut: Cut, blend: BlendName) -> SecondStage | None:
    """The trees that made the cut's plane; None where it has none."""
    parts = _load(version_id, cut, f"second_stage/{blend}/trees/")
    return SecondStage.restored(Config(), parts) if parts else None


def _save(version: ModelVersion, cut: Cut, folder: str, parts: dict[str, NDArray[Any]]) -> int:
    return save_arrays(version, cut, {f"{folder}{name}": values for name, values in parts.items()})


def _load(version_id: int, cut: Cut, folder: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(folder): values for name, values in load_arrays(version_id, cut, prefix=folder).items()}
