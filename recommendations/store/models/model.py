"""Model: what one cut of a version knows, as arrays that the loop writes and serving reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommendations.engine.evaluation.split import Truth
from recommendations.engine.feedback.visit_share import LearnedShare
from recommendations.engine.frames import (
    COLUMNS,
    Catalogue,
    FloatArray,
    IntArray,
    Interactions,
    Promotions,
    Queries,
    Space,
    Sparse,
    TrainingSet,
)
from recommendations.engine.ids import IdMap
from recommendations.engine.interests.item_sums import ItemSums
from recommendations.engine.interests.shared_buyers import Bought
from recommendations.engine.preprocess.links import Follows
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.diversity import Likeness
from recommendations.engine.ranking.goals import margin_share
from recommendations.engine.ranking.scores import Lifts
from recommendations.engine.recommenders.protocol import Recommender, learned, restored
from recommendations.engine.recommenders.sequence_net import SHAPES
from recommendations.models import ModelVersion
from recommendations.store.domain import shop_instances
from recommendations.store.models.artefacts import (
    load_arrays,
    matrix_of,
    matrix_parts,
    of_one_edition,
    save_arrays,
)
from recommendations.store.models.feedback import LearnedFeedback, feedback_of
from recommendations.store.models.records import load_candidates
from recommendations.store.models.visits import visit_shares_of
from recommendations.terms import BlendName, Cut, Level, Lift, Task

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BURSTS = "cleaning/bursts"
TEACHES = "interactions/teaches"
LEVELS = "levels/of_users"
ROWS = ("user", *COLUMNS)
TOLD = ("price", "listed_age", "cost", "stock", "vectors")
SPACES, SPACE_ENDS = "catalogue/spaces", "catalogue/space_ends"
SUMS, WEIGHTS = "items/", "items/weights/"
BOUGHT, OF_USER, OF_ITEM = "bought/", "bought/of_user", "bought/of_item"
SUMMED = ("popularity", "buyers", "acts", "trend")
PROMOTED = ("item", "start", "display", "mailer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One cut of a version. ``candidates`` has a record per user row, and a last one for a stranger."""

    version_id: int
    edition: int = 0  # goes up when people who were erased are taken out
    cut: Cut
    as_of: datetime
    users: IdMap  # customer keys
    items: IdMap  # item keys
    categories: IdMap  # category keys → columns of ``Catalogue.categories``
    training: TrainingSet
    disliked: Sparse  # as in ``TrainingSnapshot``
    links: Follows | None = None  # likewise
    recommenders: Mapping[str, Recommender]
    candidates: Mapping[BlendName, Candidates]
    segments: IntArray  # segment number per user row, −1 = none
    lifts: Lifts  # of every item; none of what the shop tells nothing of
    sums: ItemSums | None = None  # of every item; None where the run left none
    feedback: LearnedFeedback = field(default_factory=LearnedFeedback)
    visit_shares: Mapping[BlendName, LearnedShare] = field(default_factory=dict)
    worked_out: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)  # by ``held_by_model``

    def is_of(self, version: ModelVersion) -> bool:
        """Whether the model was loaded from what the files of a version are by now."""
        return (self.version_id, self.edition) == (version.pk, version.edition)

    @property
    def mark(self) -> str:
        """What names the model in the key of a cache of people."""
        return f"m{self.version_id}.{self.edition}"

    @property
    def stranger(self) -> int:
        """The row of ``candidates`` for somebody without any history."""
        return len(self.users)


def days(moment: datetime) -> float:
    """Days since 1970-01-01 UTC, as the engine counts."""
    return (moment - EPOCH) / timedelta(days=1)


def moment(value: float) -> datetime:
    return EPOCH + timedelta(days=value)


def everyone_and_a_stranger(training: TrainingSet) -> Queries:
    """All users of the training set in order, then one query without history."""
    histories = replace(training.interactions, n_users=training.n_users + 1)
    rows = np.append(np.arange(training.n_users), -1).astype(np.int32)
    links, followed = (None if rows is None else _and_a_stranger(rows) for rows in (training.links, training.followed))
    return Queries(histories=histories, training_rows=rows, links=links, followed=followed)


