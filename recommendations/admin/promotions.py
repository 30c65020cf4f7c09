"""The promotion plan: more than a million weeks of items. Edits go through ``services.catalogue.promotions``."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import FloatField, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from recommendations.admin.estimates import EstimatingPaginator
from recommendations.admin.generic import ModelForm
from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import Promotion
from recommendations.models.promotions import WEEK
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import promotions

DECIMALS = 1  # of a share in per cent
MOST_WEEKS = 60  # to choose from
PLAN = "plan"


def percent(share: float) -> str:
    return f"{number_format(round(100 * share, DECIMALS), use_l10n=True)} %"


class PercentInput(forms.NumberInput):
    def render(self, *arguments: Any, **options: Any) -> SafeString:
        return format_html("{} %", super().render(*arguments, **options))


class ShareField(forms.FloatField):
    """A share, shown and typed in per cent. What nobody touched keeps the digits that are not shown."""

    widget = PercentInput

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, step_size=None, required=False, **options)
        self.widget.attrs["step"] = "any"

    def prepare_value(self, value: Any) -> Any:
        return round(100 * value, DECIMALS) if isinstance(value, float | int) else value

    def clean(self, value: Any) -> float:
        return float(super().clean(value) or 0) / 100

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class PromotionForm(ModelForm[Promotion]):
    def clean_week(self) -> date:
        week: date = self.cleaned_data["week"]
        promotions.check_week(week)
        return week


class WeekFilter(admin.SimpleListFilter):
    """Filter by one week, or by all that are not over."""

    title = _("week")
    parameter_name = "week"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        weeks = promotions.planned_weeks()[:MOST_WEEKS]
        return [(PLAN, _("This week and later")), *((week.isoformat(), date_format(week)) for week in weeks)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Promotion]) -> QuerySet[Promotion]:
        value = self.value()
        if value == PLAN:
            return queryset.filter(week__gt=localdate() - WEEK)
        try:
            return queryset if value is None else queryset.filter(week=date.fromisoformat(value))
        except ValueError:
            return queryset.none()


@admin.register(Promotion)
class PromotionAdmin(PolicyAdmin[Promotion]):
    changes = adds = Action.EDIT_CATALOGUE
    form = PromotionForm
    list_display = ("item", "shop_id", "week", "display", "mailer")
    list_editable = ("display", "mailer")
    list_filter = (WeekFilter,)
    list_select_related = ("item",)
    ordering = ("-week", "item")
    sortable_by = ()
    search_fields = ("item",)  # shows the box; see get_search_results
    search_help_text = _("Words of the item's title, or the whole item id.")
    paginator = EstimatingPaginator
    show_facets = admin.ShowFacets.NEVER  # they would count everything once per choice
    actions = None
    autocomplete_fields = ("item",)
    fields = ("item", "week", "display", "mailer")

    def get_readonly_fields(self, request: HttpRequest, obj: Promotion | None = None) -> Any:
        return () if obj is None else ("item", "week")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, FloatField):
            return ShareField(label=capfirst(db_field.verbose_name), help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **options)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Promotion], search_term: str
    ) -> tuple[QuerySet[Promotion], bool]:
        typed = search_term.strip()
        return (queryset.filter(item__in=promotions.items_called(typed)) if typed else queryset), False

    def save_model(self, request: HttpRequest, obj: Promotion, form: Any, change: Any) -> None:
        shares = {name: form.cleaned_data[name] for name in promotions.SHARES if name in form.changed_data}
        if change:
            promotions.set_shares(promotion=obj, changes=shares, by=staff_of(request))
            return
        planned = {name: form.cleaned_data[name] for name in self.fields}
        obj.pk = promotions.plan_promotion(**planned, by=staff_of(request)).pk

    @admin.display(description=_("item id"))
    def shop_id(self, promotion: Promotion) -> str:
        return promotion.item.shop_id
