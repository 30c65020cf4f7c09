"""Verdict of a bandit: a sentence about its last shares, with what to do, as its page, lists and commands say it."""

from collections import defaultdict
from collections.abc import Sequence

from recommendations.models import Arm, ArmShare, Experiment
from recommendations.wording.bandits import BanditVersion, bandit_advice, bandit_sentence
from recommendations.wording.experiment_advice import with_advice


def bandit_verdicts(experiments: Sequence[Experiment]) -> dict[int, str]:
    """The verdict of each bandit among these, by its key; those without shares are left out."""
    rows = ArmShare.objects.filter(arm__experiment__in=experiments, segment=None).select_related("arm")
    by_bandit: dict[int, dict[int, BanditVersion]] = defaultdict(dict)
    for row in rows.order_by("day", "arm__position"):
        by_bandit[row.arm.experiment_id][row.arm_id] = version_with(row.arm, row)
    verdicts = {}
    for own in experiments:
        if versions := list(by_bandit[own.pk].values()):
            sentence = bandit_sentence(own.status, versions)
            verdicts[own.pk] = with_advice(sentence, bandit_advice(own.status, versions, simulated=own.simulated))
    return verdicts


def version_with(arm: Arm, row: ArmShare) -> BanditVersion:
    """An arm with the share of a day; one that is out gets nobody."""
    share = 0.0 if arm.out_at else row.share
    return BanditVersion(
        letter=arm.letter, share=share, chance=row.chance_best, pinned=arm.pinned, floor=arm.floor,
        is_out=arm.out_at is not None,
    )  # fmt: skip
