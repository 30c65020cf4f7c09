"""Imports: every file that came in, what it kept and refused and why, and the way back."""

from itertools import chain

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.parameters import page_number
from analytics.queries.catalogue import imports as query
from analytics.queries.layout import read_frame
from analytics.templatetags import display
from recommendations.models import Import
from recommendations.services.access.policy import Action, may
from recommendations.services.catalogue.feed_schedule import look_soon, with_origin
from recommendations.services.catalogue.history import NothingToUndoError, Undone, undo_import, undo_scope
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK, filled_columns, refused_file
from recommendations.services.catalogue.spaces import outside_vectors

MOST_NAMED = 10  # titles in a message


@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    feed = query.feed_line()
    page, lines = query.imports(page_number(request.GET.get("page")))
    frame = read_frame()
    context = {
        "section": "catalogue",
        "frame": frame,
        "page": page,
        "lines": lines,
        "feed": feed,
        "vectors": outside_vectors(frame.model),
    }
    return render(request, "dashboard/catalogue/imports.html", context)


@require_safe
def imported_file(request: HttpRequest, pk: int) -> HttpResponse:
    """One import. The rows that it refused are for those alone who may mend them."""
    imported = get_object_or_404(with_origin(Import.objects.all()), pk=pk)
    may_edit, back = may(staff_of(request), Action.EDIT_CATALOGUE), undo_scope(imported)
    lines = query.refused_of(imported) if may_edit and imported.rejected else []
    context = {
        "section": "catalogue",
        "imported": imported,
        "author": query.authors_of([imported]).get(imported.pk, ""),
        "taken_back": imported.rows - imported.kept - imported.duplicates - imported.held - imported.rejected,
        "reasons": query.reasons(imported),
        "lines": lines,
        "more_lines": max(0, imported.rejected - len(lines)) if lines else 0,
        "listed": imported.kept and back and back.whole,
        "undoable": may_edit and back,
        "whole": back and back.whole,
    }
    return render(request, "dashboard/catalogue/import.html", context)


@require_safe
@requires(Action.EDIT_CATALOGUE)
def import_refused(_request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The refused rows as a file, each with all that is wrong with it."""
    imported = get_object_or_404(Import, pk=pk)
    if not imported.rejected:
        raise Http404
    rows = imported.rejected_rows.order_by("line", "pk").iterator()
    lines = refused_file(rows, kind=imported.kind, filled=filled_columns(imported))
    answer = StreamingHttpResponse(chain([BYTE_ORDER_MARK], lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="import-{pk}-refused.csv"'
    return answer


@post_requires(Action.EDIT_CATALOGUE)
def look_at_feed(request: HttpRequest) -> HttpResponse:
    if not look_soon(by=staff_of(request)):
        raise Http404
    messages.success(request, _("A worker looks at the feed now. What comes of it stands here within a minute or so."))
    return redirect("imports")


@post_requires(Action.EDIT_CATALOGUE)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    imported = get_object_or_404(Import, pk=pk)
    try:
        undone = undo_import(imported=imported, by=staff_of(request), now=timezone.now())
    except NothingToUndoError:
        messages.error(request, _("This import has nothing left to undo."))
    else:
        _tell(request, undone)
    return redirect("imported_file", pk=pk)


def _tell(request: HttpRequest, undone: Undone) -> None:
    parts = [_("Undone.")]
    if undone.reverted:
        text = ngettext(
            "%(count)s item has its old values again.", "%(count)s items have their old values again.", undone.reverted
        )
        parts.append(text % {"count": display.number(undone.reverted)})
    if undone.retired:
        text = ngettext("%(count)s new item was retired.", "%(count)s new items were retired.", undone.retired)
        parts.append(text % {"count": display.number(undone.retired)})
    messages.success(request, " ".join(parts))
    if undone.left:
        text = ngettext(
            "%(count)s item has been changed again since and stays as it is: %(titles)s",
            "%(count)s items have been changed again since and stay as they are: %(titles)s",
            len(undone.left),
        )
        titles = ", ".join(undone.left[:MOST_NAMED]) + (" …" if len(undone.left) > MOST_NAMED else "")
        messages.warning(request, text % {"count": display.number(len(undone.left)), "titles": titles})
