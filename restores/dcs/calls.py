"""Authenticated GETs under one address, and what their answers say besides their body."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, runtime_checkable
from urllib.parse import quote, urlencode

import requests
from requests.auth import AuthBase

from restores.dcs import clocks, values
from restores.dcs.faults import Fault, NotAsked
from restores.dcs.refusals import bad_answer, fault_from
from restores.dcs.sessions import Deadline
from restores.dcs.transport import Answer, exchange


@runtime_checkable
class Renewable(Protocol):
    """An authentication that is got from the cloud and can be got again."""

    def ready(self, pace: Callable[[], None], deadline: Deadline) -> None: ...

    def renew(
        self, refused: requests.PreparedRequest, pace: Callable[[], None], deadline: Deadline
    ) -> None: ...


class Calls:
    """GETs under ``root``, each within ``seconds`` besides waiting in ``pace``.

    ``skew`` is how far the cloud's clock was ahead of ours at the last answer.
    """

    def __init__(
        self,
        session: requests.Session,
        root: str,
        auth: AuthBase,
        pace: Callable[[], None],
        seconds: float,
    ) -> None:
        self.root = root
        self.skew = timedelta()
        self._session = session
        headers = {"Content-Type": "application/json"}
        self._blank = requests.Request("GET", root, headers=headers).prepare()
        self._auth = auth
        self._renewable = auth if isinstance(auth, Renewable) else None
        self._wait = pace
        self._seconds = seconds
        self.stopped: Fault | None = None

    def stop(self, because: Fault) -> None:
        """Let calls that have not been sent yet end with ``NotAsked``, whichever thread's."""
        self.stopped = because

    def answer(
        self,
        path: str,
        query: Mapping[str, object],
        *,
        of_instance: bool = False,
        seconds: float | None = None,
    ) -> Answer:
        """Ask, if need be within other ``seconds``; any answer but 200 and 204 is its fault."""
        asked = {name: value for name, value in query.items() if value is not None}
        encoded = urlencode(asked, quote_via=quote, errors="replace")
        url = f"{self.root}/{path}" + (f"?{encoded}" if encoded else "")
        answer = self._exchanged(url, Deadline(seconds or self._seconds))
        if answer.status not in (200, 204):
            hidden = getattr(self._auth, "hidden", ())
            raise fault_from(answer, of_instance=of_instance, hidden=hidden)
        return answer

    def _exchanged(self, url: str, deadline: Deadline) -> Answer:
        send = partial(exchange, self._session, partial(self._request, url), self._pace, deadline)
        if not self._renewable:
            return self._timed(send())
        self._renewable.ready(self._pace, deadline)
        answer = self._timed(send())
        if answer.status == 401:
            self._renewable.renew(answer.request, self._pace, deadline)
            answer = self._timed(send())
        return answer

    def _pace(self) -> None:
        if not self.stopped:
            self._wait()
        if self.stopped:
            raise NotAsked(self.stopped)

    def _timed(self, answer: Answer) -> Answer:
        self.skew = clocks.skew(answer.headers.get("Date"))
        return answer

    def _request(self, url: str) -> requests.PreparedRequest:
        request = self._blank.copy()
        # Set late, because preparing decodes %2E and so would make ".." of an id a path of its own.
        request.url = url
        request = self._auth(request)
        # After signing, because proxies on the way may rewrite these.
        request.headers.update({"Accept-Encoding": "gzip", "User-Agent": "dcs-restores"})
        return request


def segment(value: str) -> str:
    """Quote an id so that it stays one segment of a path, whatever it holds."""
    quoted = quote(value, safe="", errors="replace")
    return quoted.replace(".", "%2E") if value in (".", "..") else quoted


def decoded(answer: Answer) -> object:
    """Read an answer's body as JSON; anything else is a bad answer."""
    try:
        # NaN and Infinity are not JSON; as words they stay storable and read as no number.
        return json.loads(answer.body, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise bad_answer(answer, "The answer is not JSON.") from error


def told_at(answer: Answer) -> datetime:
    """Tell when the cloud gave the answer, by its own clock if it says so."""
    return values.http_date(answer.headers.get("Date")) or datetime.now(UTC)
