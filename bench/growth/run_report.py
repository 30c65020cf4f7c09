"""What a whole run took, stage by stage, as tables; and the bars that it has to keep."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.bars import Figure
from bench.growth.samples import Sample, Samples

WEB_MB, START_SECONDS, OF_MODEL_MB = 300.0, 3.0, 40.0

type Result = dict[str, Any]


def of_stages(rows: Sequence[Mapping[str, Any]], samples: Samples) -> list[dict[str, Any]]:
    """Stages with their seconds on the clock and of CPU, and their peaks of memory in MB (10⁶ bytes)."""
    last = samples.seen[-1].at
    return [
        {name: row[name] for name in ("stage", "status", "counts")}
        | _cost(samples.between(row["began"], row["ended"] or last), row["began"], row["ended"] or last)
        for row in rows
        if row["began"] is not None
    ]


def _cost(seen: Sequence[Sample], began: float, ended: float) -> dict[str, Any]:
    within = [sample for sample in seen if began <= sample.at <= ended] or seen
    peak = max(within, key=lambda sample: sample.own)
    kinds = sorted({kind for sample in within for kind in sample.kinds})
    return {
        "seconds": round(ended - began, 1),
        "cpu_seconds": round(_spent(seen, began, ended), 1),
        "own_mb": round(peak.own / 1e6),
        "resident_mb": round(max(sample.resident for sample in within) / 1e6),
        "peak_after": round(peak.at - began, 1),
        "private_mb": {
            kind: round(max(one.kinds[kind].private for one in within if kind in one.kinds) / 1e6) for kind in kinds
        },
    }


def _spent(seen: Sequence[Sample], began: float, ended: float) -> float:
    """CPU seconds between two moments, in proportion to the time between the samples around them."""
    at, cpu = [sample.at for sample in seen], [sample.cpu for sample in seen]
    return _between(ended, at, cpu) - _between(began, at, cpu)


def _between(moment: float, at: Sequence[float], values: Sequence[float]) -> float:
    for number in range(1, len(at)):
        if at[number] >= moment:
            width = at[number] - at[number - 1]
            part = min(max((moment - at[number - 1]) / width, 0.0), 1.0) if width else 1.0
            return values[number - 1] + part * (values[number] - values[number - 1])
    return values[-1]


def figures_of(result: Result) -> list[Figure]:
    """Figures with their bars. A run without a control group of its own keeps none."""
    run = result["run"]
    figures = [
        Figure("the run succeeded within its limit", float(_succeeded(run)), least=1),
        Figure("GB of memory at most, all processes", max(one["own_mb"] for one in run["stages"]) / 1e3)
        if run["stages"]
        else Figure("stages that began", 0, least=1),
    ]
    for name in ("web", "pages") if "web" in result else ():
        one, none = result["web"][name], result["no_model"][name]
        more = one["mb"]["private"] - none["mb"]["private"]
        figures += [
            Figure(f"{name}: resident MB, with all that it shares", one["mb"]["resident"]),
            Figure(f"{name}: MB, with its part of what it shares", one["mb"]["pss"], most=WEB_MB),
            Figure(f"{name}: private MB more than with no model", more, most=OF_MODEL_MB),
            Figure(f"{name}: seconds to the first answer", one["start_seconds"], most=START_SECONDS),
            Figure(f"{name}: answers that were no 200", sum(one["wrong"].values()), most=0),
        ]
    return figures


def _succeeded(run: Mapping[str, Any]) -> bool:
    return run["limited"] and run["exit"] == 0 and run["status"] == "succeeded" and not run["kills"]


def text_of(result: Result) -> str:
    run, protocol = result["run"], result["protocol"]
    lines = [
        *_heads(run, protocol),
        "",
        "| stage | clock s | CPU s | all, MB | resident, MB | private MB at most |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for one in run["stages"]:
        parts = ", ".join(f"{kind} {mb:,}" for kind, mb in one["private_mb"].items())
        lines.append(
            f"| {one['stage']} | {one['seconds']:,} | {one['cpu_seconds']:,} | {one['own_mb']:,} "
            f"| {one['resident_mb']:,} | {parts} |"
        )
    if "web" in result:
        lines += [
            "",
            "| web process | start s | of CPU | answer ms, p50 | p99 | of CPU | MB private | PSS | resident |",
        ]
        lines.append("| --- |" + " ---: |" * 8)
        lines += [_web_line(name, result["web"][name]) for name in ("web", "pages")]
        lines += [_web_line(f"{name}, no model", result["no_model"][name]) for name in ("web", "pages")]
    return "\n".join([*lines, ""])


def _heads(run: Mapping[str, Any], protocol: Mapping[str, Any]) -> tuple[str, str]:
    shop = f"{protocol['customers']:,} customers × {protocol['items']:,} items × {protocol['rows']:,} rows"
    ended = f"{run['status']} after {run['seconds']:,.0f} s, {run['cpu_seconds']:,.0f} s of CPU; killed: {run['kills']}"
    left = f"artefacts {run['artefact_bytes'] / 1e6:,.0f} MB, of which records {run['record_bytes'] / 1e6:,.0f} MB"
    cached = f"at most {run['peak_with_cache_mb'] or 0:,} MB with the cache of files"
    before = f"runs before: {run['runs_before']}" + ("; went on with one that was broken off" if run["goes_on"] else "")
    return f"{shop} in {protocol['memory']:g} GB: {ended}; {before}", f"{left}; {cached}"


def _web_line(name: str, one: Mapping[str, Any]) -> str:
    mb = one["mb"]
    return (
        f"| {name} | {one['start_seconds']} | {one['start_cpu_seconds']} | {one['p50_ms']} | {one['p99_ms']} "
        f"| {one['cpu_ms']} | {mb['private']} | {mb['pss']} | {mb['resident']} |"
    )


def beside(before: Result, now: Result) -> str:
    """Table of two runs of the same shop: CPU seconds and memory of each stage before, now, and now ÷ before."""
    old = {one["stage"]: one for one in before["run"]["stages"]}
    lines = ["| stage | CPU s before | now | × | MB before | now |", "| --- |" + " ---: |" * 5]
    both = [(old[one["stage"]], one) for one in now["run"]["stages"] if one["stage"] in old]
    lines += [_beside_line(one["stage"], was, one) for was, one in both]
    lines.append(_beside_line("**all**", _whole(before["run"]), _whole(now["run"])))
    if before["protocol"] != now["protocol"] or before["run"]["runs_before"] != now["run"]["runs_before"]:
        lines.append(f"\nNot of the same: before {before['protocol']}, {before['run']['runs_before']} runs before it.")
    return "\n".join([*lines, ""])


def _whole(run: Mapping[str, Any]) -> dict[str, float]:
    return {"cpu_seconds": run["cpu_seconds"], "own_mb": max(one["own_mb"] for one in run["stages"])}


def _beside_line(name: str, was: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    ratio = one["cpu_seconds"] / was["cpu_seconds"] if was["cpu_seconds"] else 1.0
    return (
        f"| {name} | {was['cpu_seconds']:,.1f} | {one['cpu_seconds']:,.1f} | {ratio:.2f} "
        f"| {was['own_mb']:,} | {one['own_mb']:,} |"
    )
