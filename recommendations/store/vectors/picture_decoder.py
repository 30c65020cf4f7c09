"""Program that decodes one picture in a process of its own, which may neither grow nor go on for long.

It reads the file of a picture from its input and writes one line of JSON: its size, and why it is not compared, where
it is not. Else 224 × 224 points of red, green and blue follow, on white where the picture is not square or can be seen
through, and 32 × 32 shades of grey of the whole of it; of a broken one nothing does, as the process ends. Of an
animation it is the first picture; what a camera wrote beside the picture is dropped, once it is turned upright. Nothing
of Recsite is imported here.
"""

import io
import json
import resource
import sys
import warnings

from PIL import AvifImagePlugin, Image, ImageOps

MEMORY = 1024**3  # bytes, with those of Python itself
SECONDS = 10  # of a core
MOST_POINTS = 25_000_000
FEWEST_POINTS = 100  # a side
SIDE, GREY_SIDE = 224, 32
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
WHITE = (255, 255, 255)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # the size is looked at here, before any point is
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # one for each core would need the memory of as many
    with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS) as picture:
        fault = _fault(*picture.size)
        head = {"width": picture.width, "height": picture.height} | ({"fault": fault} if fault else {})
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
        sys.stdout.buffer.flush()
        if not fault:
            sys.stdout.buffer.write(_points(picture))


def _fault(width: int, height: int) -> str:
    if width * height > MOST_POINTS:
        return "too_large"
    return "small" if min(width, height) < FEWEST_POINTS else ""


def _points(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        ground = Image.new("RGBA", upright.size, (*WHITE, 255))
        ground.alpha_composite(upright.convert("RGBA"))
        upright = ground
    plain = upright.convert("RGB")
    square = ImageOps.pad(plain, (SIDE, SIDE), color=WHITE)
    grey = plain.convert("L").resize((GREY_SIDE, GREY_SIDE), Image.Resampling.LANCZOS)
    return square.tobytes() + grey.tobytes()


if __name__ == "__main__":
    main()
