"""What the pages of instances say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from restores.models import Instance, Restore
from restores.pages.lines import Line, line
from restores.pages.moments import Moment, moment
from restores.pages.standing import Standing, Trouble, instance_trouble, standing, trouble_of
from restores.querysets import InstanceQuerySet
from restores.timerange import instant

if TYPE_CHECKING:
    from restores.querysets import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """One line of the list of instances."""

    instance: Instance
    url: str
    standing: Standing
    own_trouble: Trouble | None
    next_look: Moment | None
    last: Line | None


def visible_instances(viewer: Viewer) -> InstanceQuerySet:
    """The instances a user may see, with all that a row of a page needs."""
    return Instance.objects.visible_to(viewer).select_related("project__account")


def instance_rows(instances: Iterable[Instance]) -> list[InstanceRow]:
    """Prepare the lines of one page; the newest restore of each comes in one query."""
    instances = list(instances)
    newest = _newest_restores(instances)
    return [
        InstanceRow(
            instance=instance,
            url=reverse("instance-detail", args=[instance.instance_id]),
            standing=standing(instance),
            own_trouble=trouble_of(instance),
            next_look=moment(instance.next_sync_at) if monitored(instance) else None,
            last=newest.get(instance.pk),
        )
        for instance in instances
    ]


def instance_json(instance: Instance) -> dict[str, Any]:
    """One instance for a twin; absent is null."""
    trouble = instance_trouble(instance)
    texts = ("engine", "spec", "az", "ip", "domain", "status")
    times = {
        "deleted_at": instance.deleted_at,
        "complete_to": instance.complete_to,
        "next_sync_at": instance.next_sync_at,
    }
    return {
        "instance_id": instance.instance_id,
        "instance_name": instance.name or None,
        "project": instance.project.name,
        "customer": instance.project.customer or None,
        "region": instance.project.region or None,
        **{name: getattr(instance, name) or None for name in texts},
        "restorable": not instance.single_node,
        "monitored": monitored(instance),
        **{name: at and instant(at) for name, at in times.items()},
        "fault": trouble and trouble.json(),
    }


def monitored(instance: Instance) -> bool:
    """Whether its restores are looked at."""
    return instance.project.monitored and not instance.deleted_at and not instance.single_node


def _newest_restores(instances: list[Instance]) -> dict[int, Line]:
    of_one = Restore.objects.filter(instance=OuterRef("pk")).order_by("-created_at", "-pk")
    newest = Instance.objects.filter(pk__in=[row.pk for row in instances]).annotate(
        newest=Subquery(of_one.values("pk")[:1])
    )
    found = Restore.objects.filter(pk__in=newest.values("newest")).select_related(
        "instance", "project"
    )
    return {restore.instance_id: line(restore) for restore in found}
