"""What a look asks the cloud, by threads that write nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from restores.collector.clouds import Cloud
from restores.collector.windows import Answer, ask_all
from restores.dcs.client import Client
from restores.dcs.faults import Fault, NotAsked, Refused, Throttled
from restores.dcs.records import BackupRecord, Page, RestoreRecord
from restores.models import Instance

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the cloud told of an instance, and its backups if they were asked for."""

    answer: Answer
    backups: tuple[BackupRecord, ...] | None
    untold: bool  # asked for its backups, the cloud did not tell


def another(clients: list[Client], instances: Sequence[Instance], cloud: Cloud) -> Client:
    """Return a client for these instances, one more of ``clients``: stopped as they are."""
    calls = len(instances) + sum(map(_backups_due, instances))
    client = cloud.client(instances[0].project, expected=calls)
    clients.append(client)
    if stopped := clients[0].stopped:
        client.stop(stopped)
    return client


def asked(client: Client, clients: Sequence[Client], instance: Instance) -> Brought:
    """Ask by one client; a refusal stops all of the look's ``clients``."""
    try:
        return _ask(client, instance)
    except (Refused, Throttled) as fault:
        # Five refusals in a row lock a key upstream, and a break is asked for from all our calls.
        for each in clients:
            each.stop(fault)
        raise


def _ask(client: Client, instance: Instance) -> Brought:
    wanted = _backups_due(instance)
    known = iter([instance.digest])  # what one response proved, only the first one can repeat

    def ask(begin: datetime | None, end: datetime | None) -> Page[RestoreRecord]:
        known_now = next(known, "")
        return client.restores(instance.instance_id, begin=begin, end=end, known=known_now)

    answer = ask_all(ask)
    backups = _backups(client, instance) if wanted else None
    return Brought(answer=answer, backups=backups, untold=wanted and backups is None)


def _backups(client: Client, instance: Instance) -> tuple[BackupRecord, ...] | None:
    """Ask for the backups; that they cannot be had is no reason to lose the list of restores."""
    try:
        return client.backups(instance.instance_id).rows
    except (Refused, Throttled, NotAsked):
        raise
    except Fault as fault:
        logger.warning("The backups of %s were not told: %s", instance.instance_id, fault)
        return None


def _backups_due(instance: Instance) -> bool:
    due = instance.backups_due_at
    return due is None or due <= datetime.now(UTC)
