"""Fatigue in the demo: what a visitor of its shop was shown and did not click goes down on the home page."""

from recommendations.models import AuditEntry, Placement
from recommendations.services.operations.placements import set_placement

BETA = 0.25


def set_fatigue() -> bool:
    """Let ignored items go down on "For you"; False where anybody has changed that placement, whose settings stay."""
    home = Placement.objects.get(name="home")
    if home.fatigue or AuditEntry.objects.filter(object_type="placement", object_id=str(home.pk)).exists():
        return False
    set_placement(placement=home, changes={"fatigue": BETA}, by=None)
    return True
