"""The API's addresses. What is not here is a 404 as problem+json."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from recommendations.api.customers.browsers import PushKeyView, SubscriptionsView
from recommendations.api.customers.contact_batch import ContactBatchView
from recommendations.api.customers.contacts import ContactView
from recommendations.api.customers.identity import Identity
from recommendations.api.customers.interests import InterestsView
from recommendations.api.customers.merge import MergeUsers
from recommendations.api.customers.messages import MessagesView
from recommendations.api.customers.properties import CustomerView
from recommendations.api.customers.taste import TasteView
from recommendations.api.customers.triggers import TriggerView
from recommendations.api.events import Events
from recommendations.api.foreign.intake import ForeignKindEvents, view_of
from recommendations.api.hooks.mail import mail_hook
from recommendations.api.hooks.orders import order_hook
from recommendations.api.http.not_found import unknown
from recommendations.api.item_to_item import AlsoBoughtView, SimilarView
from recommendations.api.items import ItemBatchView, ItemView
from recommendations.api.main_parameters import MainParametersView
from recommendations.api.privacy.asking import EraseBatchView, EraseView, ExportView, HeldAboutView
from recommendations.api.privacy.following import DownloadView, ReceiptView, RequestView
from recommendations.api.privacy.own_page import PrivacyLinkView
from recommendations.api.privacy.purposes import PurposesView
from recommendations.api.recommend import RecommendView
from recommendations.api.recommend_many import BatchView
from recommendations.api.recommend_page import PageView
from recommendations.api.reference.docs import docs
from recommendations.api.reference.schema_page import schema
from recommendations.api.review.agents import AgentPauseView, AgentsView
from recommendations.api.review.answers import AnswerAgainView, AnswerView
from recommendations.api.review.experiments import ExperimentsView, ExperimentView
from recommendations.api.tiles import item_tile, item_tile_png
from recommendations.ingest.sources.table import EVENTS


class ShopIdConverter(StringConverter):
    """Path converter for any text: an id may hold slashes, and line ends."""

    regex = "(?s:.+)"


register_converter(ShopIdConverter, "shop_id")

urlpatterns = [
    path("v1/events/", Events.as_view(), name="events"),
    *(path(f"v1/events/{name}/", view_of(name).as_view(), name=f"{name}-events") for name in EVENTS),
    path("v1/events/<slug:system>/<path:kind>", ForeignKindEvents.as_view(), name="foreign-events"),
    path("v1/identity/", Identity.as_view(), name="identity"),
    path("v1/main-parameters/", MainParametersView.as_view(), name="main-parameters"),
    path("v1/users/merge/", MergeUsers.as_view(), name="merge-users"),
    path("v1/users/export/", ExportView.as_view(), name="user-export"),
    path("v1/users/erase/", EraseView.as_view(), name="user-erase"),
    path("v1/users/erase/batch/", EraseBatchView.as_view(), name="users-erase"),
    path("v1/users/purposes/", PurposesView.as_view(), name="user-purposes"),
    path("v1/users/privacy-link/", PrivacyLinkView.as_view(), name="privacy-link"),
    path("v1/privacy/requests/<str:request_id>/", RequestView.as_view(), name="privacy-request"),
    path("v1/privacy/requests/<str:request_id>/download/", DownloadView.as_view(), name="privacy-download"),
    path("v1/privacy/requests/<str:request_id>/receipt/", ReceiptView.as_view(), name="privacy-receipt"),
    path("v1/placements/<slug:placement>/recommend/", RecommendView.as_view(), name="recommend"),
    path("v1/pages/<slug:page>/recommend/", PageView.as_view(), name="recommend-page"),
    path("v1/recommendations/batch/", BatchView.as_view(), name="recommend-to-many"),
    path("v1/users/<shop_id:user_id>/interests/", InterestsView.as_view(), name="interests"),
    path("v1/users/<shop_id:user_id>/messages/", MessagesView.as_view(), name="customer-messages"),
    path("v1/users/<shop_id:user_id>/taste/", TasteView.as_view(), name="customer-taste"),
    path("v1/users/<shop_id:user_id>/privacy/", HeldAboutView.as_view(), name="user-privacy"),
    path("v1/users/<shop_id:user_id>/", CustomerView.as_view(), name="customer-properties"),
    path("v1/campaigns/<slug:slug>/trigger/", TriggerView.as_view(), name="campaign-trigger"),
    path("v1/contacts/batch/", ContactBatchView.as_view(), name="contacts"),
    path("v1/contacts/<shop_id:user_id>/", ContactView.as_view(), name="contact"),
    path("v1/push/key/", PushKeyView.as_view(), name="push-key"),
    path("v1/push/subscriptions/", SubscriptionsView.as_view(), name="push-subscriptions"),
    path("v1/items/<shop_id:item_id>/similar/", SimilarView.as_view(), name="similar-items"),
    path("v1/items/<shop_id:item_id>/also-bought/", AlsoBoughtView.as_view(), name="also-bought-items"),
    path("v1/items/<shop_id:shop_id>/tile.svg", item_tile, name="item-tile"),
    path("v1/items/<shop_id:shop_id>/tile.png", item_tile_png, name="item-tile-png"),
    path("v1/items/batch/", ItemBatchView.as_view(), name="catalogue-items"),
    path("v1/items/<shop_id:item_id>/", ItemView.as_view(), name="catalogue-item"),  # the last: it takes all the rest
    path("v1/answers/<str:recommendation_id>/", AnswerView.as_view(), name="answer-served"),
    path("v1/answers/<str:recommendation_id>/again/", AnswerAgainView.as_view(), name="answer-again"),
    path("v1/experiments/", ExperimentsView.as_view(), name="experiment-list"),
    path("v1/experiments/<str:experiment_id>/", ExperimentView.as_view(), name="experiment-results"),
    path("v1/agents/", AgentsView.as_view(), name="agent-list"),
    path("v1/agents/pause/", AgentPauseView.as_view(), name="agent-pause"),
    path("v1/hooks/mail/<slug:provider>/", mail_hook, name="mail-hook"),
    path("v1/hooks/<slug:shop>/", order_hook, name="order-hook"),
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="api-docs"),
    re_path(r"^(?!(?:docs|schema)$)", unknown, name="unknown-path"),  # those two are redirected to their slash
]
