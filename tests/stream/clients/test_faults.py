"""Every class of kafka.errors has a root."""

from __future__ import annotations

import inspect

import pytest
from kafka import errors
from kafka.structs import OffsetAndMetadata, TopicPartition

from edge_agent.contract.errors import BadRecord, Misconfigured, PulseError, Retryable
from stream.clients import faults
from stream.clients.faults import PositionLost, root_of, translate, translated
from stream.topics import Partition

CLASSES = sorted(
    {found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.KafkaError)},
    key=lambda found: str(found.__name__),
)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_each_class_is_retriable_or_stands_in_exactly_one_table(kind: type[Exception]) -> None:
    tables = [faults.RECORD, faults.FRESH_CLIENT, faults.PERSON, faults.NEVER_HERE]
    listed = sum(kind in table for table in tables)
    assert listed == (0 if getattr(kind, "retriable", False) else 1)


@pytest.mark.parametrize(
    ("error", "root"),
    [
        (errors.KafkaTimeoutError("slow"), Retryable),
        (errors.NotLeaderForPartitionError(), Retryable),
        (errors.CommitFailedError(), Retryable),
        (errors.TopicAuthorizationFailedError("t"), Misconfigured),
        (errors.SaslAuthenticationFailedError(), Misconfigured),
        (errors.MessageSizeTooLargeError(), BadRecord),
        (errors.for_code(9999)(), Retryable),
    ],
)
def test_the_root_says_who_acts(error: Exception, root: type[PulseError]) -> None:
    assert type(translate(error, "test")) is root
    assert root_of(type(error)) is root


def test_a_refused_record_has_a_reason_that_is_counted() -> None:
    found = translate(errors.MessageSizeTooLargeError("2 MB"), "send to t")
    assert isinstance(found, BadRecord)
    assert found.reason == "too_large"
    assert "2 MB" in found.detail


def test_a_cut_log_says_where_it_was_cut() -> None:
    cut = errors.LogTruncationError({TopicPartition("t", 0): OffsetAndMetadata(7, "", 3), TopicPartition("t", 1): None})
    found = translate(cut, "poll")
    assert isinstance(found, PositionLost)
    assert found.diverged == {Partition("t", 0): 7, Partition("t", 1): None}


def test_what_the_library_raises_comes_out_translated_and_anything_else_untouched() -> None:
    with pytest.raises(PositionLost, match="poll"), translated("poll"):
        raise errors.OffsetOutOfRangeError({})
    with pytest.raises(ZeroDivisionError), translated("poll"):
        _ = 1 / 0
