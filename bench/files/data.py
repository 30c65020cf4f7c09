"""Data of the three files (and the items) under one numbering."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.files.acts import Acts, Clock, Meaning, Vocabulary, acts_of, clock_of, together
from bench.files.described import catalogue
from bench.files.tables import InputError, read_acts, read_pairs
from bench.files.validation import MOMENT
from recommendations.engine.frames import Catalogue, TrainingSet


@dataclass(frozen=True, kw_only=True)
class Files:
    train: Path
    queries: Path
    truth: Path
    items: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """The files under one numbering. Users of training come first, then those who are only asked about."""

    acts: Acts
    asked: Acts  # histories of the asked users: of both files; user = number of the question
    rows: NDArray[np.int32]  # row in training of each question, −1 where folded in
    true_row: NDArray[np.int32]  # number of the question of each true pair
    true_item: NDArray[np.int32]
    catalogue: Catalogue
    clock: Clock
    meaning: Meaning
    n_users: int
    n_items: int
    n_columns: int  # the items, and those that only the truth knows
    described: int

    @property
    def n_questions(self) -> int:
        return len(self.rows)

    @property
    def cut(self) -> float:
        """Time just after everything that is known."""
        return float(max(self.acts.at.max(), self.asked.at.max(initial=-np.inf))) + MOMENT

    def training(self, acts: Acts, *, cut: float) -> TrainingSet:
        return TrainingSet(
            interactions=acts.interactions(cut=cut, n_users=self.n_users, n_items=self.n_items),
            catalogue=self.catalogue,
        )


def read(files: Files) -> Data:
    """Read the files. Raises InputError where something is wrong with them."""
    train, queries = read_acts(files.train), read_acts(files.queries)
    true_user, true_item = read_pairs(files.truth)
    clock, meaning = clock_of(train), Meaning.of(train)
    if train.dated != queries.dated:
        problem = "times are written in another way than in the training file"
        raise InputError(files.queries, problem, field="timestamp", remedy="Write both files' times in one way")
    users, items = Vocabulary(), Vocabulary()
    train_user, train_item = users.add(train.user), items.add(train.item)
    n_users = len(users)
    query_user, query_item = users.add(queries.user), items.add(queries.item)
    n_items = len(items)
    truth_user, truth_item = users.rows(true_user), items.add(true_item)
    is_asked = np.zeros(len(users) + 1, np.bool_)
    is_asked[query_user] = True
    strangers = np.flatnonzero(~is_asked[truth_user])
    if len(strangers):
        who = true_user.values[true_user.code[strangers[0]]].as_py()
        problem = f"user {who!r} is not in {files.queries}"
        remedy = "Give the history of everyone with truth in the queries file, or leave the user out"
        raise InputError(files.truth, problem, row=int(strangers[0]) + 1, field="user_id", remedy=remedy)
    acts = acts_of(train, user=train_user, item=train_item, clock=clock, meaning=meaning)
    later = acts_of(queries, user=query_user, item=query_item, clock=clock, meaning=meaning)
    if not len(acts):
        raise InputError(
            files.train, "no row tells of interest", remedy="Quantities must be above 0, events more than refunds"
        )
    asked_users, true_row = np.unique(truth_user, return_inverse=True)
    number = np.full(len(users), -1, np.int32)
    number[asked_users] = np.arange(len(asked_users))
    described, n_described = catalogue(files.items, items, n_items=n_items)
    return Data(
        acts=acts,
        asked=_renumbered(together(_of(acts, number), _of(later, number)), number),
        rows=np.where(asked_users < n_users, asked_users, -1).astype(np.int32),
        true_row=true_row.astype(np.int32),
        true_item=truth_item,
        catalogue=described,
        clock=clock,
        meaning=meaning,
        n_users=n_users,
        n_items=n_items,
        n_columns=len(items),
        described=n_described,
    )


def _of(acts: Acts, number: NDArray[np.int32]) -> Acts:
    return acts.where(number[acts.user] >= 0)


def _renumbered(acts: Acts, number: NDArray[np.int32]) -> Acts:
    """Acts with the number of the question as user; questions are in the order of users, so the rows stay sorted."""
    return Acts(**(vars(acts) | {"user": number[acts.user]}))
