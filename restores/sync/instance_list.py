"""How a project's instances are asked for, so that absence from the list means something."""

from __future__ import annotations

from dataclasses import dataclass

from restores.dcs.client import Client
from restores.dcs.records import InstanceRecord

_PAGE = 1000
_MOST_PAGES = 50
_OVERLAP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceList:
    """The instances that were listed, each once; ``flaw`` says why others may be missing.

    ``atomic``: in one answer. Pages shift while instances come and go, so absence from several
    means little, and only absence from two lists in a row something.
    """

    records: tuple[InstanceRecord, ...]
    atomic: bool
    flaw: str = ""


def all_instances(client: Client, status: str | None = None) -> InstanceList:
    """List the project's instances, page by page, those in one state if asked.

    Pages overlap: what shifts while we read shows at their edges.
    """
    found: dict[str, InstanceRecord] = {}
    tail: list[str] = []
    start = skipped = pages = 0
    flaw = f"it does not end within {_MOST_PAGES} pages"
    shifted = ""
    while pages < _MOST_PAGES:
        pages += 1
        page = client.instances(status=status, offset=start, limit=_PAGE)
        ids, known = [record.instance_id for record in page.rows], len(found)
        if ids[: len(tail)] != tail:
            shifted = "it changed while it was read"
        found |= {record.instance_id: record for record in page.rows}
        skipped += page.skipped
        start += len(ids) + page.skipped
        if page.total is None or start >= page.total or len(found) == known:
            flaw = shifted or _flaw(page.total, len(found), skipped)
            break
        tail = ids[max(len(ids) - _OVERLAP, (len(ids) + 1) // 2) :]
        start -= len(tail)
    return InstanceList(records=tuple(found.values()), atomic=pages == 1, flaw=flaw)


def _flaw(total: int | None, found: int, skipped: int) -> str:
    if total != found + skipped:
        said = "unreadable" if total is None else total
        return f"instance_num is {said}, and {found + skipped} came"
    return f"{skipped} came without a usable instance_id" if skipped else ""
