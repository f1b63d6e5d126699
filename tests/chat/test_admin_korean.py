"""Whatever an operator reads in the admin has a Korean name: models, columns, fields, actions, filters, choices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, get_fields_from_path, label_for_field
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override

from tests.chat.admin_pages import as_staff, make_world
from tests.people import make_user

OURS = {model: page for model, page in admin.site._registry.items() if model._meta.app_label == "chat"}
#: The same in both languages.
SAME = {"ID", "id", "KPI", ""}
#: Of Django's own, which it translates itself; or hidden.
DJANGOS = {"action_checkbox", "version", "password", "password1", "password2"}


@pytest.fixture
def bob(db: None) -> Any:
    return make_user("bob", is_staff=True, is_superuser=True)


def names(page: Any, request: Any) -> Iterator[tuple[str, str]]:
    """Of the model, then of every column and field."""
    meta = page.model._meta
    yield "one", str(meta.verbose_name)
    yield "many", str(meta.verbose_name_plural)
    shown = [*page.get_list_display(request), *flatten_fieldsets(page.get_fieldsets(request))]
    form = page.get_form(request).base_fields if page.has_change_permission(request) else {}
    for name in dict.fromkeys(name for name in shown if name not in DJANGOS):
        label = form[name].label if name in form and form[name].label else label_for_field(name, page.model, page)
        yield name, str(meta.verbose_name if name == "__str__" else label)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
@pytest.mark.django_db
def test_models_and_fields_have_korean_names(model: Any, bob: Any, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = bob
    with override("ko"):
        english = {
            where: name for where, name in names(OURS[model], request)
            if not re.search("[가-힣]", name) and name not in SAME
        }
    assert english == {}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
@pytest.mark.django_db
def test_actions_and_filters_have_korean_names(model: Any, bob: Any, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = bob
    page: Any = OURS[model]
    with override("ko"):
        actions = [str(told) for _function, _name, told in page.get_actions(request).values()]
        filters = [str(field(page, each).verbose_name) for each in page.list_filter or ()]
    assert [name for name in (*actions, *filters) if not re.search("[가-힣]", name)] == []


def field(page: Any, wanted: Any) -> Any:
    return get_fields_from_path(page.model, wanted[0] if isinstance(wanted, tuple) else wanted)[-1]


@pytest.mark.data
@pytest.mark.django_db
def test_a_page_that_is_read_in_korean_says_so(client: Client) -> None:
    address = reverse("admin:chat_trace_change", args=[make_world().traces.get().pk])
    page = as_staff(client).get(address, headers={"accept-language": "ko"}).content.decode()
    labels = re.findall(r"<label[^>]*>\s*([^<]+?)\s*</label>", page)
    assert len(labels) > 15
    assert [label for label in labels if not re.search("[가-힣]", label)] == []
