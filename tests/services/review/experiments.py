"""An experiment that is under way in the learned shop, and the rule of its arms."""

from django.utils import timezone

from recommendations.models import Arm, BlendWeights, Experiment, Placement, RuleBook, ShopSetting
from recommendations.store.live import fetch
from recommendations.store.serving.served_experiments import TRAFFIC_SALT
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric

PIN = {
    "id": 1, "name": "Soap", "placement": None, "segment": None, "customer": None, "context": [],
    "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}],
    "action": "pin", "slot": 1, "strength": None, "most": None, "per": "", "share": None,
}  # fmt: skip


def begin(*, signed_in: bool | None = None) -> Experiment:
    """Begin an experiment on the start page, both of whose arms have other weights and rules than all others get."""
    other = BlendWeights.objects.create(
        blend=BlendWeights.objects.get(is_default=True, blend__name="home").blend, number=91, weights={"als": 1.0},
        status="published", reason="test",
    )  # fmt: skip
    book = RuleBook.objects.create(number=6, rules=[PIN])
    ShopSetting.objects.create(key=TRAFFIC_SALT, value="0a" * 16)
    test = Experiment.objects.create(
        name="Test", kind=ExperimentKind.AB, salt=b"s" * 16, primary=Metric.REVENUE, status=ExperimentStatus.RUNNING,
        started_at=timezone.now(), signed_in=signed_in,
    )  # fmt: skip
    test.placements.set(Placement.objects.filter(name="home"))
    for position in (0, 1):
        changes = {"weights": {"home": other.pk}, "rules": book.pk}
        Arm.objects.create(experiment=test, position=position, changes=changes, share=0.5)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    return test
