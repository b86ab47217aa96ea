"""The bridge over an encrypted connection, where paho keeps bytes that select cannot see."""

from __future__ import annotations

import gc
import random
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.external import ExternalKafka
from deploy.local.kafka import Kafka
from deploy.local.mosquitto import Mosquitto
from edge_agent.contract.errors import Misconfigured
from stream.bridge.bridge import Bridge
from stream.clients import ensure_topics
from stream.topics import TELEMETRY
from tests.stream.bridge.support import Gateway, Tail, settings
from tests.stream.eventually import eventually, running

AnyKafka = Kafka | ExternalKafka


class Encrypted(Mosquitto):
    """A Mosquitto with a second, encrypted listener."""

    certificate: Path
    key: Path
    tls_port: int

    def _configuration(self) -> str:
        return f"""{super()._configuration()}
listener {self.tls_port} {self.host}
certfile {self.certificate}
keyfile {self.key}
"""


@pytest.fixture
def encrypted(servers_folder: Path) -> Iterator[Encrypted]:
    folder = servers_folder / f"tls-{secrets.token_hex(4)}"
    port, tls_port = ports.choose(random.SystemRandom(), 2)
    broker = Encrypted(folder, port=port, bridge_password="bridge", operator_password="operator")
    broker.tls_port = tls_port
    broker.certificate, broker.key = broker.data / "cert.pem", broker.data / "key.pem"
    broker.account.own_tree(broker.data)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(broker.key), "-out", str(broker.certificate), "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    broker.account.own(broker.key)
    broker.account.own(broker.certificate)
    broker.start()
    yield broker
    broker.stop()


def test_everything_comes_through_in_bursts_and_through_a_full_window(kafka: AnyKafka, encrypted: Encrypted) -> None:
    ensure_topics(kafka.bootstrap)
    name = f"gw-{secrets.token_hex(6)}"
    mqtt = {"port": encrypted.tls_port, "tls": {"ca_file": encrypted.certificate}}
    bridge = Bridge(settings(encrypted, kafka.bootstrap, mqtt=mqtt, limits={"in_flight_messages": 10}))
    values = [b"%d" % number for number in range(2_000)]
    with (
        Tail(kafka.bootstrap, [TELEMETRY.name]) as tail,
        running(bridge.run, stops_within_s=5),
        Gateway(encrypted, name) as gateway,
    ):
        eventually(lambda: bridge.counters.connected, 20)
        gateway.publish_all(values)
        assert tail.values_until(values) == values
        eventually(lambda: bridge.counters.acked == len(values), 10)
    assert bridge.counters.full > 0


# paho 2.2 leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_a_certificate_that_is_not_trusted_is_for_a_person_to_mend(kafka: AnyKafka, encrypted: Encrypted) -> None:
    ensure_topics(kafka.bootstrap)
    bridge = Bridge(settings(encrypted, kafka.bootstrap, mqtt={"port": encrypted.tls_port, "tls": {}}))
    with pytest.raises(Misconfigured, match="证书校验失败"):
        bridge.run(threading.Event())
    gc.collect()
