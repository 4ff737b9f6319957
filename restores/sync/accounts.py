"""Clients for the projects of the projects file, paced by the account's slots."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from restores.dcs import config
from restores.dcs.auth import Auth
from restores.dcs.client import ApiClient, Client, new_session
from restores.dcs.errors import DcsError, InvalidResponse
from restores.dcs.iam import accessible_projects
from restores.models import Account, Project
from restores.sync import inventory, results, scheduling
from restores.sync.rate_limit import Pace

logger = logging.getLogger(__name__)

_DEADLINE = 20.0  # seconds for one call, besides waiting for its slot


class Cloud:
    """An account as the file describes it, with its session and its credential."""

    def __init__(self, account: config.AccountConfig, named: Collection[str] = ()) -> None:
        self.account = account
        # The ids of the projects that the file itself names at this endpoint.
        self.named = frozenset(named)
        self._session = new_session()
        self._auth: dict[str, Auth] = {}

    def client(self, project: Project, expected: int = 0) -> Client:
        """Return a client for a project that is to make about ``expected`` calls."""
        if project.project_id not in self._auth:
            credentials = self.account.credentials
            self._auth[project.project_id] = credentials.auth(self._session, project.project_id)
        return Client(
            self._session,
            self.account.endpoint,
            project.project_id,
            self._auth[project.project_id],
            Pace(project.account_id, self.account.rate, expected),
            _DEADLINE,
        )

    def iam(self, account: Account) -> ApiClient:
        """Return what asks the account's IAM, under no project in particular."""
        discovery = self.account.discovery
        auth = self._auth.setdefault("", self.account.credentials.auth(self._session, ""))
        root = discovery.iam_endpoint if discovery else self.account.endpoint
        return ApiClient(self._session, root, auth, Pace(account.pk, self.account.rate), _DEADLINE)


class _Current:
    """The projects file as last read by this process, and when it and its secrets had changed."""

    path: Path | None = None
    files: tuple[Path, ...] = ()
    stamp: tuple[int, ...] = ()
    clouds: dict[str, Cloud] = {}
    complaint = ""


def current_clouds() -> dict[str, Cloud]:
    """Return the accounts' clouds by name; file and secrets are read again when one has changed.

    What was good stays in use while what has come instead cannot be. Raises ``ConfigError`` when
    this process has read nothing good so far.
    """
    path = Path(settings.DCS_PROJECTS or "projects.toml")
    known = _Current.path == path
    if known and _Current.stamp == _stamp(_Current.files):
        return _Current.clouds
    try:
        _read(path)
    except config.ConfigError as error:
        if not known:
            raise
        if str(error) != _Current.complaint:
            logger.error("Kept the accounts as they were: %s", error)
        _Current.complaint = str(error)
    return _Current.clouds


def _read(path: Path) -> None:
    files = (path, *sorted(config.secret_files(path)))
    # Taken before: what changes while it is read is read again.
    stamp = _stamp(files)
    projects = config.load(path, os.environ)
    inventory.enrol(projects)
    _Current.path, _Current.files, _Current.stamp, _Current.complaint = path, files, stamp, ""
    _Current.clouds = {
        name: Cloud(account, _named(projects, account.endpoint))
        for name, account in projects.accounts.items()
    }


def _stamp(files: Iterable[Path]) -> tuple[int, ...]:
    return tuple(map(_changed, files))


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _named(projects: config.ProjectsFile, endpoint: str) -> set[str]:
    sections = projects.projects.values()
    return {each.project_id for each in sections if each.account.endpoint == endpoint}


_EVERY = timedelta(hours=1)
_AGAIN = timedelta(minutes=5)


def due_accounts(clouds: Mapping[str, Cloud], now: datetime) -> QuerySet[Account]:
    """Accounts whose projects are to be found, and that do not rest."""
    names = [name for name, cloud in clouds.items() if cloud.account.discovery]
    return Account.objects.filter(
        Q(next_discovery_at=None) | Q(next_discovery_at__lte=now),
        *scheduling.open_accounts(now + scheduling.PROJECT_PATIENCE, now, ""),
        name__in=names,
    )


def discover(clouds: Mapping[str, Cloud], now: datetime) -> Iterator[tuple[str, DcsError | None]]:
    """Find the projects of the accounts that are due; yield their names, and faults if any."""
    for account in due_accounts(clouds, now):
        mine = due_accounts(clouds, now).filter(pk=account.pk)
        # Whoever moves the time ahead has the account; when it fails, it is tried again by then.
        if mine.update(next_discovery_at=now + _AGAIN):
            yield account.name, _discovered(account, clouds[account.name])


def _discovered(account: Account, cloud: Cloud) -> DcsError | None:
    try:
        found = accessible_projects(cloud.iam(account), cloud.account.endpoint)
        if flaw := inventory.enrol_found(account, cloud.account, cloud.named, found):
            raise InvalidResponse(flaw)
    except DcsError as fault:
        results.discovery_failed(account, fault, datetime.now(UTC))
        return fault
    results.discovery_proven(account, datetime.now(UTC) + _EVERY)
    return None
