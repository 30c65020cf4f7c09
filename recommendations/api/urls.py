"""The API's addresses. What is not here is a 404 as problem+json."""

from django.urls import path, re_path

from recommendations.api.docs import docs
from recommendations.api.events import Events
from recommendations.api.recommend import RecommendView
from recommendations.api.schema import schema
from recommendations.api.tiles import item_tile
from recommendations.api.unknown import unknown

urlpatterns = [
    path("v1/events/", Events.as_view(), name="events"),
    path("v1/placements/<slug:placement>/recommend/", RecommendView.as_view(), name="recommend"),
    path("v1/items/<path:shop_id>/tile.svg", item_tile, name="item-tile"),
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="api-docs"),
    re_path(r"^(?!(?:docs|schema)$)", unknown, name="unknown-path"),  # those two are redirected to their slash
]
