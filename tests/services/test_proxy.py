"""The proxy does to a connection what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.services.proxy import BUFFER_BYTES, Proxy
from tests.services.waiting import until


class Echo:
    """A server that sends back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.ends = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=[self._listening.accept()[0]], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while piece := connection.recv(65536):
                self.got += piece
                connection.sendall(piece)
        self.ends += 1


@pytest.fixture
def echo() -> Iterator[Echo]:
    with closing(Echo()) as server:
        yield server


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", echo.port) as made:
        yield made


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=30)


def ask(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    got = b""
    while len(got) < len(text):
        piece = connection.recv(65536)
        if not piece:
            return got
        got += piece
    return got


def broken(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_it_passes_everything_both_ways(proxy: Proxy, echo: Echo) -> None:
    text = bytes(range(256)) * 2_000
    with connect(proxy) as one, connect(proxy) as two:
        one.settimeout(30)
        sending = threading.Thread(target=one.sendall, args=[text])
        sending.start()
        got = b""
        while len(got) < len(text):
            got += one.recv(65536)
        sending.join()
        assert got == text
        assert ask(two, b"hello") == b"hello"
        assert proxy.open == 2
        one.shutdown(socket.SHUT_WR)
        assert one.recv(1) == b""
    until(lambda: proxy.open == 0 and echo.ends == 2, 30)
    assert (proxy.connections, proxy.bytes_up, proxy.bytes_down) == (2, len(text) + 5, len(text) + 5)


def test_a_cut_breaks_what_is_open_and_takes_what_comes(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as one:
        assert ask(one, b"a") == b"a"
        assert proxy.cut() == 1
        assert broken(one)
    until(lambda: echo.ends == 1, 30)
    with connect(proxy) as two:
        assert ask(two, b"b") == b"b"


@pytest.mark.parametrize("connected", [True, False])
def test_a_cut_in_the_middle_of_a_message(proxy: Proxy, echo: Echo, *, connected: bool) -> None:
    if not connected:
        proxy.cut_after(4)
    with connect(proxy) as one:
        if connected:
            assert ask(one, b"whole") == b"whole"
            proxy.cut_after(4)
        with suppress(ConnectionError):
            one.sendall(b"message")
        with suppress(ConnectionError):
            while one.recv(100):
                pass
    until(lambda: echo.ends == 1, 30)
    assert bytes(echo.got) == (b"wholemess" if connected else b"mess")
    with connect(proxy) as two:
        assert ask(two, b"message") == b"message"


def test_a_stall_holds_a_bounded_amount_and_loses_nothing(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as one:
        assert ask(one, b"a") == b"a"
        proxy.stall()
        one.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while True:
                sent += one.send(b"x" * 65536)
        assert bytes(echo.got) == b"a"
        with connect(proxy) as two:
            two.sendall(b"y")
            assert proxy.bytes_up <= 1 + BUFFER_BYTES
            proxy.resume()
            assert two.recv(1) == b"y"
        one.settimeout(30)
        got = 0
        while got < sent:
            got += len(one.recv(65536))
    assert echo.got.count(b"x") == sent


def test_a_half_open_connection_is_silent_to_the_client_and_gone_to_the_target(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as one:
        assert ask(one, b"a") == b"a"
        assert proxy.half_open() == 1
        until(lambda: echo.ends == 1, 30)
        one.sendall(b"into nowhere")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(1)
        with connect(proxy) as two:
            assert ask(two, b"b") == b"b"
        assert proxy.cut() >= 1
        one.settimeout(30)
        assert broken(one)
    assert bytes(echo.got) == b"ab"


def test_it_refuses_and_accepts_on_the_same_port(proxy: Proxy) -> None:
    with connect(proxy) as one:
        assert ask(one, b"a") == b"a"
        assert proxy.refuse() == 1
        assert broken(one)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.accept()
    with connect(proxy) as two:
        assert ask(two, b"b") == b"b"


def test_a_throttle_lets_everything_through_at_last(proxy: Proxy) -> None:
    with connect(proxy) as one:
        proxy.throttle(100.0)
        one.sendall(b"z" * 10_000)
        until(lambda: proxy.bytes_up > 0, 30)
        assert proxy.bytes_up < 10_000
        proxy.throttle(None)
        got = 0
        while got < 10_000:
            got += len(one.recv(65536))


def test_a_target_that_is_down_breaks_the_connection(proxy: Proxy, echo: Echo) -> None:
    echo.close()
    try:
        with connect(proxy) as one:
            assert broken(one)
    except ConnectionResetError:
        pass  # It came while connecting.
    assert proxy.bytes_down == 0
    until(lambda: proxy.open == 0, 30)
