"""Rules and books of rules, read-only: they are written, published and rolled back on the dashboard."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin
from recommendations.models import Rule, RuleBook
from recommendations.services.rules.editing import rule_texts


@admin.register(Rule)
class RuleAdmin(PolicyAdmin[Rule]):
    list_display = (
        "position", "name", "action", "placement", "segment", "audience", "starts_at", "ends_at", "author",
        "updated_at", "archived_at",
    )  # fmt: skip
    list_display_links = ("name",)
    list_select_related = ("placement", "segment", "audience", "author")
    list_filter = ("action", "placement")
    search_fields = ("name",)
    fields = readonly_fields = (
        "name", "placement", "segment", "audience", "customer", "context", "starts_at", "ends_at", "items", "action",
        "slot", "strength", "most", "per", "share", "position", "revision", "author", "created_at", "updated_at",
        "archived_at",
    )  # fmt: skip


@admin.register(RuleBook)
class RuleBookAdmin(PolicyAdmin[RuleBook]):
    list_display = ("__str__", "is_default", "size", "note", "author", "published_at")
    list_select_related = ("author",)
    list_filter = ("is_default",)
    search_fields = ("note",)
    fields = readonly_fields = (
        "number", "is_default", "parent", "note", "in_words", "expected", "author", "published_at"
    )  # fmt: skip

    @admin.display(description=_("rules"))
    def size(self, book: RuleBook) -> int:
        return len(book.rules)

    @admin.display(description=_("rules"))
    def in_words(self, book: RuleBook) -> SafeString:
        named = zip((rule["name"] for rule in book.rules), rule_texts(book.rules), strict=True)
        return format_html_join("", "<p><b>{}</b> {}</p>", named)
