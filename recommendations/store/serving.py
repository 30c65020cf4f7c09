"""All that an answer needs, in the memory of the process: with PostgreSQL and Valkey away, answers go on.

A request uses one snapshot from beginning to end. The next one is made when a mark of change has moved
(``live.announce``), and every few seconds in any case; a new model is loaded beside the old one and then takes its
place.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property, lru_cache
from typing import Any, Self

import numpy as np
import structlog
from django.db import DatabaseError, connection
from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.diversity import Likeness
from recommendations.models import BlendWeights, Category, Customer, CustomerAlias, Placement, Segment
from recommendations.store.artefacts import ArtefactDamagedError
from recommendations.store.live import Changed
from recommendations.store.merchandising import FrozenRule
from recommendations.store.model import Model, likeness, load_model
from recommendations.store.pseudonyms import pseudonym
from recommendations.store.served_rules import ServedRules
from recommendations.store.stock import Stock, load_stock, with_changes
from recommendations.store.valkey import Breaker
from recommendations.store.versions import live_version
from recommendations.terms import BlendName, CustomerKind, Cut, Part, Repeat

RECHECK = 15.0  # seconds: a mark of change may have been lost
RECHECK_ALONE = 1.0  # without Valkey there are no marks
OVERLAP = timedelta(seconds=60)  # an edit carries the time of its statement and is seen after its commit
ANOTHER_TRY = 30.0  # seconds after a model could not be loaded

log = structlog.get_logger(__name__)


class NotLoadedError(Exception):
    """The process has never read what it needs: PostgreSQL was away when it began."""


@dataclass(frozen=True, kw_only=True)
class ServedWeights:
    version: int
    weights: Mapping[str, float]
    diversity: float
    exploration: float
    promotion: float = 0.0  # exponent of the plan's lift


@dataclass(frozen=True, kw_only=True)
class ServedPlacement:
    name: str
    blend: BlendName | None
    repeat: Repeat
    needs_context: bool
    part: Part
    n: int
    cool_down: float
    diversity: float | None
    explores: bool

    def diversity_with(self, weights: ServedWeights | None) -> float:
        """Its own where it has one, else the weights'."""
        if self.diversity is not None:
            return self.diversity
        return weights.diversity if weights else 0.0


@dataclass(frozen=True, kw_only=True)
class Names:
    """What rows of the record are called."""

    categories: Mapping[int, tuple[str, str]]  # primary key → path, name
    segments: Mapping[int, str]  # number → name


@dataclass(kw_only=True, eq=False)
class Snapshot:
    """Immutable in effect: answers that were made of the same one are alike. The model is None before the first turn
    of the loop.
    """

    stock: Stock
    model: Model | None
    placements: Mapping[str, ServedPlacement]
    weights: Mapping[tuple[BlendName, int | None], ServedWeights]  # by blend and segment number; None = everybody
    rules: ServedRules
    names: Names
    customers: dict[bytes, int]  # pseudonym → key; it only grows
    objectors: frozenset[int]  # customers who do not want personal answers
    changed: Mapping[str, str] | None
    read_at: datetime
    stock_rows: IntArray = field(init=False, repr=False)  # of each item row of the model, −1 = gone

    def __post_init__(self) -> None:
        items = np.empty(0, np.int64) if self.model is None else self.model.items.ids
        self.stock_rows = self.stock.ids.rows(items)

    def sellable(self, at: datetime) -> BoolArray:
        """By row of the stock. A model that ends before the present is looked at as if everything were for sale."""
        if self.model is not None and self.model.cut is not Cut.LIVE:
            return np.ones(len(self.stock), np.bool_)
        return self.stock.sellable(at)

    @cached_property
    def likeness(self) -> Likeness:
        """By row of the stock, as the what-if panel has it by row of the model."""
        traits = np.full((len(self.stock), 1), -1, np.int32)
        if self.model is not None:
            known = self.stock_rows >= 0
            traits[self.stock_rows[known]] = _traits(self.model)[known]
        return Likeness(traits=traits)

    @cached_property
    def lift(self) -> FloatArray | None:
        """What the promotion plan makes of demand, by row of the stock; 1 for what the model does not know."""
        if self.model is None or self.model.lift is None:
            return None
        lift = np.ones(len(self.stock), np.float32)
        known = self.stock_rows >= 0
        lift[self.stock_rows[known]] = self.model.lift[known]
        return lift

    def weights_for(self, blend: BlendName, segment: int) -> ServedWeights | None:
        """The default of the segment where it has one."""
        return self.weights.get((blend, segment)) or self.weights.get((blend, None))

    def with_rules(self, frozen: Sequence[FrozenRule]) -> Self:
        """As if this book were served, which has no number yet."""
        return self._with(rules=self.rules.with_book(frozen))

    def with_marks(self, changed: Mapping[str, str] | None) -> Self:
        return self._with(changed=changed)

    def with_weights(self, blend: BlendName, segment: int | None, weights: ServedWeights) -> Self:
        """As if these weights were the default of the blend and the segment (None: of everybody)."""
        return self._with(weights={**self.weights, (blend, segment): weights})

    def _with(self, **parts: Any) -> Self:
        """What was worked out of the stock and the model stays."""
        other = copy(self)
        for name, value in parts.items():
            setattr(other, name, value)
        return other


