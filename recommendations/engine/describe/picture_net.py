"""EfficientNet-Lite0 (Tan & Le 2019; the Lite variant without squeeze and excitation) as a forward pass in numpy.

A picture of 224 × 224 points becomes the 1,280 numbers from which the net tells kinds of things: pictures of like
things lie near one another. Nothing is trained here. The normalisations are folded into the kernels once.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import FloatArray

SIDE = 224
DIMENSIONS = 1_280
EPSILON = 1e-3
MIDDLE, HALF = 127.0, 128.0  # of the shades of a colour, 0 … 255
CEILING = 6.0

type Arrays = Mapping[str, NDArray[np.generic]]


class BlockShape(NamedTuple):
    """Blocks of one shape: how many, points of a kernel's side, steps of the first, and how much wider inside."""

    blocks: int
    kernel: int
    step: int
    expansion: int
    channels: int  # that come out


SHAPES = (
    BlockShape(1, 3, 1, 1, 16), BlockShape(2, 3, 2, 6, 24), BlockShape(2, 5, 2, 6, 40), BlockShape(3, 3, 2, 6, 80),
    BlockShape(3, 5, 1, 6, 112), BlockShape(4, 5, 2, 6, 192), BlockShape(1, 3, 1, 6, 320),
)  # fmt: skip
FIRST_CHANNELS = 32


class OtherNetError(Exception):
    """The arrays are not those of this net; the text names the first that is not."""


class Convolution(NamedTuple):
    """A kernel with its normalisation folded in, and what is added for each channel."""

    kernel: FloatArray
    bias: FloatArray


class Residual(NamedTuple):
    """An inverted residual: wider, each channel by itself over its neighbours, and narrow again."""

    wider: Convolution | None
    spatial: Convolution
    narrower: Convolution
    step: int
    is_added: bool  # to what came in


class PictureNet:
    """The net of named arrays, as its weights are published. Raises OtherNetError for those of another one."""

    def __init__(self, arrays: Arrays) -> None:
        self._stem = _folded(arrays, "_conv_stem", "_bn0", shape=(FIRST_CHANNELS, 3, 3, 3))
        self._blocks = list(_blocks(arrays))
        last = SHAPES[-1].channels
        self._head = _folded(arrays, "_conv_head", "_bn1", shape=(DIMENSIONS, last, 1, 1))

    def features(self, pictures: NDArray[np.uint8]) -> FloatArray:
        """What the net sees in pictures, [pictures, 1280]; they are [pictures, 224, 224, 3], each colour 0 … 255."""
        x = (pictures.astype(np.float32) - np.float32(MIDDLE)) / np.float32(HALF)
        x = _clipped(_convolved(x, self._stem, step=2))
        for block in self._blocks:
            before = x
            if block.wider is not None:
                x = _clipped(_pointwise(x, block.wider))
            x = _pointwise(_clipped(_by_channel(x, block.spatial, step=block.step)), block.narrower)
            if block.is_added:
                x += before
        return np.asarray(_clipped(_pointwise(x, self._head)).mean(axis=(1, 2)), np.float32)


def _blocks(arrays: Arrays) -> Iterator[Residual]:
    number, came = 0, FIRST_CHANNELS
    for shape in SHAPES:
        for repeat in range(shape.blocks):
            name, inside, out = f"_blocks.{number}.", came * shape.expansion, shape.channels
            wide = (inside, came, 1, 1)
            expand = f"{name}_expand_conv", f"{name}_bn0"
            wider = _folded(arrays, *expand, shape=wide) if shape.expansion > 1 else None
            around = (inside, 1, shape.kernel, shape.kernel)
            spatial = _folded(arrays, f"{name}_depthwise_conv", f"{name}_bn1", shape=around)
            narrower = _folded(arrays, f"{name}_project_conv", f"{name}_bn2", shape=(out, inside, 1, 1))
            yield Residual(wider, spatial, narrower, 1 if repeat else shape.step, repeat > 0)
            number, came = number + 1, out


def _folded(arrays: Arrays, convolution: str, norm: str, *, shape: tuple[int, int, int, int]) -> Convolution:
    """A convolution with what normalises its channels: (w · x − mean) / √(variance + ε) · scale + shift."""
    kernel = _array(arrays, f"{convolution}.weight", shape)
    parts = ("weight", "bias", "running_mean", "running_var")
    scale, shift, mean, variance = (_array(arrays, f"{norm}.{part}", shape[:1]) for part in parts)
    factor = scale / np.sqrt(variance + np.float32(EPSILON))
    folded = kernel * factor[:, None, None, None], shift - mean * factor
    return Convolution(*(each.astype(np.float32, copy=False) for each in folded))


def _array(arrays: Arrays, name: str, shape: tuple[int, ...]) -> FloatArray:
    array = arrays.get(name)
    if array is None or array.shape != shape or not np.isfinite(np.asarray(array, np.float64)).all():
        raise OtherNetError(f"{name} is not {' × '.join(map(str, shape))} numbers")
    return np.asarray(array, np.float32)


def _clipped(x: FloatArray) -> FloatArray:
    return np.clip(x, 0, np.float32(CEILING), out=x)


def _pointwise(x: FloatArray, by: Convolution) -> FloatArray:
    out = x @ by.kernel[:, :, 0, 0].T
    out += by.bias
    return np.asarray(out, np.float32)


def _by_channel(x: FloatArray, by: Convolution, *, step: int) -> FloatArray:
    """Each channel over its neighbours, by a kernel of its own."""
    size = by.kernel.shape[2]
    padded, (high, wide) = _padded(x, size=size, step=step)
    out = np.zeros((len(x), high, wide, x.shape[3]), np.float32)
    for row in range(size):
        for column in range(size):
            seen = padded[:, row : row + high * step : step, column : column + wide * step : step]
            out += seen[:, :high, :wide] * by.kernel[:, 0, row, column]
    out += by.bias
    return out


def _convolved(x: FloatArray, by: Convolution, *, step: int) -> FloatArray:
    size = by.kernel.shape[2]
    padded, (high, wide) = _padded(x, size=size, step=step)
    out = np.zeros((len(x), high, wide, len(by.kernel)), np.float32)
    for row in range(size):
        for column in range(size):
            seen = padded[:, row : row + high * step : step, column : column + wide * step : step]
            out += seen[:, :high, :wide] @ by.kernel[:, :, row, column].T
    out += by.bias
    return out


def _padded(x: FloatArray, *, size: int, step: int) -> tuple[FloatArray, tuple[int, int]]:
    """The picture with zeros around it so that every step has all its neighbours, and how many steps it has."""
    pads, steps = [], []
    for length in x.shape[1:3]:
        n = -(-length // step)
        total = max((n - 1) * step + size - length, 0)
        pads.append((total // 2, total - total // 2))
        steps.append(n)
    return np.pad(x, [(0, 0), *pads, (0, 0)]), (steps[0], steps[1])
