"""Which restores changed within a window, whatever has become of them since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

# Of windows this long so many rows fit that walking the newest finds a page of them at once.
_WIDE = timedelta(days=31)


def changed_between(rows: QuerySet[Any, Any], start: datetime, end: datetime) -> Q:
    """That a restore was seen to begin, move on or end within ``start <= t < end``.

    Of other changes, such as a remark's, only the last is known.
    """
    observations = apps.get_model("restores", "Observation")._base_manager
    seen = observations.filter(recorded_at__gte=start, recorded_at__lt=end)
    if end - start > _WIDE:
        lasted = Q(first_seen_at__lt=end, changed_at__gte=start)
        within = Q(changed_at__lt=end) | Q(Exists(seen.filter(restore=OuterRef("pk"))))
        return lasted & within
    last = rows.filter(changed_at__gte=start, changed_at__lt=end)
    return Q(pk__in=last.values("pk").union(seen.values("restore_id")))