class Keeper:
    """Holds the snapshot of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Snapshot | None = None
        self._checked = 0.0
        self._record = Breaker("postgresql", pause=2.0)
        self._loading: threading.Thread | None = None
        self._failed_at = -ANOTHER_TRY
        self._as_tested: Model | None = None

    @property
    def held(self) -> Snapshot | None:
        return self._held

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
                self._read(held, changed)
        if self._held is None:
            raise NotLoadedError
        return self._held

    def as_tested(self, changed: Mapping[str, str] | None) -> Snapshot:
        """With the test cut of the live version, to review what it would have said; ``changed`` as for ``current``."""
        now = self.current(changed)
        if now.model is None:
            return now
        with self._lock:
            if self._as_tested is None or self._as_tested.version_id != now.model.version_id:
                self._as_tested = load_model(now.model.version_id, Cut.TEST)
            return replace(now, model=self._as_tested)

    def settle(self) -> None:
        """Wait until a model that is being loaded has taken its place."""
        if self._loading is not None:
            self._loading.join()

    def _is_fresh(self, held: Snapshot, changed: Mapping[str, str] | None) -> bool:
        age = time.monotonic() - self._checked
        return age < RECHECK_ALONE if changed is None else changed == held.changed and age < RECHECK

    def _only_lacks_mergers(self, held: Snapshot, changed: Mapping[str, str] | None) -> bool:
        """Somebody signs in every second or so: for that not everything is read again."""
        others = ({**(marks or {}), Changed.CUSTOMERS: ""} for marks in (held.changed, changed))
        return changed is not None and next(others) == next(others) and time.monotonic() - self._checked < RECHECK

    def _read(self, held: Snapshot | None, changed: Mapping[str, str] | None) -> None:
        try:
            if held is not None and self._only_lacks_mergers(held, changed):
                held.customers.update(_merged(since=held.read_at - OVERLAP))
                self._held = held.with_marks(changed)
                return
            self._held = held = _next(held, changed) if held else _first(changed)
            version = live_version()
        except DatabaseError as error:
            self._record.trip(error)
            return
        self._checked = time.monotonic()
        if version is None or (held.model is not None and held.model.version_id == version.pk):
            return
        idle = self._loading is None or not self._loading.is_alive()
        if idle and time.monotonic() - self._failed_at >= ANOTHER_TRY:
            self._loading = threading.Thread(target=self._load, args=(version.pk,), daemon=True)
            self._loading.start()

    def _load(self, version: int) -> None:
        try:
            model = _model(version)
        except DatabaseError as error:
            self._record.trip(error)
            model = None
        finally:
            connection.close()
        with self._lock:
            if model is None:
                self._failed_at = time.monotonic()
            elif self._held is not None:
                self._held = replace(self._held, model=model)


@lru_cache(maxsize=3)
def _traits(model: Model) -> IntArray:
    return likeness(model.training.catalogue).traits


@cache
def keeper() -> Keeper:
    return Keeper()


def forget() -> None:
    """Hold nothing, as a new process does."""
    keeper.cache_clear()
    _newcomers.close()


def customer_key(held: Snapshot, shop_id: str, *, kind: CustomerKind) -> int | None:
    """The key of a customer; who came after the snapshot was read is looked up. None where nobody is known so."""
    value = pseudonym(shop_id, kind=kind)
    known = held.customers.get(value)
    if known is None and _newcomers:
        try:
            known = _known_as([value]).get(value)
        except DatabaseError as error:
            _newcomers.trip(error)
        if known is not None:
            held.customers[value] = known
    return known


def customer_keys(held: Snapshot, named: Sequence[tuple[str, CustomerKind]]) -> list[int | None]:
    """As ``customer_key`` of each; who came after the snapshot was read is looked up in one query."""
    values = [pseudonym(shop_id, kind=kind) for shop_id, kind in named]
    unknown = [value for value in values if value not in held.customers]
    if unknown and _newcomers:
        try:
            held.customers.update(_known_as(unknown))
        except DatabaseError as error:
            _newcomers.trip(error)
    return [held.customers.get(value) for value in values]


_newcomers = Breaker("postgresql", pause=5.0)


def _first(changed: Mapping[str, str] | None) -> Snapshot:
    read_at = timezone.now()
    version = live_version()
    stock = load_stock()
    return Snapshot(
        stock=stock,
        rules=ServedRules.nothing(stock, read_at=read_at).of_default_book(stock, read_at=read_at),
        model=_model(version.pk) if version else None,
        customers=_customers(after=0) | _merged(since=None),
        changed=changed,
        read_at=read_at,
        **_small(),
    )


def _next(held: Snapshot, changed: Mapping[str, str] | None) -> Snapshot:
    """Everything small is read again, of the items those that were edited; the same snapshot where nothing differs."""
    read_at = timezone.now()
    stock = with_changes(held.stock, since=held.read_at - OVERLAP)
    held.customers.update(_customers(after=max(held.customers.values(), default=0)))
    held.customers.update(_merged(since=held.read_at - OVERLAP))
    fresh = {"stock": stock, "rules": held.rules.of_default_book(stock, read_at=read_at), **_small()}
    if all(getattr(held, name) == part for name, part in fresh.items()):
        held.changed, held.read_at = changed, read_at
        return held
    return replace(held, changed=changed, read_at=read_at, **fresh)


def _model(version: int) -> Model | None:
    """None, and a line in the log, where its files are damaged: the old model goes on."""
    try:
        return load_model(version, Cut.LIVE)
    except ArtefactDamagedError as error:
        log.exception("model not loaded", version=version, path=error.path)
        return None


def _small() -> dict[str, Any]:
    placements = Placement.objects.filter(enabled=True).select_related("blend")
    weights = BlendWeights.objects.defaults().select_related("blend", "segment")
    categories = Category.objects.values_list("pk", "path", "name")
    return {
        "placements": {placement.name: _placement(placement) for placement in placements},
        "weights": {
            (BlendName(row.blend.name), row.segment.number if row.segment else None): ServedWeights(
                version=row.pk,
                weights=row.weights,
                diversity=row.diversity,
                exploration=row.exploration,
                promotion=row.promotion,
            )
            for row in weights
        },
        "names": Names(
            categories={key: (path, name) for key, path, name in categories},
            segments={segment.number: str(segment) for segment in Segment.objects.all()},
        ),
        "objectors": frozenset(Customer.objects.filter(personalise=False).values_list("pk", flat=True)),
    }


def _placement(row: Placement) -> ServedPlacement:
    return ServedPlacement(
        name=row.name,
        blend=BlendName(row.blend.name) if row.blend else None,
        repeat=Repeat(row.repeat),
        needs_context=row.needs_context,
        part=Part(row.part),
        n=row.n,
        cool_down=row.cool_down,
        diversity=row.diversity,
        explores=row.explores,
    )


def _customers(*, after: int) -> dict[bytes, int]:
    rows = Customer.objects.filter(pk__gt=after).values_list("pseudonym", "pk")
    return {bytes(value): key for value, key in rows}


def _merged(*, since: datetime | None) -> dict[bytes, int]:
    """Anonymous keys that became a customer's, and those that became their own again, from this moment on."""
    aliases = CustomerAlias.objects.all()
    aliases = aliases.filter(undone_at=None) if since is None else aliases.filter(changed_at__gte=since)
    rows = aliases.order_by(F("undone_at").asc(nulls_last=True)).values_list(  # a new one is a later word
        "anonymous__pseudonym", "anonymous_id", "customer_id", "undone_at"
    )
    return {bytes(value): own if undone else customer for value, own, customer, undone in rows}


def _known_as(values: Sequence[bytes]) -> dict[bytes, int]:
    """Pseudonym → its key, or that of the customer that it was merged into; without those who are unknown."""
    alias = CustomerAlias.objects.filter(anonymous=OuterRef("pk"), undone_at=None).values("customer")
    keys = Customer.objects.filter(pseudonym__in=values).values_list(
        "pseudonym", Coalesce(Subquery(alias), F("pk"), output_field=BigIntegerField())
    )
    return {bytes(value): key for value, key in keys}
