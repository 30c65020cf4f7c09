"""Stage 6: weights from the tuning window, the gate on the test window, and the version goes live whole.

The first run's weights become the default; later runs propose, and where staff set the blend to automatic they put
what passes the gate in its place. Every decision leaves a line with its reason in the run's log.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from recommendations.engine.evaluation.gate import GateResult
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.measures import MAIN
from recommendations.engine.evaluation.panel_measures import ACCURACY
from recommendations.engine.feedback.tuning import ablation, tuned
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.loop import challenger, gate, guard, push_models
from recommendations.loop.acts_known import measure_by_acts_known
from recommendations.loop.context import RunContext
from recommendations.loop.evaluate import HYBRID, Configuration, panel_of, tabulate
from recommendations.loop.risers import Demand, risers
from recommendations.loop.visits import learn_visit_shares
from recommendations.models import Blend, BlendWeights, ModelVersion
from recommendations.store.audiences import members
from recommendations.store.domain import shop_domain
from recommendations.store.live import fetch
from recommendations.store.models import artefacts, interests, live_version, scrubbing, weight_versions
from recommendations.store.models.measurements import described_all, described_gate_result
from recommendations.store.models.weight_versions import Made
from recommendations.store.models.work_folders import forget_resting_work
from recommendations.store.serving import answer_parts
from recommendations.terms import TASKS, BlendName, Cut, GateOutcome, Lift, Task

NOTABLE = 1e-4
"""A proposal must promise at least so much NDCG@10 more than the default on the tuning panel."""

PROPOSED = "hybrid_proposed"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    configuration: Configuration
    best_single: str
    expected: Mapping[str, Any]
    gain: float  # NDCG@10 on the tuning panel against the start


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a run does with a blend: a new version, the default at once or proposed; or nothing."""

    made: Made | None = None
    publish: bool = False


def adjust_weights_and_go_live(context: RunContext) -> Mapping[str, object]:
    decisions = {
        task: _decision(context, task, blend, done=0.4 * number) for number, (task, blend) in enumerate(TASKS.items())
    }
    waits = _guarded(context)
    may_go_live = _gate_version(context, decisions) and not waits
    counts: dict[str, object] = {}
    for task, blend in TASKS.items():
        version = _append(context, blend, decisions[task], publish=decisions[task].publish and may_go_live)
        counts[f"{blend}_weights"] = version.number if version else None
        counts |= _measure_hybrid(context, task, blend, version)
    for blend in BlendName:
        if weight_versions.default_weights(blend) is None:
            weight_versions.append_weights(
                blend=blend, now=context.run.now, publish=True, author=None,
                made=Made(weights=_preset(blend).weights, exponents=_preset(blend).exponents, reason="Shipped preset"),
            )  # fmt: skip
    counts |= learn_visit_shares(context)
    push_models.learn_relevance(context)
    push_models.learn_from_messages(context)
    if may_go_live:
        push_models.put_in_use(context)
        scrubbing.finish(context.version, partial(live_version.go_live, now=timezone.now()))
        fetch.announce("model")
        members.refresh_all(now=context.run.now)
    else:
        scrubbing.finish(context.version, live_version.keep_ready)
    fetch.announce("weights")
    context.report(1, text=f"model {context.version} is {'live' if may_go_live else 'ready, and not live'}")
    forget_resting_work()
    artefacts.forget_old_versions(answered=answer_parts.answered_models(), most=settings.ANSWERS_DISK)
    interests.forget_old_versions()
    return counts


def _preset(blend: BlendName) -> Configuration:
    domain = shop_domain()
    return Configuration(weights=domain.weights[blend], exponents={Lift.PROMOTION: domain.promotion[blend]})


def proposal(
    version_id: int, task: Task, *, seed: int, progress: Callable[[float], None] | None = None
) -> Proposal | None:
    """Tune on the tuning panel, against the default (else the preset); None where nobody has truth."""
    on = panel_of(version_id, Cut.TUNING, task)
    if on is None:
        return None
    default = weight_versions.default_weights(TASKS[task])
    start = Configuration.of(default) if default else _preset(TASKS[task])
    starts = []
    if SECOND_STAGE in on.instances:
        starts.append({name: weight / 2 for name, weight in start.weights.items()} | {SECOND_STAGE: 0.5})
    result = tuned(
        on, seed=seed, starts=starts, incumbent=start.weights, promotion=start.exponents.get(Lift.PROMOTION, 0.0),
        progress=progress,
    )  # fmt: skip
    exponents = {**start.exponents, Lift.PROMOTION: result.promotion}
    drawn = resamples(len(on.users), seed=seed)
    now = on.measure(result.weights, exponents=exponents)
    then = on.measure(start.weights, exponents=start.exponents)
    against = now.against(then, drawn)
    expected = {
        "cut": Cut.TUNING,
        "users": len(on.users),
        "evaluations": result.evaluations,
        "metrics": described_all(now.summary(drawn)),
        "against_default": described_all(against),
        "ablation": described_all(ablation(on, result.weights, drawn, exponents=exponents)),
    }
    return Proposal(
        configuration=Configuration(weights=result.weights, exponents=exponents),
        best_single=result.best_single,
        expected=expected,
        gain=against[ACCURACY].value,
    )


