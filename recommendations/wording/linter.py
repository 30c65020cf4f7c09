"""Findings of the linter in words: what is wrong with the rules of a book, and what to do."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from recommendations.wording.labels import placement_quoted


def fault_text(fault: str, *, rules: Sequence[str], subject: int, placement: str, numbers: Mapping[str, int]) -> str:
    """A fault of rules by its ``FaultKind`` and their names; that at the place ``subject`` is to be changed first."""
    quoted = [gettext("“%(name)s”") % {"name": name} for name in rules]
    others = [name for place, name in enumerate(quoted) if place != subject]
    facts = {"rule": quoted[subject], "others": listed(others), "rules": listed(quoted), "placement": placement}
    facts["where"] = placement_quoted(placement) if placement else gettext("any placement")
    return str(_FAULTS[fault]) % {**facts, **numbers}


def listed(names: Sequence[str]) -> str:
    """Join names: one; one and another; one, another and a third."""
    if len(names) < 2:
        return "".join(names)
    facts = {"others": pgettext("between names", ", ").join(names[:-1]), "last": names[-1]}
    return gettext("%(others)s and %(last)s") % facts


_FAULTS: Mapping[str, Promise] = {
    "expired": _("%(rule)s has expired: give it a later end, or take it offline."),
    "placement_off": _(
        "%(rule)s is for the placement %(placement)s, which is switched off: switch it on, or choose another."
    ),
    "nobody": _("%(rule)s is for nobody: choose a segment or an audience that has customers, or one of its customers."),
    "no_context": _("%(rule)s needs an item in view that the shop does not have: change its context conditions."),
    "matches_nothing": _("%(rule)s matches no item: change its conditions."),
    "not_for_sale": _("None of the items of %(rule)s is on sale: it does nothing until one is."),
    "beyond_slate": _("%(rule)s pins to slot %(slot)d, but the list has only %(slots)d: choose a lower slot."),
    "beyond_shown": _(
        "%(rule)s pins to slot %(slot)d, beyond the %(shown)d items that the shop shows at %(where)s: choose a slot "
        "from 1 to %(shown)d."
    ),
    "loose_cap": _("%(rule)s allows %(most)d items, but the list has only %(slots)d slots: choose a smaller number."),
    "all_included": _("%(rule)s includes every item that is on sale, so it changes nothing: narrow its conditions."),
    "pin_barred": _("What %(rule)s pins is kept out because of %(others)s: change one of them."),
    "pin_partly_barred": _(
        "Where both apply, what %(rule)s pins is kept out because of %(others)s: let them apply apart."
    ),
    "share_barred": _("What %(rule)s wants a share of is kept out because of %(others)s: change one of them."),
    "inclusions_apart": _(
        "No item is in all of %(rules)s, so nothing may be shown: widen one of them, or let them apply apart."
    ),
    "included_excluded": _(
        "All that is included is excluded by %(rules)s, so nothing may be shown: change one of them."
    ),
    "boost_and_bury": _("%(rules)s boost and bury the same items, together by %(strength)d: keep one of them."),
    "shadowed": _("%(rule)s has no effect because of %(others)s: remove it, or let them apply apart."),
    "two_pins": _("%(rule)s pins to slot %(slot)d, which %(others)s fills already: choose another slot."),
    "two_pins_partly": _("Where both apply, %(others)s fills slot %(slot)d before %(rule)s: choose another slot."),
    "pinned_twice": _(
        "%(rule)s pins an item that %(others)s pins on the same page, where it is shown once: choose another item."
    ),
    "nothing_left": _("%(rules)s leave nothing to show: exclude less, or include more."),
    "too_few_left": _("%(rules)s leave %(left)d items for %(slots)d slots: exclude less, or include more."),
    "zero_cap": _("%(rule)s allows 0 items: to show none of them, exclude them."),
    "tight_cap": _("%(rule)s can fill only %(left)d of %(slots)d slots: allow more, or cap fewer items."),
    "shares_above_one": _(
        "The least shares of %(rules)s add up to %(percent)d %% of the slots: lower them to 100 %% or less."
    ),
    "share_beyond_cap": _(
        "%(rule)s needs %(needed)d slots, which %(others)s does not allow: raise the cap, or lower the share."
    ),
    "share_beyond_items": _("%(rule)s needs %(needed)d items and has %(left)d: lower the share, or match more items."),
}
