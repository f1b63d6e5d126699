"""Socket addresses."""

from __future__ import annotations

from django.urls import path

from streaming.consumer import RoomConsumer

websocket_urlpatterns = [path("ws/rooms/<uuid:room_id>/", RoomConsumer.as_asgi())]
