"""The list as django-tables2's manual makes it: one COUNT, fifty rows, same rows and order."""

from __future__ import annotations

from datetime import datetime

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import path
from django_tables2 import SingleTableView

from dashboard.urls import urlpatterns as product
from restores.models import Restore

FIELDS = (
    *("created_at", "status", "instance", "error_code", "progress", "duration", "recovered_at"),
    *("backup_taken_at", "project"),
)
FILTERS = {
    "status": "status",
    "instance": "instance__instance_id",
    "project": "project__name",
}


class StockTable(tables.Table):
    class Meta:
        model = Restore
        fields = FIELDS
        row_attrs = {"data-id": lambda record: record.restore_id}


class StockView(SingleTableView):
    table_class = StockTable
    template_name = "stock.html"
    table_pagination = {"per_page": 50}

    def get_queryset(self) -> QuerySet[Restore]:
        rows = Restore.objects.order_by("-created_at", "-pk").select_related("instance", "project")
        if not self.request.user.is_superuser:
            rows = rows.filter(project__memberships__user=self.request.user)
        params = self.request.GET
        for name, lookup in FILTERS.items():
            if value := params.get(name):
                rows = rows.filter(**{lookup: value})
        if text := params.get("q"):
            rows = rows.filter(Q(search__icontains=text) | Q(instance__search__icontains=text))
        if "from" in params:
            begin, end = (datetime.fromisoformat(params[name]) for name in ("from", "to"))
            rows = rows.filter(created_at__gte=begin, created_at__lt=end)
        return rows


urlpatterns = [path("stock/", StockView.as_view()), *product]
