"""The one place that builds kafka-python's clients, lets its types in and turns its exceptions into ours.

The defaults of kafka-python 3.0.12 that are changed here, and why: ``auto_offset_reset='latest'`` and
``enable_auto_commit`` would lose records silently; topics are never created by asking for them; a client that could
not reach Kafka is taken down completely (its constructor leaves an I/O thread behind when it fails).
"""

from stream.clients.admin import TopicReport, describe_topics, ensure_topics
from stream.clients.consumer import Consumer, Source, open_consumer
from stream.clients.faults import Poisoned, PositionLost
from stream.clients.producer import Done, Headers, Producer, open_producer

__all__ = [
    "Consumer",
    "Done",
    "Headers",
    "Poisoned",
    "PositionLost",
    "Producer",
    "Source",
    "TopicReport",
    "describe_topics",
    "ensure_topics",
    "open_consumer",
    "open_producer",
]
