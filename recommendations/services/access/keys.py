"""API keys: made, replaced and revoked by staff, and looked up by every request without asking a server.

Each process holds all valid keys. It reads them again when the mark of change in Valkey moves, and every few seconds
in any case; while PostgreSQL is away the keys that it holds go on working. A key that was replaced
expires in each process by itself, to the moment.
"""

import hashlib
import hmac
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.utils import timezone

from recommendations.models import ApiKey, Staff
from recommendations.services.access import audit
from recommendations.services.access.origins import read_origins
from recommendations.services.access.rates import Rate, RateLimiter
from recommendations.store.live import fetch
from recommendations.store.live.change_watch import Watch
from recommendations.store.live.valkey import Breaker
from recommendations.store.process_held import ProcessHeld
from recommendations.terms import Scope, Side

PREFIX_BYTES = 6
SECRET_BYTES = 32
OLDEST = 5.0  # seconds after which the keys are read again, mark or no mark
UNKNOWN = 1.0  # seconds; an unknown prefix makes the process read again, at most so often
USE = 60.0  # seconds between two notes of the last use of a key
GRACE = timedelta(hours=24)  # for which a key goes on working beside the one that replaces it
SENDS = frozenset({Scope.EVENTS_WRITE})
ASKS = SENDS | {Scope.RECOMMENDATIONS_READ, Scope.PUSH_SUBSCRIBE}
"""All that a key in a page may do; more than to send it may from its named origins alone."""

LIMITS = ("requests_per_minute", "lines_per_minute", "new_people_per_hour")
NEVER_0 = LIMITS[:2]  # with 0 of them a key could send nothing
_FIELDS = ("pk", "prefix", "digest", "side", "scopes", "origins", "expires_at", *LIMITS)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class KnownKey:
    """A valid key as the processes hold it."""

    pk: int
    prefix: str
    digest: str
    side: Side
    scopes: frozenset[str]
    requests_per_minute: int
    origins: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    lines_per_minute: int | None = None  # None: as quotas.py has it for its side; so the next
    new_people_per_hour: int | None = None

    @property
    def is_public(self) -> bool:
        """Whether nobody learns or does more with it than who opens a page of the shop."""
        return self.side is Side.PAGE or self.scopes == SENDS


class ReadablePageKeyError(Exception):
    """Whoever looks into a page finds its key: such a key may send events, from named origins ask and subscribe."""


