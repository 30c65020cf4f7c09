"""Editing of an item: its form, off sale and back, and a change that is taken back."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import or_404, own_address
from analytics.pages.catalogue.item_form import ItemEditor
from analytics.pages.meanwhile import StaleFormError, check_stale
from analytics.parameters import number
from analytics.queries.catalogue import items as listing
from analytics.queries.catalogue.insights import FIELDS_OF, FLAWS
from analytics.queries.catalogue.item import find_item
from analytics.queries.layout import read_frame
from analytics.templatetags.activity import field_words
from recommendations.models import AuditEntry, Item
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import editing, history
from recommendations.services.catalogue.exposure import exposure
from recommendations.services.catalogue.quality import CatalogueFlaw
from recommendations.wording.money import currency


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.EDIT_CATALOGUE)
def edit_item(request: HttpRequest, pk: int) -> HttpResponse:
    """The form; ``field`` of the address has the focus, ``flaw`` is the list that the reader works through."""
    if request.method != "POST":
        return _form(request, ItemEditor(instance=or_404(find_item(pk))))
    form = ItemEditor(request.POST, instance=or_404(find_item(pk)))
    valid = form.is_valid()
    if row := request.POST.get("edit", ""):
        form.add_row(row)
        return _form(request, form)
    try:
        if not valid or not _save(request, form):
            return _form(request, form, status=422)
    except StaleFormError as error:
        return _form(request, form, status=409, stale=error.in_words())
    return redirect(_way_on(request, pk))


@require_safe
@requires(Action.EDIT_CATALOGUE)
def mend_item(request: HttpRequest) -> HttpResponse:
    """Lead to the field in which a flaw is mended: of the first item that has it, or the one behind ``after``."""
    filters = listing.Filters(request.GET)
    flaw = filters.flaw
    if flaw is None or flaw not in FIELDS_OF:
        raise Http404
    after = number(request.GET.get("after"))
    key = listing.next_item(filters, exposure(read_frame().model), now=timezone.now(), after=after)
    if key is None:
        messages.success(request, _("“%(flaw)s”: that was the last item.") % {"flaw": FLAWS[flaw][0]})
        return redirect("catalogue")
    way_back = reverse("catalogue_items", query={"flaw": flaw})
    query = {"field": FIELDS_OF[flaw], "flaw": flaw, "next": way_back}
    return redirect(reverse("edit_item", args=[key], query=query))


@post_requires(Action.EDIT_CATALOGUE)
def set_item_on_sale(request: HttpRequest, pk: int) -> HttpResponse:
    """Retire an item, or bring it back."""
    item, on_sale = get_object_or_404(Item, pk=pk), request.POST.get("on_sale") == "yes"
    change = editing.bring_back if on_sale else editing.retire
    change(items=[pk], by=staff_of(request), now=timezone.now())
    words = _("“%(title)s” is on sale again.") if on_sale else _("“%(title)s” is retired: it is no longer recommended.")
    messages.success(request, words % {"title": item.title})
    return redirect("item", pk=pk)


@post_requires(Action.EDIT_CATALOGUE)
def revert_change(request: HttpRequest, entry: int) -> HttpResponse:
    """Give the fields of one change of an item their old values again."""
    change = get_object_or_404(AuditEntry, pk=entry)
    if not history.may_revert(change):
        raise Http404
    try:
        history.revert(entry=change, by=staff_of(request), now=timezone.now())
    except history.ChangedSinceError as error:
        words = _("Nothing was changed: %(fields)s has changed again since. Revert the later change first.")
        fields = ", ".join(field_words("item", name) for name in error.fields)
        messages.error(request, words % {"fields": fields})
    else:
        messages.success(request, _("The change was reverted."))
    return redirect(reverse("activity", query={"type": "item", "id": change.object_id}))


def _save(request: HttpRequest, form: ItemEditor) -> bool:
    """Save what was changed; where it no longer fits what somebody else saved, the form says so."""
    changes, now, by, others = form.changes(), timezone.now(), staff_of(request), list[str]()

    def check(stored: Item) -> None:
        others.extend(form.meanwhile(ItemEditor(instance=stored)))
        theirs, mine = _stored(stored, [name for name in others if name in changes]), _written(changes)
        check_stale("item", stored.pk, theirs=theirs, mine=mine, over=request.POST.get("over"))

    try:
        saved = editing.update_item(item=form.instance, changes=changes, by=by, now=now, check=check)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    if changes:
        messages.success(request, _("“%(title)s” saved. It counts from the next request on.") % {"title": saved})
        if kept := [field_words("item", name) for name in others if name not in changes]:
            words = _("What someone else changed meanwhile is kept: %(fields)s.")
            messages.info(request, words % {"fields": pgettext("between names", ", ").join(kept)})
    if request.POST.get("then") == "right" and "price" not in changes:
        editing.confirm_price(item=saved, by=by, now=now)
        messages.success(request, _("The price of “%(title)s” counts as checked.") % {"title": saved})
    elif not changes:
        messages.info(request, _("Nothing was changed."))
    return True


def _stored(item: Item, names: Iterable[str]) -> dict[str, Any]:
    return _written({name: item.categories.all() if name == "categories" else getattr(item, name) for name in names})


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of an item as its trail holds them."""
    lists = {
        name: sorted(category.path for category in value) for name, value in values.items() if name == "categories"
    }
    return editing.plain_values({**values, **lists})


def _form(
    request: HttpRequest, form: ItemEditor, *, status: int = 200, stale: Mapping[str, Any] | None = None
) -> HttpResponse:
    item = form.instance if not form.is_bound else or_404(find_item(form.instance.pk))
    flaw = _flaw_of(request)
    focus = request.GET.get("field", "")
    if focus in form.fields and status == 200:
        form.fields[focus].widget.attrs["autofocus"] = True
    context: dict[str, Any] = {
        "section": "catalogue",
        "item": item,
        "form": form,
        "groups": form.groups(),
        "focus": focus,
        "flaw": flaw,
        "flaw_words": FLAWS[flaw][0] if flaw else "",
        "place": _place(flaw, item.pk),
        "stale": stale,
        "back": _way_back(request, item.pk),
        "currency": currency().strip(),
    }
    return render(request, "dashboard/catalogue/edit_item.html", context, status=status)


def _place(flaw: CatalogueFlaw | None, pk: int) -> tuple[int, int] | None:
    """Place of the item among those with the flaw, and how many they are; None where it is not among them."""
    if flaw is None:
        return None
    live = exposure(read_frame().model)
    return listing.place_of(pk, listing.Filters({"flaw": flaw}), live, now=timezone.now())


def _flaw_of(request: HttpRequest) -> CatalogueFlaw | None:
    """The flaw whose items the reader works through."""
    return next((flaw for flaw in FIELDS_OF if flaw == request.GET.get("flaw")), None)


def _way_on(request: HttpRequest, pk: int) -> str:
    flaw = _flaw_of(request)
    if request.POST.get("then") in {"next", "right"} and flaw:
        return reverse("mend_item", query={"flaw": flaw, "after": pk})
    return _way_back(request, pk)


def _way_back(request: HttpRequest, pk: int) -> str:
    return own_address(request, request.GET.get("next", ""), otherwise=reverse("item", args=[pk]))
