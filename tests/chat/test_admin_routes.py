"""Routes in the admin: what cannot work is refused, and no key is ever typed, stored or shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import ModelRoute
from chat.routes import ENVIRONMENTS, sync_routes
from tests.chat.admin_pages import as_staff, delete_address, errors_of, list_address, page_address

pytestmark = [pytest.mark.data, pytest.mark.django_db]


@pytest.fixture
def bob(db: None, client: Client) -> Client:
    return as_staff(client)


def route_form(**fields: str) -> dict[str, str]:
    form = {
        "name": "mine", "kind": "openai", "base_url": "https://models.example/v1/", "model": "m", "sort": "5",
        "api_key_env": "MY_KEY", "is_enabled": "on", "max_context_tokens": "8192", "max_output_tokens": "512",
        "first_content_seconds": "10", "gap_seconds": "10", "total_seconds": "60", "options": "{}",
        "max_concurrent": "0", "price_prompt": "0.1", "price_cached": "0.01", "price_completion": "0.4",
    }
    return {**form, **fields}


def add_route(client: Client, **fields: str) -> Any:
    return client.post(reverse("admin:chat_modelroute_add"), route_form(**fields))


def test_a_route_can_be_made(bob: Client) -> None:
    assert add_route(bob).status_code == 302
    route = ModelRoute.objects.get()
    assert (route.base_url, route.api_key_env) == ("https://models.example/v1", "MY_KEY")
    assert not route.is_from_environment


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://models.example"}, {"base_url": "models.example"}, {"base_url": ""}, {"model": ""},
        {"base_url": "https://user:secret@models.example"}, {"base_url": "https://models.example?key=secret"},
        {"base_url": "http://[models"}, {"api_key_env": "sk-live-1234"}, {"options": '{"api_key": "sk-1"}'},
        {"max_context_tokens": "500", "max_output_tokens": "1024"}, {"max_output_tokens": "8192"},
        {"first_content_seconds": "50", "total_seconds": "40"}, {"gap_seconds": "50", "total_seconds": "40"},
        {"options": "[1]"}, {"max_context_tokens": "0"}, {"max_output_tokens": "-1"}, {"gap_seconds": "0"},
        {"total_seconds": "-3"}, {"first_content_seconds": "nan"}, {"total_seconds": "inf"}, {"name": "OpenAI"},
        {"name": "local"}, {"price_prompt": "-1"}, {"price_cached": "nan"}, {"max_concurrent": "-1"},
        {"kind": "unheard-of"}, {"base_url": "https://models.example/v1/chat/completions"},
        {"base_url": "https://models.example/v1/messages/"}, {"options": '{"max_tokens_field": 1}'},
        {"kind": "scripted", "options": '{"no_such": 1}'}, {"kind": "scripted", "options": '{"words": "many"}'},
    ],
    ids=str,
)
def test_a_route_that_cannot_work_is_refused(bob: Client, wrong: dict[str, str]) -> None:
    response = add_route(bob, **wrong)
    assert response.status_code == 200
    assert errors_of(response)
    assert not ModelRoute.objects.exists()


def test_options_that_only_sound_like_secrets_are_kept(bob: Client) -> None:
    assert add_route(bob, options='{"max_completion_tokens": 5, "logit_keys": []}').status_code == 302


def test_a_key_is_told_to_be_set_and_never_shown(bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    add_route(bob)
    route = ModelRoute.objects.get()
    assert "MY_KEY is NOT set" in bob.get(page_address(route)).content.decode()
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    for address in (page_address(route), list_address(ModelRoute)):
        page = bob.get(address).content.decode()
        assert "MY_KEY is set" in page
        assert "sk-very-secret" not in page


def test_what_the_environment_writes_cannot_be_changed_and_the_rest_can(bob: Client) -> None:
    [route] = sync_routes({"OPENAI_API_KEY": "k"})
    assert "change it there" in bob.get(page_address(route)).content.decode()
    mine = {"sort": "70", "hedges": "on", "max_concurrent": "3", "total_seconds": "90", "warms_prompt": "on"}
    assert bob.post(page_address(route), route_form(**mine, is_enabled="")).status_code == 302
    assert bob.post(delete_address(route), {"post": "yes"}).status_code == 403
    [after] = sync_routes({"OPENAI_API_KEY": "k"})
    for name in ENVIRONMENTS:
        assert getattr(after, name) == getattr(route, name)
    assert (after.sort, after.max_concurrent, after.total_seconds, after.price_prompt) == (70, 3, 90, 0.1)
    assert (after.hedges, after.warms_prompt, after.is_enabled) == (True, True, False)


def test_a_route_without_its_variables_cannot_be_switched_on(bob: Client) -> None:
    [route] = sync_routes({"OPENAI_API_KEY": "k"})
    sync_routes({})
    assert "its variables are gone" in bob.get(list_address(ModelRoute)).content.decode()
    assert errors_of(bob.post(page_address(route), route_form()))
    assert bob.post(page_address(route), route_form(is_enabled="", sort="3")).status_code == 302
    [after] = sync_routes({"OPENAI_API_KEY": "k"})
    assert (after.is_enabled, after.sort) == (True, 3)


def test_the_same_way_twice_is_refused_unless_one_is_off(bob: Client) -> None:
    add_route(bob)
    add_route(bob, name="again")
    add_route(bob, name="again", base_url="HTTPS://Models.Example/v1")
    assert [route.name for route in ModelRoute.objects.all()] == ["mine"]
    add_route(bob, name="again", is_enabled="")
    add_route(bob, name="with another key", api_key_env="OTHER_KEY")
    assert ModelRoute.objects.count() == 3


def test_the_same_way_is_found_in_rows_of_before(bob: Client) -> None:
    add_route(bob)
    ModelRoute.objects.update(base_url="HTTPS://Models.example/v1")
    assert errors_of(add_route(bob, name="again"))
