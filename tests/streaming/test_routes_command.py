"""`manage.py routes`: what is configured, and whether it answers; each mistake by its own name."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command

from chat.models import Character, ModelRoute, Room
from tests.people import make_room, make_user
from tests.provider_server import RunningServer
from tests.streaming.asking import model_named

pytestmark = [pytest.mark.data, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _may_ask(settings: Any) -> None:
    settings.ALLOW_PROVIDER_REQUESTS = True


def told(*options: str) -> str:
    out = StringIO()
    call_command("routes", *options, stdout=out)
    return out.getvalue()


def refused(route: str) -> str:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("routes", "--try", route, stdout=out)
    return out.getvalue()


def make(server: RunningServer, behaviour: str, **fields: Any) -> ModelRoute:
    values = {"kind": "openai", "base_url": server.openai_url, "model": model_named(behaviour), "name": "mine"}
    return ModelRoute.objects.create(**{**values, **fields})


def test_routes_are_listed_in_the_order_of_asking(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setenv("A_KEY", "sk-secret")
    ModelRoute.objects.create(name="second", sort=2, model="m2", api_key_env="B_KEY", is_enabled=False)
    ModelRoute.objects.create(name="first", sort=1, model="m1", api_key_env="A_KEY", hedges=True, max_concurrent=3)
    first, second = told().splitlines()
    assert "A_KEY set" in first
    assert "at most 3 at a time" in first
    assert "is raced" in first
    assert "B_KEY NOT SET" in second
    assert "OFF" in second
    assert "sk-secret" not in first


def test_limits_prices_and_who_asks_it_first_are_listed(db: None) -> None:
    route = ModelRoute.objects.create(
        name="mine", model="m", price_prompt=0.1, price_cached=0.025, price_completion=4, warms_prompt=True,
        first_content_seconds=2.5,
    )
    [line] = told().splitlines()
    assert line.endswith("2.5/10/60 s  1024 of 8192 tokens  $0.1/0.025/4 a million  warms")
    room = make_room(make_user("alice"))
    Room.objects.update(route=route)
    Character.objects.filter(pk=room.character_id).update(route=route)
    ModelRoute.objects.update(can_prefill=True, warms_prompt=False)
    assert told().endswith("a million  prefills  first for 1 characters and 1 rooms\n")


def test_all_are_those_that_are_on(provider_server: RunningServer) -> None:
    make(provider_server, "text-7-3", name="good")
    make(provider_server, "fail-401", name="off", is_enabled=False)
    assert told("--try", "all").startswith("good: ok")
    assert refused("off").startswith("off: provider_refused")
    make(provider_server, "fail-404", name="bad")
    with pytest.raises(CommandError, match=r"1 of 2 do not answer: bad\."):
        told("--try", "all")
    ModelRoute.objects.update(is_enabled=False)
    with pytest.raises(CommandError, match=r"No route is on\."):
        told("--try", "all")


def test_a_route_that_answers_says_how_soon(provider_server: RunningServer) -> None:
    make(provider_server, "text-7-3")
    assert told("--try", "mine").startswith("mine: ok, first words after ")


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("fail-401", "provider_refused"), ("fail-404", "provider_refused"), ("redirect", "provider_refused"),
        ("fail-429", "provider_rate_limited"), ("html", "provider_garbage"), ("empty", "provider_empty"),
    ],
)
def test_a_route_that_does_not_says_why(provider_server: RunningServer, behaviour: str, code: str) -> None:
    make(provider_server, behaviour)
    make(provider_server, "text-7-3", name="good", sort=1)
    assert refused("mine").startswith(f"mine: {code}: ")
    assert "good: ok" in refused("all")


def test_an_address_where_nobody_is_and_a_key_that_is_not_set(provider_server: RunningServer) -> None:
    make(provider_server, "text-7", base_url="http://127.0.0.1:1/v1")
    make(provider_server, "text-7", name="keyless", api_key_env="NO_SUCH_KEY")
    assert "provider_unavailable: connection_refused: Nothing takes connections at 127.0.0.1:1." in refused("mine")
    assert "provider_not_configured: The environment variable NO_SUCH_KEY" in refused("keyless")


def certificate(path: Path) -> Path:
    """Of localhost, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=1,
        not_valid_before=now - timedelta(days=1), not_valid_after=now + timedelta(days=1),
    ).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[int]:
    """A port behind a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path / "localhost.pem"))
    with ThreadingTCPServer(("127.0.0.1", 0), BaseRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_certificate_that_nobody_vouches_for_is_told(provider_server: RunningServer, self_signed: int) -> None:
    make(provider_server, "text-7", base_url=f"https://localhost:{self_signed}/v1")
    said = f"mine: provider_unavailable: tls_failed: The certificate of localhost:{self_signed} is not accepted: "
    assert refused("mine").startswith(said)


def test_what_is_not_there_cannot_be_tried(provider_server: RunningServer) -> None:
    with pytest.raises(CommandError, match="no route"):
        told()
    make(provider_server, "text-7")
    with pytest.raises(CommandError, match="'other'"):
        told("--try", "other")
