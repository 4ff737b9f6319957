"""The calls of the DCS API that the collector needs, read-only."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import requests
from requests.auth import AuthBase

from restores.dcs import values
from restores.dcs.calls import Calls, decoded, segment, told_at
from restores.dcs.faults import Fault
from restores.dcs.records import (
    BACKUPS,
    INSTANCES,
    RESTORES,
    BackupRecord,
    InstanceRecord,
    Listing,
    Page,
    RestoreRecord,
)
from restores.dcs.refusals import bad_answer
from restores.dcs.sessions import new_session

__all__ = ["Client", "new_session"]

R = TypeVar("R")


class Client:
    """Read one project; each call takes at most ``deadline`` seconds besides waiting in ``pace``.

    ``pace`` is called before every request, retries and logins included. Calls raise the faults
    of ``restores.dcs.faults`` and nothing else.
    """

    def __init__(
        self,
        session: requests.Session,
        endpoint: str,
        project_id: str,
        auth: AuthBase,
        pace: Callable[[], None],
        deadline: float = 20.0,
    ) -> None:
        root = f"{endpoint.rstrip('/')}/v2/{segment(project_id)}"
        self._calls = Calls(session, root, auth, pace, deadline)

    def __repr__(self) -> str:
        return f"<Client {self._calls.root}>"

    @property
    def skew(self) -> timedelta:
        """How far the cloud's clock was ahead of ours at the last answer."""
        return self._calls.skew

    @property
    def stopped(self) -> Fault | None:
        """Why no further call is sent."""
        return self._calls.stopped

    def stop(self, because: Fault) -> None:
        """Let calls that have not been sent yet end with ``NotAsked``, whichever thread's."""
        self._calls.stop(because)

    def restores(
        self,
        instance_id: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        offset: int = 0,
        limit: int = 1000,
        known: str = "",
    ) -> Page[RestoreRecord]:
        """List an instance's restores, those in the cloud's window if asked (whole seconds).

        An answer whose digest is ``known`` already is left unread.
        """
        path = f"instances/{segment(instance_id)}/restores"
        window = {"begin_time": _stamp(begin), "end_time": _stamp(end)}
        query = {**window, "offset": offset, "limit": limit}
        return self._page(RESTORES, path, query, of_instance=True, known=known)

    def backups(
        self, instance_id: str, *, offset: int = 0, limit: int = 1000
    ) -> Page[BackupRecord]:
        """List an instance's backups."""
        path = f"instances/{segment(instance_id)}/backups"
        return self._page(BACKUPS, path, {"offset": offset, "limit": limit}, of_instance=True)

    def instances(
        self, *, status: str | None = None, offset: int = 0, limit: int = 1000
    ) -> Page[InstanceRecord]:
        """List the project's instances, those in one state if asked."""
        query = {"status": status, "offset": offset, "limit": limit}
        return self._page(INSTANCES, "instances", query)

    def restoring_count(self, deadline: float | None = None) -> int | None:
        """Count the project's instances in restore; None when the answer does not say."""
        answer = self._calls.answer("instances/status", {}, seconds=deadline)
        body = decoded(answer) if answer.status == 200 else None
        if not isinstance(body, dict):
            return None
        engines = (body.get("redis"), body.get("memcached"))
        counts = [values.count(e.get("restoring_count")) for e in engines if isinstance(e, dict)]
        known = [found for found in counts if found is not None]
        return sum(known) if known else values.count(body.get("restoring_count"))

    def _page(
        self,
        listing: Listing[R],
        path: str,
        query: Mapping[str, object],
        *,
        of_instance: bool = False,
        known: str = "",
    ) -> Page[R]:
        answer = self._calls.answer(path, query, of_instance=of_instance)
        at = told_at(answer)
        # With the status: a 200 without a body is no list, whatever was listed before.
        digest = hashlib.sha256(b"%d %b" % (answer.status, answer.body)).hexdigest()
        if answer.status == 204 or digest == known:
            same = digest == known
            return Page(rows=(), skipped=0, total=0, at=at, digest=digest, same=same)
        page = listing.page(decoded(answer), at)
        if page is None:
            raise bad_answer(answer, f"The answer is JSON but holds no {listing.rows}.")
        return replace(page, digest=digest)


def _stamp(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}" if moment else None
