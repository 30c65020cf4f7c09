"""Monthly statements of the agent: a page of one month, and the same as a text in either language."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from analytics.queries.agents.statements import statement_of, text_of


@require_safe
def agent_statements(request: HttpRequest) -> HttpResponse:
    """The statement of ``month``, else the latest; with ``language`` as a file in that one."""
    asked = request.GET.get("month", "")
    told = statement_of(asked)
    if told is None and asked:
        raise Http404
    languages = dict(settings.LANGUAGES)
    language = request.GET.get("language", "")
    if told is not None and language in languages:
        with translation.override(language):
            text = text_of(told)
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="agent-{told.statement}-{language}.txt"'
        return answer
    context = {"section": "campaigns", "told": told, "languages": list(dict(settings.LANGUAGES))}
    return render(request, "dashboard/agents/statements.html", context)
