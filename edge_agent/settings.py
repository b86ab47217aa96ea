"""Settings of the edge agent: ``agent.toml``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from edge_agent.contract.errors import Misconfigured
from edge_agent.contract.settings import Settings
from edge_agent.contract.state import STATE_INTERVAL_S
from edge_agent.contract.telemetry import MAX_READINGS
from edge_agent.contract.topics import RESERVED_GATEWAYS, GatewayId
from edge_agent.contract.wire import MAX_MESSAGE_BYTES
from edge_agent.outbox.intake import Compression
from edge_agent.sources.modbus.settings import ModbusConnection
from edge_agent.sources.replay.settings import Replay

PLACES: Final = (Path("agent.toml"), Path("/etc/g60/agent.toml"))
"""Where the configuration is looked for when none is named."""


class Gateway(Settings):
    """Who this gateway is."""

    id: GatewayId
    """Name of the gateway, and its MQTT user. Lower-case letters, digits and hyphens, at most 63. No default."""
    enterprise: Annotated[str, StringConstraints(min_length=1, max_length=32)] | None = None
    """统一社会信用代码 as the owner claims it; the registry decides. Default: none."""

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, found: str) -> str:
        if found in RESERVED_GATEWAYS:
            raise ValueError(f"{found!r} is a user of the system itself; allowed: any other name")
        return found


class Tls(StrEnum):
    """Whether the connection to the broker is encrypted."""

    OFF = "off"
    ON = "on"
    """The broker's certificate is verified, against ``ca_file`` or the system's authorities."""


class Mqtt(Settings):
    """The broker of the district."""

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")]
    """Host name or address. No default."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """TCP port. Default 8883 with TLS, 1883 without."""
    user: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = None
    """MQTT user. Default: the gateway's id, and the broker lets it write under no other name."""
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None
    """MQTT client id, where the broker wants a certain one. Default: the gateway's id and a digest of the password, so
    that no other gateway can take it and cut this one off."""
    password: SecretStr | None = None
    """Password of the user. Default: none; better ``password_file``."""
    password_file: Path | None = None
    """File whose first line is the password. Default: none."""
    tls: Tls = Tls.ON
    """``on`` or ``off``. Default ``on``."""
    ca_file: Path | None = None
    """Certificates (PEM) that may sign the broker's one. Default: those of the system."""
    cert_file: Path | None = None
    """Certificate (PEM) of this gateway, where the broker asks for one. Default: none."""
    key_file: Path | None = None
    """Key (PEM) of ``cert_file``. Default: none."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    """Longest silence on the connection, in s; after 1.5 times that the broker says we are gone. Default 30."""
    connect_timeout_s: Annotated[float, Field(ge=0.5, le=60)] = 5.0
    """How long one try to connect may take, in s. Default 5."""
    reconnect_max_s: Annotated[float, Field(ge=0.1, le=3600)] = 60.0
    """Longest wait between two tries, in s; the wait is random up to it, so that gateways do not come all at once.
    Default 60."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password and password_file: found both; allowed: one")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file: found one; allowed: both or none")
        if self.tls is Tls.OFF and (self.ca_file or self.cert_file):
            raise ValueError("ca_file, cert_file: found with tls = 'off'; allowed: with tls = 'on'")
        return self

    @property
    def actual_port(self) -> int:
        """The port, its default resolved."""
        return self.port or (8883 if self.tls is Tls.ON else 1883)

    def secret(self) -> str | None:
        """Return the password; ``Misconfigured`` when its file cannot be read or is empty."""
        if self.password_file is None:
            return None if self.password is None else self.password.get_secret_value()
        try:
            lines = self.password_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"mqtt.password_file: {self.password_file}: {error} (无法读取密码文件)") from error
        if not lines or not lines[0]:
            raise Misconfigured(f"mqtt.password_file: {self.password_file} is empty (密码文件为空)")
        return lines[0]


class OutboxFile(Settings):
    """The buffer on the gateway's disk."""

    path: Path = Path("/var/lib/g60/outbox.db")
    """The file; beside it lie its log, its lock and what was set aside. Default /var/lib/g60/outbox.db."""
    max_bytes: Annotated[int, Field(ge=8 << 20)] = 2 << 30
    """Most that the file may take, in bytes, besides up to 8 MiB of its log; a hard cap. Default 2147483648 (2 GiB)."""
    hours: Annotated[float, Field(gt=0, le=8784)] = 72.0
    """How long an outage the buffer should last, in h; a wish. ``g60-edge check`` says by the configuration and
    ``status`` by what was measured how many bytes that takes, and whether ``max_bytes`` and the disk allow it.
    Default 72."""


class Publish(Settings):
    """How readings become messages, and how they are sent."""

    batch_s: Annotated[float, Field(ge=0.05, le=3600)] = 5.0
    """Longest time a reading waits for others before a message is made, in s. Default 5."""
    batch_readings: Annotated[int, Field(ge=1, le=MAX_READINGS)] = 5_000
    """Most readings in one message; as many waiting make one at once. Default 5000."""
    max_message_bytes: Annotated[int, Field(ge=2_048, le=MAX_MESSAGE_BYTES)] = 128 << 10
    """Longest message before compression, in bytes; the broker may lower it. Default 131072."""
    compression: Compression = Compression.NONE
    """``none`` or ``gzip``. Default ``none``, so that ``mosquitto_sub`` shows what is sent."""
    window: Annotated[int, Field(ge=1, le=50)] = 50
    """Most messages that are sent before the broker has acknowledged the first. Default 50."""
    resend_after_s: Annotated[float, Field(ge=0.1, le=3600)] = 30.0
    """How long a sent message may stay unconfirmed by the warehouse before it is sent again, in s; doubles while
    nothing is confirmed. Default 30."""
    resend_max_s: Annotated[float, Field(ge=0.1, le=86_400)] = 900.0
    """Where that doubling ends, in s. Default 900."""
    settle_after_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    """How long a connection must have stood before a confirmation deletes anything, in s: another agent under the same
    id shows itself within that time. Default 5."""
    backlog_per_s: Annotated[float, Field(gt=0)] | None = None
    """Most messages of the backlog per s, unless ``cmd/drain`` says otherwise. Default: no limit."""
    state_s: Annotated[float, Field(ge=1, le=STATE_INTERVAL_S)] = 50.0
    """Time between two states when nothing changes, in s. Default 50."""


class EdgeSettings(Settings):
    """Everything in ``agent.toml``."""

    gateway: Gateway
    """Who this gateway is."""
    mqtt: Mqtt
    """The broker."""
    outbox: OutboxFile = OutboxFile()
    """The buffer on disk."""
    publish: Publish = Publish()
    """Messages and their sending."""
    modbus: tuple[ModbusConnection, ...] = ()
    """Modbus TCP connections, ``[[modbus]]``."""
    replay: tuple[Replay, ...] = ()
    """Recorded data that is played again, ``[[replay]]``."""

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not self.modbus and not self.replay:
            raise ValueError("nothing to read (没有要采集的内容); allowed: at least one [[modbus]] or [[replay]]")
        return self

    @property
    def user(self) -> str:
        """The MQTT user."""
        return self.mqtt.user or self.gateway.id
