"""What a look asks the cloud, by threads that write nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from restores.dcs.client import Client
from restores.dcs.faults import Fault, NotAsked, Refused, Throttled, Unreachable
from restores.dcs.records import BackupRecord, Page, RestoreRecord
from restores.models import Instance
from restores.sync.clouds import Cloud
from restores.sync.windows import Answer, ask_all

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the cloud told of an instance, and its backups if they were asked for."""

    answer: Answer
    backups: tuple[BackupRecord, ...] | None
    untold: bool  # asked for its backups, the cloud did not tell


class Asking:
    """The calls of one look at instances of a project: what one meets, the others mind."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._clients: list[Client] = []
        self._tells_backups = True

    def client(self, instances: Sequence[Instance]) -> Client:
        """Return a client for some of the instances, stopped if those before are."""
        calls = len(instances) + sum(map(_backups_due, instances))
        client = self._cloud.client(instances[0].project, expected=calls)
        self._clients.append(client)
        if stopped := self._clients[0].stopped:
            client.stop(stopped)
        return client

    def brought(self, client: Client, instance: Instance) -> Brought:
        """Ask; a refusal stops all clients."""
        try:
            return self._ask(client, instance)
        except (Refused, Throttled) as fault:
            # Five refusals in a row lock a key upstream, and a break is asked for from all calls.
            for each in self._clients:
                each.stop(fault)
            raise

    def _ask(self, client: Client, instance: Instance) -> Brought:
        wanted = _backups_due(instance)
        known = iter([instance.digest])  # what one response proved, only the first one can repeat

        def ask(begin: datetime | None, end: datetime | None) -> Page[RestoreRecord]:
            known_now = next(known, "")
            return client.restores(instance.instance_id, begin=begin, end=end, known=known_now)

        answer = ask_all(ask)
        backups = self._backups(client, instance) if wanted else None
        return Brought(answer=answer, backups=backups, untold=wanted and backups is None)

    def _backups(self, client: Client, instance: Instance) -> tuple[BackupRecord, ...] | None:
        """Ask for the backups; without them the list of restores is as good."""
        if not self._tells_backups:
            return None
        try:
            return client.backups(instance.instance_id).rows
        except (Refused, Throttled, NotAsked):
            raise
        except Fault as fault:
            # A call that hangs would hold up as many looks as there are.
            self._tells_backups = not isinstance(fault, Unreachable)
            logger.warning("The backups of %s were not told: %s", instance.instance_id, fault)
            return None


def _backups_due(instance: Instance) -> bool:
    due = instance.backups_due_at
    return due is None or due <= datetime.now(UTC)
