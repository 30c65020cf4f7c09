"""New items in the demo: the home page promises each its first impressions, which the replay begins to give."""

from datetime import datetime

from recommendations.models import NewItemPromise, Placement
from recommendations.services.promises.publishing import publish_promise, usual_promise


def promise_impressions(*, now: datetime) -> bool:
    """Let "For you" promise what is usual; False where it ever promised anything, which stays."""
    home = Placement.objects.get(name="home")
    if NewItemPromise.objects.filter(placement=home).exists():
        return False
    publish_promise(home, usual_promise(), note="What is new is seen.", by=None, now=now)
    return True
