"""Addresses of the pages for customers. A token is the only thing that they are told by."""

from django.urls import path, re_path

from recommendations.public.confirm import confirm_address
from recommendations.public.door import unknown_link
from recommendations.public.follow import follow_link
from recommendations.public.own_acts import dislike_item, object_to_use
from recommendations.public.own_data import my_data, own_data
from recommendations.public.preferences import preference_centre
from recommendations.public.unsubscribe import unsubscribe_page

urlpatterns = [
    path("p/<str:token>/", preference_centre, name="preference_centre"),
    path("k/<str:token>/", confirm_address, name="confirm_address"),
    path("d/<str:token>/", own_data, name="own_data"),
    path("m/<str:token>/", my_data, name="my_data"),
    path("n/<str:token>/", dislike_item, name="dislike_item"),
    path("o/<str:token>/", object_to_use, name="object"),
    path("c/<str:token>/", follow_link, name="follow_link"),
    path("u/<str:token>/", unsubscribe_page, name="unsubscribe"),
    re_path(r"^(?:.*/)?$", unknown_link, name="unknown_link"),
]
