"""Read-only client of the DCS API."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlencode

import requests

from restores.dcs.auth import Auth, TokenAuth
from restores.dcs.errors import (
    DcsError,
    InvalidResponse,
    RequestSkipped,
    error_from,
    invalid_response,
)
from restores.dcs.http import Deadline, Response, new_session, send
from restores.dcs.records import (
    BACKUPS,
    INSTANCES,
    PAGE_LIMIT,
    RESTORES,
    BackupRecord,
    InstanceRecord,
    ListFormat,
    Page,
    RestoreRecord,
    parse_count,
)

__all__ = ["ApiClient", "Client", "PageLimit", "new_session"]

R = TypeVar("R")

# Tried in turn below a page limit that was refused.
_SMALLER_LIMITS = (500, 200, 100, 50, 20, 10, 5, 2, 1)
# How clouds refuse a parameter: Bad Request, Content Too Large, Unprocessable Content.
_REFUSED_PARAMETER = (400, 413, 422)
_MAX_PAGES = 50
_MAX_ROWS_OF_SMALL_PAGES = 5000


class PageLimit:
    """How many rows a cloud returns at most per page, learned once from its refusals.

    The API reference allows 1000, but some clouds accept only 100, 50 or 10. The calls of one
    service of one account share it.
    """

    rows = PAGE_LIMIT


def max_pages(limit: int) -> int:
    """Return the number of pages of ``limit`` rows after which a list counts as endless."""
    return max(_MAX_PAGES, _MAX_ROWS_OF_SMALL_PAGES // limit)


class ApiClient:
    """Authenticated GET requests below one URL.

    ``rate_limiter`` is called before every request, retries and logins included, and may block.
    Apart from that, each call takes at most ``timeout`` seconds.
    """

    # How far the provider's clock was ahead of ours at the last response.
    clock_skew = timedelta()
    # Why no further request is sent.
    stopped: DcsError | None = None

    def __init__(
        self,
        session: requests.Session,
        root: str,
        auth: Auth,
        rate_limiter: Callable[[], None],
        timeout: float = 20.0,
        page_limit: PageLimit | None = None,
    ) -> None:
        self._session = session
        self._root = root.rstrip("/")
        self._auth = auth
        self._rate_limiter = rate_limiter
        self._timeout = timeout
        self._page_limit = page_limit or PageLimit()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._root}>"

    def stop(self, reason: DcsError) -> None:
        """Make all calls that have not been sent yet, in any thread, raise RequestSkipped."""
        self.stopped = reason

    def get(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        of_instance: bool = False,
        timeout: float | None = None,
    ) -> Response:
        """Send a GET request; raise a DcsError unless the response is 200 or 204.

        Parameters that are None are left out. ``of_instance``: the path is that of one instance.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        query = urlencode(given, quote_via=quote, errors="replace")
        url = f"{self._root}/{path}?{query}" if query else f"{self._root}/{path}"
        deadline = Deadline(timeout or self._timeout)
        response = self._send(url, deadline)
        if response.status not in (200, 204):
            raise error_from(response, of_instance=of_instance, secrets=self._auth.secrets)
        return response

    def get_page(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        size: str = "limit",
        of_instance: bool = False,
    ) -> tuple[Response, int]:
        """Send a GET request for a page of a list, with the page limit in the parameter ``size``.

        Returns the response and the limit. A limit that is refused is lowered for all later calls.
        """

        def get(rows: int) -> Response:
            return self.get(path, {**(params or {}), size: rows}, of_instance=of_instance)

        limit = self._page_limit.rows
        try:
            return get(limit), limit
        except InvalidResponse as error:
            if error.status not in _REFUSED_PARAMETER or limit == 1:
                raise
            refusal = error
        try:
            get(1)
        except InvalidResponse:
            raise refusal from None  # not because of the limit
        for rows in _SMALLER_LIMITS:
            if rows < limit:
                with suppress(InvalidResponse):
                    response = get(rows)
                    self._page_limit.rows = min(rows, self._page_limit.rows)
                    return response, rows
        raise refusal

    def _send(self, url: str, deadline: Deadline) -> Response:
        build_request = partial(self._request, url)
        token_auth = self._auth if isinstance(self._auth, TokenAuth) else None
        if token_auth:
            token_auth.ensure_token(self._wait, deadline)
        response = send(self._session, build_request, self._wait, deadline)
        self.clock_skew = response.clock_skew
        if token_auth and response.status == 401:
            token_auth.renew_token(response.request, self._wait, deadline)
            response = send(self._session, build_request, self._wait, deadline)
            self.clock_skew = response.clock_skew
        return response

    def _wait(self) -> None:
        if not self.stopped:
            self._rate_limiter()
        if self.stopped:  # perhaps by another thread, while we waited
            raise RequestSkipped(self.stopped)

    def _request(self, url: str) -> requests.PreparedRequest:
        headers = {"Content-Type": "application/json"}
        request = requests.Request("GET", self._root, headers=headers).prepare()
        # Set afterwards: preparing decodes %2E, so the id ".." would become another path.
        request.url = url
        request = self._auth(request)
        # Not signed, because proxies may rewrite these.
        request.headers.update({"Accept-Encoding": "gzip", "User-Agent": "dcs-restores"})
        return request


