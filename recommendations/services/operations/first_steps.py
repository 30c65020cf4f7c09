"""The list of first steps of a shop: put away by an admin, and shown again."""

from recommendations.models import ShopSetting

FIRST_STEPS_HIDDEN = "first_steps_hidden"


def show_first_steps(*, shown: bool) -> None:
    """Show the list to all staff, or put it away; it only tells what is there, and changes nothing in the shop."""
    if shown:
        ShopSetting.objects.filter(key=FIRST_STEPS_HIDDEN).delete()
    else:
        ShopSetting.objects.get_or_create(key=FIRST_STEPS_HIDDEN, defaults={"value": True})
