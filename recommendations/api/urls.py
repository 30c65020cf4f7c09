"""The API's addresses. What is not here is a 404 as problem+json."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from recommendations.api.events import Events
from recommendations.api.merge import MergeUsers
from recommendations.api.recommend import RecommendView
from recommendations.api.tiles import item_tile
from recommendations.api.unknown import unknown

urlpatterns = [
    path("v1/events/", Events.as_view(), name="events"),
    path("v1/users/merge/", MergeUsers.as_view(), name="merge-users"),
    path("v1/placements/<slug:placement>/recommend/", RecommendView.as_view(), name="recommend"),
    path("v1/items/<path:shop_id>/tile.svg", item_tile, name="item-tile"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"), name="api-docs"
    ),
    re_path(r"^v1/", unknown, name="unknown-path"),
]
