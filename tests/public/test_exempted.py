"""Which pages anybody may open without a login: those behind links of mails, each by its name, and no other."""

from django.urls import URLPattern

from recommendations.public.urls import urlpatterns

EXEMPTED = {
    "preference_centre", "confirm_address", "own_data", "my_data", "dislike_item", "object", "follow_link",
    "unknown_link", "unsubscribe",
}  # fmt: skip


def test_every_page_for_customers_is_exempted_by_name() -> None:
    names = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        names.add(pattern.name)
        assert pattern.callback.login_required is False
        assert pattern.callback.csrf_exempt is True
    assert names == EXEMPTED
