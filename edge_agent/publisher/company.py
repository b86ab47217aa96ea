"""The company an agent finds itself in: who else speaks under its id, and what follows for its epoch."""

from __future__ import annotations

import logging
import secrets

from edge_agent.clock import Clock
from edge_agent.outbox.outflow import Outflow
from edge_agent.publisher.confirmation import Confirmations
from edge_agent.publisher.identity import Instance, Met, Takeovers
from edge_agent.publisher.mqtt import TakenOver
from edge_agent.publisher.session import Outrun

_log = logging.getLogger(__name__)


class Company:
    """Lives longer than a connection; :attr:`doubt` says why the present epoch is not this agent's alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonce = secrets.token_hex(4)
        self._takeovers = Takeovers()
        self._beyond_epoch = 0
        self.introduced = False
        """True once the broker has taken a state of ours."""
        self.taken = False
        """True when another agent runs under this id."""
        self.doubt = ""

    def instance(self, outflow: Outflow) -> Instance:
        """Return who this agent is."""
        return Instance(outflow.epoch, outflow.run, self._nonce)

    def meet(self, outflow: Outflow, found: Instance | None) -> None:
        """Look at who published a state under our id; ``Met`` when another agent did while this one was running.

        Before the broker has taken a state of ours the kept one may be our own, from a life that an old copy of the
        buffer knows nothing of: ``Outrun``.
        """
        ours = self.instance(outflow)
        if found is not None and ours.is_another(found):
            self._beyond_epoch = found.epoch
            what = f"agent {found} has spoken under the id of this one, {ours}"
            raise Met(what) if self.introduced else Outrun(what)

    def lost(self, error: TakenOver | Outrun | Met) -> None:
        """Note what ended the connection."""
        self.doubt = str(error)
        self.taken = isinstance(error, Met) or (
            isinstance(error, TakenOver) and self._takeovers.another(self._clock.mono_s())
        )
        _log.error(
            "publisher.not_alone error=%r: another agent uses this id or its numbers (有人使用同一网关编号)", self.doubt
        )

    def leave(self, outflow: Outflow, confirmations: Confirmations) -> None:
        """Begin an epoch that is ours alone; ``OutboxFull`` and ``OutboxUnavailable`` leave that for later."""
        outflow.renew(self.doubt, self._clock.utc_ms(), self._beyond_epoch)
        confirmations.renewed(outflow.epoch, self._clock.mono_s())
        _log.warning("outbox.renewed epoch=%d why=%r (缓冲已开始新周期)", outflow.epoch, self.doubt)
        self.doubt = ""
