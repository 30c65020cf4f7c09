"""The second factor in a browser: set up, codes downloaded and copied, asked for at the login, a recovery code used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recommendations.models import Staff
from recommendations.services.access import second_factor
from tests.journeys.conftest import Visitor, committed, until
from tests.journeys.furnishing import EMAIL, PASSWORD
from tests.services.access.test_second_factor import code_of, forget_pauses

pytestmark = pytest.mark.django_db  # for the shop that the fixture committed


@pytest.mark.parametrize(("width", "theme", "language"), [(1440, "light", "en"), (390, "dark", "zh-hans")])
def test_from_the_account_to_a_login_with_a_recovery_code(
    window: Callable[..., Visitor], width: int, theme: str, language: str
) -> None:
    committed(lambda: Staff.objects.filter(email=EMAIL).update(theme=theme, language=language))
    ada = committed(lambda: Staff.objects.get(email=EMAIL))
    visitor = window(width=width, theme=theme, language=language)
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.log_in()
    visitor.visit("/account/")
    page.click("main a[href='/account/second-factor/']")
    page.fill("#id_code", committed(lambda: code_of(ada)))
    page.click("main .btn-primary")
    codes = page.input_value("textarea").split()
    assert visitor.complaints() == []
    with page.expect_download() as download:
        page.click("main a[download]")
    assert Path(download.value.path()).read_text(encoding="utf-8").split() == codes
    page.click("[data-copies]")
    said = "document.querySelector('[data-copies] [role=status]').textContent"
    until(page, f"{said} === document.querySelector('[data-copies]').dataset.copied")
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    visitor.visit("/account/second-factor/")
    assert visitor.complaints() == []
    committed(forget_pauses)
    page.context.clear_cookies(name="recsite_session")
    page.goto(f"{visitor.site}/login/")
    page.fill("#id_username", EMAIL)
    page.fill("#id_password", PASSWORD)
    page.click("form.stack button")
    page.wait_for_url("**/login/code/**")
    page.fill("#id_code", "000000")
    page.click("form.stack button")
    page.wait_for_selector(".field-error")
    assert visitor.complaints() == []
    committed(forget_pauses)
    page.fill("#id_code", codes[0])
    page.click("form.stack button")
    page.wait_for_url(f"{visitor.site}/")
    committed(lambda: second_factor.remove(staff=ada, by=None))
