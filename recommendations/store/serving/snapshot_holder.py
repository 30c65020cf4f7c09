"""Holder of all that an answer needs, in the memory of the process: with PostgreSQL and Valkey away, answers go on.

A request uses one snapshot from beginning to end. The next one is made when a mark of change has moved
(``fetch.announce``), and every few seconds in any case; a new model is loaded beside the old one and then takes its
place.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from recommendations.models import BlendWeights, Customer, ModelVersion, Placement, ShopPage
from recommendations.store.events.directory import Directory
from recommendations.store.events.generations import checked_generation, stored_generation
from recommendations.store.events.known_customers import (
    KnownCustomers,
    anybody_erased,
    known_by,
    merged_since,
)
from recommendations.store.live import fetch
from recommendations.store.live.erased_keys import erased_keys
from recommendations.store.live.fetch import Changed
from recommendations.store.live.valkey import Breaker
from recommendations.store.models.artefacts import ArtefactDamagedError, forget_copies
from recommendations.store.models.directory_files import load_directory
from recommendations.store.models.live_version import live_version
from recommendations.store.models.model import Model, load_model
from recommendations.store.process_held import ProcessHeld
from recommendations.store.promises.served_promises import ServedPromises, served_promises
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.served_experiments import running_experiments
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import (
    Names,
    ServedExperiment,
    ServedPlacement,
    ServedSlot,
    ServedWeights,
    Snapshot,
    WeightsKey,
)
from recommendations.store.serving.stock import load_stock, with_changes
from recommendations.terms import BlendName, CatalogueScope, Cut, Repeat, Variants

RECHECK = 15.0  # seconds: a mark of change may have been lost
RECHECK_ALONE = 1.0  # without Valkey there are no marks
OVERLAP = timedelta(seconds=60)  # an edit carries the time of its statement and is seen after its commit
ANOTHER_TRY = 30.0  # seconds after a model could not be loaded
DEAF = 30.0
"""Seconds without a look after which rows of people who were erased may have come and gone: half of what they stand."""

log = structlog.get_logger(__name__)


class NotLoadedError(Exception):
    """The process has never read what it needs: PostgreSQL was away when it began."""


class SnapshotHolder:
    """Holds the snapshot of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Snapshot | None = None
        self._checked = 0.0
        self._record = Breaker("postgresql", pause=2.0)
        self._loading: threading.Thread | None = None
        self._failed_at = -ANOTHER_TRY
        self._as_tested: Model | None = None
        self._is_lost = False  # who is known, as it could not be read who was erased

    @property
    def snapshot(self) -> Snapshot | None:
        return self._held

    def any(self) -> Snapshot:
        """The snapshot that is held, however old, else the first one. Raises NotLoadedError as ``current``."""
        return self._held or self.current(None)

    def current(self, changed: Mapping[str, str] | None) -> Snapshot:
        """The snapshot for an answer; ``changed`` are the marks as Valkey has them now, None where it is away.

        With PostgreSQL away it is the last one. Raises NotLoadedError where there is none.
        """
        held = self._held
        if held is not None and (self._is_fresh(held, changed) or not self._record):
            return held
        with self._lock:
            held = self._held
            if self._record and (held is None or not self._is_fresh(held, changed)):
                self._refresh(held, changed)
        if self._held is None:
            raise NotLoadedError
        return self._held

    def as_tested(self, changed: Mapping[str, str] | None) -> Snapshot:
        """Snapshot with the live version's test cut, to review what it would say; ``changed`` as for ``current``."""
        now = self.current(changed)
        if now.model is None:
            return now
        with self._lock:
            if self._as_tested is None or self._as_tested.mark != now.model.mark:
                self._as_tested = load_model(now.model.version_id, Cut.TEST)
            return replace(now, model=self._as_tested)

    def forget_erased(self, changed: Mapping[str, str] | None) -> None:
        """Forget who was erased, where the marks say that somebody was; the next answer reads the rest again."""
        with self._lock:
            held = self._held
            if held is not None and _somebody_is_gone(held, changed):
                gone = erased_keys().hear()
                held.customers.forget(gone)
                self._held = replace(held, gone=gone, audiences=held.audiences.without(gone))
                self._as_tested = None

    def settle(self) -> None:
        """Wait until a model that is being loaded has taken its place."""
        if self._loading is not None:
            self._loading.join()

    def _is_fresh(self, held: Snapshot, changed: Mapping[str, str] | None) -> bool:
        age = time.monotonic() - self._checked
        return age < RECHECK_ALONE if changed is None else changed == held.changed and age < RECHECK

    def _only_lacks_mergers(self, held: Snapshot, changed: Mapping[str, str] | None) -> bool:
        """Whether only mergers are new: somebody signs in every second or so, for which not all is read again."""
        others = ({**(marks or {}), Changed.CUSTOMERS: ""} for marks in (held.changed, changed))
        return changed is not None and next(others) == next(others) and time.monotonic() - self._checked < RECHECK

    def _refresh(self, held: Snapshot | None, changed: Mapping[str, str] | None) -> None:
        try:
            if held is not None and self._only_lacks_mergers(held, changed):
                held.customers.merge(merged_since(held.read_at - OVERLAP))
                held.changed = changed
                return
            self._held = held = self._next(held, changed) if held else _first(changed)
            version = live_version()
        except DatabaseError as error:
            self._record.trip(error)
            if held is not None and _somebody_is_gone(held, changed):
                self._held, self._is_lost = replace(held, customers=KnownCustomers()), True  # who else, it cannot tell
            return
        self._checked = time.monotonic()
        if version is None or (held.model is not None and held.model.is_of(version)):
            return
        idle = self._loading is None or not self._loading.is_alive()
        if idle and time.monotonic() - self._failed_at >= ANOTHER_TRY:
            self._loading = threading.Thread(target=self._load, args=(version,), daemon=True)
            self._loading.start()

    def _next(self, held: Snapshot, changed: Mapping[str, str] | None) -> Snapshot:
        """The next snapshot, without anybody who was erased meanwhile."""
        deaf = time.monotonic() - self._checked > DEAF
        if deaf and (_somebody_is_gone(held, changed) or anybody_erased(since=held.read_at - OVERLAP)):
            held, self._as_tested = replace(held, **_people(live_version())), None
        elif self._is_lost or _has_new_layer(held):
            held = replace(held, **_people(live_version()))
        self._is_lost = False
        following = _next(held, changed)
        if following.gone != held.gone:
            self._as_tested = None
        return following

    def _load(self, version: ModelVersion) -> None:
        try:
            model = _model(version.pk)
            with self._lock:  # what changed since the directory was read is read at one moment with what is held
                if model is None:
                    self._failed_at = time.monotonic()
                elif self._held is not None:
                    self._held = replace(self._held, model=model, **_people(version))
        except DatabaseError as error:
            self._record.trip(error)
            self._failed_at = time.monotonic()
        finally:
            connection.close()


