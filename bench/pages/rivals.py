"""Pages as others make them, over the same rows: a stock table, Django's admin, bare JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_tables2 as tables
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django_tables2 import LazyPaginator, SingleTableView

from dashboard.urls import urlpatterns as ours
from restores.models import Restore
from restores.statuses import FINAL

_FIELDS = (
    "created_at", "status", "instance", "error_code", "progress", "duration", "recovered_at",
    "backup_taken_at", "project",
)  # fmt: skip
_TEXT = ("search", "instance__search")
_JSON = ("pk", "restore_id", "status", "progress", "error_code", "created_at", "ended_at",
         "duration", "recovered_at", "backup_taken_at", "instance__name")  # fmt: skip


def narrowed(params: Any) -> QuerySet[Restore]:
    """The rows that the parameters ask for, in the plain words of the ORM, newest first."""
    rows = Restore.objects.order_by("-created_at", "-pk").select_related("instance", "project")
    for name, column in {"status": "status", "instance": "instance__instance_id",
                         "project": "project__name", "code": "error_code"}.items():  # fmt: skip
        if value := params.get(name):
            rows = rows.filter(**{column: value})
    if word := params.get("q"):
        rows = rows.filter(Q(search__icontains=word) | Q(instance__search__icontains=word))
    if "from" not in params:
        return rows
    start, end = (datetime.fromisoformat(params[name]) for name in ("from", "to"))
    if params.get("on") != "running":
        return rows.filter(created_at__gte=start, created_at__lt=end)
    lasting = Q(ended_at__gt=start) | Q(created_at__gte=start) | ~Q(status__in=FINAL)
    return rows.filter(lasting, created_at__lt=end)


class StockTable(tables.Table):
    class Meta:
        model = Restore
        fields = _FIELDS
        row_attrs = {"data-pk": lambda record: record.pk}


class StockView(SingleTableView):
    """A table of django-tables2 as its manual has it: one COUNT, fifty rows."""

    table_class = StockTable
    template_name = "stock.html"
    table_pagination = {"per_page": 50}

    def get_queryset(self) -> QuerySet[Restore]:
        return narrowed(self.request.GET)


class LazyView(StockView):
    """The same without any COUNT: it walks the newest rows."""

    table_pagination = {"per_page": 50, "paginator_class": LazyPaginator}


class StockAdmin(admin.ModelAdmin):
    list_display = _FIELDS
    list_filter = ("status", "project")
    search_fields = ("search", "instance__search")
    list_select_related = ("instance", "project")
    list_per_page = 50
    ordering = ("-created_at", "-pk")


def floor(request: HttpRequest) -> JsonResponse:
    """Fifty rows by keyset as JSON: what no page of ours can be quicker than."""
    rows = narrowed(request.GET).select_related(None)
    if at := request.GET.get("at"):
        rows = rows.filter(created_at__lt=datetime.fromisoformat(at))
    return JsonResponse({"rows": list(rows.values_list(*_JSON)[:50])})


# A site of its own: the dashboard's would have to know of it before its addresses are read.
site = admin.AdminSite("stock")
site.register(Restore, StockAdmin)
urlpatterns = [
    path("stock-admin/", site.urls),
    path("stock/", StockView.as_view()),
    path("lazy/", LazyView.as_view()),
    path("floor/", floor),
    *ours,
]
