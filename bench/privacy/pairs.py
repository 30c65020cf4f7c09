"""Pairs of people with something in every place of the record: one of each is erased. ``make bench-privacy-pairs``.

Everything of a person has words in it that stand nowhere else. The bars: no export has a word of anybody else; after
the erasures no table and no file has a word of who is gone; who stays is told the same as before, to the byte.
"""

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.apps import apps  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.faults.report import Report, options, spread  # noqa: E402
from recommendations.services.catalogue.files import FOLDER  # noqa: E402
from recommendations.store.holders.registry import HOLDERS  # noqa: E402
from recommendations.store.temp_tables import rows  # noqa: E402
from tests.holders import FOUND, NOW, Person, person, stored_files, whole_text, world  # noqa: E402

WORD = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
RECORD = [holder for holder in HOLDERS if holder.code in FOUND]


def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    arguments = parser.parse_args(argv)
    call_command("migrate", verbosity=0, interactive=False)
    report, shared = Report(f"Erasures of {arguments.pairs} people among as many others"), world()
    pairs = [(person(shared), person(shared)) for _each in range(arguments.pairs)]
    try:
        _measure(report, pairs)
    finally:
        for name in list(stored_files()):
            default_storage.delete(f"{FOLDER}/{name}")
    return report.end(arguments.json, vars(arguments))


def _measure(report: Report, pairs: Sequence[tuple[Person, Person]]) -> None:
    gone, stay = zip(*pairs, strict=True)
    whose = {word: one.name for pair in pairs for one in pair for word in one.tokens}
    before, strange, untold = {}, 0, 0
    for one in (*gone, *stay):
        text = whole_text(RECORD, one.subject)
        words = set(WORD.findall(text)) & whose.keys()
        strange += sum(whose[word] != one.name for word in words)
        untold += len(set(one.tokens) - words)
        before[one.name] = _sum(text)
    report.promise("no export has a word of somebody else", f"{strange} of {len(whose):,}", kept=strange == 0)
    report.promise("each has every word that is theirs", f"{untold} missing", kept=untold == 0)
    seconds = []
    for one in gone:
        start = time.perf_counter()
        for holder in RECORD:
            holder.erase(one.subject, now=NOW)
        seconds.append(time.perf_counter() - start)
    report.figures["seconds"] = seconds
    report.promise("an erasure takes 2 s at most", spread(seconds), kept=max(seconds) <= 2)
    rest = sum(holder.find(one.subject) for one in gone for holder in RECORD)
    report.promise("nothing is found of who is gone", rest, kept=rest == 0)
    left = {word for text in _record() for word in WORD.findall(text)}
    words = {word for one in gone for word in (*one.tokens, one.name)} & left
    report.promise("no table and no file has a word of theirs", f"{len(words)} words", kept=not words)
    changed = sum(_sum(whole_text(RECORD, one.subject)) != before[one.name] for one in stay)
    report.promise("who stays is told the same as before", f"{changed} of {len(stay)} changed", kept=changed == 0)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _record() -> Iterable[str]:
    """Every row of every table as PostgreSQL writes it, and every stored file."""
    for model in apps.get_app_config("recommendations").get_models():
        for (row,) in rows(f"SELECT own::text FROM {model._meta.db_table} own"):  # noqa: S608 - names of ours
            yield row
    for name in stored_files():
        yield Path(default_storage.path(f"{FOLDER}/{name}")).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
