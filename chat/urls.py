"""The API's addresses."""

from __future__ import annotations

from django.urls import path

from chat import views

urlpatterns = [
    path("characters", views.characters),
    path("rooms", views.rooms_view),
    path("rooms/<uuid:room_id>/messages", views.room_messages),
    path("rooms/<uuid:room_id>/commands", views.room_commands),
    path("messages", views.messages),
    path("messages/stream", views.messages_stream),
    path("messages/<uuid:message_id>", views.message),
    path("messages/<uuid:message_id>/stream", views.message_stream),
    path("timings", views.timings),
]
