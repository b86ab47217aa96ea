"""Exceptions of kafka-python, turned into the roots of :mod:`edge_agent.contract.errors`. The only place that does.

In kafka-python whether a retry may help is a property of the class (``retriable``). The others are told apart here by
who has to act; ``tests/stream/clients/test_faults.py`` fails when a class of ``kafka.errors`` is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kafka import errors

from edge_agent.contract.errors import BadRecord, Misconfigured, PulseError, Retryable
from stream.topics import Partition


class PositionLost(Retryable):
    """What is to be read next is not in the log: records were deleted below it, or the log's end was cut off."""

    def __init__(self, diverged: Mapping[Partition, int | None], detail: str) -> None:
        super().__init__(detail)
        self.diverged = diverged
        """Where the log and what was read part, as far as Kafka knows it."""


class Poisoned(Retryable):
    """Kafka refused a record for good, and with it the producer died; which record it was is not known.

    kafka-python 3.0.12 counts such a refusal as fatal for an idempotent producer and fails everything in flight with
    the same error. Sent alone, by a new producer, each record shows what it is.
    """


RECORD: Final = {
    errors.MessageSizeTooLargeError: "too_large",
    errors.RecordListTooLargeError: "too_large",
    errors.InvalidRecordError: "refused",
    errors.InvalidTimestampError: "refused",
    errors.CorruptRecordError: "refused",
    errors.PolicyViolationError: "refused",
}
"""The record is at fault: no broker will take it, however often it is sent. The value is the reason."""

FRESH_CLIENT: Final = frozenset(
    {
        # The group or the producer moved on without this member; a new one joins, or gets a new identity.
        errors.CommitFailedError,
        errors.FencedInstanceIdError,
        errors.FencedMemberEpochError,
        errors.IllegalGenerationError,
        errors.InvalidProducerEpochError,
        errors.InvalidProducerIdMappingError,
        errors.MemberIdRequiredError,
        errors.OutOfOrderSequenceNumberError,
        errors.DuplicateSequenceNumberError,
        errors.ProducerFencedError,
        errors.RebalanceInProgressError,
        errors.StaleMemberEpochError,
        errors.UnknownMemberIdError,
        errors.UnknownProducerIdError,
        errors.UnreleasedInstanceIdError,
        # The brokers are busy with each other, or the connection spoke nonsense.
        errors.BrokerIdNotRegisteredError,
        errors.BrokerNotAvailableError,
        errors.IneligibleReplicaError,
        errors.InvalidReceiveError,
        errors.KafkaProtocolError,
        errors.NewLeaderElectedError,
        errors.OffsetMovedToTieredStorageError,
        errors.OperationNotAttemptedError,
        errors.QuotaViolationError,
        errors.ReassignmentInProgressError,
        errors.StaleBrokerEpochError,
        errors.StaleControllerEpochError,
        errors.UnknownBrokerIdError,
        errors.UnknownControllerIdError,
        # The client was closed under the call.
        errors.IllegalStateError,
        # Positions; the consumer turns them into PositionLost before anybody else sees them.
        errors.LogTruncationError,
        errors.NoOffsetForPartitionError,
        errors.OffsetOutOfRangeError,
        # Unknown to this version of the library: assumed to pass, and logged each time.
        errors.UnknownError,
        errors.BrokerResponseError,
        errors.KafkaError,
    }
)
"""Not marked retriable, yet nobody has to act: a new client, or the next attempt, does it."""