def _and_a_stranger(rows: Sparse) -> Sparse:
    """The rows of all users, then an empty one."""
    starts = np.append(rows.indptr, rows.indptr[-1])
    return sparse.csr_matrix((rows.data, rows.indices, starts), shape=(rows.shape[0] + 1, rows.shape[1]))


def likeness(catalogue: Catalogue) -> Likeness:
    """Likeness by main category, which two items share or not."""
    return Likeness(traits=catalogue.main_categories(missing=-1).astype(np.int32)[:, None])


def save_snapshot(version: ModelVersion, cut: Cut, snapshot: TrainingSnapshot, *, categories: IdMap) -> int:
    acts, catalogue = snapshot.training.interactions, snapshot.training.catalogue
    arrays: dict[str, NDArray[Any]] = {f"interactions/{name}": getattr(acts, name) for name in ROWS}
    arrays |= {"ids/users": snapshot.users.ids, "ids/items": snapshot.items.ids, "ids/categories": categories.ids}
    told = {f"catalogue/{name}": getattr(catalogue, name) for name in TOLD}
    arrays |= {name: values for name, values in told.items() if values is not None}
    if catalogue.spaces:
        names, _firsts, ends = zip(*catalogue.spaces, strict=True)
        arrays |= {SPACES: np.array(names), SPACE_ENDS: np.array(ends, np.int64)}
    arrays |= matrix_parts("catalogue/categories", catalogue.categories)
    arrays |= matrix_parts("catalogue/terms", catalogue.terms)
    arrays |= matrix_parts("disliked", snapshot.disliked)
    if snapshot.training.teaches is not None:
        arrays[TEACHES] = snapshot.training.teaches
    if snapshot.training.promotions is not None:
        arrays |= {f"promotions/{name}": getattr(snapshot.training.promotions, name) for name in PROMOTED}
    arrays |= {f"net/{name}": values for name, values in (snapshot.training.net or {}).items()}
    if snapshot.links is not None:
        arrays |= {"links/followers": snapshot.links.followers.ids}
        arrays |= matrix_parts("links/follows", snapshot.links.follows)
    if snapshot.training.followed is not None:
        arrays |= matrix_parts("followed", snapshot.training.followed)
    return save_arrays(version, cut, arrays | {"cut": np.array([snapshot.cut])})


def acts_of_items(version_id: int) -> dict[str, NDArray[np.int64]]:
    """Keys of the items that the live cut of a version knows, and how many acts that count for something each has."""
    arrays = load_arrays(version_id, Cut.LIVE, prefix=("ids/items", "interactions/item", "interactions/strength"))
    items, counts = arrays["ids/items"], arrays["interactions/item"][arrays["interactions/strength"] > 0]
    return {"items": items, "acts": np.bincount(counts, minlength=len(items)).astype(np.int64)}


def load_snapshot(version_id: int, cut: Cut) -> tuple[TrainingSnapshot, IdMap]:
    """The training set of a cut with its ids, and the ids of the category columns."""
    arrays = load_arrays(version_id, cut)
    users, items = IdMap(ids=arrays["ids/users"]), IdMap(ids=arrays["ids/items"])
    acts = Interactions(
        n_users=len(users), n_items=len(items), **{name: arrays[f"interactions/{name}"] for name in ROWS}
    )
    catalogue = Catalogue(
        categories=matrix_of(arrays, "catalogue/categories"),
        terms=matrix_of(arrays, "catalogue/terms"),
        spaces=spaces_of(arrays),
        **{name: arrays[f"catalogue/{name}"] for name in TOLD if f"catalogue/{name}" in arrays},
    )
    promotions = (
        Promotions(**{name: arrays[f"promotions/{name}"] for name in PROMOTED}) if "promotions/item" in arrays else None
    )
    links = (
        Follows(IdMap(ids=arrays["links/followers"]), matrix_of(arrays, "links/follows"))
        if "links/followers" in arrays
        else None
    )
    snapshot = TrainingSnapshot(
        cut=float(arrays["cut"][0]),
        training=TrainingSet(
            interactions=acts, catalogue=catalogue, promotions=promotions, teaches=arrays.get(TEACHES),
            links=links.of_users(users) if links else None,
            net={name: arrays[f"net/{name}"] for name in SHAPES} if "net/items" in arrays else None,
            followed=matrix_of(arrays, "followed") if "followed/shape" in arrays else None,
        ),
        users=users,
        items=items,
        disliked=matrix_of(arrays, "disliked"),
        links=links,
    )  # fmt: skip
    return snapshot, IdMap(ids=arrays["ids/categories"])


