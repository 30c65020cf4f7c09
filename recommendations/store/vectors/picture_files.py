"""Files of pictures as the points that the engine looks at, decoded by another process."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from recommendations.engine.describe.picture_hash import SIDE as GREY_SIDE
from recommendations.engine.describe.picture_net import SIDE
from recommendations.vector_terms import PictureFault

DECODER = Path(__file__).with_name("picture_decoder.py")
PATIENCE = 15.0  # seconds
LONGEST_SIDE = 2**31 - 1  # as PNG has it, and the record; a head that tells of more is a broken one
COLOURED, GREY = 3 * SIDE * SIDE, GREY_SIDE * GREY_SIDE  # bytes


class DecodedPicture(NamedTuple):
    """A picture's size, and its points, [224, 224, 3] in colour and [32, 32] in grey, each 0 … 255."""

    width: int
    height: int
    points: NDArray[np.uint8]
    grey: NDArray[np.uint8]


class UndecodedError(Exception):
    """A file that is no picture to look at: why, and its size where it has one."""

    def __init__(self, fault: PictureFault, width: int | None = None, height: int | None = None) -> None:
        super().__init__(fault)
        self.fault, self.width, self.height = fault, width, height


type _Side = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_SIDE)]


class _Head(msgspec.Struct):
    width: _Side | None = None
    height: _Side | None = None
    fault: PictureFault | None = None


def decode_picture(data: bytes) -> DecodedPicture:
    """Decode a file in a process that has a gigabyte and ten seconds. Raises UndecodedError."""
    command = [sys.executable, "-I", str(DECODER)]
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            env={},
            check=False,
        )
        first, _, points = done.stdout.partition(b"\n")
        head = msgspec.json.decode(first, type=_Head)
    except (subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise UndecodedError(PictureFault.UNREADABLE) from error
    if head.fault or not head.width or not head.height or len(points) != COLOURED + GREY:
        raise UndecodedError(head.fault or PictureFault.UNREADABLE, head.width, head.height)
    colours, shades = np.frombuffer(points[:COLOURED], np.uint8), np.frombuffer(points[COLOURED:], np.uint8)
    return DecodedPicture(head.width, head.height, colours.reshape(SIDE, SIDE, 3), shades.reshape(GREY_SIDE, GREY_SIDE))
