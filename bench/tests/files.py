"""Files of acts for the bench, small enough to know the right answer."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.files.acts import Acts, Meaning, Vocabulary, acts_of, clock_of
from bench.files.tables import read_acts

HEADER = "user_id,item_id,timestamp"


def written(folder: Path, name: str, rows: Iterable[Sequence[object]], *, header: str = HEADER) -> Path:
    """A CSV file."""
    path = folder / name
    lines = [header, *(",".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def acts(folder: Path, rows: Iterable[Sequence[object]], *, header: str = HEADER) -> tuple[Acts, int]:
    """(acts of a training file, users), numbered in the order of the rows."""
    table = read_acts(written(folder, "train.csv", rows, header=header))
    users, items = Vocabulary(), Vocabulary()
    coded = acts_of(
        table,
        user=users.add(table.user),
        item=items.add(table.item),
        clock=clock_of(table),
        meaning=Meaning.of(table),
    )
    return coded, len(users)


def chain(n_sessions: int, *, length: int, n_items: int, first: int = 0) -> list[tuple[str, str, int]]:
    """Sessions in which item k is followed by item k + 1, and the last by the first."""
    return [
        (f"s{session}", f"i{(session * 7 + step) % n_items}", 1_600_000_000 + 1000 * session + 10 * step)
        for session in range(first, first + n_sessions)
        for step in range(length)
    ]


def held_items(found: Acts, held: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(user, item) of the acts that are held out, sorted."""
    return sorted(zip(found.user[held].tolist(), found.item[held].tolist(), strict=True))
