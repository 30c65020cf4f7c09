"""Models of other libraries that are measured, with the best settings that the tuning cut showed (``README.md``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.terms import Task

PYTHON: Mapping[str, str] = {
    "implicit": ">=3.12,<3.15",
    "rectools": ">=3.13,<3.15",
    "lenskit": ">=3.13,<3.15",
    "cornac": ">=3.12,<3.15",
}
"""The Pythons that a library's lock is made for."""

type Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One model of one library. A task without settings is one that the model cannot do."""

    library: str
    model: str
    settings: Mapping[Task, Settings]

    @property
    def name(self) -> str:
        return f"{self.library}_{self.model}"


PEERS: Sequence[Peer] = (
    Peer(
        library="implicit",
        model="als",
        settings={
            Task.HOME: {
                "data": {"weight": "log", "half_life": 90},
                "model": {"factors": 64, "regularization": 0.01, "alpha": 1, "iterations": 8},
            },
            Task.DISCOVER: {
                "data": {"weight": "log", "half_life": 180},
                "model": {"factors": 64, "regularization": 0.1, "alpha": 1, "iterations": 8},
            },
        },
    ),
    Peer(
        library="implicit",
        model="bm25",
        settings={Task.HOME: {"data": {"weight": "log"}, "model": {"K": 100, "K1": 1.2, "B": 0.75}}},
    ),
    Peer(
        library="implicit",
        model="tfidf",
        settings={Task.DISCOVER: {"data": {"weight": "log"}, "model": {"K": 200}}},
    ),
    Peer(
        library="implicit",
        model="bpr",
        settings={
            task: {"model": {"factors": 64, "learning_rate": 0.01, "regularization": 0.01, "iterations": 30}}
            for task in (Task.HOME, Task.DISCOVER)
        },
    ),
    Peer(
        library="rectools",
        model="pure_svd",
        settings={
            Task.HOME: {"data": {"weight": "sqrt", "half_life": 60}, "model": {"factors": 1200}},
            Task.DISCOVER: {"data": {"weight": "log", "half_life": 180}, "model": {"factors": 48}},
        },
    ),
    Peer(
        library="rectools",
        model="ease",
        settings={
            Task.HOME: {
                "data": {"weight": "sqrt", "half_life": 90, "top_items": 8000},
                "model": {"regularization": 100},
            },
            Task.DISCOVER: {"data": {"top_items": 5000}, "model": {"regularization": 500}},
        },
    ),
    Peer(
        library="lenskit",
        model="slim",
        settings={
            Task.HOME: {"data": {"top_items": 10_000}, "model": {"l1_reg": 5, "l2_reg": 20, "max_nbrs": 200}},
            Task.DISCOVER: {"data": {"top_items": 10_000}, "model": {"l1_reg": 5, "l2_reg": 20, "max_nbrs": 200}},
        },
    ),
    Peer(
        library="lenskit",
        model="user_knn",
        settings={
            Task.DISCOVER: {"data": {"top_items": 10_000}, "model": {"max_nbrs": 100, "feedback": "implicit"}},
        },
    ),
    Peer(
        library="lenskit",
        model="als",
        settings={
            Task.DISCOVER: {"model": {"embedding_size": 64, "epochs": 8, "regularization": 0.1, "weight": 5}},
        },
    ),
    Peer(
        library="cornac",
        model="gp_top",
        settings={Task.HOME: {"data": {"days": 240}}, Task.DISCOVER: {"data": {"days": 28}}},
    ),
    Peer(
        library="cornac",
        model="upcf",
        settings={
            Task.HOME: {"data": {"days": 180}, "model": {"recency": 15, "locality": 3, "asymmetry": 0.25}},
            Task.DISCOVER: {"data": {"days": 240}, "model": {"recency": 5, "locality": 2, "asymmetry": 0.25}},
        },
    ),
    Peer(
        library="cornac",
        model="tifu_knn",
        settings={
            Task.HOME: {
                "data": {"top_items": 4000, "days": 240},
                "model": {"n_neighbors": 1, "within_decay_rate": 0.9, "group_decay_rate": 0.7, "n_groups": 7},
            },
        },
    ),
)