PERSON: Final = frozenset(
    {
        # Rights and credentials.
        errors.AuthorizationError,
        errors.ClusterAuthorizationFailedError,
        errors.DelegationTokenAuthDisabledError,
        errors.DelegationTokenAuthorizationFailedError,
        errors.DelegationTokenExpiredError,
        errors.DelegationTokenNotFoundError,
        errors.DelegationTokenOwnerMismatchError,
        errors.DelegationTokenRequestNotAllowedError,
        errors.GroupAuthorizationFailedError,
        errors.IllegalSaslStateError,
        errors.InvalidPrincipalTypeError,
        errors.PrincipalDeserializationFailureError,
        errors.SaslAuthenticationFailedError,
        errors.SecurityDisabledError,
        errors.TopicAuthorizationFailedError,
        errors.TransactionalIdAuthorizationFailedError,
        errors.UnacceptableCredentialError,
        errors.UnsupportedSaslMechanismError,
        # Versions and features.
        errors.IncompatibleBrokerVersion,
        errors.MismatchedEndpointTypeError,
        errors.UnrecognizedBrokerVersion,
        errors.UnsupportedAssignorError,
        errors.UnsupportedCodecError,
        errors.UnsupportedCompressionTypeError,
        errors.UnsupportedEndpointTypeError,
        errors.UnsupportedForMessageFormatError,
        errors.UnsupportedVersionError,
        # Settings of topics, groups and the cluster.
        errors.DuplicateBrokerRegistrationError,
        errors.DuplicateResourceError,
        errors.DuplicateVoterError,
        errors.FeatureUpdateFailedError,
        errors.GroupIdNotFoundError,
        errors.GroupMaxSizeReachedError,
        errors.GroupSubscribedToTopicError,
        errors.IllegalArgumentError,
        errors.InconsistentClusterIdError,
        errors.InconsistentGroupProtocolError,
        errors.InconsistentVoterSetError,
        errors.InvalidCommitOffsetSizeError,
        errors.InvalidConfigurationError,
        errors.InvalidFetchRequestError,
        errors.InvalidGroupIdError,
        errors.InvalidPartitionsError,
        errors.InvalidRegistrationError,
        errors.InvalidReplicationAssignmentError,
        errors.InvalidReplicationFactorError,
        errors.InvalidRequestError,
        errors.InvalidRequiredAcksError,
        errors.InvalidSessionTimeoutError,
        errors.InvalidTopicError,
        errors.InvalidTransactionTimeoutError,
        errors.InvalidUpdateVersionError,
        errors.InvalidVoterKeyError,
        errors.KafkaConfigurationError,
        errors.LogDirNotFoundError,
        errors.NoReassignmentInProgressError,
        errors.NonEmptyGroupError,
        errors.OffsetMetadataTooLargeError,
        errors.ResourceNotFoundError,
        errors.TopicAlreadyExistsError,
        errors.TopicDeletionDisabledError,
        errors.VoterNotFoundError,
    }
)
"""A person has to act: rights, versions, settings."""

NEVER_HERE: Final = frozenset(
    {
        # Transactions, share groups, client telemetry, snapshots between controllers: nothing here uses them.
        errors.FencedStateEpochError,
        errors.InvalidRecordStateError,
        errors.InvalidTxnStateError,
        errors.NoError,
        errors.PositionOutOfRangeError,
        errors.SnapshotNotFoundError,
        errors.TelemetryTooLargeError,
        errors.TransactionAbortableError,
        errors.TransactionAbortedError,
        errors.TransactionCoordinatorFencedError,
        errors.TransactionalIdNotFoundError,
        errors.UnknownSubscriptionIdError,
    }
)
"""Belong to features that are not used; should one appear, it is told like an unknown one."""


def root_of(kind: type[Any]) -> type[PulseError]:
    """Return the root for a class of ``kafka.errors``, or for one derived from it."""
    if kind.retriable:
        return Retryable
    for known in kind.__mro__:
        if known in RECORD:
            return BadRecord
        if known in PERSON:
            return Misconfigured
        if known in FRESH_CLIENT or known in NEVER_HERE:
            return Retryable
    return Retryable


def translate(error: BaseException, what: str) -> PulseError:
    """Return ``error`` as one of the roots; ``what`` says what was being done."""
    detail = f"{what}: {error}"
    if isinstance(error, errors.LogTruncationError):
        diverged = {
            Partition(place.topic, place.partition): None if found is None else int(found.offset)
            for place, found in error.divergent_offsets.items()
        }
        return PositionLost(diverged, detail)
    if isinstance(error, errors.OffsetOutOfRangeError | errors.NoOffsetForPartitionError):
        return PositionLost({}, detail)
    root = root_of(type(error)) if isinstance(error, errors.KafkaError) else Retryable
    if root is BadRecord:
        return BadRecord(next(RECORD[kind] for kind in type(error).__mro__ if kind in RECORD), detail)
    return root(detail)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise what kafka-python raises inside as one of the roots."""
    try:
        yield
    except errors.KafkaError as error:
        raise translate(error, what) from error
