"""Events are read by purpose: whoever learns from them, or ties them to answers, reads what may be used for it."""

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "recommendations"
TABLE = re.compile(r"\brecommendations_event\b")
ROWS = re.compile(r"\bEvent\.objects\b(?!\s*\.to_(personalise|measure)\b)|\bEvent\._meta\b|QuerySet\(Event\)")

MAY_NAME_ALL: Mapping[str, str] = {
    "store/events": "takes events in, sets them aside, and counts them",
    "store/imports/columnar": "takes events of files in",
    "store/holders": "exports and erases",
    "store/snapshots": "copies all events into files; who reads those leaves out what may not be used",
    "store/retention": "keeps all as long as the shop's rules say",
    "store/push": "whom messages reach, by the words on messages, which have a ledger of their own",
    "store/agents": "whom messages reach; who does not want to be known is in no night",
    "store/audiences": "leaves out by itself who does not want to be known",
    "store/watches": "sums by hour, whoever acted",
    "ingest/waiting.py": "makes partitions",
    "migrations": "makes the table",
    "models/events.py": "says what an event is, and what may be used",
    "services/push/trying.py": "the acts of a member of the staff who tries a message",
    "services/review/review.py": "the acts of one customer, whom staff look at",
}
"""Places that name all events, each with the reason."""
LOOKS_AT_ALL: Mapping[str, str] = {
    "store/attribution/statements.py": "which lines are attributed anew; those that may be measured are",
}
"""Modules whose SQL names all events beside those that may be used."""
HAS_ALL: Mapping[str, str] = {
    "services/privacy/retention_needs.py": "how many would be unknown if less were kept, whoever they are",
    "store/retention_rules.py": "when the newest was, from which days are counted back",
    "store/models/training_data.py": "counts how many came in, whoever acted",
}
"""Modules whose queries by Django read all events, beside those that read what may be used."""


def places(pattern: re.Pattern[str]) -> set[str]:
    named = {
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if pattern.search(path.read_text("utf-8"))
    }
    return {name for name in named if not any(name == each or name.startswith(f"{each}/") for each in MAY_NAME_ALL)}


def test_what_learns_and_measures_reads_by_purpose() -> None:
    assert places(TABLE) == set(LOOKS_AT_ALL)
    assert places(ROWS) == set(HAS_ALL)


def test_every_exception_is_one() -> None:
    for name in MAY_NAME_ALL:
        path = ROOT / name
        texts = [file.read_text("utf-8") for file in ([path] if path.is_file() else path.rglob("*.py"))]
        assert any(TABLE.search(text) or ROWS.search(text) for text in texts), name


def test_learning_and_measuring_read_the_views() -> None:
    read = {
        "events_to_personalise": (
            "store/models/training_data.py", "store/models/group_follows.py", "store/live/showings.py",
        ),
        "events_to_measure": (
            "store/attribution/statements.py", "store/experiments/statements.py", "store/experiments/past.py",
            "store/experiments/caps.py",
        ),
    }  # fmt: skip
    for view, modules in read.items():
        for module in modules:
            assert view in (ROOT / module).read_text("utf-8"), module
