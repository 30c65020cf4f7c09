"""Choice of settings and weights on one part, and judgement of everyone on another."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from bench.files.parts import Part
from bench.files.past_baskets import PastBaskets
from bench.meter import metered
from bench.ranking.axes import Shape
from bench.ranking.choice import Chosen, Search
from bench.ranking.contest import Field, entered, entries, weighed
from bench.ranking.grids import NET, grids
from bench.ranking.judging import Entry, Judge
from bench.ranking.lists import drawn, ranked_alone
from bench.ranking.own_stage import OwnStage, own_stage
from bench.ranking.readings import Read, ReadConfig
from bench.ranking.report import TaskResult
from recommendations.engine.feedback.tuning import Tuned
from recommendations.engine.frames import FloatArray
from recommendations.engine.preprocess.popularity import trend
from recommendations.engine.ranking.candidates import Candidates
from recommendations.engine.ranking.item_facts import item_facts
from recommendations.engine.ranking.second_stage import NothingToLearnError, SecondStageUnavailableError
from recommendations.engine.recommenders import buy_again, popularity
from recommendations.engine.recommenders.protocol import Recommender
from recommendations.terms import Task

type Tell = Callable[[str], None]

TREND_DAYS = 21.0
SEARCH = 0.4  # of the budget, for the search of settings; fits, weights and the judgement are the rest
GROWTH = 0.6  # of the budget: when so much is spent, nothing is fitted that costs more
STAGED = 0.8  # of the budget: when so much is spent, no trees are learned
EARNED = 0.05  # of the blend: with less, what costs the cube of the items is not worth it
RECENT_PART = 50  # of the span: the half-life of the baseline "recent"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of the bench. ``tasks``: those asked for; none: what the data allow.

    All times are of the processor, so that a busy machine does not change what is chosen.
    """

    tasks: tuple[Task, ...] = ()
    ks: tuple[int, ...] = (10, 20)
    seed: int = 0
    budget: float = 900.0  # seconds, of the whole run
    search: float = 60.0  # seconds, of the search for each recommender and task
    started: float = field(default_factory=time.process_time)
    most: int = 40  # settings tried for each recommender and task
    quick: bool = False
    net: float = 0.0  # seconds of processor time for the transformer's nets; 0: there are none
    compared: int = 2000  # validation users on whom settings are compared; weights are tuned on all of them

    @property
    def spent(self) -> float:
        """Seconds since the run began."""
        return time.process_time() - self.started

    def shared(self, shape: Shape, tasks: Sequence[Task]) -> "Options":
        """The same with the search's part of the budget in equal shares."""
        searches = sum(len(grids(shape, task)) for task in tasks)
        return replace(self, search=SEARCH * self.budget / max(searches, 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Picked:
    """Choice for a task; nothing was tuned where there was no validation part."""

    chosen: Sequence[Chosen]
    tuned: Tuned | None
    weights: Mapping[str, float]
    seconds: float
    without_net: Mapping[str, float] | None = None  # weights that know of no net, where there is one
    stage: OwnStage | None = None


def trend_of(part: Part, shape: Shape) -> FloatArray | None:
    return trend(part.training.interactions, days=TREND_DAYS) if shape.trended else None


def pick(
    part: Part, task: Task, *, past: PastBaskets | None = None, shape: Shape, options: Options, tell: Tell
) -> Picked:
    """Choose the best setting of each recommender, the weights, and whether trees help, on a validation part."""
    started = time.monotonic()
    chosen = _searched(part, task, shape=shape, options=options, tell=tell)
    tuned, field, records = _weighed(part, task, chosen, shape, options=options)
    there_is_time = options.spent < GROWTH * options.budget
    grown = [one.grown() if there_is_time and tuned.weights[one.name] >= EARNED else one for one in chosen]
    small = ", ".join(one.name for one in grown if one.whole is not None)
    if small:
        why = f"its share of the blend is below {EARNED:.0%}" if there_is_time else "most of the budget is spent"
        tell(f"{task}: {small} stays on the items it was searched on: {why}")
    if grown != chosen:
        chosen = grown
        tuned, field, records = _weighed(part, task, grown, shape, options=options)
    heavy = ", ".join(f"{name} {weight:.2f}" for name, weight in sorted_weights(tuned.weights))
    tell(f"{task}: hybrid {tuned.ndcg:.4f} against {tuned.best_single} {tuned.best_single_ndcg:.4f}: {heavy}")
    others = [one for one in chosen if one.name != NET]
    bare = _weighed(part, task, others, shape, options=options)[0].weights if len(others) < len(chosen) else None
    stage = _staged(field, records, past, tuned.weights, options=options, tell=tell)
    seconds = time.monotonic() - started
    return Picked(
        chosen=chosen, tuned=tuned, weights=tuned.weights, seconds=seconds, without_net=bare, stage=stage
    )  # fmt: skip


def _staged(
    field: Field,
    records: Candidates,
    past: PastBaskets | None,
    weights: Mapping[str, float],
    *,
    options: Options,
    tell: Tell,
) -> OwnStage | None:
    """Learn trees while the budget lasts, and from past baskets too where there is time for another fit of everyone."""
    if options.spent >= STAGED * options.budget:
        tell(f"{field.task}: no trees: most of the budget is spent")
        return None
    more = past if options.spent < GROWTH * options.budget and not options.quick else None
    try:
        stage = own_stage(field, records, past=more, weights=weights, seed=options.seed)
    except SecondStageUnavailableError as error:
        tell(f"{field.task}: no trees: {error}")
        return None
    except NothingToLearnError:
        tell(f"{field.task}: no trees: there is nothing to learn them from")
        return None
    gain = f"{stage.gain.value:+.4f} [{stage.gain.low:+.4f}, {stage.gain.high:+.4f}]"
    taught = f"trees of {stage.lessons:,} lists make {gain} on validation"
    tell(f"{field.task}: {taught}{'' if stage.wins else ', so they are not used'}")
    return stage


def _searched(part: Part, task: Task, *, shape: Shape, options: Options, tell: Tell) -> list[Chosen]:
    rows = drawn(part.truths[task].users, options.compared, seed=options.seed)
    search = Search(
        part=part.of_queries(rows), task=task, trend=trend_of(part, shape), seed=options.seed, budget=options.search,
        most=options.most,
    )  # fmt: skip
    chosen = []
    for grid in grids(shape, task):
        best = search.best(grid)
        tell(f"{task}: {best.name} {best.ndcg:.4f} on validation, {best.tried} settings tried")
        chosen.append(best)
    return chosen


def _weighed(
    part: Part, task: Task, chosen: Sequence[Chosen], shape: Shape, *, options: Options
) -> tuple[Tuned, Field, Candidates]:
    """Tune the weights: (what was found, the field, the candidates that they were tuned on)."""
    entrants = entered(part, chosen, seed=options.seed, tell=lambda _: None)
    weighing = Field(part=part, task=task, entrants=entrants, trend=trend_of(part, shape))
    records = weighing.pool()
    return weighed(weighing, seed=options.seed, quick=options.quick, records=records), weighing, records


def shipped(shape: Shape, task: Task) -> Picked:
    """Choice where nothing can be chosen: the first setting of each grid, all weight on the first and popularity."""
    starts = {grid.name: grid.start.changed(grid.final) for grid in grids(shape, task)}
    chosen = [Chosen(name=name, setting=start, ndcg=0.0, tried=0) for name, start in starts.items()]
    return Picked(chosen=chosen, tuned=None, weights={chosen[0].name: 0.8, "popularity": 0.2}, seconds=0.0)


def sorted_weights(weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """Weights above 0, the heaviest first."""
    return sorted(((name, weight) for name, weight in weights.items() if weight > 0), key=lambda pair: -pair[1])


def judged(part: Part, task: Task, picked: Picked, *, shape: Shape, options: Options, tell: Tell) -> TaskResult:
    """Fit everyone anew on the part and hold them against its truth."""
    tell(f"{task}: fitting {len(picked.chosen)} recommenders on {len(part.training.interactions):,} acts")
    entrants = entered(part, picked.chosen, seed=options.seed, tell=lambda text: tell(f"{task}: {text}"))
    contest = Field(part=part, task=task, entrants=entrants, trend=trend_of(part, shape))
    k = max(options.ks)
    restaged = None
    if picked.stage is not None and picked.stage.wins:
        restaged = partial(picked.stage.ranked, part, item_facts(part.training), k=k)
    answers = entries(contest, picked.weights, k=k, restaged=restaged)
    if picked.without_net is not None:
        others = replace(contest, entrants=[entrant for entrant in entrants if entrant.chosen.name != NET])
        answers.insert(1, replace(entries(others, picked.without_net, k=k)[0], name="hybrid_without_net"))
    answers += baselines(part, task, shape=shape, k=k, seed=options.seed)
    judge = Judge(truth=part.truths[task], ks=options.ks, n_items=part.training.n_items, seed=options.seed)
    return TaskResult(task=task.value, judge=judge, lines=[judge.line(entry) for entry in answers])


def baselines(part: Part, task: Task, *, shape: Shape, k: int, seed: int) -> list[Entry]:
    """Baselines without a model: what most bought, what most bought lately, what the person bought most."""
    lately = shape.span / RECENT_PART if shape.span else None
    settings: dict[str, tuple[type[Recommender], Any]] = {
        "popular": (popularity.Popularity, popularity.Config(half_life=None)),
        "recent": (popularity.Popularity, popularity.Config(half_life=lately)),
        "personal_frequency": (buy_again.BuyAgain, buy_again.Config(half_life=None, prior=1e-4, prior_half_life=None)),
    }
    answers = []
    for name, (kind, config) in settings.items():
        with metered() as fit:
            model = Read(ReadConfig(kind=kind, config=config)).fit(part.training, seed=seed)
        with metered() as score:
            ranked = ranked_alone(model, part, task=task, k=k)
        answers.append(
            Entry(
                name=name, kind="baseline", ranked=ranked, fit_s=fit.seconds, score_s=score.seconds,
                peak_mb=max(fit.peak_mb, score.peak_mb),
            )
        )  # fmt: skip
    return answers


def described_choice(picked: Picked) -> dict[str, Any]:
    """Settings and weights as they were chosen, with what they reached on the validation part."""
    settings = {
        one.name: {
            "ndcg@10": round(one.ndcg, 6),
            "tried": one.tried,
            "trend": one.setting.trend,
            "reading": asdict(one.setting.read.reading),
            "config": asdict(one.setting.read.config),
        }
        for one in picked.chosen
    }
    hybrid = {"weights": dict(sorted_weights(picked.weights)), "tuning_s": round(picked.seconds, 1)}
    if picked.tuned is not None:
        hybrid |= {
            "ndcg@10": round(picked.tuned.ndcg, 6),
            "best_single": picked.tuned.best_single,
            "best_single_ndcg@10": round(picked.tuned.best_single_ndcg, 6),
        }
    if picked.stage is not None:
        hybrid["second_stage"] = picked.stage.described()
    return {"hybrid_on_validation": hybrid, "recommenders_on_validation": settings}
