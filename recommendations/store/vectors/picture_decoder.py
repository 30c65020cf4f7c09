"""Program that decodes one picture in a process of its own, which may neither grow nor go on for long.

It reads the file of a picture from its input and writes one line of JSON: its size, and whether it could be read. Where
it could, 224 × 224 points of red, green and blue follow, on white where the picture is not square or can be seen
through, and 32 × 32 shades of grey of the whole of it. Of an animation it is the first picture; what a camera wrote
beside the picture is dropped, once it is turned upright. Nothing of Recsite is imported here.
"""

import io
import json
import resource
import sys
import warnings

MEMORY = 1024**3  # bytes, with those of Python itself
SECONDS = 10  # of a core
MOST_POINTS = 25_000_000
FEWEST_POINTS = 100  # a side
SIDE, GREY_SIDE = 224, 32
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
WHITE = (255, 255, 255)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    head, points = decoded(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + points)


def decoded(data: bytes) -> tuple[dict[str, object], bytes]:
    """What is said of a picture, and its points; none of one that is too large or too small, or cannot be read."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - under the limits

    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # the size is looked at below, before any point is
    size: dict[str, object] = {}
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            size = {"width": picture.width, "height": picture.height}
            if picture.width * picture.height > MOST_POINTS:
                return {**size, "fault": "too_large"}, b""
            if min(picture.size) < FEWEST_POINTS:
                return {**size, "fault": "small"}, b""
            upright = ImageOps.exif_transpose(picture)
            if upright.has_transparency_data:
                ground = Image.new("RGBA", upright.size, (*WHITE, 255))
                ground.alpha_composite(upright.convert("RGBA"))
                upright = ground
            plain = upright.convert("RGB")
    except Exception:  # noqa: BLE001 - a broken picture may raise anything, and lack of memory is one more
        return {**size, "fault": "unreadable"}, b""
    square = ImageOps.pad(plain, (SIDE, SIDE), color=WHITE)
    grey = plain.convert("L").resize((GREY_SIDE, GREY_SIDE), Image.Resampling.LANCZOS)
    return size, square.tobytes() + grey.tobytes()


if __name__ == "__main__":
    main()
