"""Reasons for which a row of a file is refused, each with its remedy; codes as in ``Import.reasons``."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from recommendations.terms import ItemKind

ERASED = "erased"
"""Code of what is told of somebody of before they were erased."""

OTHER_WEEKDAY = _("The shop's promotion weeks start on a {weekday}; enter the date of that day.")

FOREIGN = _("The shop's currency is {currency}. Convert the amounts, or leave the column out.")

REASONS: Mapping[str, Promise] = {
    "already_listed": _("The item is in an earlier row already. Keep one row per item."),
    "already_planned": _("The item and the week are in an earlier row already. Keep one row for them."),
    "already_told": _("The customer is in an earlier row already. Keep one row per customer."),
    "available_after_end": _("It would go on sale only after its sale has ended: swap the two times or clear one."),
    "bad_category": _("Write a category as “Shoes > Running”, with at most 200 characters per level and 500 in all."),
    "bad_tags": _("Separate tags with |; each has at most 100 characters."),
    "before_sent": _("It is before the message was sent. Correct one of the two times."),
    ERASED: _("The customer with this id was erased; what was before is not taken again."),
    "foreign_currency": format_lazy(FOREIGN, currency=settings.SHOP_CURRENCY),
    "future": _("The time is more than 10 minutes ahead of the server's; set the clock correctly."),
    "line_too_long": _("The line is longer than 1 MB, or one of its fields longer than 128 KB."),
    "missing": _("The field is required but empty."),
    "negative": _("The amount is negative; a refund is an event of its own, with positive amounts."),
    "negative_price": _("A price cannot be negative."),
    "no_zone": _("The time has no time zone; write it like 2026-09-01T10:02:11Z."),
    "nobody": _("No customer is named. Fill in user_id, anonymous_id or both."),
    "not_a_count": _("The number must be a whole one from 0 to 2,147,483,647."),
    "not_a_date": _("Not a date. Write the first day of the week like 2026-09-07."),
    "not_a_number": _("Not a number. Use a format like 19.90."),
    "not_a_position": _("The number must be a whole one from 0 to 32,767."),
    "not_a_quantity": _("The quantity must be a number from 0.001 to 1,000,000."),
    "not_a_rating": _("A rating must be a number from 0 to 1,000,000."),
    "not_a_progress": _("What was played is a share between 0 and 1; write half of it as 0.5."),
    "not_a_share": _("A share of the stores must be between 0 and 1; write a quarter as 0.25."),
    "not_a_stock": _("The quantity in stock must be a whole number from 0 to 2,147,483,647."),
    "not_a_time": _("Not a time. Write it like 2026-09-01T10:02:11Z."),
    "not_a_url": _("An address must begin with https://, http:// or /."),
    "not_json": _("Not a JSON object. Write each as {…}, in JSON Lines on a line of its own."),
    "not_an_object": _('Attributes must be a JSON object, such as {"colour": "red"}.'),
    "month_closed": _("Its month is kept in a file, to which nothing is added. Remove the row."),
    "not_kept": _("It is older than events are kept. Remove the row, or keep events longer (Privacy → Retention)."),
    "not_merchandise": _("The department has no merchandise."),
    "not_utf8": _("The text is not UTF-8; save the file as UTF-8."),
    "not_yet": _("The time is in the future: correct it, or its time zone."),
    "nul": _("The text holds a NUL character; remove it."),
    "own_campaign": _("A campaign of your own has this name. Give it another one, such as with a year."),
    "own_parent": _("An item cannot be a variant of itself."),
    "quantity_not_positive": _("The quantity is zero or less."),
    "quotes": _("A quotation mark is not closed; write a quotation mark inside a field twice."),
    "ragged": _("The row has more or fewer fields than the first line has columns. Put fields with a comma in quotes."),
    "rating_above_scale": _("The rating is not between 0 and rating_scale."),
    "too_fine": _("The number is too close to 0 to be stored; write 0."),
    "too_far_ahead": _("The week is more than two years ahead; correct the year."),
    "too_large": _("The amount is larger than 9,999,999,999.99."),
    "too_long": _("The text is too long for this field."),
    "too_old": _("The time is before 1990."),
    "too_many_lines": _("An event has at most 200 lines."),
    "too_many_properties": _("The customer would have more than 50 properties; empty some of them."),
    "too_recent": _("It was sent less than 7 days ago, so nobody knows yet who will answer. Import it later."),
    "unknown_availability": _("Availability must be in_stock, out_of_stock, preorder or backorder."),
    "unknown_kind": format_lazy(_("The kind of an item is one of {kinds}."), kinds=", ".join(ItemKind)),
    "unknown_customer": _("Nothing was ever told of this customer. Import customers or events first."),
    "unknown_item": _("The catalogue has no such item; import the items first."),
    "unknown_name": _("There is no event with this name; use GA4 names such as view_item, add_to_cart, purchase."),
    "unknown_parent": _("Neither the catalogue nor another row has this item; add it, or clear the field."),
    "unknown_product": _("The product is not in the list of products."),
    "unknown_target": _("Only a customer, a brand, a category, a creator or a collection can be followed."),
} | {
    f"not_a_{name}": format_lazy(OTHER_WEEKDAY, weekday=WEEKDAYS[number])
    for number, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
}