def spaces_of(arrays: Mapping[str, NDArray[Any]]) -> tuple[Space, ...]:
    """Spaces of the vectors among the arrays of a catalogue; none where all are of texts."""
    if SPACES not in arrays:
        return ()
    ends = arrays[SPACE_ENDS].tolist()
    return tuple(map(Space, arrays[SPACES].tolist(), [0, *ends[:-1]], ends))


def save_truths(version: ModelVersion, cut: Cut, truths: Mapping[Task, Truth]) -> int:
    arrays: dict[str, NDArray[Any]] = {}
    for task, truth in truths.items():
        arrays |= matrix_parts(f"truth/{task}", truth.spent)
    return save_arrays(version, cut, arrays)


def load_truths(version_id: int, cut: Cut) -> dict[Task, Truth]:
    arrays = load_arrays(version_id, cut, prefix="truth/")
    return {task: Truth(spent=matrix_of(arrays, f"truth/{task}")) for task in Task}


def save_bursts(version: ModelVersion, bursts: NDArray[np.int64]) -> int:
    """Save customer, day since 1970-01-01 UTC and events of each burst that cleaning left out of the live cut."""
    return save_arrays(version, Cut.LIVE, {BURSTS: bursts})


def load_bursts(version_id: int) -> NDArray[np.int64] | None:
    """Bursts that cleaning left out; None where the version is older than the list."""
    return load_arrays(version_id, Cut.LIVE, prefix=BURSTS).get(BURSTS)


def save_lifts(version: ModelVersion, cut: Cut, lifts: Lifts) -> int:
    return save_arrays(version, cut, {f"{name}/lift": lift for name, lift in lifts.items()})


def load_lifts(version_id: int, cut: Cut) -> Lifts:
    """Lifts of each item at the cut; none of what the shop told nothing of."""
    arrays = load_arrays(version_id, cut, prefix=tuple(f"{name}/lift" for name in Lift))
    return {name: arrays[f"{name}/lift"] for name in Lift if f"{name}/lift" in arrays}


def save_item_sums(version: ModelVersion, cut: Cut, sums: ItemSums) -> int:
    """Save the sums over everybody's acts, so that no web process goes through these; bytes of all."""
    arrays: dict[str, NDArray[Any]] = {f"{SUMS}{name}": getattr(sums, name) for name in SUMMED}
    return save_arrays(version, cut, arrays | {f"{WEIGHTS}{days}": row for days, row in sums.weights.items()})


def load_item_sums(version_id: int, cut: Cut) -> ItemSums | None:
    """The sums of a cut; None where the run left none."""
    arrays = load_arrays(version_id, cut, prefix=SUMS)
    if not arrays:
        return None
    weights = {int(name.removeprefix(WEIGHTS)): row for name, row in arrays.items() if name.startswith(WEIGHTS)}
    return ItemSums(weights=weights, **{name: arrays[f"{SUMS}{name}"] for name in SUMMED})


def save_bought(version: ModelVersion, cut: Cut, bought: Bought) -> int:
    """Save who bought what, by which items are alike; bytes of all."""
    return save_arrays(version, cut, matrix_parts(OF_USER, bought.of_user) | matrix_parts(OF_ITEM, bought.of_item))


def load_bought(version_id: int, cut: Cut) -> Bought | None:
    """Who bought what, mapped, with those of whom the newest edition knows; None where the run left nothing of it."""
    arrays = load_arrays(version_id, cut, prefix=BOUGHT)
    return Bought(matrix_of(arrays, OF_USER), matrix_of(arrays, OF_ITEM)) if arrays else None


def load_margin_share(version_id: int, cut: Cut) -> FloatArray | None:
    """Share of each item's price that is left after its cost; None where no cost is known."""
    arrays = load_arrays(version_id, cut, prefix=("catalogue/price", "catalogue/cost"))
    return margin_share(arrays["catalogue/price"], arrays.get("catalogue/cost"))


