"""Items and categories. Every edit goes through ``services.catalogue``, which keeps the trail and tells the servers."""

from itertools import chain
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Count, DecimalField, Exists, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from recommendations.admin.promotions import percent
from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import Category, Item
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import editing, files
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK
from recommendations.terms import PATH_SEPARATOR, Availability

LATEST_PRICES = 20
READ_ONLY = ("shop_id", "kind", "rating_average", "rating_count", "listed_at", "retired_at", "updated_at")
LATEST_WEEKS = 20


class DepartmentFilter(admin.SimpleListFilter):
    """Filter by department: the first level of the tree, with all that is below it."""

    title = _("department")
    parameter_name = "department"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        departments = Category.objects.filter(parent=None).order_by("name").values_list("pk", "name")
        return [(str(key), name) for key, name in departments]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        value = self.value()
        department = Category.objects.filter(pk=value).first() if value and value.isdecimal() else None
        if department is None:
            return queryset if not value else queryset.none()
        links = Item.categories.through.objects.filter(item=OuterRef("pk"))
        below = Q(category=department) | Q(category__path__startswith=f"{department.path}{PATH_SEPARATOR}")
        return queryset.filter(Exists(links.filter(below)))


class YesNoFilter(admin.SimpleListFilter):
    """Filter by ``condition``: rows where it holds, or those where it does not."""

    condition: ClassVar[Q]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        chosen = {"yes": self.condition, "no": ~self.condition}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


class RetiredFilter(YesNoFilter):
    title = _("retired")
    parameter_name = "retired"
    condition = Q(retired_at__isnull=False)


class NoPictureFilter(YesNoFilter):
    title = _("without a picture")
    parameter_name = "no_picture"
    condition = Q(image_url="")


