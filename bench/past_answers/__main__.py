"""Past answers made again: ``make bench-past-answers`` on the demo's data.

A thousand mixed requests are answered (every placement, whole pages, context, filters, few and many items, strangers,
every way of exploring), half of them by another model and in another shop: fifty prices, the rules and a placement are
others, and customers act between the answers. All is put back; then another process makes every answer again, alters
one thing of some and looks whether that is seen, and times the page. The slates stay; they are the demo's own.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import django

from bench.bars import Figure, report, say

SEED = 20_261_128


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.past_answers", description=__doc__)
    parser.add_argument("--answers", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    ids, models = _answer(options.answers, seed=options.seed)
    run = subprocess.run(
        [sys.executable, "-m", "bench.past_answers.child"], input=json.dumps(ids), stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    seen = json.loads(run.stdout.splitlines()[-1])
    say(f"{len(ids):,} answers of models {', '.join(models)}; made again: {seen['outcomes']}")
    figures = [
        Figure("answers in the record", seen["stored"], least=len(ids)),
        Figure("made again exactly", seen["outcomes"].get("exact", 0), least=len(ids)),
        Figure("models", len(set(models)), least=2),
        *(
            Figure(f"another {name}: not called exact, of {of}", hits / of if of else 0.0, least=1.0)
            for name, (hits, of) in seen["planted"].items()
        ),
        *(Figure(f"bytes a slate: {name}", value) for name, value in _bytes(ids).items()),
        Figure("bytes a slate, all together", sum(_bytes(ids).values()), most=2_000),
        *(
            Figure(f"ms, {kind}, {which}", value, most=None if "whole" in kind or which != "median" else 300)
            for kind, times in seen["page_ms"].items()
            for which, value in times.items()
        ),
    ]
    protocol = {"answers": options.answers, "seed": options.seed, "models": models}
    return report(figures, protocol=protocol, path=options.json)


def _answer(count: int, *, seed: int) -> tuple[list[str], list[str]]:
    """Answer, half before and half after the changes, and put all back; ids of the answers, names of the models."""
    from bench.past_answers import mixed  # noqa: PLC0415 - Django is set up by now
    from recommendations.models import ModelVersion  # noqa: PLC0415
    from recommendations.store.live import writes  # noqa: PLC0415
    from recommendations.store.serving.slates import write_slates  # noqa: PLC0415

    writes.rebuild()
    try:
        with mixed.explored():
            ids = mixed.answered(count // 2, seed=seed)
            with mixed.other_shop(seed=seed), mixed.other_model() as other:
                ids += mixed.answered(count - count // 2, seed=seed + 1)
        while write_slates():
            pass
    finally:
        writes.rebuild()
    return ids, [str(ModelVersion.objects.live().get()), other]


def _bytes(ids: Sequence[str]) -> dict[str, float]:
    """Bytes a slate in its table, and of the parts that slates share: their bytes over the number of slates."""
    from django.db import connection  # noqa: PLC0415

    statements = {
        "own": "SELECT sum(pg_column_size(slate.*)) FROM recommendations_slate slate WHERE recommendation_id = ANY(%s)",
        **{
            part: f"SELECT sum(pg_column_size(part.*)) FROM recommendations_answer{part} part WHERE key IN "  # noqa: S608
            f"(SELECT {part} FROM recommendations_slate WHERE recommendation_id = ANY(%s))"
            for part in ("basis", "request", "state")
        },
    }
    sizes = {}
    with connection.cursor() as cursor:
        for name, statement in statements.items():
            cursor.execute(statement, [list(ids)])
            sizes[name] = (cursor.fetchone()[0] or 0) / len(ids)
    return sizes


if __name__ == "__main__":
    sys.exit(main())
