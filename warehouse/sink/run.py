"""Runs a sink until it is told to stop."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from typing import Final

from stream.commands import CommandSender
from stream.consumer import ConsumerLoop
from stream.topics import UP_TOPICS
from warehouse.log import to_stderr
from warehouse.sink.settings import SinkSettings
from warehouse.sink.standing import Standings
from warehouse.sink.store import PostgresStore

log = logging.getLogger(__name__)

_YOUNG_OBJECTS: Final = 200_000
"""New containers before Python looks for cycles among them. A write makes some ten thousand lists and drops them all;
at the default of 700 looking took half of the time of decoding (measured: 36 instead of 69 ms for 100 000 readings)."""


def run(settings: SinkSettings) -> None:
    """Write what arrives until SIGTERM or SIGINT; what was not committed then is read again by the next sink.

    ``Misconfigured`` when the database lacks migrations or refuses the log-in, or Kafka refuses for good.
    """
    to_stderr()
    # It tells again, and longer, what ours say.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rest_easy()
    with CommandSender(settings.kafka.bootstrap, f"g60-sink-{settings.name}") as sender:
        store = PostgresStore(settings, sender)
        try:
            log.info("event=started name=%s group=%s", settings.name, settings.group)
            with Standings(settings):
                ConsumerLoop(settings.kafka, store, settings.group, [topic.name for topic in UP_TOPICS]).run(stop)
        finally:
            store.close()
            log.info("event=stopped name=%s", settings.name)


_TURN_S: Final = 0.000_5
"""How long one thread keeps the interpreter from another one that wants it. At Python's 5 ms PostgreSQL runs dry while
the thread that writes to it waits for the one that prepares the next write: its socket holds 4 ms of rows."""


def rest_easy() -> None:
    """Let threads take short turns, and the garbage collector look rarely, and never again at what is loaded now."""
    sys.setswitchinterval(_TURN_S)
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
