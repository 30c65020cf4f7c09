"""What came of a rule, and of a version of the rules, beside what was predicted; parts of their pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.queries.rules.what_came import of_book, of_rule
from recommendations.models import Rule, RuleBook


@require_safe
def rule_what_came(request: HttpRequest, pk: int) -> HttpResponse:
    came = of_rule(get_object_or_404(Rule, pk=pk), now=timezone.now())
    return render(request, "dashboard/rules/rule_came.html", {"came": came})


@require_safe
def book_what_came(request: HttpRequest, number: int) -> HttpResponse:
    book = get_object_or_404(RuleBook, number=number)
    return render(request, "dashboard/rules/book_came.html", {"each_came": of_book(book, now=timezone.now())})
