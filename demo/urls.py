"""Addresses that only a demo has: the replay, below those of the runs, and the mailbox."""

from django.urls import path

from demo import mailbox_pages, pages

urlpatterns = [
    path("runs/replay/", pages.replay_progress, name="replay_progress"),
    path("runs/replay/cancel/", pages.cancel_replay, name="cancel_replay"),
    path("runs/replay/resume/", pages.resume_replay, name="resume_replay"),
    path("mailbox/", mailbox_pages.mailbox, name="mailbox"),
    path("mailbox/<slug:key>/", mailbox_pages.mail, name="mail"),
    path("mailbox/<slug:key>/html/", mailbox_pages.mail_html, name="mail_html"),
    path("mailbox/<slug:kind>/<slug:key>/", mailbox_pages.notice, name="notice"),
]
