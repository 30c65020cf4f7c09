"""The peers alone, judged by our metrics: ``python -m bench.peers --cut tuning --only lenskit_slim``."""

import argparse
import sys
from collections.abc import Sequence

from bench.peers.models import PEERS
from bench.peers.peers import peer_answers
from bench.ranking.complete_journey import Part, cuts, shop
from recommendations.engine.evaluation.accuracy import judge
from recommendations.engine.evaluation.breadth import assortment
from recommendations.engine.evaluation.intervals import resamples
from recommendations.engine.evaluation.measures import MAIN, covered_share, per_user_table, summary
from recommendations.terms import Cut, Task

SHOWN = (MAIN, "recall@20", "coverage@10")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cut", choices=[Cut.TEST.value, Cut.TUNING.value], default=Cut.TEST.value)
    parser.add_argument("--only", nargs="*", default=[peer.name for peer in PEERS], metavar="NAME")
    parser.add_argument("--task", choices=[task.value for task in Task], action="append")
    arguments = parser.parse_args()
    test, tuning = cuts(2)
    part = shop().part(test if arguments.cut == Cut.TEST else tuning)
    for task in arguments.task or [Task.HOME, Task.DISCOVER]:
        show(part, Task(task), arguments.only)


def show(part: Part, task: Task, names: Sequence[str]) -> None:
    truth, items = part.truths[task], assortment(part.snapshot.training)
    drawn = resamples(len(truth.users), seed=0)
    sys.stdout.write(f"{task.value}: {len(truth.users)} users\n")
    for entry in peer_answers(part, task, peers=[peer for peer in PEERS if peer.name in names]):
        if entry.answer is None:
            sys.stdout.write(f"{entry.name:22} – {entry.reason}\n")
            continue
        table = per_user_table(entry.answer.ranked, judge(entry.answer.ranked, truth.per_user), items)
        metrics = summary(table, covered_share(entry.answer.ranked, items), drawn)
        figures = "  ".join(f"{name} {metrics[name].value:.4f}" for name in SHOWN)
        interval = f"[{metrics[MAIN].low:.4f}, {metrics[MAIN].high:.4f}]"
        cost = f"fit {entry.answer.fit_s:.1f} s  score {entry.answer.score_s:.1f} s  {entry.answer.peak_mb:.0f} MB"
        sys.stdout.write(f"{entry.name:22} {interval}  {figures}  {cost}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