def _decision(context: RunContext, task: Task, blend: BlendName, *, done: float) -> Decision:
    offer = proposal(
        context.version.pk, task, seed=context.run.seed, progress=lambda share: context.report(done + 0.4 * share)
    )
    if offer is None:
        context.report(done, text=f"{blend}: no purchases in the tuning window, so there is nothing to tune on")
    else:
        users = offer.expected["users"]
        context.report(done, text=f"{blend}: tuned on {users:,} customers, {MAIN} {offer.gain:+.4f} against the start")
    default = weight_versions.default_weights(blend)
    if default is None:
        return _first(context, task, blend, offer)
    if offer is None or offer.gain < NOTABLE:
        context.report(done, text=f"{blend}: weights stay as they are, as tuning found nothing better")
        return Decision()
    result = gate.gate(
        context.version.pk, task, offer.configuration, live=Configuration.of(default), seed=context.run.seed
    )
    automatic = Blend.objects.get(name=blend).automatic
    what = "published, as the blend is automatic" if automatic and result.passed else "proposed to staff"
    context.report(done, text=f"{blend}: new weights are {what}; {gate.log_line(result)}")
    made = version_to_append(
        offer.configuration, f"Tuned by run {context.run}", result, version=context.version, expected=offer.expected
    )
    return Decision(made=made, publish=automatic and result.passed)


def _first(context: RunContext, task: Task, blend: BlendName, found: Proposal | None) -> Decision:
    """The first weights: the first that pass of tuned, preset and best recommender alone; else the tuned ones.

    Something has to be served, and where all lose to a baseline the tuning window still knows the tuned ones as best.
    """
    contenders = []
    for reason, configuration in _contenders(context, blend, found):
        result = gate.gate(context.version.pk, task, configuration, live=None, seed=context.run.seed)
        context.report(0, text=f"{blend}: {reason}: {gate.log_line(result)}")
        expected = found.expected if found and configuration is found.configuration else {}
        contenders.append(version_to_append(configuration, reason, result, version=context.version, expected=expected))
        if result.outcome is not GateOutcome.WORSE:
            return Decision(made=contenders[-1], publish=True)
    context.report(0, text=f"{blend}: nothing passes the gate, but something has to be served: {contenders[0].reason}")
    return Decision(made=contenders[0], publish=True)


def _contenders(context: RunContext, blend: BlendName, found: Proposal | None) -> Iterator[tuple[str, Configuration]]:
    if found:
        yield f"Tuned by run {context.run}", found.configuration
    yield "Shipped preset", _preset(blend)
    if found:
        yield f"Only {found.best_single}, the best alone", Configuration(weights={found.best_single: 1.0})


def _gate_version(context: RunContext, decisions: Mapping[Task, Decision]) -> bool:
    """Whether the version may go live: where settings changed, not below what the live configuration reaches."""
    results = {}
    for task, blend in TASKS.items():
        default, decision = weight_versions.default_weights(blend), decisions[task]
        serving = decision.made if decision.publish else default
        if serving is None:
            continue
        result = challenger.gate_version(context, task, Configuration.of(serving))
        if result:
            results[task] = result
            context.report(0, text=f"{task}: with the new settings {gate.log_line(result)}")
    described = {task: described_gate_result(result, version=context.version) for task, result in results.items()}
    ModelVersion.objects.filter(pk=context.version.pk).update(gate=described)
    return all(result.outcome is not GateOutcome.WORSE for result in results.values())


def version_to_append(
    configuration: Configuration, reason: str, result: GateResult, *, version: ModelVersion, expected: Mapping[str, Any]
) -> Made:
    return Made(
        weights=configuration.weights, exponents=configuration.exponents, reason=reason, expected=expected,
        gate=described_gate_result(result, version=version),
    )  # fmt: skip


def _guarded(context: RunContext) -> bool:
    """Whether the version waits for a person, because its data are unusual; what rose most is noted with it."""
    live = live_version.live_version()
    now, before = Demand.of(context.version), Demand.of(live) if live else None
    findings = guard.unusual(context, now, before)
    for one in findings:
        context.report(0, text=f"unusual: {one.check} {one.before:,.4g} → {one.now:,.4g}")
    if before and not findings:
        context.report(0, text="nothing is unusual against the live version")
    ModelVersion.objects.filter(pk=context.version.pk).update(
        guard=[one._asdict() for one in findings], risers=risers(now, before) if before else []
    )
    return bool(findings)


def _append(context: RunContext, blend: BlendName, decision: Decision, *, publish: bool) -> BlendWeights | None:
    if decision.made is None:
        return None
    return weight_versions.append_weights(
        blend=blend, made=decision.made, author=None, now=context.run.now, publish=publish
    )


def _measure_hybrid(
    context: RunContext, task: Task, blend: BlendName, made: BlendWeights | None
) -> Mapping[str, object]:
    """Measure the table of the test window again, now with the default (and the proposal) in it."""
    default = weight_versions.default_weights(blend)
    if default is None:
        return {}
    hybrids = {HYBRID: Configuration.of(default)}
    if made and not made.is_default:
        hybrids[PROPOSED] = Configuration.of(made)
    done = tabulate(context, task, hybrids=hybrids)
    if done is None:
        return {}
    if task is Task.HOME:
        measure_by_acts_known(context, default.weights)
    value, low, high = done.lines[0].row.metrics[MAIN]
    context.report(0, text=f"{task}: {MAIN} {value:.4f} [{low:.4f}, {high:.4f}] on the test window")
    return {f"{task}_{MAIN}": round(value, 4)}
