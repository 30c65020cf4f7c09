"""The tuning panels of the live version, held by the process: loaded once, measured on every move of a weight.

A panel takes 4 bytes for each customer, candidate and recommender and a few more: 45 MB for 2,000 · 300 · 12. There are
two (home and discover); ``HeldPanel.nbytes`` says how much one is. Of very many customers a uniform sample is held
(``truth_sample``): a move is measured while somebody drags, and its interval says what they are worth. The first who
asks waits for the panel that they need; the other is loaded meanwhile, and a page may call ``warm`` before it asks.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from django.db import DatabaseError, connection
from numpy.typing import NDArray

from recommendations.engine.evaluation.accuracy import LENGTH
from recommendations.engine.evaluation.intervals import Measure, resamples
from recommendations.engine.evaluation.panel import Panel, PanelResult
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.loop.evaluate import panel_of
from recommendations.models import Group, ModelVersion
from recommendations.services.weights.values import Values
from recommendations.simulation.asked_length import blend_length
from recommendations.store.audiences.groups import edition, of_group
from recommendations.store.models import interests, model
from recommendations.store.models.artefacts import ArtefactDamagedError, of_one_edition
from recommendations.store.models.live_version import live_version
from recommendations.store.process_held import ProcessHeld
from recommendations.terms import TASKS, Cut, Lift, Task

type Loaded = tuple[int, int]
"""A version, and its edition: who is erased goes from the version's files, and so from the panel."""

MEASURED_KEPT = 16
"""Most lists and figures held, 320 kB for 2,000 customers: live is asked for on every move, drafts come and go."""

SUMMARIES_KEPT = 500
NOTHING: tuple[Loaded, None] = ((-1, 0), None)


@dataclass(frozen=True)
class PanelSettings:
    """Settings that rank the panel: weights sorted by instance, exponents of the lifts that count, diversity."""

    weights: tuple[tuple[str, float], ...]
    exponents: tuple[tuple[Lift, float], ...]
    diversity: float

    @classmethod
    def of(cls, values: Values) -> "PanelSettings":
        counting = tuple((name, exponent) for name, exponent in values.exponents.items() if exponent)
        return cls(tuple(sorted(values.weights.items())), counting, values.diversity)


@dataclass(kw_only=True, eq=False)
class HeldPanel:
    """A panel with what is known of its customers, all in the same order."""

    panel: Panel
    drawn: FloatArray  # [resamples, customers]
    customers: NDArray[np.int64]  # primary keys
    items: NDArray[np.int64]  # primary keys by item row
    baskets: IntArray  # of each customer before the window
    segments: IntArray  # number, −1 = none
    _parts: dict[Group, tuple[int, "HeldPanel"]] = field(init=False, repr=False)  # with the group's edition

    def __post_init__(self) -> None:
        self._parts = {}
        self.measured = lru_cache(MEASURED_KEPT)(self._measured)
        self.summary = lru_cache(SUMMARIES_KEPT)(self._summary)

    def __len__(self) -> int:
        return len(self.customers)

    @property
    def nbytes(self) -> int:
        return self.panel.nbytes + self.drawn.nbytes

    def part(self, group: Group) -> "HeldPanel":
        """The customers of a group alone, as it is by now; None: all of them."""
        if group is None:
            return self
        held = self._parts.get(group)
        if held is None or held[0] != edition(group):
            rows = np.flatnonzero(of_group(group, self.customers, segments=self.segments))
            part = replace(
                self, panel=self.panel.of(rows), drawn=self.drawn[:, rows], customers=self.customers[rows],
                baskets=self.baskets[rows], segments=self.segments[rows],
            )  # fmt: skip
            held = self._parts[group] = edition(group), part
        return held[1]

    def _measured(self, settings: PanelSettings) -> PanelResult:
        return self.panel.measure(
            dict(settings.weights), exponents=dict(settings.exponents), diversity=settings.diversity
        )

    def _summary(self, settings: PanelSettings) -> Mapping[str, Measure]:
        return self.measured(settings).summary(self.drawn)


class Panels:
    """Tuning panels of this process; of one version at a time."""

    def __init__(self) -> None:
        self._held: dict[Task, tuple[Loaded, HeldPanel | None]] = {}
        self._lock = threading.Lock()
        self._warming: threading.Thread | None = None

    def of(self, version: ModelVersion, task: Task) -> HeldPanel | None:
        """The tuning panel; None where nobody with a history bought anything in its window.

        It measures lists as long as the shop asks for.
        Raises ArtefactDamagedError.
        """
        length = min(blend_length(TASKS[task]), LENGTH)
        wanted = version.pk, version.edition
        loaded, held = self._held.get(task, NOTHING)
        if loaded == wanted and (held is None or held.panel.length == length):
            return held
        with self._lock:
            loaded, held = self._held.get(task, NOTHING)
            if loaded != wanted:
                held = of_one_edition(version.pk, lambda _edition: _loaded(version, task))
                self.warm()  # who looks at one task will look at the other
            if held is not None and held.panel.length != length:
                held = replace(held, panel=replace(held.panel, length=length))
            self._held[task] = wanted, held
            return held

    def warm(self) -> None:
        """Load what is not held in a thread of its own; a page that will soon ask for a panel calls this."""
        if self._warming is None or not self._warming.is_alive():
            self._warming = threading.Thread(target=self._load_all, daemon=True, name="panels")
            self._warming.start()

    def settle(self) -> None:
        """Wait until ``warm`` is done."""
        if self._warming is not None:
            self._warming.join()

    def _load_all(self) -> None:
        try:
            version = live_version()
            if version is not None:
                for task in TASKS:
                    self.of(version, task)
        except (DatabaseError, ArtefactDamagedError, OSError):
            return  # whoever asks for it gets the error
        finally:
            connection.close()


panels = ProcessHeld(Panels, end=Panels.settle)


def _loaded(version: ModelVersion, task: Task) -> HeldPanel | None:
    panel = panel_of(version.pk, Cut.TUNING, task, sample=True)
    if panel is None:
        return None
    snapshot, _ = model.load_snapshot(version.pk, Cut.TUNING)
    before = snapshot.training.interactions.of_users(panel.users)
    customers = snapshot.users.ids[panel.users]
    return HeldPanel(
        panel=panel,
        drawn=resamples(len(panel.users), seed=version.run.seed),
        customers=customers,
        items=snapshot.items.ids,
        baskets=before.where(before.bought).n_baskets,
        segments=interests.segments_by_customer(version.pk, customers),
    )
