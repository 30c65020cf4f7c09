"""What the last readings of experiments say of how people were split."""

from collections.abc import Iterable

from recommendations.models import Experiment, Reading


def split_evidence(experiments: Iterable[Experiment]) -> list[tuple[Experiment, float]]:
    """Logarithm of the evidence against the planned split of everybody, of the experiments that have been read."""
    evidence: list[tuple[Experiment, float]] = []
    for own in sorted(experiments, key=lambda each: each.pk):
        rows = Reading.objects.filter(arm__experiment=own, metric=own.primary, segment=None).order_by("-at")
        facts = rows.values_list("facts", flat=True).first() or {}
        evidence += [(own, check["log_evidence"]) for check in facts.get("splits", ()) if check["kind"] == "all"]
    return evidence
