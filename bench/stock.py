"""Pages that the product is compared with: stock ones, and the same rows as plain JSON.

A stock page follows django-tables2's manual: one COUNT, fifty rows. The JSON is the floor: no page
of these rows can be much faster.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.http import HttpRequest, JsonResponse, QueryDict
from django.urls import path
from django_tables2 import SingleTableView

from dashboard.urls import handler400 as handler400
from dashboard.urls import handler500 as handler500
from dashboard.urls import urlpatterns as product
from restores.filters.cursors import Cursor
from restores.keyset import first_pairs
from restores.models import Instance, Observation, Project, Restore

SIZE = 50
FILTERS = {
    "status": "status",
    "instance": "instance__instance_id",
    "project": "project__name",
}
TIMES = {
    "created": "created_at",
    "ended": "ended_at",
    "changed": "observations__recorded_at",
}


def narrowed(rows: QuerySet[Restore], params: QueryDict) -> QuerySet[Restore]:
    """The restores that the product's list has for this query string, in the same order."""
    for name, lookup in FILTERS.items():
        if value := params.get(name):
            rows = rows.filter(**{lookup: value})
    if text := params.get("q"):
        rows = rows.filter(Q(search__icontains=text) | Q(instance__search__icontains=text))
    if "from" in params:
        column = TIMES[params.get("on", "created")]
        begin, end = (datetime.fromisoformat(params[name]) for name in ("from", "to"))
        rows = rows.filter(**{f"{column}__gte": begin, f"{column}__lt": end})
        if column == TIMES["changed"]:
            rows = rows.distinct()
    if "asof" in params:
        rows = rows.filter(first_seen_at__lte=datetime.fromisoformat(params["asof"]))
    if params.get("sort") == "instance":
        return rows.order_by("instance__name", "pk")
    return rows.order_by(f"-{_sorted_by(params)}", "-pk")


def _sorted_by(params: QueryDict) -> str:
    return "ended_at" if params.get("on") == "ended" else "created_at"


def instances(request: HttpRequest) -> QuerySet[Instance]:
    """The instances of the product's list with the same query string, in the same order."""
    rows = _visible(request, Instance.objects.all())
    if project := request.GET.get("project"):
        rows = rows.filter(project__name=project)
    return rows.order_by("name", "pk")


def _visible(request: HttpRequest, rows: Any, path: str = "project__") -> Any:
    if request.user.is_superuser:
        return rows
    return rows.filter(**{f"{path}memberships__user": request.user})


class RestoreTable(tables.Table):
    class Meta:
        model = Restore
        fields = (
            *("created_at", "status", "instance", "error_code", "progress", "duration"),
            *("recovered_at", "backup_taken_at", "project"),
        )
        row_attrs = {"data-id": lambda record: record.restore_id}
        # By default it would sort again by "sort", and not break ties.
        order_by_field = "order"


class InstanceTable(tables.Table):
    class Meta:
        model = Instance
        fields = ("name", "instance_id", "project", "engine", "status", "complete_to")
        row_attrs = {"data-id": lambda record: record.instance_id}


class StockView(SingleTableView):
    template_name = "stock.html"
    table_pagination = {"per_page": SIZE}


class RestoreList(StockView):
    table_class = RestoreTable

    def get_queryset(self) -> QuerySet[Restore]:
        rows = _visible(self.request, Restore.objects.all())
        return narrowed(rows, self.request.GET).select_related("instance", "project")


class InstanceList(StockView):
    table_class = InstanceTable

    def get_queryset(self) -> QuerySet[Instance]:
        return instances(self.request).select_related("project")


class SyncStatus(InstanceList):
    def get_queryset(self) -> QuerySet[Instance]:
        return super().get_queryset().problems_first()


def restores_floor(request: HttpRequest) -> JsonResponse:
    """One page of restores, found by the key of the row before it, and by indexes only."""
    params, rows = request.GET.copy(), Restore.objects.all()
    projects = _visible(request, Project.objects.all(), "")
    keys = None if request.user.is_superuser else list(projects.values_list("pk", flat=True))
    if names := params.pop("project", []):
        keys = list(Project.objects.filter(name__in=names).values_list("pk", flat=True))
    if keys is not None:
        rows = rows.filter(project__in=keys)
    if ids := params.pop("instance", []):
        rows = rows.filter(instance=Instance.objects.get(instance_id__in=ids))
    if statuses := params.pop("status", []):
        rows = rows.in_status(statuses)
    if after := params.get("after"):
        last = Cursor.decode(after)
        same = Q(created_at=last.value, pk__lt=last.pk)
        rows = rows.filter(Q(created_at__lt=last.value) | same)
    rows = narrowed(rows, params)
    if ids or "sort" in params:
        found = list(rows.values_list("pk", flat=True)[:SIZE])
    else:
        found = [pk for _, pk in first_pairs(rows, f"-{_sorted_by(params)}", SIZE, keys)]
    shown = Restore.objects.filter(pk__in=found).values(
        *("pk", "restore_id", "created_at", "ended_at", "status", "error_code", "progress"),
        *("duration", "recovered_at", "backup_taken_at", "project__name", "project__customer"),
        *("instance__instance_id", "instance__name"),
    )
    by_key = {row["pk"]: row for row in shown}
    return JsonResponse({"restores": [by_key[pk] for pk in found]})


def restore_floor(request: HttpRequest, restore_id: str) -> JsonResponse:
    """One restore with its observations."""
    found = _visible(request, Restore.objects.filter(restore_id=restore_id)).values().get()
    seen = Observation.objects.filter(restore=found["id"]).order_by("seen_at").values()
    return JsonResponse({**found, "observations": list(seen)})


def instances_floor(request: HttpRequest, *, problems_first: bool = False) -> JsonResponse:
    """The first page of instances."""
    rows = instances(request)
    shown = (rows.problems_first() if problems_first else rows).values(
        *("instance_id", "name", "engine", "status", "complete_to"),
        *("project__name", "project__customer"),
    )
    return JsonResponse({"instances": list(shown[:SIZE])})


urlpatterns = [
    path("stock/restores/", RestoreList.as_view()),
    path("stock/instances/", InstanceList.as_view()),
    path("stock/sync-status/", SyncStatus.as_view()),
    path("floor/restores/", restores_floor),
    path("floor/restores/<str:restore_id>/", restore_floor),
    path("floor/instances/", instances_floor),
    path("floor/sync-status/", instances_floor, {"problems_first": True}),
    *product,
]
