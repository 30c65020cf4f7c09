"""The transformer's net on own data: trained on what is known when everything is chosen, and on for the judgement."""

import time
from dataclasses import replace

from bench.files.parts import Part
from bench.ranking.picking import Options, Tell
from recommendations.engine.frames import TrainingSet
from recommendations.engine.recommenders.net_training import Plan, Training, sequences_of, start, train

PLAN = Plan(people=1)  # what is published may tell
FIRST = 0.6  # of the time, for the net of the part that everything is chosen on; the other one goes on from it


def with_nets(chosen_on: Part, judged_on: Part, *, options: Options, tell: Tell) -> tuple[Part, Part]:
    """Both parts with a net of what each knows, within ``options.net`` seconds of processor time together."""
    first = _trained(chosen_on.training, seconds=FIRST * options.net, options=options, tell=tell)
    second = replace(judged_on.training, net=first.net)
    second = _trained(second, seconds=(1 - FIRST) * options.net, options=options, tell=tell)
    return replace(chosen_on, training=first), replace(judged_on, training=second)


def _trained(training: TrainingSet, *, seconds: float, options: Options, tell: Tell) -> TrainingSet:
    """The training set with a net; one that it has is trained on. Nothing that it knows is held out of that one."""
    plan = PLAN if training.net is None else replace(PLAN, judged=0)
    sequences = sequences_of(training, plan, seed=options.seed)
    state = start(sequences, plan, seed=options.seed, before=training.net)
    said = f"transformer: {len(sequences.sequences):,} sequences"

    def heard(now: Training) -> None:
        reached = f", NDCG@10 {now.reached[-1]:.4f} of what is held out" if len(sequences.answers) else ""
        tell(f"{said}, round {now.round}: {now.seconds:,.0f} s{reached}")

    net = train(sequences, plan, state, seconds=seconds, seed=options.seed, tell=heard, clock=time.process_time)
    return replace(training, net=net)
