"""Settings of the bridge; ``sample.toml`` beside this file shows them all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings


class Tls(Settings):
    """Encryption towards the MQTT broker."""

    ca_file: Path | None = None
    """Certificates to trust, PEM; without it those of the system."""
    cert_file: Path | None = None
    """Our own certificate, PEM, when the broker asks for one."""
    key_file: Path | None = None
    """Its key, PEM."""

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        return self


class Mqtt(Settings):
    """The MQTT broker."""

    host: Annotated[str, Field(min_length=1)]
    """Name or address of the broker."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    """Its port; 8883 is usual with ``tls``."""
    user: str = "bridge"
    """MQTT user, the only one that may write commands."""
    password: SecretStr | None = None
    """Its password; or ``password_file``."""
    password_file: Path | None = None
    """File whose first line is the password."""
    tls: Tls | None = None
    """Present when the connection is encrypted."""
    client_id: Annotated[str, Field(min_length=1, max_length=200)] = "g60-bridge"
    """Names the session that the broker keeps for us; never the same for two bridges."""
    session_expiry_s: Annotated[int, Field(ge=1, le=0xFFFFFFFE)] = 86_400
    """How long the broker keeps the session, and what it has for us, while we are away."""
    receive_maximum: Annotated[int, Field(ge=1, le=65_535)] = 1_000
    """Messages that the broker may have under way to us (it has a bound of its own, and may exceed this one)."""
    keepalive_s: Annotated[int, Field(ge=0, le=65_535)] = 0
    """MQTT keep-alive. 0 leaves it to TCP: while Kafka is away the bridge does not read, so it cannot see the answer
    to a ping, and any other value ends the connection every 1.5 × as many seconds until Kafka is back."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    """How long one attempt to connect may take."""

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("either password or password_file")
        return self

    def secret(self) -> str | None:
        """Return the password; ``Misconfigured`` when its file cannot be read."""
        if self.password_file is None:
            return None if self.password is None else self.password.get_secret_value()
        try:
            lines = self.password_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"mqtt.password_file: {error} (无法读取密码文件)") from error
        if not lines:
            raise Misconfigured(f"mqtt.password_file: {self.password_file} is empty (密码文件为空)")
        return lines[0]


class KafkaCluster(Settings):
    """The Kafka cluster."""

    bootstrap: Annotated[str, Field(min_length=1)]
    """Addresses, ``host:port``, separated by commas."""
    linger_ms: Annotated[int, Field(ge=0, le=1_000)] = 5
    """How long a message waits for others to share a request with."""
    delivery_timeout_s: Annotated[float, Field(ge=20)] = 120.0
    """A message that Kafka has not taken for so long makes the bridge start over: it lets go of the MQTT connection
    (the broker keeps what is not acknowledged) and comes back with a new producer."""


class Limits(Settings):
    """What the bridge holds at most; when one is reached it does not read from the MQTT broker."""

    in_flight_messages: Annotated[int, Field(ge=1)] = 2_000
    """Messages read from MQTT and not yet taken by Kafka."""
    in_flight_bytes: Annotated[int, Field(ge=1 << 20)] = 32 << 20
    """Their bytes; exceeded by one message at most."""
    commands_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Commands published and not yet acknowledged by the MQTT broker."""
    commands_queued: Annotated[int, Field(ge=1)] = 1_000
    """Commands read from Kafka and not yet published."""


class Report(Settings):
    """What the bridge tells about itself."""

    every_s: Annotated[float, Field(gt=0)] = 30.0
    """How often the counters are logged and written."""
    status_file: Path | None = None
    """JSON file that is replaced by the current counters each time."""


class BridgeSettings(Settings):
    """One bridge."""

    mqtt: Mqtt
    kafka: KafkaCluster
    limits: Limits = Limits()
    report: Report = Report()
