"""Addresses of the pages a person sees."""

from __future__ import annotations

from django.urls import path

from chat import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("characters/<slug:slug>/", pages.character, name="character"),
    path("rooms/<uuid:room_id>/", pages.room, name="room"),
    path("profile/", pages.profile, name="profile"),
    path("favicon.ico", pages.favicon, name="favicon"),
]
