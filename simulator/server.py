"""The simulated cloud as an HTTP server: in a thread for tests, or alone for the command."""

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .answers import Answer, Request, service_error
from .api import Api
from .connections import Server
from .control import Control
from .faults import Faults
from .querylog import Entry, QueryLog
from .world import World

Clock = Callable[[], datetime]


class Simulator:
    """A stand-in DCS and IAM on 127.0.0.1; a context manager that serves from a thread.

    ``born`` defaults to the last full hour; give the same one to carry on the same life.
    """

    def __init__(
        self,
        *,
        seed: int = 7,
        instances: int = 240,
        restores: int = 6000,
        born: datetime | None = None,
        clock: Clock | None = None,
        port: int = 0,
        token_life: timedelta = timedelta(hours=24),
    ) -> None:
        self.clock = clock or _utc_now
        hour = self.clock().replace(minute=0, second=0, microsecond=0)
        self.world = World(born=born or hour, seed=seed, instances=instances, restores=restores)
        self.faults = Faults(_names(self.world))
        self.log = QueryLog()
        self._api = Api(self.world, token_life)
        self._control = Control(self.world, self.faults, self.log)
        self._server = Server(("127.0.0.1", port), self._answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and break off what is still being answered."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes, client: str
    ) -> tuple[Answer, datetime]:
        """Answer a request, and say what the server's clock shows."""
        arrived, now = time.time(), self.clock()
        request = Request(method, target, headers, body, now, now)
        if target.startswith("/_"):
            return self._control.answer(request, client, self.url), now
        request.now += self.faults.skew(request)
        answer = self.faults.spoiled(request, self.faults.instead(request) or self._safe(request))
        url = urlsplit(target)
        self.log.add(
            Entry(
                at=arrived,
                method=method,
                path=url.path,
                query=url.query,
                status=answer.status,
                account=request.account,
            )
        )
        return answer, request.now

    def _safe(self, request: Request) -> Answer:
        try:
            return self._api.answer(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return service_error("DCS.5000")


def serve(simulator: Simulator, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` hears the URL once it answers."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with simulator:
        ready(simulator.url)
        stop.wait()


def _names(world: World) -> dict[str, frozenset[str]]:
    """Return the ids behind every name, for faults that speak of names."""
    places: dict[str, frozenset[str]] = {
        each.name: frozenset({each.project_id}) for each in world.projects
    }
    for instance in world.instances:
        places[instance.name] = places.get(instance.name, frozenset()) | {instance.instance_id}
    return places


def _utc_now() -> datetime:
    return datetime.now(UTC)
