"""The sink as a process: the consumer loop on the store, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import sys
import threading

from stream.commands import CommandSender
from stream.consumer import ConsumerLoop
from stream.topics import BIRTHS, EVENTS, STATES, TELEMETRY
from warehouse.sink.settings import SinkSettings
from warehouse.sink.store import PostgresStore


def run(settings: SinkSettings) -> None:
    """Write what arrives on Kafka into the database until SIGTERM or SIGINT."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topics = [topic.name for topic in (BIRTHS, TELEMETRY, STATES, EVENTS)]
    with CommandSender(settings.kafka.bootstrap) as sender:
        store = PostgresStore(settings, sender)
        try:
            ConsumerLoop(settings.kafka, store, settings.group, topics).run(stop)
        finally:
            store.close()
