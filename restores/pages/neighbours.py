"""Other restores beside the one on the page: of its instance, and from its backup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

from restores.beside import beside
from restores.models import Restore
from restores.pages.freshness import READ
from restores.pages.instance import list_of
from restores.pages.lines import Line, lines
from restores.past import Past, past_of
from restores.querysets import RestoreQuerySet
from restores.snapshots import as_of

if TYPE_CHECKING:
    from restores.querysets import Viewer

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A few lines, how many there are with this one in all, and the list of them."""

    lines: list[Line]
    total: int
    url: str


def same_instance(restore: Restore, viewer: Viewer, now: datetime, past: Past | None) -> Neighbours:
    """The newest restores of the same instance, this one among them if it is that new."""
    rows = _visible(viewer).filter(instance=restore.instance_id)
    return _neighbours(rows, list_of(restore.instance), now, past)


def same_backup(restore: Restore, viewer: Viewer, now: datetime, past: Past | None) -> Neighbours:
    """Other restores from the same backup, whichever instance they went to."""
    rows = _visible(viewer).filter(backup_id=restore.backup_id)
    if not restore.backup_id:
        rows = rows.none()
    params = urlencode({"ids": restore.backup_id}, safe=":/,")
    return _neighbours(rows, f"{reverse('restore-list')}?{params}", now, past, without=restore.pk)


def _visible(viewer: Viewer) -> RestoreQuerySet:
    return Restore.objects.visible_to(viewer).select_related(*READ)


def _neighbours(
    rows: RestoreQuerySet, url: str, now: datetime, past: Past | None, without: int = 0
) -> Neighbours:
    if past:
        past = past_of(rows, past.asof)
        rows = as_of(rows, past)
    newest = beside(list(rows.exclude(pk=without).newest_first()[:SHOWN]), past)
    return Neighbours(lines=lines([one.then for one in newest], now), total=rows.count(), url=url)
