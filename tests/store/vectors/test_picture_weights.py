"""The net for pictures sees what its authors' does, and of its file nothing is taken but numbers."""

import hashlib
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendations.engine.describe.picture_net import DIMENSIONS, OtherNetError, PictureNet
from recommendations.store.vectors.picture_weights import WeightsError, read_weights, weights_file
from tests.drawn_pictures import drawn_points

REFERENCE = Path(__file__).with_name("picture_net.json")


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    path = weights_file()
    assert path is not None, "it needs the extra pictures, which stands in requirements/dev.txt"
    return read_weights(path)


def test_it_sees_what_torch_sees(arrays: dict[str, Any]) -> None:
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    seen = PictureNet(arrays).features(drawn_points())
    assert seen.shape == (4, DIMENSIONS)
    np.testing.assert_allclose(seen[:, ::20], reference["features"], atol=1e-4)
    np.testing.assert_allclose(seen.mean(axis=1), reference["mean"], atol=1e-5)
    alone = PictureNet(arrays).features(drawn_points()[[2]])
    np.testing.assert_allclose(alone[0], seen[2], atol=1e-4)


@pytest.mark.parametrize(
    "broken", [{"_conv_head.weight": np.zeros((3, 3))}, {"_bn0.bias": np.full(32, np.nan, np.float32)}]
)
def test_other_arrays_are_no_net(arrays: dict[str, Any], broken: dict[str, Any]) -> None:
    with pytest.raises(OtherNetError, match=next(iter(broken))):
        PictureNet({**arrays, **broken})
    with pytest.raises(OtherNetError, match="_conv_stem"):
        PictureNet({})


class _Mine:
    """What a pickle would do that somebody wrote who means no good."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def packed(path: Path, state: bytes) -> str:
    """A file as torch writes it today, with this pickle; its digest."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", state)
        archive.writestr("net/data/0", np.arange(6, dtype=np.float32).tobytes())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_another_file_is_not_even_opened(tmp_path: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "net.pth"
    path.write_bytes(pickle.dumps(_Mine(mark)))
    with pytest.raises(WeightsError, match="sha256"):
        read_weights(path)
    assert not mark.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_forbidden_name_is_refused_and_nothing_runs(tmp_path: Path, zipped: bool) -> None:
    """Even where the digest is the one that is asked for."""
    mark, path = tmp_path / "mark", tmp_path / "net.pth"
    state = pickle.dumps({"_conv_stem.weight": _Mine(mark)})
    if zipped:
        digest = packed(path, state)
    else:
        path.write_bytes(b"".join(pickle.dumps(each) for each in (0, 1, {})) + state + pickle.dumps([]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(WeightsError, match=r"getattr does not belong|touch does not belong|pathlib"):
        read_weights(path, digest=digest)
    assert not mark.exists()
    pickle.loads(state)  # what would have run
    assert mark.exists()


TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI6\ntQ"
    b"I%d\n(I2\nI%d\nt(I1\nI2\ntI00\nNtR"
)


def written(offset: int, columns: int) -> bytes:
    """A pickle of one tensor whose rows are the columns of what is stored."""
    return b"(dS'net'\n" + TENSOR % (offset, columns) + b"s."


def test_a_turned_tensor_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    digest = packed(path, written(0, 3))
    np.testing.assert_array_equal(read_weights(path, digest=digest)["net"], [[0, 2, 4], [1, 3, 5]])


@pytest.mark.parametrize(("offset", "columns"), [(1, 3), (0, 4), (-1, 3)])
def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path, offset: int, columns: int) -> None:
    path = tmp_path / "net.pth"
    digest = packed(path, written(offset, columns))
    with pytest.raises(WeightsError, match="beyond"):
        read_weights(path, digest=digest)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", pickle.dumps([1, 2]) * 5])
def test_what_is_no_file_of_weights_is_said_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"no file of weights|something else"):
        read_weights(path, digest=hashlib.sha256(data).hexdigest())
