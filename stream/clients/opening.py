"""What every client shares: addresses, time-outs, and that a client which could not reach Kafka is taken down again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

from edge_agent.contract.errors import PulseError
from stream.clients.faults import translated

CONNECT_TIMEOUT_S: Final = 3.0
"""How long a new client looks for Kafka before it gives up; a service must be able to stop within 5 s."""
REQUEST_TIMEOUT_S: Final = 15.0


class Direct(KafkaNetSocket):  # type: ignore[misc]  # the library has no types
    """Connects as kafka-python does without a proxy, and closes the socket of an attempt that failed.

    3.0.12 leaves it to the garbage collector, one a second and client while Kafka is away.
    """

    SCHEMES = ("direct",)

    async def connect(self, net: Any, addrinfo: Any, socket_options: Any = (), timeout_at: float | None = None) -> Any:
        """Return a connected socket."""
        family, kind, protocol, _, address = addrinfo
        found = self.socket(family, kind, protocol)
        try:
            found.setblocking(False)
            for option in socket_options:
                found.setsockopt(*option)
            return await self.sock_connect(net, found, address, timeout_at=timeout_at)
        except BaseException:
            found.close()
            raise


@contextmanager
def opening(bootstrap: str, client_id: str, what: str) -> Iterator[dict[str, Any]]:
    """Yield the settings that every client shares; whatever a failing constructor opened is closed again."""
    nets: list[Any] = []

    def build(**settings: Any) -> Any:
        nets.append(KafkaNetClient(**settings))
        return nets[-1]

    try:
        with translated(f"{what} at {bootstrap}"):
            yield {
                "bootstrap_servers": bootstrap.split(","),
                "client_id": client_id,
                "kafka_client": build,
                "proxy_url": "direct://",
                "bootstrap_timeout_ms": int(CONNECT_TIMEOUT_S * 1000),
                "request_timeout_ms": int(REQUEST_TIMEOUT_S * 1000),
                "reconnect_backoff_max_ms": 1_000,
                "metadata_max_age_ms": 30_000,
            }
    except PulseError:
        for net in nets:
            net.close()
        raise


def forbid_creation(client: Any) -> Any:
    """Make metadata requests stop creating topics.

    ``allow_auto_create_topics=False`` does not get through in 3.0.12: the connection manager hands three settings to
    ``ClusterMetadata``, and this one is not among them. A topic made so has the broker's partitions and retention.
    """
    cluster = client._manager.cluster if hasattr(client, "_manager") else client._metadata
    cluster.config["allow_auto_create_topics"] = False
    return cluster
