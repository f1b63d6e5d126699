"""The environment's routes: what each variable becomes, what is refused, and that no key is ever stored."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from chat.models import ModelRoute
from chat.routes import RouteError, routes_from, sync_routes

LOCAL = "http://127.0.0.1:1234/v1"


def test_an_empty_environment_has_no_route() -> None:
    assert routes_from({}) == []


def test_the_packaged_model_is_the_last_choice() -> None:
    names = [route["name"] for route in routes_from({"OPENAI_API_KEY": "k"}, local_model_url=LOCAL)]
    assert names == ["openai", "local"]


def test_a_provider_of_ones_own() -> None:
    environ = {"PROVIDER_BASE_URL": "http://127.0.0.1:11434/v1/", "PROVIDER_MODEL": "llama"}
    [route] = routes_from(environ)
    assert (route["name"], route["kind"], route["base_url"]) == ("provider", "openai", "http://127.0.0.1:11434/v1")
    assert (route["model"], route["api_key_env"]) == ("llama", "")


@pytest.mark.parametrize(("prefix", "kind"), [("OPENAI", "openai"), ("ANTHROPIC", "anthropic")])
def test_a_key_alone_is_enough_for_the_well_known_services(prefix: str, kind: str) -> None:
    [route] = routes_from({f"{prefix}_API_KEY": "secret"})
    assert route["kind"] == kind
    assert route["base_url"].startswith("https://")
    assert route["model"]


def test_a_key_is_stored_only_as_the_name_of_its_variable() -> None:
    [route] = routes_from({"OPENAI_API_KEY": "secret-value"})
    assert route["api_key_env"] == "OPENAI_API_KEY"
    assert "secret-value" not in json.dumps(route)


def test_extras_are_read() -> None:
    environ = {
        "PROVIDER_KIND": "scripted", "PROVIDER_CAN_PREFILL": "yes", "PROVIDER_MAX_CONTEXT_TOKENS": "4096",
        "PROVIDER_OPTIONS": '{"seed": 7}',
    }
    [route] = routes_from(environ)
    assert (route["can_prefill"], route["max_context_tokens"], route["options"]) == (True, 4096, {"seed": 7})


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PROVIDER_MODEL": "m"}, "PROVIDER_BASE_URL"),
        ({"PROVIDER_API_KEY": "k", "PROVIDER_MODEL": "m"}, "PROVIDER_BASE_URL"),
        ({"PROVIDER_BASE_URL": "http://127.0.0.1"}, "PROVIDER_MODEL"),
        ({"OPENAI_BASE_URL": "127.0.0.1"}, "OPENAI_BASE_URL"),
        ({"PROVIDER_KIND": "magic", "PROVIDER_BASE_URL": "http://127.0.0.1"}, "PROVIDER_KIND"),
        ({"OPENAI_API_KEY": "k", "OPENAI_CAN_PREFILL": "perhaps"}, "OPENAI_CAN_PREFILL"),
        ({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": "[1]"}, "OPENAI_OPTIONS"),
        ({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": '{"top_p": NaN}'}, "OPENAI_OPTIONS"),
        ({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": '{"top_p": 1e999}'}, "OPENAI_OPTIONS"),
        ({"OPENAI_API_KEY": "k", "OPENAI_MAX_OUTPUT_TOKENS": "many"}, "OPENAI_MAX_OUTPUT_TOKENS"),
        ({"OPENAI_API_KEY": "k", "OPENAI_MAX_CONTEXT_TOKENS": "0"}, "OPENAI_MAX_CONTEXT_TOKENS"),
        ({"OPENAI_API_KEY": "k", "OPENAI_MAX_OUTPUT_TOKENS": "9000"}, r"OPENAI_MAX_OUTPUT_TOKENS.*OPENAI_MAX_CONTEXT"),
        ({"OPENAI_API_KEY": "k", "OPENAI_MAX_CONTEXT_TOKENS": "1024"}, r"OPENAI_MAX_OUTPUT_TOKENS.*OPENAI_MAX_CONTEXT"),
        ({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": '{"prefill_fields": 1}'}, "OPENAI_OPTIONS.*prefill_fields"),
        ({"PROVIDER_KIND": "scripted", "PROVIDER_OPTIONS": '{"wrods": 1}'}, "PROVIDER_OPTIONS.*wrods"),
        ({"PROVIDER_BASE_URL": "http://127.0.0.1/v1/chat/completions", "PROVIDER_MODEL": "m"}, "PROVIDER_BASE_URL"),
    ],
)
def test_half_a_configuration_is_refused_by_the_name_of_its_variable(environ: dict[str, str], named: str) -> None:
    with pytest.raises(RouteError, match=named):
        routes_from(environ)


@pytest.mark.data
@pytest.mark.django_db
class TestSyncRoutes:
    def test_the_local_route_carries_its_samplers_and_the_sites_limits(self) -> None:
        sync_routes({}, local_model_url=LOCAL)
        route = ModelRoute.objects.get(name="local")
        assert (route.base_url, route.model, route.can_prefill) == (LOCAL, "smollm2-135m-instruct", True)
        assert route.options["repeat_penalty"] == 1.15
        assert route.total_seconds == settings.PROVIDER_TOTAL_SECONDS
        assert route.first_content_seconds > settings.PROVIDER_FIRST_CONTENT_SECONDS

    def test_a_second_start_changes_what_changed_and_adds_nothing(self) -> None:
        sync_routes({}, local_model_url=LOCAL)
        sync_routes({}, local_model_url="http://127.0.0.1:4321/v1")
        assert ModelRoute.objects.get().base_url == "http://127.0.0.1:4321/v1"

    def test_what_is_gone_from_the_environment_is_switched_off_and_back_on(self) -> None:
        sync_routes({}, local_model_url=LOCAL)
        sync_routes({"OPENAI_API_KEY": "k"})
        assert list(ModelRoute.objects.filter(is_enabled=True).values_list("name", flat=True)) == ["openai"]
        sync_routes({}, local_model_url=LOCAL)
        assert list(ModelRoute.objects.filter(is_enabled=True).values_list("name", flat=True)) == ["local"]

    def test_what_an_operator_switched_off_stays_off_even_when_its_variables_leave_and_return(self) -> None:
        sync_routes({"OPENAI_API_KEY": "k"})
        ModelRoute.objects.update(is_enabled=False)
        for environ in ({"OPENAI_API_KEY": "k"}, {}, {"OPENAI_API_KEY": "k"}):
            sync_routes(environ)
            assert are_on() == []

    def test_no_limit_of_a_new_route_is_longer_than_the_whole_answer_may_take(self, settings: Settings) -> None:
        settings.PROVIDER_TOTAL_SECONDS = 40.0
        [route] = sync_routes({}, local_model_url=LOCAL)
        assert (route.first_content_seconds, route.gap_seconds, route.total_seconds) == (40.0, 30.0, 40.0)

    def test_an_option_that_is_taken_away_leaves_nothing_behind(self) -> None:
        sync_routes({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": '{"temperature": 1}'})
        sync_routes({"OPENAI_API_KEY": "k"})
        assert ModelRoute.objects.get().options == {"send_cache_key": True}

    def test_an_option_of_the_environment_overrules_the_services_own(self) -> None:
        sync_routes({"OPENAI_API_KEY": "k", "OPENAI_OPTIONS": '{"temperature": 1, "send_cache_key": false}'})
        assert ModelRoute.objects.get().options == {"temperature": 1, "send_cache_key": False}

    def test_gemini_is_asked_without_thoughts(self) -> None:
        sync_routes({"GEMINI_API_KEY": "k"})
        route = ModelRoute.objects.get()
        assert (route.kind, route.api_key_env) == ("gemini", "GEMINI_API_KEY")
        assert route.options == {"thinkingConfig": {"thinkingBudget": 0}}

    def test_an_operators_own_route_is_left_alone(self) -> None:
        ModelRoute.objects.create(name="ours", base_url="https://models.example.org/v1", model="m")
        sync_routes({}, local_model_url=LOCAL)
        assert ModelRoute.objects.get(name="ours").is_enabled


def synced(*options: str) -> str:
    out = StringIO()
    call_command("sync_routes", *options, stdout=out, stderr=out)
    return out.getvalue()


def are_on() -> list[str]:
    return list(ModelRoute.objects.filter(is_enabled=True).values_list("name", flat=True))


@pytest.mark.data
@pytest.mark.django_db
class TestCommand:
    """In a shell; the tests' own has none of the variables."""

    def test_the_last_route_is_switched_off_only_by_force(self) -> None:
        sync_routes({"OPENAI_API_KEY": "k"})
        with pytest.raises(CommandError, match=r"openai would be switched off.*Nothing was changed"):
            synced()
        assert are_on() == ["openai"]
        said = synced("--force")
        assert "openai: switched off" in said
        assert "No route is on" in said
        assert are_on() == []

    def test_what_goes_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sync_routes({"OPENAI_API_KEY": "k"}, local_model_url=LOCAL)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        assert synced().splitlines()[1:] == ["local: switched off"]
        assert are_on() == ["openai"]

    def test_an_operators_route_is_enough(self) -> None:
        sync_routes({"OPENAI_API_KEY": "k"})
        ModelRoute.objects.create(name="ours", base_url="https://models.example.org/v1", model="m")
        assert synced() == "openai: switched off\n"

    def test_the_packaged_models_server_is_named_by_its_variable(self, settings: Settings) -> None:
        settings.LOCAL_MODEL_URL = LOCAL + "/"
        assert synced() == f"local: smollm2-135m-instruct {LOCAL}\n"
        settings.LOCAL_MODEL_URL = "127.0.0.1"
        with pytest.raises(CommandError, match="LOCAL_MODEL_URL"):
            synced()

    def test_an_empty_shell_at_a_new_site_is_no_error(self) -> None:
        assert "No route is on" in synced()
