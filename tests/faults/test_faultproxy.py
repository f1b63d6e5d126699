"""The faults themselves: a proxy that does not do what it says would make every test above it worthless."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faultproxy import FaultProxy, running

HELLO, QUIET_SECONDS = b"hello, " * 100, 0.2


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that says what it hears, to one client after the other."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def _echo(listener: socket.socket) -> None:
    while listener.fileno() >= 0:
        try:
            client, _ = listener.accept()
            with client:
                while data := client.recv(4096):
                    client.sendall(data)
        except OSError:
            continue


@pytest.fixture
def proxy(echo_port: int) -> Iterator[FaultProxy]:
    with running(echo_port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
        yield client


def read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data


def is_quiet(client: socket.socket) -> bool:
    client.settimeout(QUIET_SECONDS)
    try:
        return not client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(10)


def test_it_passes_everything_also_slowly(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.delay(0.01)
    proxy.throttle(100_000)
    client.sendall(HELLO)
    assert read(client, len(HELLO)) == HELLO
    assert proxy.accepted == 1


def test_a_stalled_line_is_open_and_silent_until_it_flows(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.stall()
    client.sendall(HELLO)
    assert is_quiet(client)
    proxy.flow()
    assert read(client, len(HELLO)) == HELLO


def test_what_comes_after_a_hold_comes_when_it_flows(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.hold_after(10)
    client.sendall(HELLO)
    assert read(client, 10) == HELLO[:10]
    assert is_quiet(client)
    proxy.flow()
    assert read(client, len(HELLO) - 10) == HELLO[10:]


def test_a_cut_resets_after_exactly_so_much(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut_after(10)
    client.sendall(HELLO)
    assert read(client, 10) == HELLO[:10]
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_reset_is_an_error_and_a_finish_an_end(proxy: FaultProxy, client: socket.socket) -> None:
    client.sendall(HELLO)
    read(client, len(HELLO))
    proxy.finish()
    assert client.recv(1) == b""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as other:
        other.sendall(HELLO)
        read(other, len(HELLO))
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            other.recv(1)


def test_a_denied_word_is_not_heard(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.deny(b"Upgrade")
    client.sendall(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_refusing_line_comes_back_at_its_own_port(proxy: FaultProxy, client: socket.socket) -> None:
    client.sendall(HELLO)
    assert read(client, len(HELLO)) == HELLO
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    client.sendall(HELLO)
    assert read(client, len(HELLO)) == HELLO
    proxy.accept()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as other:
        client.close()
        other.sendall(HELLO)
        assert read(other, len(HELLO)) == HELLO


def test_a_frozen_connection_stays_so_when_the_network_is_good_again(proxy: FaultProxy, client: socket.socket) -> None:
    client.sendall(HELLO)
    assert read(client, len(HELLO)) == HELLO
    proxy.freeze()
    proxy.flow()
    client.sendall(HELLO)
    assert is_quiet(client)
    proxy.reset()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as other:
        other.sendall(HELLO)
        assert read(other, len(HELLO)) == HELLO


def test_a_half_open_connection_is_gone_for_the_server_and_silent_for_the_client(
    proxy: FaultProxy, client: socket.socket
) -> None:
    client.sendall(HELLO)
    assert read(client, len(HELLO)) == HELLO
    proxy.lose_server()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as other:
        other.sendall(HELLO)
        assert read(other, len(HELLO)) == HELLO
    client.sendall(HELLO)
    assert is_quiet(client)
