"""The load generator, a process of its own: many gateways on one thread, for little processor time.

``python -m tests.benchmarks.generator PLAN`` reads orders from standard input and answers each on standard output.
Messages are due on an even schedule that does not wait for anybody; `t` is when a message was due, so that whatever
delays it, this program too, is in the latency.
"""

from __future__ import annotations

import errno
import heapq
import resource
import select
import socket
import sys
import time
from pathlib import Path
from typing import Final

from edge_agent.contract.topics import Channel
from tests.benchmarks.fleet import SERIES_A_MESSAGE, fleet, templates
from tests.benchmarks.gateway import Client, Counts
from tests.benchmarks.plan import Answer, Connect, Live, Order, Plan, Return

STATE_S: Final = 50.0
"""Time between two states of a gateway, as an agent's default."""
SOURCES: Final = 8
"""Loopback addresses that connections come from, so that each has ports enough."""
SETTLE_S: Final = 60.0
"""How long the end of an order waits for acknowledgements."""
_BIND_ADDRESS_NO_PORT: Final = 24  # linux/in.h; the socket module of Python 3.11 lacks it
_QUICKEST_S: Final = 0.001


class Generator:
    """All gateways; :meth:`obey` carries out one order."""

    def __init__(self, plan: Plan) -> None:
        self._address = (plan.host, plan.port)
        self._counts = Counts()
        (template,) = templates(SERIES_A_MESSAGE, plan.points)
        self._clients = [
            Client(gateway, plan.passwords[gateway.name], template, plan.points, plan.epoch, self._counts)
            for gateway in fleet(len(plan.passwords), SERIES_A_MESSAGE)
        ]
        self._poll = select.epoll()
        self._by_fd: dict[int, Client] = {}
        self._late_s: list[float] = []
        self._next_state = 0
        self._next_state_mono_s = 0.0
        self._backlog_due: list[tuple[float, int]] = []
        self._backlog_per_s = 0.0

    def obey(self, order: Order) -> Answer:
        """Carry out ``order``."""
        began_mono_s, began_ms, began_cpu_s = time.monotonic(), _now_ms(), time.process_time()
        self._late_s.clear()
        self._counts.__init__()  # type: ignore[misc]  # shared by all clients, begins again at zero
        if order.connect is not None:
            self._connect(order.connect)
        if order.live is not None:
            self._live(order.live, began_mono_s, began_ms)
        if order.drop is not None:
            self._drop()
        if order.back is not None:
            self._return(order.back, began_mono_s, began_ms)
        took_s = time.monotonic() - began_mono_s
        cpu_s = time.process_time() - began_cpu_s
        late = sorted(self._late_s)
        return Answer(
            began_ms=began_ms,
            took_s=took_s,
            connected=sum(client.up for client in self._clients),
            messages=self._counts.sent,
            unsent=sum(len(client.backlog) + len(client.live) for client in self._clients),
            backlog=self._counts.backlog,
            acknowledged=self._counts.acknowledged,
            refused=self._counts.refused,
            lost_connections=self._counts.lost,
            late_p99_ms=round(1000 * late[int(0.99 * len(late))], 1) if late else 0.0,
            cpu_cores=round(cpu_s / took_s, 3) if took_s > 0 else 0.0,
            boundaries=[client.boundary for client in self._clients] if order.back is not None else (),
            confirmed=sum(client.through for client in self._clients),
        )

    def idle(self, orders: int) -> None:
        """Keep the connections until there is something to read on file descriptor ``orders``."""
        self._poll.register(orders, select.EPOLLIN)
        try:
            while not self._turn(0.5):
                pass
        finally:
            self._poll.unregister(orders)

    def _connect(self, order: Connect) -> None:
        began_mono_s = time.monotonic()
        for number, client in enumerate(self._clients):
            while time.monotonic() < began_mono_s + number / order.per_s:
                self._turn(_QUICKEST_S)
            self._open(client)
        self._until_all_up(began_mono_s + len(self._clients) / order.per_s + SETTLE_S)

    def _until_all_up(self, deadline_mono_s: float) -> None:
        while not all(client.up for client in self._clients) and time.monotonic() < deadline_mono_s:
            self._turn(0.1)
            for client in self._clients:
                if client.sock is None:
                    self._open(client)

    def _live(self, order: Live, began_mono_s: float, began_ms: int) -> None:
        self._set_step(order.messages_per_s)
        self._send_on_schedule(order.seconds, order.messages_per_s, began_mono_s, began_ms)
        self._settle()

    def _drop(self) -> None:
        for client in self._clients:
            self._close(client)

    def _return(self, order: Return, began_mono_s: float, began_ms: int) -> None:
        self._set_step(order.messages_per_s)
        # The outage lies before everything else this epoch has sent, so that no two readings share their time.
        first_ms = self._clients[0].epoch // 1024 - order.backlog_messages * order.interval_ms
        for client in self._clients:
            client.miss(order.backlog_messages, first_ms, order.interval_ms)
        self._backlog_per_s = order.backlog_per_s
        returns = [
            (began_mono_s + order.within_s * number / len(self._clients), number)
            for number in range(len(self._clients))
        ]
        self._send_on_schedule(order.seconds, order.messages_per_s, began_mono_s, began_ms, returns)
        self._backlog_due.clear()
        self._settle()

    def _send_on_schedule(
        self,
        seconds: float,
        per_s: float,
        began_mono_s: float,
        began_ms: int,
        returns: list[tuple[float, int]] | None = None,
    ) -> None:
        total = round(seconds * per_s)
        gateways = len(self._clients)
        number = 0
        back = iter(returns or ())
        coming = next(back, None)
        while True:
            now = time.monotonic()
            while coming is not None and coming[0] <= now:
                self._open(self._clients[coming[1]])
                coming = next(back, None)
            while number < total and began_mono_s + number / per_s <= now:
                due_s = number / per_s
                self._write(self._clients[number % gateways], began_ms + round(due_s * 1000))
                self._late_s.append(now - began_mono_s - due_s)
                number += 1
            if number == total:
                return
            self._send_backlog(now)
            self._turn(max(_QUICKEST_S, began_mono_s + number / per_s - time.monotonic()))

    def _write(self, client: Client, t_ms: int) -> None:
        message = client.write(t_ms)
        if client.up:
            client.live.append(message)
            self._send_live(client)
        else:
            client.backlog.later.append(message)

    def _send_live(self, client: Client) -> None:
        while client.live and client.free:
            self._say(client, client.packet(client.live.popleft(), Channel.LIVE))

    def _send_backlog(self, now_mono_s: float) -> None:
        while self._backlog_due and self._backlog_due[0][0] <= now_mono_s:
            due_mono_s, number = self._backlog_due[0]
            client = self._clients[number]
            if not client.up or not client.backlog:
                heapq.heappop(self._backlog_due)
                continue
            heapq.heapreplace(self._backlog_due, (due_mono_s + 1 / self._backlog_per_s, number))
            if client.free and not client.live:
                self._counts.backlog += 1
                self._say(client, client.packet(client.backlog.pop(), Channel.BACKLOG))

    def _tell_states(self, now_mono_s: float) -> None:
        """Send the states that are due, evenly; what was missed for more than a second is left out."""
        self._next_state_mono_s = max(self._next_state_mono_s, now_mono_s - 1)
        while self._next_state_mono_s <= now_mono_s:
            client = self._clients[self._next_state]
            if client.up:
                self._say(client, client.state_packet(_now_ms()))
            self._next_state = (self._next_state + 1) % len(self._clients)
            self._next_state_mono_s += STATE_S / len(self._clients)

    def _settle(self) -> None:
        deadline_mono_s = time.monotonic() + SETTLE_S
        while any(client.waits for client in self._clients) and time.monotonic() < deadline_mono_s:
            self._turn(0.05)

    def _set_step(self, per_s: float) -> None:
        interval_ms = 1000 * len(self._clients) / per_s
        for client in self._clients:
            client.step_ms = max(1, int(interval_ms / client.points))

    def _say(self, client: Client, data: bytes) -> None:
        if client.say(data) and client.sock is not None:
            self._poll.modify(client.sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _open(self, client: Client) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{2 + hash(client.gateway.name) % SOURCES}", 0))
        result = sock.connect_ex(self._address)
        if result not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(result, f"cannot connect to {self._address}")
        client.opened(sock, _now_ms())
        self._by_fd[sock.fileno()] = client
        self._poll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _close(self, client: Client) -> None:
        if client.sock is not None:
            fd = client.sock.fileno()
            self._poll.unregister(fd)
            del self._by_fd[fd]
        client.cut()
        client.boundary = client.seq

    def _turn(self, timeout_s: float) -> bool:
        """Let the sockets work; True when something else that is watched became readable."""
        self._tell_states(time.monotonic())
        other = False
        for fd, event in self._poll.poll(timeout_s):
            client = self._by_fd.get(fd)
            if client is None:
                other = True
                continue
            if event & select.EPOLLOUT and not client.flush():
                self._poll.modify(fd, select.EPOLLIN)
            if event & ~select.EPOLLOUT:
                self._read(client)
        return other

    def _read(self, client: Client) -> None:
        was_up = client.up
        answers = client.read()
        if answers is None:
            self._counts.lost += 1
            self._close(client)
            return
        now = time.monotonic()
        if answers:
            self._say(client, answers)
        if client.up and not was_up:
            client.boundary = client.seq
            if client.backlog:
                heapq.heappush(self._backlog_due, (now, int(client.gateway.name.partition("-")[2])))
        if client.live:
            self._send_live(client)


def main() -> None:
    """Carry out the orders on standard input until it ends."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    generator = Generator(Plan.model_validate_json(Path(sys.argv[1]).read_text("utf-8")))
    while True:
        generator.idle(sys.stdin.fileno())
        line = sys.stdin.buffer.readline()
        if not line:
            return
        sys.stdout.write(generator.obey(Order.model_validate_json(line)).model_dump_json() + "\n")
        sys.stdout.flush()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
