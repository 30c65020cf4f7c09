"""The bench on anyone's data: three files in, choices on a part carved from the first, figures on the third."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bench.files.acts import Acts
from bench.files.data import Data, Files, read
from bench.files.parts import REPEATS, Part, pairs_of, part
from bench.files.past_baskets import PastBaskets, past_baskets
from bench.files.tables import InputError
from bench.files.validation import MOST_USERS, SAID, Carving, carve
from bench.ranking.axes import Shape
from bench.ranking.net import with_nets
from bench.ranking.picking import TREND_DAYS, Options, Picked, Tell, described_choice, judged, pick, shipped
from bench.ranking.report import TaskResult
from recommendations.engine.frames import Queries
from recommendations.terms import Task

FOLDED = 0.5  # share of the asked users unknown to training, above which validation folds in its users too
FOLDED_SHARE = 0.2  # of the users, at most, whose histories training then does without
LIKE_ONE = 1.2  # acts a basket, or baskets a person: up to so many are one
LIKE_A_BASKET = 1.5  # times as many items as a basket has: up to so many of truth are one
FEW = 50  # users: of fewer none is taken out of training


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """The part that everything is chosen on; no part where nothing could be held out."""

    carving: Carving
    folded: bool  # its users' histories are not in its training set, as those that will be asked about are not
    part: Part | None
    past: PastBaskets | None = None  # the same people's baskets before, where the part asks for their last one

    def with_net(self, part: Part) -> Self:
        """The same with a part that has a net. It was taught the baskets before the last, so they ask for nothing."""
        return replace(self, part=part, past=None)


def run(files: Files, options: Options, tell: Tell) -> tuple[dict[str, Any], list[TaskResult]]:
    """Run the bench: (protocol, results) of the tasks for which anyone has truth."""
    data = read(files)
    sizes = f"{len(data.acts):,} acts of {data.n_users:,} users on {data.n_items:,} items"
    tell(f"read {sizes}; {data.n_questions:,} users are asked about")
    repeated = repeated_acts(data.acts)
    tasks, why = tasks_of(data, options, repeated)
    validation = validated(data, tasks, seed=options.seed)
    tell(f"validation: {validation.carving.rule}, {len(validation.carving.users):,} users")
    test = asked_part(data, tasks, validation)
    if not test.tasks:
        remedy = "Leave --task out, or ask for home, where repeats count"
        raise InputError(files.truth, "nobody has truth for the task: all of it repeats the histories", remedy=remedy)
    if options.net and validation.part is not None:
        chosen_on, test = with_nets(validation.part, test, options=options, tell=tell)
        validation = validation.with_net(chosen_on)
    shape = shape_of(data, validation, repeats=repeated >= REPEATS)
    options = options.shared(shape, test.tasks)
    picked = {
        task: pick(validation.part, task, past=validation.past, shape=shape, options=options, tell=tell)
        if validation.part is not None and task in validation.part.tasks
        else shipped(shape, task)
        for task in test.tasks
    }
    results = [judged(test, task, picked[task], shape=shape, options=options, tell=tell) for task in test.tasks]
    return {"tasks": why} | protocol(data, validation, picked, options=options), results


def repeated_acts(acts: Acts) -> float:
    """Share of the acts on an item that the same person met before, in whatever basket; what comes at once is one."""
    wanted = acts.where(acts.bought)
    order = np.lexsort((wanted.at, wanted.item, wanted.user))
    user, item, at = wanted.user[order], wanted.item[order], wanted.at[order]
    same = (user[1:] == user[:-1]) & (item[1:] == item[:-1])
    again = int(np.count_nonzero(same & (at[1:] > at[:-1])))
    return again / max(len(order) - int(np.count_nonzero(same)) + again, 1)


def tasks_of(data: Data, options: Options, repeated: float) -> tuple[tuple[Task, ...], str]:
    """Decide the tasks, and tell how: discover is asked of all data that have such truth, home where people repeat."""
    if options.tasks:
        return options.tasks, "asked for"
    share = f"{repeated:.1%} of the acts are on an item met before"
    if repeated >= REPEATS:
        return (Task.HOME, Task.DISCOVER), f"home and discover: {share}"
    key = data.true_row.astype(np.int64) * data.n_columns + data.true_item
    if np.isin(key, data.asked.user.astype(np.int64) * data.n_columns + data.asked.item).all():
        return (Task.HOME,), "home: all of the truth repeats the histories"
    return (Task.DISCOVER,), f"discover: only {share}"


def validated(data: Data, tasks: Sequence[Task], *, seed: int) -> Validation:
    """Carve the validation part from the training file alone."""
    folded = float(np.mean(data.rows < 0)) > FOLDED and data.n_users >= FEW
    most = min(MOST_USERS, int(FOLDED_SHARE * data.n_users)) if folded else MOST_USERS
    carving = carve(data.acts, n_users=data.n_users, seed=seed, most_users=most, next_basket=asks_next_basket(data))
    if not len(carving.users):
        return Validation(carving=carving, folded=False, part=None)
    chosen = np.full(data.n_users, -1, np.int32)
    chosen[carving.users] = np.arange(len(carving.users))
    number = chosen[data.acts.user]
    past = data.training(data.acts.where(carving.known), cut=carving.cut)
    histories = past.interactions.of_users(carving.users)
    training = data.training(data.acts.where(carving.known & (number < 0)), cut=carving.cut) if folded else past
    rows = np.full(len(carving.users), -1, np.int32) if folded else carving.users.astype(np.int32)
    held = carving.held & (number >= 0)
    pairs = pairs_of(number[held], data.acts.item[held], shape=(len(carving.users), data.n_items))
    queries = Queries(histories=histories, training_rows=rows)
    asked = part(training, queries, pairs, tasks=tuple(tasks))
    before = None
    if carving.rule == "last_basket_or_act":
        everyone = data.training(data.acts, cut=carving.cut).interactions
        before = past_baskets(everyone, asked, carving.users, folded=folded)
    return Validation(carving=carving, folded=folded, part=asked, past=before)


def asks_next_basket(data: Data) -> bool:
    """Whether the truth is as long as a basket: then the question is what comes next, not what comes in a while."""
    key = np.unique(data.acts.basket.astype(np.int64) * data.n_items + data.acts.item)
    baskets = np.unique(key // data.n_items, return_counts=True)[1]
    asked = np.bincount(data.true_row, minlength=data.n_questions)
    return bool(np.median(asked) <= LIKE_A_BASKET * np.median(baskets))


def asked_part(data: Data, tasks: Sequence[Task], validation: Validation) -> Part:
    """Part that the truth file asks. Whether home leaves out the history is decided by the validation part."""
    acts = data.asked.interactions(cut=data.cut, n_users=data.n_questions, n_items=data.n_items)
    pairs = pairs_of(data.true_row, data.true_item, shape=(data.n_questions, data.n_columns))
    repeats = validation.part is None or validation.part.repeats
    queries = Queries(histories=acts, training_rows=data.rows)
    training = data.training(data.acts, cut=data.cut)
    return part(training, queries, pairs, tasks=tuple(tasks), repeats=repeats)


def shape_of(data: Data, validation: Validation, *, repeats: bool) -> Shape:
    acts = data.acts
    per_user = np.bincount(acts.user, minlength=data.n_users)
    n_baskets = len(np.unique(acts.basket))
    span = float(acts.at.max() - acts.at.min())
    together = len(acts) > LIKE_ONE * n_baskets
    return Shape(
        n_acts=len(acts),
        n_users=data.n_users,
        n_items=data.n_items,
        span=span,
        median_history=float(np.median(per_user[per_user > 0])),
        folded=validation.folded,
        sessions=together and n_baskets > LIKE_ONE * data.n_users,
        together=together,
        described=data.described > 0,
        repeats=repeats,
        net=validation.part is not None and validation.part.training.net is not None,
        trended=data.clock.dated and span > 3 * TREND_DAYS and validation.carving.rule == "time",
    )


def protocol(data: Data, validation: Validation, picked: Mapping[Task, Picked], *, options: Options) -> dict[str, Any]:
    """Protocol of what was done, for the reader of the JSON."""
    carving = validation.carving
    return {
        "use": "own data",
        "validation": {
            "rule": carving.rule,
            "what": SAID[carving.rule],
            "users": len(carving.users),
            "acts_known": int(carving.known.sum()),
            "acts_held_out": int(carving.held.sum()),
            "users_are_folded_in": validation.folded,
        },
        "timestamps": data.clock.name,
        "truth": "every distinct item of the truth file; items unknown to training and queries count in |GT| and "
        "cannot be hit; discover leaves out the items of the user's history",
        "truth_items_unknown": int(np.count_nonzero(data.true_item >= data.n_items)),
        "home_may_repeat_the_history": validation.part is None or validation.part.repeats,
        "histories": "a user's rows in the training and the queries file together, without exact repeats",
        "users_folded_in": int(np.count_nonzero(data.rows < 0)),
        "acts_that_are_the_truth": sorted(data.meaning.bought),
        "sizes": {
            "acts": len(data.acts),
            "users": data.n_users,
            "items": data.n_items,
            "questions": data.n_questions,
            "items_described": data.described,
        },
        "seed": options.seed,
        "compared_on": options.compared,
        "budget_s": options.budget,
        "net_s": options.net,
        "spent_s": round(options.spent, 1),
        "ks": list(options.ks),
        "intervals": "95 %, 1,000 bootstrap resamples of users (the normal form above 20,000 users), paired by user",
        "costs": "fit_s and score_s are wall seconds; the hybrid's are all fits with weight, and scoring, pooling and "
        "ranking everything; with a second stage all fits, and its features, without the learning of its trees; "
        "peak_mb is the whole process, data included, during the fit (hybrid: and the scoring)",
        "chosen": {task.value: described_choice(choice) for task, choice in picked.items()},
    }