def truth_customers(version_id: int, cut: Cut, task: Task) -> NDArray[np.int64]:
    """Keys of the customers of a truth, in its order."""
    truth = f"truth/{task}"
    arrays = load_arrays(version_id, cut, prefix=("ids/users", f"{truth}/"))
    return arrays["ids/users"][Truth(spent=matrix_of(arrays, truth)).users]


def save_recommenders(version: ModelVersion, cut: Cut, recommenders: Mapping[str, Recommender]) -> int:
    """Save recommenders; one that several instances share is written once, under the first of them."""
    first = {id(recommender): name for name, recommender in reversed(list(recommenders.items()))}
    arrays = {
        f"recommenders/{name}/{array}": values
        for name, recommender in recommenders.items()
        if first[id(recommender)] == name
        for array, values in learned(recommender).items()
    }
    return save_arrays(version, cut, arrays)


def save_segments(version: ModelVersion, cut: Cut, numbers: IntArray) -> int:
    return save_arrays(version, cut, {"segments/of_users": numbers})


def save_levels(version: ModelVersion, cut: Cut, levels: NDArray[np.int8]) -> int:
    return save_arrays(version, cut, {LEVELS: levels})


def load_levels(version_id: int, cut: Cut, *, n_users: int) -> NDArray[np.int8]:
    """The level of each user; everybody is confirmed in a version that knows of none."""
    levels = load_arrays(version_id, cut, prefix=LEVELS).get(LEVELS)
    return np.full(n_users, Level.CONFIRMED, np.int8) if levels is None else levels


def load_segments(version_id: int, cut: Cut, *, n_users: int) -> IntArray:
    """Number of each user's segment, −1 = none; nobody has one before the stage that makes them."""
    numbers = load_arrays(version_id, cut, prefix="segments/of_users").get("segments/of_users")
    return np.full(n_users, -1, np.int32) if numbers is None else numbers


def load_model(version_id: int, cut: Cut) -> Model:
    """Everything that serving and review need of a cut; arrays stay on disk until they are touched."""
    return of_one_edition(version_id, lambda edition: _model(version_id, cut, edition=edition))


def _model(version_id: int, cut: Cut, *, edition: int) -> Model:
    snapshot, categories = load_snapshot(version_id, cut)
    return Model(
        version_id=version_id,
        edition=edition,
        cut=cut,
        as_of=moment(snapshot.cut),
        users=snapshot.users,
        items=snapshot.items,
        categories=categories,
        training=snapshot.training,
        disliked=snapshot.disliked,
        links=snapshot.links,
        recommenders=load_recommenders(version_id, cut),
        candidates=load_candidates(version_id, cut),
        segments=load_segments(version_id, cut, n_users=len(snapshot.users)),
        lifts=load_lifts(version_id, cut),
        sums=load_item_sums(version_id, cut),
        feedback=feedback_of(version_id),
        visit_shares=visit_shares_of(version_id),
    )


def load_recommenders(version_id: int, cut: Cut) -> dict[str, Recommender]:
    """The recommenders of a cut by instance; what several instances share is one."""
    grouped: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in load_arrays(version_id, cut, prefix="recommenders/").items():
        _, owner, part = name.split("/")
        grouped.setdefault(owner, {})[part] = array
    configs = ModelVersion.objects.values_list("instances", flat=True).get(pk=version_id)
    fitted: dict[str, Recommender] = {}
    for instance in shop_instances():
        if instance.name not in configs:
            continue
        config = stored_config(instance.config, configs[instance.name])
        if instance.name in grouped:
            fitted[instance.name] = restored(instance.kind, config, grouped[instance.name])
        elif twin := next(
            (one for one in fitted.values() if type(one) is instance.kind and one.config == config), None
        ):
            fitted[instance.name] = twin
    return fitted


def stored_config(default: Any, stored: Mapping[str, Any]) -> Any:
    """The configuration that the version was fitted with; a parameter it did not know has its default."""
    return replace(default, **{field.name: stored[field.name] for field in fields(default) if field.name in stored})