class Client(ApiClient):
    """The DCS API of one project."""

    def __init__(
        self,
        session: requests.Session,
        endpoint: str,
        project_id: str,
        auth: Auth,
        rate_limiter: Callable[[], None],
        timeout: float = 20.0,
        page_limit: PageLimit | None = None,
    ) -> None:
        root = f"{endpoint.rstrip('/')}/v2/{_path_segment(project_id)}"
        super().__init__(session, root, auth, rate_limiter, timeout, page_limit)

    def restores(
        self,
        instance_id: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        offset: int = 0,
        known_digest: str = "",
    ) -> Page[RestoreRecord]:
        """List an instance's restores, optionally only those from ``begin`` to ``end``.

        Times are sent in whole seconds and UTC. The API reference doesn't say which of a record's
        times they apply to, nor whether they are inclusive, nor in which order records come. A
        response with the ``known_digest`` is not parsed: its page is ``unchanged``.

        Source: DCS API Reference, ListRestoreRecords.
        """
        params = {
            "begin_time": _api_time(begin),
            "end_time": _api_time(end),
            "offset": offset,
        }
        path = f"instances/{_path_segment(instance_id)}/restores"
        return self._list(RESTORES, path, params, of_instance=True, known_digest=known_digest)

    def backups(self, instance_id: str, *, offset: int = 0) -> Page[BackupRecord]:
        """List an instance's backups.

        Source: DCS API Reference, ListBackupRecords.
        """
        path = f"instances/{_path_segment(instance_id)}/backups"
        return self._list(BACKUPS, path, {"offset": offset}, of_instance=True)

    def instances(self, *, status: str | None = None, offset: int = 0) -> Page[InstanceRecord]:
        """List the project's instances, optionally only those with one status.

        Source: DCS API Reference, ListInstances.
        """
        params = {"status": status, "offset": offset}
        return self._list(INSTANCES, "instances", params)

    def restoring_count(self, timeout: float | None = None) -> int | None:
        """Count the project's instances that are being restored; None if the response doesn't say.

        Source: DCS API Reference, ListNumberOfInstancesInDifferentStatus; counts are per engine.
        """
        response = self.get("instances/status", timeout=timeout)
        body = response.json() if response.status == 200 else None
        if not isinstance(body, dict):
            return None
        engines = [body.get("redis"), body.get("memcached")]
        found = [parse_count(e.get("restoring_count")) for e in engines if isinstance(e, dict)]
        counts = [count for count in found if count is not None]
        return sum(counts) if counts else parse_count(body.get("restoring_count"))

    def _list(
        self,
        list_format: ListFormat[R],
        path: str,
        params: Mapping[str, object],
        *,
        of_instance: bool = False,
        known_digest: str = "",
    ) -> Page[R]:
        response, limit = self.get_page(path, params, of_instance=of_instance)
        # With the status: an empty body means "no records" with 204, but nothing with 200.
        digest = hashlib.sha256(b"%d %b" % (response.status, response.body)).hexdigest()
        if response.status == 204 or digest == known_digest:
            return Page(
                rows=(),
                skipped=0,
                total=0,
                server_time=response.server_time,
                sent_at=response.sent_at,
                received_at=response.received_at,
                digest=digest,
                unchanged=digest == known_digest,
                limit=limit,
            )
        page = list_format.parse_page(
            response.json(), response.server_time, our_time=response.received_at
        )
        if page is None:
            message = f"The response’s JSON has no {list_format.rows_key}."
            raise invalid_response(response, message)
        return replace(
            page,
            digest=digest,
            limit=limit,
            sent_at=response.sent_at,
            received_at=response.received_at,
        )


def _path_segment(value: str) -> str:
    """Quote an id so that it stays one segment of the path, whatever it contains."""
    quoted = quote(value, safe="", errors="replace")
    return quoted.replace(".", "%2E") if value in (".", "..") else quoted


def _api_time(time: datetime | None) -> str | None:
    return f"{time.astimezone(UTC):%Y%m%d%H%M%S}" if time else None
