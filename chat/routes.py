"""Routes that the environment configures. A key stays there: its route holds the variable's name, never its value."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

# The admin says it in the reader's language; commands speak English.
from django.utils.translation import gettext_noop as _

from chat.models import ModelRoute

RouteFields = dict[str, Any]


#: What a provider of this kind cannot take of these options, "" when it can: added by who makes the providers.
OptionsCheck = Callable[[str, dict[str, Any]], str]
OPTIONS_CHECKS: list[OptionsCheck] = []
#: What a kind of provider adds to its address by itself.
ENDPOINTS = ("/completions", "/messages", "generateContent", "streamGenerateContent")


class RouteError(ValueError):
    """The environment configures half a route, or a wrong one; the message says which variable."""


@dataclass(frozen=True, slots=True)
class Service:
    """One family of variables, `<prefix>_BASE_URL`, `_API_KEY`, `_MODEL` …, and what they may leave out."""

    prefix: str
    kind: str
    base_url: str = ""
    model: str = ""
    sort: int = 10
    options: RouteFields = field(default_factory=dict)


SERVICES = (
    Service("PROVIDER", "openai", sort=10),
    # Each one's way to have a room's prompt kept between its turns; Gemini does it by itself.
    Service(
        "OPENAI", "openai", "https://api.openai.com/v1", "gpt-4.1-mini", sort=20, options={"send_cache_key": True}
    ),
    Service(
        "ANTHROPIC", "anthropic", "https://api.anthropic.com", "claude-haiku-4-5", sort=30,
        options={"cache_control": True},
    ),
    # Its thoughts would be waited for, and nobody reads them.
    Service(
        "GEMINI", "gemini", "https://generativelanguage.googleapis.com", "gemini-2.5-flash", sort=40,
        options={"thinkingConfig": {"thinkingBudget": 0}},
    ),
)

#: What the environment owns of its routes; the rest it writes once, and then it is the operator's.
ENVIRONMENTS = (
    "name", "kind", "base_url", "model", "api_key_env", "can_prefill", "max_context_tokens", "max_output_tokens",
    "options",
)

#: Written for every route, so that a variable that is taken away leaves nothing behind.
DEFAULTS: RouteFields = {
    "base_url": "",
    "model": "",
    "api_key_env": "",
    "can_prefill": False,
    "warms_prompt": False,
    "max_context_tokens": 8192,
    "max_output_tokens": 1024,
    "options": {},
}

#: The packaged small model: prefill continues an answer exactly; without these samplers it repeats itself.
LOCAL_ROUTE: RouteFields = {
    "name": "local",
    "kind": "openai",
    "model": "smollm2-135m-instruct",
    "sort": 90,
    "can_prefill": True,
    "warms_prompt": True,
    "max_context_tokens": 4096,
    "max_output_tokens": 320,
    # One slow core reads a new story's prompt in some ten seconds, a busy one in a minute.
    "first_content_seconds": 90.0,
    "gap_seconds": 30.0,
    "options": {"repeat_penalty": 1.15, "temperature": 0.6, "top_p": 0.9, "min_p": 0.05},
}


def tidy_address(address: str) -> str:
    """Written in one way, so that equal ones are found; one that cannot be read is left to `address_fault`."""
    address = address.strip().rstrip("/")
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def address_fault(address: str) -> str:
    """Why a request could not be made to this base_url; "" when it could."""
    try:
        parts = urlsplit(address)
        # Whoever asks it has the name encoded so, and some are none: an empty label, one of 64 characters.
        host = (parts.hostname or "").encode("idna")
        is_whole = parts.scheme in {"http", "https"} and host.strip(b".") and parts.port != 0
    except ValueError:
        is_whole = None
    if not is_whole:
        return _("An address that begins with http:// or https://.")
    if parts.username or parts.password or parts.query or parts.fragment:
        return _("Only the address: no user, no password, no query.")
    if parts.path.rstrip("/").endswith(ENDPOINTS):
        return _("Only the base of the address: the last part, like /chat/completions, is added to it.")
    return ""


def options_fault(kind: str, options: dict[str, Any]) -> str:
    """Why a route of this kind would not work with these options; "" when it would."""
    return next(filter(None, (check(kind, options) for check in OPTIONS_CHECKS)), "")


def sync_routes(
    environ: Mapping[str, str], *, local_model_url: str = "", may_end_all: bool = True
) -> list[ModelRoute]:
    """Make the table agree with the environment; what is gone from it is switched off, not deleted. Raises RouteError.

    Routes that an operator made are left alone, and so is what an operator may change of the others. Returns the
    environment's routes, then those it switched off; unless `may_end_all`, it raises rather than switch off the last
    one that is on.
    """
    wanted = routes_from(environ, local_model_url=local_model_url)
    with transaction.atomic():
        ours = ModelRoute.objects.filter(is_from_environment=True, is_enabled=True)
        gone = list(ours.exclude(name__in=[fields["name"] for fields in wanted]))
        for route in gone:
            route.is_enabled, route.is_gone = False, True
            route.save(update_fields=["is_enabled", "is_gone"])
        saved = [_save(fields) for fields in wanted]
        if gone and not may_end_all and not ModelRoute.objects.filter(is_enabled=True).exists():
            names = ", ".join(route.name for route in gone)
            raise RouteError(f"{names} would be switched off, and no route left: set the variables, or say --force.")
    return [*saved, *gone]


def _save(fields: RouteFields) -> ModelRoute:
    total = settings.PROVIDER_TOTAL_SECONDS
    limits = {
        "first_content_seconds": settings.PROVIDER_FIRST_CONTENT_SECONDS, "gap_seconds": settings.PROVIDER_GAP_SECONDS,
        "total_seconds": total,
    }
    always = {name: fields[name] for name in ENVIRONMENTS} | {"is_from_environment": True}
    once = {**limits, **fields}
    once |= {name: min(once[name], total) for name in limits}
    route = ModelRoute.objects.update_or_create(
        name=fields["name"], defaults=always, create_defaults={**once, **always, "is_enabled": True}
    )[0]
    if route.is_gone:
        route.is_enabled, route.is_gone = True, False
        route.save(update_fields=["is_enabled", "is_gone"])
    return route


def routes_from(environ: Mapping[str, str], *, local_model_url: str = "") -> list[RouteFields]:
    """ModelRoute fields of every configured service, first choice first; `local_model_url` adds the packaged model."""
    routes = [_route(service, environ) for service in SERVICES if _is_configured(service, environ)]
    if local_model_url:
        if fault := address_fault(local_model_url):
            raise RouteError(f"LOCAL_MODEL_URL: {fault}")
        routes.append({**DEFAULTS, **LOCAL_ROUTE, "base_url": tidy_address(local_model_url)})
    return routes


def _is_configured(service: Service, environ: Mapping[str, str]) -> bool:
    prefix = service.prefix
    if any(environ.get(f"{prefix}_{name}") for name in ("BASE_URL", "API_KEY")):
        return True
    if environ.get(f"{prefix}_KIND") == ModelRoute.Kind.SCRIPTED:
        return True
    if environ.get(f"{prefix}_MODEL"):
        raise RouteError(f"{prefix}_MODEL is set, but neither {prefix}_BASE_URL nor {prefix}_API_KEY.")
    return False


def _route(service: Service, environ: Mapping[str, str]) -> RouteFields:
    prefix = service.prefix
    kind = environ.get(f"{prefix}_KIND") or service.kind
    if kind not in ModelRoute.Kind.values:
        raise RouteError(f"{prefix}_KIND must be one of {', '.join(ModelRoute.Kind.values)}, not {kind!r}.")
    fields: RouteFields = {**DEFAULTS, "name": prefix.lower(), "kind": kind, "sort": service.sort}
    if environ.get(f"{prefix}_API_KEY"):
        fields["api_key_env"] = f"{prefix}_API_KEY"
    fields["base_url"] = tidy_address(environ.get(f"{prefix}_BASE_URL") or service.base_url)
    fields["model"] = environ.get(f"{prefix}_MODEL") or service.model
    if kind != ModelRoute.Kind.SCRIPTED:
        _require_endpoint(prefix, fields)
    extras = _extras(prefix, environ)
    options = service.options | extras.get("options", {})
    if fault := options_fault(kind, options):
        raise RouteError(f"{prefix}_OPTIONS: {fault}")
    fields |= extras | {"options": options}
    context, answer = fields["max_context_tokens"], fields["max_output_tokens"]
    if answer >= context:
        less = f"{prefix}_MAX_OUTPUT_TOKENS ({answer}) must be less than {prefix}_MAX_CONTEXT_TOKENS ({context})"
        raise RouteError(f"{less}: a prompt must fit in beside the answer.")
    return fields


def _require_endpoint(prefix: str, fields: RouteFields) -> None:
    if fault := address_fault(fields["base_url"]):
        raise RouteError(f"{prefix}_BASE_URL: {fault}")
    if not fields["model"]:
        raise RouteError(f"{prefix}_MODEL is not set: say which model to ask for.")


def _extras(prefix: str, environ: Mapping[str, str]) -> RouteFields:
    extras: RouteFields = {}
    for suffix, (name, parse) in EXTRAS.items():
        text = environ.get(f"{prefix}_{suffix}")
        if text:
            try:
                extras[name] = parse(text)
            except (ValueError, KeyError):
                raise RouteError(f"{prefix}_{suffix} has a value that cannot be read.") from None
    return extras


def _parse_positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError("not positive")
    return number


def _parse_bool(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _parse_object(text: str) -> dict[str, Any]:
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    # NaN and infinity, however written, are no JSON to a database or a provider.
    json.dumps(parsed, allow_nan=False)
    return parsed


EXTRAS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "CAN_PREFILL": ("can_prefill", _parse_bool),
    "MAX_CONTEXT_TOKENS": ("max_context_tokens", _parse_positive),
    "MAX_OUTPUT_TOKENS": ("max_output_tokens", _parse_positive),
    "OPTIONS": ("options", _parse_object),
}
