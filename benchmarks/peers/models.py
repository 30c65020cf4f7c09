"""Which models of which libraries are measured, with the best settings that the tuning cut showed (``README.md``)."""

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


EASE_ITEMS = 8000  # best sellers: a dense inverse of the whole catalogue would need 34 GB

PEERS: Sequence[Peer] = (
    Peer(
        library="implicit",
        model="als",
        settings={
            Task.HOME: {
                "data": {"weight": "log", "half_life": 180},
                "model": {"factors": 64, "regularization": 0.1, "alpha": 5, "iterations": 8},
            },
            Task.DISCOVER: {
                "data": {"weight": "log", "half_life": 180},
                "model": {"factors": 64, "regularization": 0.1, "alpha": 5, "iterations": 8},
            },
        },
    ),
    Peer(
        library="rectools",
        model="pure_svd",
        settings={
            Task.HOME: {"data": {"weight": "log", "half_life": 90}, "model": {"factors": 128}},
            Task.DISCOVER: {"data": {"weight": "log", "half_life": 180}, "model": {"factors": 48}},
        },
    ),
    Peer(
        library="lenskit",
        model="slim",
        settings={
            Task.DISCOVER: {"data": {"top_items": 10_000}, "model": {"l1_reg": 5, "l2_reg": 20, "max_nbrs": 200}},
        },
    ),
    Peer(
        library="cornac",
        model="gp_top",
        settings={Task.HOME: {"data": {"days": 180}}},
    ),
)
