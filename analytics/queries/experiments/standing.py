"""How an experiment stands: whom it is for, how healthy its counting is, and what its log says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from analytics.queries.experiments.results import Results
from analytics.templatetags.display import moment, number, share
from recommendations.engine.experiments.mismatch import is_mismatch
from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, Experiment, Unit
from recommendations.services.experiments.readings import lost_its_beginning
from recommendations.terms import ExperimentStatus
from recommendations.wording.experiments import note_text
from recommendations.wording.labels import placement_label

READ_AT = 5  # minutes past the hour
LATE = timedelta(hours=26)  # after which a reading was to be there
MUCH_MIXED, MUCH_WITHOUT = 0.02, 0.2
MOST_NOTES = 100


@dataclass(frozen=True, kw_only=True)
class HealthMark:
    """A thing that can be wrong with the counting; ``state`` is fine, odd or wrong."""

    state: str
    words: str


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line of the log; ``who`` is empty where the experiment did it itself."""

    at: datetime
    who: str
    words: str


def log(experiment: Experiment) -> list[LogLine]:
    """The log, the newest first."""
    notes = experiment.notes.select_related("by")[:MOST_NOTES]
    return [
        LogLine(
            at=note.at, who=str(note.by or (_("Scheduled or by command") if note.code == NoteCode.STOPPED else "")),
            words=note_text(note.code, note.facts, primary=experiment.primary, kind=experiment.kind),
        )
        for note in notes
    ]  # fmt: skip


def next_look(now: datetime) -> datetime:
    """The next time at which people are counted."""
    look = now.replace(minute=READ_AT, second=0, microsecond=0)
    return look if look > now else look + timedelta(hours=1)


def health(experiment: Experiment, arms: Sequence[Arm], results: Results | None, *, now: datetime) -> list[HealthMark]:
    """Split, age of the data, people who saw two arms, and visits without an id."""
    if results is None:
        return []
    people = Unit.objects.filter(experiment=experiment).aggregate(
        every=Count("*"), mixed=Count("pk", filter=Q(mixed=True))
    )
    marks = [_split(arms, results), _age(experiment, results, now=now)]
    mixed = people["mixed"] / people["every"] if people["every"] else 0.0
    words = _("%(share)s saw two arms and do not count") % {"share": share(mixed, 1)}
    marks.append(HealthMark(state="odd" if mixed > MUCH_MIXED else "fine", words=words))
    if named := results.facts.get("answers"):
        without = results.facts.get("answers_without_id", 0) / (named + results.facts.get("answers_without_id", 0))
        words = _("%(share)s of the answers without an id") % {"share": share(without, 1)}
        marks.append(HealthMark(state="odd" if without > MUCH_WITHOUT else "fine", words=words))
    if (sample := results.facts.get("sample", 1)) < 1:
        words = _("counted on %(share)s of the visitors, drawn once for all") % {"share": share(sample)}
        marks.append(HealthMark(state="fine", words=words))
    return marks


def _split(arms: Sequence[Arm], results: Results) -> HealthMark:
    """Whether the people fall to the arms as was planned."""
    counts = [results.people.get(arm.position, 0) for arm in arms]
    shares = [arm.share for arm in arms]
    total = sum(counts)
    if not total or not math.isclose(sum(shares), 1) or min(shares) <= 0:
        return HealthMark(state="odd", words=_("no split yet"))
    seen = " : ".join(number(100 * count / total, 1) for count in counts)
    broken = [check for check in results.facts.get("splits", ()) if check["broken"] and check["kind"] != "all"]
    if not is_mismatch(counts, shares) and broken:
        where = _(", ").join(dict.fromkeys(_part_words(check["kind"], check["name"]) for check in broken))
        words = _("split as planned in all, but not in: %(where)s") % {"where": where}
        return HealthMark(state="wrong", words=words)
    if is_mismatch(counts, shares):
        planned = " : ".join(number(100 * part, 1) for part in shares)
        return HealthMark(
            state="wrong", words=_("split %(seen)s, not %(planned)s") % {"seen": seen, "planned": planned}
        )
    return HealthMark(state="fine", words=_("split as planned, %(seen)s") % {"seen": seen})


def _part_words(kind: str, name: str) -> str:
    """What a part of the people is called in which the split was checked."""
    if kind == "segment":
        return _("segment %(name)s") % {"name": name}
    if kind == "placement":
        return placement_label(name)
    return _("signed in") if name == "signed_in" else _("not signed in")


def _age(experiment: Experiment, results: Results, *, now: datetime) -> HealthMark:
    words = _("counted until %(time)s") % {"time": moment(results.at)}
    late = experiment.status == ExperimentStatus.RUNNING and now - results.at > LATE
    if late and lost_its_beginning(experiment):
        words = _("%(counted)s; not since, as what it began with is kept no longer") % {"counted": words}
    return HealthMark(state="wrong" if late else "fine", words=words)


def cap_of(experiment: Experiment, results: Results) -> Mapping[str, Any] | None:
    """The most that a person counts in the primary metric, and how many that holds down."""
    cap = experiment.caps.get(experiment.primary)
    return {"cap": cap, "people": results.above_cap} if cap else None
