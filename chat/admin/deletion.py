"""Deleting a room or a person: everything of theirs goes too, told as counts and not row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from chat.admin.base import BoundedAdmin

#: What goes with a row: plural name → the rows that would go.
Companions = Callable[[Any], dict[str, QuerySet[Any]]]


class DeletesWithCompanions(BoundedAdmin):
    """Lists of messages may be long, and nobody may delete one of them by itself: only whole rooms and people."""

    def companions(self, obj: Any) -> dict[str, QuerySet[Any]]:
        raise NotImplementedError

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """(what to show, counts by plural name, missing permissions, protected rows): Django's own shape."""
        rows = list(objs)
        counts: dict[str, int] = {}
        for obj in rows:
            for name, companions in self.companions(obj).items():
                counts[name] = counts.get(name, 0) + companions.count()
        return [str(obj) for obj in rows], counts, set(), []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