class NotReplaceableError(Exception):
    """The key was revoked, has expired, or was replaced before."""


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Iterable[Scope],
    by: Staff | None,
    requests_per_minute: int | None = None,
    side: Side = Side.SERVER,
    origins: Iterable[str] = (),
    lines_per_minute: int | None = None,
    new_people_per_hour: int | None = None,
) -> tuple[ApiKey, str]:
    """Create a key; its secret is returned once and not stored, and the client sends ``prefix.secret``.

    A key with origins stands in a page, whatever ``side`` says. Raises ReadablePageKeyError, and NotAnOriginError and
    TooManyOriginsError as ``read_origins`` does.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(
        name=name,
        prefix=secrets.token_hex(PREFIX_BYTES),
        digest=_digest(secret),
        scopes=sorted(set(scopes)),
        origins=read_origins(origins),
        created_by=by,
        lines_per_minute=lines_per_minute,
        new_people_per_hour=new_people_per_hour,
    )
    key.side = Side.PAGE if key.origins else side
    if key.side is Side.PAGE and not fits_a_page(key.scopes, origins=key.origins):
        raise ReadablePageKeyError
    if requests_per_minute is not None:
        key.requests_per_minute = requests_per_minute
    key.save()
    after = {name: getattr(key, name) for name in ("side", "scopes", "origins", *LIMITS)}
    audit.record(by=by, verb="create", subject=key, after=after)
    _announce()
    return key, secret


@transaction.atomic
def rotate_key(*, key: ApiKey, by: Staff | None, grace: timedelta = GRACE) -> tuple[ApiKey, str]:
    """Create a key that may do the same, with its secret; the old one goes on working for ``grace``, then no more.

    Raises NotReplaceableError.
    """
    now = timezone.now()
    old = ApiKey.objects.valid().filter(pk=key.pk, expires_at=None).select_for_update().first()
    if old is None:
        raise NotReplaceableError
    new, secret = create_key(
        name=old.name,
        scopes=[Scope(scope) for scope in old.scopes],
        by=by,
        side=Side(old.side),
        origins=old.origins,
        **{name: getattr(old, name) for name in LIMITS},
    )
    ApiKey.objects.filter(pk=old.pk).update(expires_at=now + grace)
    after = {"expires_at": (now + grace).isoformat(), "replaced_by": new.prefix}
    audit.record(by=by, verb="rotate", subject=old, before={"expires_at": None, "replaced_by": None}, after=after)
    return new, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, by: Staff | None) -> bool:
    """Revoke a key, which every process refuses within a second; False where it was revoked before, or has expired."""
    revoked = ApiKey.objects.valid().filter(pk=key.pk).update(revoked_at=timezone.now())
    if revoked:
        audit.record(by=by, verb="revoke", subject=key)
        _announce()
    return bool(revoked)


def fits_a_page(scopes: Iterable[str], *, origins: Sequence[str]) -> bool:
    """Whether a key in a page may have these scopes."""
    return {*scopes} == SENDS or (bool(origins) and {*scopes} >= SENDS and {*scopes} <= ASKS)


def prepare() -> None:
    """Read the keys before the first request; where PostgreSQL is away, that request reads them."""
    with suppress(DatabaseError):
        key_ring().find("")


def find_key(token: str) -> KnownKey | None:
    """The valid key that ``prefix.secret`` opens; its use is noted at most once a minute."""
    prefix, _, secret = token.partition(".")
    key = key_ring().find(prefix)
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
        return None
    key_ring().note_use(key)
    return key


def key_called(prefix: str) -> KnownKey | None:
    """The valid key with this prefix, for who runs commands and needs no secret; its use is noted as of any other."""
    key = key_ring().find(prefix)
    if key is not None:
        key_ring().note_use(key)
    return key


def note_page(key: KnownKey, origin: str) -> None:
    """Note that a browser sent a key of a server: it may stand in a page, where everybody can read it."""
    log.warning("a browser sent a server's key", prefix=key.prefix, origin=origin)
    ApiKey.objects.filter(pk=key.pk).update(seen_in_page_at=timezone.now())


def count_request(key: KnownKey) -> Rate:
    """Count a request of this key; where nothing was taken it may not pass."""
    return rates().take(key.prefix, limit=key.requests_per_minute)


class KeyRing:
    """The valid keys of one process. Reading again happens beside the requests, except where one has to wait for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = timezone.now) -> None:
        self._clock, self._now = clock, now
        self._reading = threading.Lock()
        self._record = Breaker("postgresql", pause=UNKNOWN, clock=clock)
        self._keys: Mapping[str, KnownKey] = {}
        self._watch = Watch(fetch.Changed.KEYS, clock=clock)
        self._read_at = -math.inf
        self._noted: dict[int, float] = {}

    def find(self, prefix: str) -> KnownKey | None:
        """Valid key of this prefix. Raises ``DatabaseError`` only where it is unknown here and PostgreSQL is away."""
        if self._is_stale() and self._keys:
            _beside(self._load)
        if prefix not in self._keys and self._clock() - self._read_at > UNKNOWN:
            self._load()
        if prefix not in self._keys and not self._record:
            raise OperationalError("the API keys cannot be read")
        key = self._keys.get(prefix)
        return key if key and self._is_valid(key) else None

    def knows_origin(self, origin: str, *, scope: str) -> bool:
        """Whether any valid key with this scope may be used by the pages of this origin."""
        if self._is_stale():
            _beside(self._load) if self._keys else self._load()
        return any(origin in key.origins and scope in key.scopes and self._is_valid(key) for key in self._keys.values())

    def note_use(self, key: KnownKey) -> None:
        now = self._clock()
        if now - self._noted.get(key.pk, -math.inf) >= USE:
            self._noted[key.pk] = now
            _beside(lambda: _note_use(key.pk))

    def _is_valid(self, key: KnownKey) -> bool:
        return key.expires_at is None or self._now() < key.expires_at

    def _is_stale(self) -> bool:
        return self._watch.moved() or self._clock() - self._read_at > OLDEST

    def _load(self) -> None:
        asked_at = self._clock()
        with self._reading:
            if self._read_at > asked_at or not self._record:  # another thread has just tried
                return
            try:
                rows = list(ApiKey.objects.valid().values(*_FIELDS))
            except DatabaseError as error:
                self._record.trip(error)
                raise
            finally:
                self._read_at = self._clock()
            self._keys = {row["prefix"]: _key_of_row(row) for row in rows}


key_ring = ProcessHeld(KeyRing)
rates = ProcessHeld(RateLimiter)


def _key_of_row(row: Mapping[str, Any]) -> KnownKey:
    sets = {name: frozenset(row[name]) for name in ("scopes", "origins")}
    return KnownKey(**{**row, **sets, "side": Side(row["side"])})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _announce() -> None:
    transaction.on_commit(lambda: fetch.announce(fetch.Changed.KEYS))


def _note_use(pk: int) -> None:
    now = timezone.now()
    stale = models.Q(last_used_at=None) | models.Q(last_used_at__lt=now - timedelta(seconds=USE))
    ApiKey.objects.filter(stale, pk=pk).update(last_used_at=now)


def _beside(work: Callable[[], None]) -> None:
    """Run ``work`` in a thread of its own, with a connection of its own; while PostgreSQL is away it is left out."""

    def run() -> None:
        try:
            work()
        except DatabaseError as error:
            log.warning("keys left as they are", error=type(error).__name__)
        finally:
            connection.close()

    threading.Thread(target=run, daemon=True, name="api-keys").start()
