"""Our admin site: the dashboard's pages of login and password, and only our own record on its front page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from analytics.pages.access.login import Logout

OURS = "recommendations"


class ShopAdminSite(AdminSite):
    site_header = _("Recsite admin")
    site_title = _("Recsite admin")
    index_title = _("Data")
    site_url = None  # our header links to the dashboard

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Redirect to the one login page. Who is signed in and still lands here may not open the admin."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", request.path.removesuffix("login/")))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        return Logout.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Redirect to the one page that changes one's own password."""
        return redirect("change_password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return [app for app in super().get_app_list(request, app_label) if app["app_label"] == OURS]
