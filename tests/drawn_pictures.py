"""Pictures that are drawn, not taken, and their files."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def drawn_points() -> NDArray[np.uint8]:
    """Four pictures, [4, 224, 224, 3]: a ramp of colours, a disc on white, tiles and waves."""
    y, x = np.mgrid[0:224, 0:224].astype(np.float64)
    ramp = np.stack([x, y, 255 - x], axis=2)
    disc = np.where(((x - 112) ** 2 + (y - 100) ** 2 < 70**2)[..., None], [220, 40, 30], [250, 250, 245])
    tiles = np.where(((x // 16 + y // 28) % 2 > 0)[..., None], [20, 90, 160], [240, 200, 40])
    waves = 127.5 + 127.5 * np.sin(np.stack([x * y / 900, x / 9, y / 5], axis=2))
    return np.stack([np.clip(np.round(each), 0, 255).astype(np.uint8) for each in (ramp, disc, tiles, waves)])


def drawn_image(number: int, *, size: tuple[int, int] = (224, 224), mode: str = "RGB") -> Image.Image:
    return Image.fromarray(drawn_points()[number]).resize(size, Image.Resampling.LANCZOS).convert(mode)


def file_of(image: Image.Image, kind: str = "PNG", **wishes: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **wishes)
    return file.getvalue()


def drawn_file(
    number: int, kind: str = "PNG", *, size: tuple[int, int] = (224, 224), mode: str = "RGB", **wishes: Any
) -> bytes:
    return file_of(drawn_image(number, size=size, mode=mode), kind, **wishes)
