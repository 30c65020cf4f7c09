"""Results as one JSON shape and as an aligned table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ranking.judging import Judge, Line
from recommendations.engine.evaluation.intervals import Measure

DECIMALS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskResult:
    """The lines of one task, in any order."""

    task: str
    judge: Judge
    lines: Sequence[Line]

    @property
    def main(self) -> str:
        """The metric that lines are sorted by."""
        return self.judge.names[0]

    @property
    def sorted(self) -> list[Line]:
        """Lines with the hybrid first, then its other forms, then the rest; each by the main metric."""
        return sorted(
            self.lines,
            key=lambda line: (line is not self.hybrid, line.kind != "hybrid", -line.metrics[self.main].value),
        )

    @property
    def hybrid(self) -> Line:
        """Line that the others are held against; without a hybrid the best line."""
        best = max(self.lines, key=lambda line: line.metrics[self.main].value)
        return next((line for line in self.lines if line.kind == "hybrid"), best)


def as_json(protocol: Mapping[str, Any], results: Sequence[TaskResult]) -> dict[str, Any]:
    """Results in the JSON shape; the paired differences of the hybrid stand in the protocol."""
    differences = {
        result.task: {
            line.name: described(result.judge.difference(result.hybrid, line))
            for line in result.sorted
            if line is not result.hybrid
        }
        for result in results
    }
    tasks = {
        result.task: {
            "users": len(result.judge.truth.users),
            "rows": [
                {
                    "name": line.name,
                    "kind": line.kind,
                    "metrics": described(line.metrics),
                    "fit_s": round(line.fit_s, 3),
                    "score_s": round(line.score_s, 3),
                    "peak_mb": round(line.peak_mb, 1),
                }
                for line in result.sorted
            ],
        }
        for result in results
    }
    return {"protocol": {**protocol, "hybrid_minus_others": differences}, "tasks": tasks}


def described(metrics: Mapping[str, Measure]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(value, DECIMALS) for key, value in measure._asdict().items()}
        for name, measure in metrics.items()
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(result: TaskResult) -> str:
    """Aligned table: every metric at the first K, the paired difference of the hybrid, seconds and memory."""
    k = result.judge.ks[0]
    columns = [name for name in result.hybrid.metrics if name.endswith(f"@{k}")]
    head = ["", "kind", result.main, "95 %", *[name for name in columns if name != result.main]]
    rows = [[*head, "hybrid is ahead by", "fit s", "score s", "peak MB"]]
    for line in result.sorted:
        value, low, high = line.metrics[result.main]
        others = [f"{line.metrics[name].value:.4f}" for name in columns if name != result.main]
        ahead = ""
        if line is not result.hybrid:
            by = result.judge.difference(result.hybrid, line)[result.main]
            ahead = f"{by.value:+.4f} [{by.low:+.4f}, {by.high:+.4f}]"
        cost = [f"{line.fit_s:.1f}", f"{line.score_s:.1f}", f"{line.peak_mb:,.0f}"]
        rows.append([line.name, line.kind, f"{value:.4f}", f"[{low:.4f}, {high:.4f}]", *others, ahead, *cost])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    text = [
        "  ".join(cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    title = f"{result.task}: {len(result.judge.truth.users):,} users, {result.judge.n_items:,} items"
    return "\n".join([title, text[0].rstrip(), "-" * len(text[0]), *(line.rstrip() for line in text[1:])])
