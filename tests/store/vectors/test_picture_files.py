"""Whatever lies in the file of a picture, it is decoded or refused, and nothing else happens."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from recommendations.store.vectors.picture_files import UndecodedError, decode_picture
from recommendations.vector_terms import PictureFault
from tests.drawn_pictures import drawn_file, drawn_image, drawn_points, file_of


def fault(data: bytes) -> UndecodedError:
    with pytest.raises(UndecodedError) as caught:
        decode_picture(data)
    return caught.value


def test_points_are_those_of_the_picture_on_white() -> None:
    decoded = decode_picture(drawn_file(1))
    assert (decoded.width, decoded.height) == (224, 224)
    np.testing.assert_array_equal(decoded.points, drawn_points()[1])
    wide = decode_picture(drawn_file(1, size=(448, 224)))
    assert (wide.width, wide.height) == (448, 224)
    assert (wide.points[:50] == 255).all()
    assert (wide.points[-50:] == 255).all()
    np.testing.assert_allclose(wide.grey.astype(int), decoded.grey.astype(int), atol=12)  # the whole, not a part


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "1"), ("WEBP", "RGB"), ("AVIF", "RGB"), ("AVIF", "RGBA"),
        ("GIF", "P"),
    ],
)  # fmt: skip
def test_each_kind_is_read(kind: str, mode: str) -> None:
    decoded = decode_picture(drawn_file(1, kind, mode=mode))
    grey = np.asarray(drawn_image(1).convert("L").resize((32, 32), Image.Resampling.LANCZOS), int)
    assert np.abs(decoded.grey.astype(int) - grey).mean() < 25


def test_what_can_be_seen_through_lies_on_white() -> None:
    clear = drawn_image(1).convert("RGBA")
    clear.putalpha(0)
    assert (decode_picture(file_of(clear)).points == 255).all()


def test_of_an_animation_the_first_picture_counts() -> None:
    data = file_of(drawn_image(1), "GIF", save_all=True, append_images=[drawn_image(2)] * 3, duration=50)
    assert np.abs(decode_picture(data).points.astype(int) - drawn_points()[1]).mean() < 8


def test_a_photo_is_turned_upright_and_what_the_camera_wrote_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    decoded = decode_picture(drawn_file(0, "JPEG", quality=95, exif=exif))
    assert np.abs(decoded.points[::-1, ::-1].astype(int) - drawn_points()[0]).mean() < 8


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, of nothing but zeros."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def sized_avif(width: int, height: int) -> bytes:
    """An AVIF of 224 × 224 points that says that it is so large."""
    head, mark, rest = drawn_file(1, "AVIF").partition(b"ispe\0\0\0\0")
    return head + mark + struct.pack(">II", width, height) + rest[8:]


@pytest.mark.parametrize(
    ("data", "expected", "size"),
    [
        (bomb(50_000, 50_000), PictureFault.TOO_LARGE, (50_000, 50_000)),
        (bomb(5_001, 5_000), PictureFault.TOO_LARGE, (5_001, 5_000)),
        (bomb(5_000, 5_000), PictureFault.UNREADABLE, (5_000, 5_000)),  # it has fewer points than it says
        (bomb(2**31 - 1, 2**31 - 1), PictureFault.TOO_LARGE, (2**31 - 1, 2**31 - 1)),
        (bomb(2**32 - 1, 1), PictureFault.UNREADABLE, (None, None)),  # PNG knows no such side, nor does the record
        (drawn_file(1, size=(1, 1)), PictureFault.SMALL, (1, 1)),
        (drawn_file(1, size=(400, 99)), PictureFault.SMALL, (400, 99)),
        (drawn_file(1, "JPEG")[:2_000], PictureFault.UNREADABLE, (224, 224)),
        (drawn_file(1, "AVIF")[:500], PictureFault.UNREADABLE, (None, None)),
        (sized_avif(5_001, 5_000), PictureFault.TOO_LARGE, (5_001, 5_000)),
        (drawn_file(1, "TIFF"), PictureFault.UNREADABLE, (None, None)),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PictureFault.UNREADABLE, (None, None)),
        (b"", PictureFault.UNREADABLE, (None, None)),
    ],
    ids=[
        "bomb", "too many points", "points missing", "longest side", "longer side", "1x1", "flat", "truncated",
        "short AVIF", "AVIF too large", "tiff", "svg", "empty",
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why(
    data: bytes, expected: PictureFault, size: tuple[int | None, int | None]
) -> None:
    error = fault(data)
    assert (error.fault, (error.width, error.height)) == (expected, size)