class CategoriesWidget(AutocompleteSelectMultiple):
    """Widget whose choices have a cross each: one for all would stand amid the list, which would then be no list."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-allow-clear": "false"}


@admin.register(Item)
class ItemAdmin(PolicyAdmin[Item]):
    changes = Action.EDIT_CATALOGUE
    list_display = (
        "picture",
        "title",
        "shop_id",
        "department",
        "price",
        "availability",
        "available_quantity",
        "on_sale",
    )
    list_display_links = ("title",)
    list_editable = ("price", "availability")
    list_filter = ("availability", DepartmentFilter, RetiredFilter, NoPictureFilter)
    search_fields = ("title", "shop_id__exact")
    search_help_text = _("Words of the title, or the whole item id.")
    actions = ("set_out_of_stock", "set_in_stock", "retire", "bring_back", "export")
    autocomplete_fields = ("categories",)
    raw_id_fields = ("parent",)
    readonly_fields = ("large_picture", *READ_ONLY, "prices_so_far", "weeks_to_come")
    fieldsets = (
        (None, {"fields": ("large_picture", "shop_id", "title", "description", "brand", "categories", "tags")}),
        (_("Sale"), {"fields": (
            ("price", "original_price", "cost"), "availability", "available_quantity", ("available_at", "expires_at"),
            "prices_so_far", "weeks_to_come",
        )}),
        (_("In the shop"), {"fields": ("image_url", "url", "kind", "parent", "attributes")}),
        (_("Creator and collection"), {"fields": (
            "creator", ("collection", "number"), "duration", "published_at", "language",
        )}),
        (_("Derived data"), {"fields": (
            ("rating_average", "rating_count"), ("listed_at", "retired_at", "updated_at"),
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        first = Category.objects.filter(items=OuterRef("pk")).order_by("path").values("path")[:1]
        top = Func(OuterRef("first_path"), Value(PATH_SEPARATOR), Value(1), function="split_part")
        names = Category.objects.filter(parent=None, path=top).values("name")[:1]
        return super().get_queryset(request).annotate(first_path=Subquery(first), top_category=Subquery(names))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, DecimalField):
            options["min_value"] = 0  # says so beside the field; the constraint would only say its name
        if db_field.name == "categories":
            options["widget"] = CategoriesWidget(db_field, self.admin_site)
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Item, form: Any, change: Any) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            editing.update_item(item=obj, changes=changes, by=staff_of(request), now=timezone.now())
        except ValidationError as error:  # somebody else changed the item since the form was opened
            self.message_user(request, " ".join(error.messages), messages.ERROR)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Do nothing: the service has saved the categories with the rest."""

    @admin.display(description=_("picture"))
    def picture(self, item: Item) -> SafeString:
        return _picture(item, side=48)

    @admin.display(description=_("picture"))
    def large_picture(self, item: Item) -> SafeString:
        return _picture(item, side=160)

    @admin.display(description=_("department"))
    def department(self, item: Item) -> str:
        return str(getattr(item, "top_category", None) or "")

    @admin.display(description=_("on sale"), boolean=True)
    def on_sale(self, item: Item) -> bool:
        return item.retired_at is None

    @admin.display(description=_("prices so far"))
    def prices_so_far(self, item: Item) -> SafeString:
        prices = item.prices.order_by("-valid_from").values_list("price", "valid_from")[:LATEST_PRICES]
        rows = [(price, date_format(localtime(since), "DATETIME_FORMAT")) for price, since in prices]
        return format_html_join(mark_safe("<br>"), str(_("{} since {}")), rows)

    @admin.display(description=_("promotions now and to come"))
    def weeks_to_come(self, item: Item) -> SafeString:
        weeks = item.promotions.ending_after(localdate()).order_by("week")[:LATEST_WEEKS]
        rows = [(date_format(row.week), percent(row.display), percent(row.mailer)) for row in weeks]
        return format_html_join(mark_safe("<br>"), str(_("{}: display {}, leaflet {}")), rows)

    @admin.action(description=_("Set out of stock"), permissions=["change"])
    def set_out_of_stock(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._set(request, queryset, Availability.OUT_OF_STOCK)

    @admin.action(description=_("Set in stock"), permissions=["change"])
    def set_in_stock(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._set(request, queryset, Availability.IN_STOCK)

    @admin.action(description=_("Retire (keep the history, stop recommending)"), permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._report(request, editing.retire(items=_keys(queryset), by=staff_of(request), now=timezone.now()))

    @admin.action(description=_("Bring back retired items"), permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        self._report(request, editing.bring_back(items=_keys(queryset), by=staff_of(request), now=timezone.now()))

    @admin.action(description=_("Export the selection as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Item]) -> StreamingHttpResponse:
        lines = files.export(Item.objects.filter(pk__in=queryset.values("pk")).order_by("pk"))
        answer = StreamingHttpResponse(chain([BYTE_ORDER_MARK], lines), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="items.csv"'
        return answer

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the trail, which holds what was changed anywhere, and the way back."""
        return redirect(reverse("activity", query={"type": "item", "id": object_id}))

    def _set(self, request: HttpRequest, queryset: QuerySet[Item], availability: Availability) -> None:
        changed = editing.set_availability(
            items=_keys(queryset), availability=availability, by=staff_of(request), now=timezone.now()
        )
        self._report(request, changed)

    def _report(self, request: HttpRequest, changed: int) -> None:
        text = ngettext("%(count)s item was changed.", "%(count)s items were changed.", changed)
        self.message_user(request, text % {"count": f"{changed:,}"}, messages.SUCCESS)


@admin.register(Category)
class CategoryAdmin(PolicyAdmin[Category]):
    changes = Action.EDIT_CATALOGUE
    list_display = ("path", "name", "item_count")
    search_fields = ("path", "name")
    fields = ("path", "name", "parent")
    readonly_fields = ("path", "parent")
    ordering = ("path",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(own_items=Count("items"))

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: Any) -> None:
        if "name" in form.changed_data:
            editing.rename_category(category=obj, name=form.cleaned_data["name"], by=staff_of(request))

    @admin.display(description=pgettext_lazy("model", "items"))
    def item_count(self, category: Category) -> int:
        return int(getattr(category, "own_items", 0))


def _keys(queryset: QuerySet[Item]) -> list[int]:
    return list(queryset.values_list("pk", flat=True))


def _picture(item: Item, *, side: int) -> SafeString:
    source = item.image_url or reverse("item-tile", args=[item.shop_id])
    return format_html(
        '<img class="item-picture" src="{}" width="{}" height="{}" alt="" loading="lazy">', source, side, side
    )