snapshot_holder = ProcessHeld(SnapshotHolder)


def current_snapshot() -> Snapshot:
    """The snapshot by the marks of change as they are now, for who asks about no customer. Raises NotLoadedError."""
    return snapshot_holder().current(fetch.state_of(None, since=None).changed)


def _first(changed: Mapping[str, str] | None) -> Snapshot:
    read_at = timezone.now()
    version, small = live_version(), _small()
    stock = load_stock()
    return Snapshot(
        stock=stock,
        rules=ServedRules.nothing(stock, read_at=read_at).of_default_book(stock, read_at=read_at),
        model=_model(version.pk) if version else None,
        **_people(version),
        gone=erased_keys().hear(),
        audiences=ServedAudiences().again(also=_audiences_of(small["experiments"])),
        changed=changed,
        read_at=read_at,
        **small,
    )


def _next(held: Snapshot, changed: Mapping[str, str] | None) -> Snapshot:
    """Read everything small again, of the items those that were edited; the same snapshot where nothing differs.

    What is equal stays the same object, with all that was worked out of it.
    """
    read_at = timezone.now()
    stock = with_changes(held.stock, since=held.read_at - OVERLAP)
    gone = erased_keys().hear()
    if gone != held.gone:
        held.customers.forget(gone)
    held.customers.add_newest()
    held.customers.merge(merged_since(held.read_at - OVERLAP))
    small = _small()
    audiences = held.audiences.again(also=_audiences_of(small["experiments"]))
    if audiences is not held.audiences or gone != held.gone:
        audiences = audiences.without(gone)
    fresh = {
        "stock": stock,
        "rules": held.rules.of_default_book(stock, read_at=read_at),
        "audiences": audiences,
        "gone": gone,
        **small,
    }
    differing = {name: part for name, part in fresh.items() if getattr(held, name) != part}
    if not differing:
        held.changed, held.read_at = changed, read_at
        return held
    return replace(held, changed=changed, read_at=read_at, **differing)


