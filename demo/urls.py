"""Addresses of the replay, below those of the runs."""

from django.urls import path

from demo import pages

urlpatterns = [
    path("", pages.replay_progress, name="replay_progress"),
    path("cancel/", pages.cancel_replay, name="cancel_replay"),
    path("resume/", pages.resume_replay, name="resume_replay"),
]
