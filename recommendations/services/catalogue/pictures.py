"""Pictures of the catalogue, looked at in the background: which are the same, which look alike, which cannot be seen.

A run of the loop never waits for it. Without the extra ``pictures`` nothing is asked for, and nothing is known.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import batched
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import structlog
from django.conf import settings
from django.utils import timezone
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommendations.channels.pictures import NoPictureError, PictureClient, SilentHostError
from recommendations.engine.describe.neighbours import PICTURE
from recommendations.engine.describe.picture_hash import picture_hash
from recommendations.engine.describe.picture_net import PictureNet
from recommendations.models import EmbeddingSpace, Item, ItemPicture
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.vectors.item_pictures import (
    DuePicture,
    PictureSeen,
    confirm_pictures,
    due_pictures,
    forget_pictures,
    mark_shared,
    save_pictures,
)
from recommendations.store.vectors.item_vectors import NewVector, save_vectors, unit
from recommendations.store.vectors.picture_files import UndecodedError, decode_picture
from recommendations.store.vectors.picture_weights import MODEL, WeightsError, read_weights, weights_file
from recommendations.store.vectors.spaces import outcome_since_run, space_of_model
from recommendations.vector_terms import VectorProvider

LOCK = 0x91C702E
FETCHERS = 4  # threads
BATCH = 32  # addresses between two glances at the clock
NET_AT_ONCE = 8  # pictures
PATIENCE = 240.0  # seconds of one turn of the task; the next one goes on
NO_EXTRA = "no_extra"
"""What the outcome of the space says where the extra was installed, and is no more."""

COUNTS = ("asked", "seen", "unchanged", "faulty", "silent")

logger = structlog.get_logger(__name__)


class _Glance(NamedTuple):
    """What came of one address; without points it is unchanged, or has a fault."""

    due: Sequence[DuePicture]  # whose address it is
    seen: PictureSeen | None = None  # None: as it was, or the host is silent
    points: NDArray[np.uint8] | None = None
    digest: bytes = b""
    is_silent: bool = False


class PictureReading(StrEnum):
    """Whether pictures are looked at; after ``STOPPED`` what was seen before still counts."""

    GOES_ON = "goes_on"
    STOPPED = "stopped"  # the extra was installed where the workers are, and is no more
    NEVER = "never"  # it never was


def picture_reading() -> PictureReading:
    """Whether pictures are looked at: by the extra where the workers are, which may have it while pages have not."""
    space = EmbeddingSpace.objects.filter(name=PICTURE, asked_at__isnull=False).first()
    if space is not None and space.outcome.get("failure") == NO_EXTRA:
        return PictureReading.STOPPED
    return PictureReading.NEVER if space is None and weights_file() is None else PictureReading.GOES_ON


def look_at_pictures(*, now: datetime, client: PictureClient | None = None) -> int:
    """Look at pictures that are due, at most ``PICTURES_PER_RUN`` between two runs; how many were seen.

    What cannot be seen is counted in the outcome of the space, and tried again on another day.
    """
    weights = weights_file()
    if weights is None:
        _note_no_extra()
        return 0
    if not (Item.objects.exclude(image_url="").exists() or ItemPicture.objects.exists()):
        return 0
    with advisory_lock(LOCK) as alone:
        if not alone:
            return 0
        space = space_of_model(PICTURE, provider=VectorProvider.PICTURE, model=MODEL)
        outcome = outcome_since_run(space, COUNTS)
        due = due_pictures(space, most=max(settings.PICTURES_PER_RUN - outcome["asked"], 0), now=now)
        came: Counter[str] = Counter()
        failure = ""
        if due:
            try:
                net = _net(weights)
            except WeightsError as error:
                failure = str(error)
                logger.warning("no net for pictures", reason=failure)
            else:
                with closing(client or PictureClient()) as own:
                    came = _look(space, due, own, net)
        mark_shared()
        gone = forget_pictures(space)
        if due or gone or space.outcome.get("failure"):
            outcome |= {name: outcome[name] + came[name] for name in COUNTS} | {"failure": failure}
            EmbeddingSpace.objects.filter(pk=space.pk).update(asked_at=now, outcome=outcome)
        return came["seen"]


def _note_no_extra() -> None:
    """Note that no picture is looked at any more, where some were; a turn with the extra takes it back."""
    for space in EmbeddingSpace.objects.filter(name=PICTURE, provider=VectorProvider.PICTURE, asked_at__isnull=False):
        if space.outcome.get("failure") != NO_EXTRA:
            logger.warning("the extra for pictures is gone")
            EmbeddingSpace.objects.filter(pk=space.pk).update(outcome=space.outcome | {"failure": NO_EXTRA})


@lru_cache(1)
def _net(weights: Path) -> PictureNet:
    return PictureNet(read_weights(weights))


def _look(space: EmbeddingSpace, due: Sequence[DuePicture], client: PictureClient, net: PictureNet) -> Counter[str]:
    """Look at pictures, each address once, until there is no more time; what came of it."""
    counts, until = Counter[str](), time.monotonic() + PATIENCE
    groups: dict[str, list[DuePicture]] = {}
    for one in due:
        groups.setdefault(one.url, []).append(one)
    with ThreadPoolExecutor(FETCHERS) as threads:
        for block in batched(groups.values(), BATCH):
            if time.monotonic() >= until:
                break
            glances = list(threads.map(lambda group: _look_at(group, client), block))
            counts += _save(space, glances, net)
    return counts


def _look_at(due: Sequence[DuePicture], client: PictureClient) -> _Glance:
    """Fetch a picture and decode it, in a thread that does not touch the database."""
    first = due[0]
    known = first.etag if all(one.is_known and one.etag == first.etag for one in due) else ""
    try:
        fetched = client.fetch(first.url, etag=known)
    except SilentHostError:
        return _Glance(due, is_silent=True)
    except NoPictureError as error:
        return _Glance(due, PictureSeen(fault=error.fault))
    if fetched.body is None:
        return _Glance(due)
    try:
        decoded = decode_picture(fetched.body)
    except UndecodedError as error:
        return _Glance(due, PictureSeen(fetched.etag, error.fault, error.width, error.height))
    seen = PictureSeen(fetched.etag, None, decoded.width, decoded.height, picture_hash(decoded.grey))
    return _Glance(due, seen, decoded.points, hashlib.sha256(fetched.body).digest())


def _save(space: EmbeddingSpace, glances: Sequence[_Glance], net: PictureNet) -> Counter[str]:
    """Write what came of a block of addresses; how many of each kind."""
    now = timezone.now()
    saw = [glance for glance in glances if glance.points is not None]
    vectors: dict[int, NewVector] = {}
    for glance, values in zip(saw, _features(net, [glance.points for glance in saw]), strict=True):
        vector = unit(values)
        if vector is not None:
            vectors |= {one.item: NewVector(glance.digest, vector) for one in glance.due}
    pairs = [(one, glance.seen) for glance in glances if glance.seen is not None for one in glance.due]
    save_pictures(space, pairs, now=now)
    save_vectors(space, vectors, now=now)
    unchanged = [glance for glance in glances if glance.seen is None and not glance.is_silent]
    confirm_pictures([one.item for glance in unchanged for one in glance.due], now=now)
    silent = sum(glance.is_silent for glance in glances)
    return Counter(
        asked=len(glances) - silent, seen=len(saw), unchanged=len(unchanged), silent=silent,
        faulty=len(glances) - len(saw) - len(unchanged) - silent,
    )  # fmt: skip


def _features(net: PictureNet, points: Sequence[Any]) -> Iterable[Any]:
    """What the net sees in each picture, in a thread of its own: others of the machine have answers to give."""
    with threadpool_limits(limits=1, user_api="blas"):
        for block in batched(points, NET_AT_ONCE):
            yield from net.features(np.stack(block))
