"""What the bench asks of a list, spelled for us and for the rivals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from bench.pages.history import ASOF, BASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Parameters that everybody reads; ``admin`` are the same as the admin spells them."""

    name: str
    params: dict[str, str]
    admin: dict[str, str] | None = None

    @property
    def query(self) -> str:
        """The parameters as a query string, as we write it."""
        return "?" + urlencode(self.params, safe=":/,") if self.params else ""


def questions(rows: int) -> list[Question]:
    """Every view that must not grow with the table."""
    day = _window(BASE - timedelta(days=400), timedelta(days=30))
    hour = _window(BASE - timedelta(days=400), timedelta(hours=1))
    instance = "00000007-0000-4000-8000-000000000000"
    month = {"created_at__gte": day["from"], "created_at__lt": day["to"]}
    return [
        Question(name="first page", params={}, admin={}),
        Question(name="status", params={"status": "failed"}, admin={"status": "failed"}),
        Question(name="date + status", params={"status": "failed"} | day,
                 admin={"status__exact": "failed"} | month),
        Question(name="project", params={"project": "bench-2"}),
        Question(name="instance", params={"instance": instance}),
        Question(name="code", params={"code": "dcs.08.0007"}),
        Question(name="in progress during an hour", params={"on": "running"} | hour),
        Question(name="rare text", params={"q": f"{rows // 2:08}"}, admin={"q": f"{rows // 2:08}"}),
        Question(name="common text", params={"q": "maintenance"}),
        Question(name="text of 2 characters", params={"q": "ab"}),
    ]  # fmt: skip


def past() -> str:
    """The first page as of three months before the newest restore."""
    return f"?asof={ASOF:%Y-%m-%dT%H:%M:%SZ}"


def _window(start: object, length: timedelta) -> dict[str, str]:
    edges = {"from": start, "to": start + length}  # type: ignore[operator]
    return {name: f"{edge:%Y-%m-%dT%H:%M:%SZ}" for name, edge in edges.items()}
