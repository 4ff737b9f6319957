"""Accounts of the projects file: clients for their projects, and discovery of more projects."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from restores.dcs import config
from restores.dcs.auth import Auth
from restores.dcs.client import ApiClient, Client, PageLimit, new_session
from restores.dcs.errors import DcsError, InvalidResponse
from restores.dcs.iam import accessible_projects
from restores.log_ids import new_sync_id
from restores.models import Account, Project
from restores.sync import call_counts, inventory, results, scheduling
from restores.sync.rate_limit import RateLimiter

logger = logging.getLogger(__name__)

_DEADLINE = 20.0  # seconds for one call, not counting waits for the rate limit
_DISCOVERY_INTERVAL = timedelta(hours=1)
_DISCOVERY_RETRY = timedelta(minutes=5)


class AccountClient:
    """An account of the projects file, with its HTTP session and its credential."""

    def __init__(self, account: config.AccountConfig, named: Collection[str] = ()) -> None:
        self.config = account
        # The ids of the projects that the file itself names at this endpoint.
        self.named = frozenset(named)
        self._session = new_session(
            account.proxy, account.ca_file, partial(call_counts.count, account.name)
        )
        self._auth: dict[str, Auth] = {}
        self._page_limit, self._iam_page_limit = PageLimit(), PageLimit()

    def client(self, project: Project, expected_calls: int = 0) -> Client:
        """Return a client for a project that will make about ``expected_calls``."""
        if project.project_id not in self._auth:
            credentials = self.config.credentials
            self._auth[project.project_id] = credentials.auth(self._session, project.project_id)
        return Client(
            self._session,
            self.config.endpoint,
            project.project_id,
            self._auth[project.project_id],
            RateLimiter(project.account_id, self.config.rate, expected_calls),
            _DEADLINE,
            self._page_limit,
        )

    def iam(self, account: Account) -> ApiClient:
        """Return calls to the account's IAM, which are not scoped to a project."""
        discovery = self.config.discovery
        auth = self._auth.setdefault("", self.config.credentials.auth(self._session, ""))
        root = discovery.iam_endpoint if discovery else self.config.endpoint
        limiter = RateLimiter(account.pk, self.config.rate)
        return ApiClient(self._session, root, auth, limiter, _DEADLINE, self._iam_page_limit)


class _Loaded:
    """The projects file as this process last read it, and the versions of its files then."""

    path: Path | None = None
    files: tuple[Path, ...] = ()
    versions: tuple[tuple[int, ...], ...] = ()
    accounts: dict[str, AccountClient] = {}
    error = ""


def load_accounts() -> dict[str, AccountClient]:
    """Return the accounts by name; the file and its secrets are read again after a change.

    A changed file that is invalid leaves the accounts as they were. Raises ``ConfigError`` when
    this process has read no valid file yet.
    """
    path = Path(settings.DCS_PROJECTS or "projects.toml")
    known = _Loaded.path == path
    if known and _Loaded.versions == _versions(_Loaded.files):
        return _Loaded.accounts
    try:
        _load(path)
    except config.ConfigError as error:
        if not known:
            raise
        if str(error) != _Loaded.error:
            logger.error("The projects file is invalid; keeping the previous one: %s", error)
        _Loaded.error = str(error)
    return _Loaded.accounts


def due_for_discovery(accounts: Mapping[str, AccountClient], now: datetime) -> QuerySet[Account]:
    """Return accounts whose projects are to be discovered now, and that are not paused."""
    names = [name for name, account in accounts.items() if account.config.discovery]
    return Account.objects.filter(
        Q(next_discovery_at=None) | Q(next_discovery_at__lte=now),
        scheduling.account_available(now, now + scheduling.MAX_PROJECT_WAIT),
        name__in=names,
    )


def discover(
    accounts: Mapping[str, AccountClient], now: datetime
) -> Iterator[tuple[str, DcsError | None]]:
    """Discover the projects of due accounts; yield each account's name and its error, if any."""
    for account in due_for_discovery(accounts, now):
        due = due_for_discovery(accounts, now).filter(pk=account.pk)
        # Moving the time ahead claims the account; this is also the next attempt.
        if due.update(next_discovery_at=now + _DISCOVERY_RETRY):
            yield account.name, _discover(account, accounts[account.name])


@new_sync_id()
def _discover(account: Account, client: AccountClient) -> DcsError | None:
    try:
        found = accessible_projects(client.iam(account), client.config.endpoint)
        doubt = inventory.register_discovered(account, client.config, client.named, found)
        if doubt or not found:
            raise InvalidResponse(doubt or "IAM lists no project that this credential can access.")
    except DcsError as error:
        results.discovery_failed(account, error, datetime.now(UTC))
        return error
    results.discovery_succeeded(account, datetime.now(UTC) + _DISCOVERY_INTERVAL)
    return None


def _load(path: Path) -> None:
    files = (path, *sorted(config.secret_files(path)))
    # Taken first: a file that changes while it is read is read again.
    versions = _versions(files)
    projects = config.load(path, os.environ)
    inventory.register_projects(projects)
    _Loaded.path, _Loaded.files, _Loaded.versions, _Loaded.error = path, files, versions, ""
    _Loaded.accounts = {
        name: AccountClient(
            account,
            named=[
                project.project_id
                for project in projects.projects.values()
                if project.account.endpoint == account.endpoint
            ],
        )
        for name, account in projects.accounts.items()
    }


def _versions(files: Iterable[Path]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(_version, files))


def _version(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except OSError:
        return ()
    # A tool that replaces a file may keep its modification time.
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size
