"""Trained nets of the transformer: one for each cut, and a training that has not ended, as ``.npz`` without pickles.

The files lie in the storage ``artefacts``; what they are stands in one row of the shop's settings. A net knows when
the history that it learned from ends, so that a run takes one that knows nothing of what it is judged by.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray
from recommendations.engine.ids import IdMap
from recommendations.engine.recommenders.sequence_net import SHAPES, NetShapeError, arrays_of_net, known_items
from recommendations.models import ShopSetting
from recommendations.terms import Cut

KEY = "nets"
TRAINING = "training"
IDS = "ids"

type Arrays = dict[str, NDArray[Any]]


class NetDamagedError(Exception):
    """The file of a net is missing, or is not what was written."""

    def __init__(self, path: str) -> None:
        super().__init__(f"The net {path} is missing or damaged: run manage.py train_transformer again.")


@dataclass(frozen=True, kw_only=True)
class StoredNet:
    """What is kept of a net beside its arrays."""

    path: str
    sha256: str
    until: float  # days since 1970-01-01 UTC at which the history that it learned from ends
    items: int
    sequences: int
    rounds: int
    reached: float | None  # NDCG@10 of the newest items of some people, which were held out; None: nothing was
    seconds: float
    digest: str  # of all that it was trained from


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A training that has not ended; ``digest`` says of what."""

    path: str
    sha256: str
    digest: str
    facts: Mapping[str, Any]


def stored_nets() -> dict[Cut, StoredNet]:
    """The nets by the cut that they were trained for."""
    return {Cut(name): StoredNet(**entry) for name, entry in _entries().items() if name != TRAINING}


def save_net(cut: Cut, net: Mapping[str, FloatArray], ids: NDArray[np.int64], **facts: Any) -> StoredNet:
    """Keep a net of the items with these keys in the place of the cut's former one, and forget what it came from."""
    known = known_items(net)
    path, sha256 = _write({**net, "items": net["items"][known], IDS: ids[known]}, name=f"{KEY}/{cut}.npz")
    stored = StoredNet(path=path, sha256=sha256, items=int(known.sum()), **facts)
    _replace({cut: asdict(stored), TRAINING: None})
    return stored


def net_at(until: float, items: IdMap) -> tuple[StoredNet, dict[str, FloatArray]] | None:
    """The newest net that learned from nothing after this time, with these items in its rows; None where there is none.

    Raises NetDamagedError, or NetShapeError where the arrays are those of another kind of net.
    """
    able = [stored for stored in stored_nets().values() if stored.until <= until]
    if not able:
        return None
    stored = max(able, key=lambda one: one.until)
    try:
        arrays = _arrays(stored.path, stored.sha256)
    except NetDamagedError:
        if stored in stored_nets().values():
            raise
        return net_at(until, items)  # a newer one took its place meanwhile
    if IDS not in arrays:
        raise NetShapeError("the net does not say which items it knows: train it again")
    arrays_of_net(arrays, n_items=len(arrays[IDS]))
    rows = items.rows(arrays[IDS])
    vectors = np.zeros((len(items), arrays["items"].shape[1]), np.float32)
    vectors[rows[rows >= 0]] = arrays["items"][rows >= 0]
    return stored, {name: arrays[name] for name in SHAPES} | {"items": vectors}


def save_checkpoint(arrays: Arrays, *, digest: str, facts: Mapping[str, Any]) -> None:
    """Keep how far a training is."""
    path, sha256 = _write(arrays, name=f"{KEY}/{TRAINING}.npz")
    _replace({TRAINING: asdict(Checkpoint(path=path, sha256=sha256, digest=digest, facts=facts))})


def load_checkpoint(digest: str) -> tuple[Arrays, Mapping[str, Any]] | None:
    """How far the training of this digest was; None where none was begun, or its file is damaged."""
    entry = _entries().get(TRAINING)
    if entry is None or entry["digest"] != digest:
        return None
    try:
        return _arrays(entry["path"], entry["sha256"]), entry["facts"]
    except NetDamagedError:
        return None


def forget_nets() -> int:
    """Forget all nets; how many there were. What a version has taken of them stays with it."""
    nets = stored_nets()
    _replace(dict.fromkeys([*nets, TRAINING]))
    return len(nets)


def _entries() -> dict[str, dict[str, Any]]:
    return dict(ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first() or {})


@transaction.atomic
def _replace(changes: Mapping[str, dict[str, Any] | None]) -> None:
    """Store other entries, None for none, and delete the files of those that they replace."""
    row, _ = ShopSetting.objects.select_for_update().get_or_create(key=KEY, defaults={"value": {}})
    old = [row.value[name]["path"] for name in changes if name in row.value]
    row.value = {name: entry for name, entry in (row.value | dict(changes)).items() if entry is not None}
    row.save()
    for path in old:
        transaction.on_commit(partial(storages["artefacts"].delete, path))


def _write(arrays: Mapping[str, NDArray[Any]], *, name: str) -> tuple[str, str]:
    """Write a file beside those of the same name; its path and its digest."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    content = buffer.getvalue()
    return storages["artefacts"].save(name, ContentFile(content)), hashlib.sha256(content).hexdigest()


def _arrays(path: str, sha256: str) -> Arrays:
    try:
        with storages["artefacts"].open(path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NetDamagedError(path)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NetDamagedError(path) from error