def _somebody_is_gone(held: Snapshot, changed: Mapping[str, str] | None) -> bool:
    """Whether the marks say that somebody was erased since this snapshot was read."""
    mark = (changed or {}).get(Changed.PEOPLE)
    return mark is not None and mark != (held.changed or {}).get(Changed.PEOPLE)


def _people(version: ModelVersion | None) -> dict[str, Any]:
    """Who is known by the directory of a version, and the generation of the pseudonyms. Raises
    PseudonymKeyLackingError.
    """
    while True:
        layers, directory = checked_generation(), _directory(version)
        served = directory if directory and directory.layers == layers else None
        customers = known_by(served, gone=erased_keys().hear())
        if stored_generation() == layers:
            return {"customers": customers, "layers": layers}


def _directory(version: ModelVersion | None) -> Directory | None:
    """The directory of a version; None, and a line in the log, where its files are damaged: the record is asked."""
    try:
        return load_directory(version.pk) if version else None
    except ArtefactDamagedError as error:
        log.exception("directory not loaded", version=version and version.pk, path=error.path)
        return None


def _has_new_layer(held: Snapshot) -> bool:
    """Whether pseudonyms got a layer; with too few keys for it the process goes on by those that it holds."""
    return held.layers < len(settings.PSEUDONYM_KEYS) and stored_generation() > held.layers


def _model(version: int) -> Model | None:
    """Load a model; None, and a line in the log, where its files are damaged: the old model goes on."""
    try:
        model = load_model(version, Cut.LIVE)
    except ArtefactDamagedError as error:
        log.exception("model not loaded", version=version, path=error.path)
        return None
    forget_copies()  # of versions that went, and of editions that still had people who were erased since
    return model


def _small() -> dict[str, Any]:
    enabled = Placement.objects.filter(enabled=True).select_related("blend")
    promises = served_promises()
    placements = {row.name: _placement(row, promises.get(row.pk)) for row in enabled}
    pages = _pages()
    weights = BlendWeights.objects.defaults().select_related("blend", "segment", "audience")
    living = Customer.objects.filter(erased_at=None)
    resumed = living.filter(personalise=True, resumed_at__isnull=False)
    return {
        "placements": placements,
        "pages": pages,
        "experiments": running_experiments(placements, pages),
        "weights": {WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in weights},
        "names": Names.stored(),
        "objectors": frozenset(living.filter(personalise=False).values_list("pk", flat=True)),
        "resumed": {key: at.timestamp() for key, at in resumed.values_list("pk", "resumed_at") if at},
        "unmeasured": frozenset(living.filter(measure=False).values_list("pk", flat=True)),
    }


def _audiences_of(experiments: Sequence[ServedExperiment]) -> set[int]:
    """Keys of the audiences that arms have weights or rules for."""
    arms = [arm for experiment in experiments for arm in experiment.arms]
    weighed = {key.audience for arm in arms for key in arm.weights}
    ruled = {rule.get("audience") for arm in arms if arm.book for rule in arm.book[1]}
    return {key for key in weighed | ruled if key is not None}


def _pages() -> dict[str, list[ServedSlot]]:
    pages: dict[str, list[ServedSlot]] = {}
    rows = ShopPage.objects.order_by("pk", "slots__position")
    for name, placement, n, enabled in rows.values_list(
        "name", "slots__placement__name", "slots__n", "slots__placement__enabled"
    ):
        slots = pages.setdefault(name, [])
        if enabled:
            slots.append(ServedSlot(placement=placement, n=n))
    return pages


def _placement(row: Placement, promised: ServedPromises | None) -> ServedPlacement:
    return ServedPlacement(
        name=row.name,
        blend=BlendName(row.blend.name) if row.blend else None,
        repeat=Repeat(row.repeat),
        needs_context=row.needs_context,
        scope=CatalogueScope(row.scope),
        n=row.n,
        cool_down=row.cool_down,
        diversity=row.diversity,
        explores=row.explores,
        fatigue=row.fatigue,
        variants=Variants(row.variants),
        promised=promised,
    )
