"""The pages and their JSON endpoints and exports."""

from django.urls import path, register_converter

from restores.converters import IdConverter
from restores.views import (
    auth,
    codes,
    downtime,
    exports,
    files,
    instances,
    lookup,
    overview,
    restore_detail,
    restore_list,
    sync_now,
    sync_status,
    time_zone,
)

register_converter(IdConverter, "id")

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("overview.json", overview.overview_json, name="overview-json"),
    path("restores/", restore_list.restore_list, name="restore-list"),
    path("restores.json", restore_list.restore_list_json, name="restore-list-json"),
    path("restores.csv", files.restore_list_csv, name="restore-list-csv"),
    path("restores.xlsx", files.restore_list_xlsx, name="restore-list-xlsx"),
    path("restores.md", exports.restore_list_md, name="restore-list-md"),
    path("time-range.json", restore_list.time_range_json, name="time-range-json"),
    path("facets/", restore_list.facet_list, name="facets"),
    path("restores/histogram/", restore_list.histogram_page, name="histogram"),
    path("restores/<id:restore_id>/", restore_detail.restore_detail, name="restore-detail"),
    path(
        "restores/<id:restore_id>.json",
        restore_detail.restore_detail_json,
        name="restore-detail-json",
    ),
    path("restores/<id:restore_id>.md", exports.restore_detail_md, name="restore-detail-md"),
    path("instances/", instances.instance_list, name="instance-list"),
    path("instances.json", instances.instance_list_json, name="instance-list-json"),
    path("instances.csv", files.instance_list_csv, name="instance-list-csv"),
    path("instances.xlsx", files.instance_list_xlsx, name="instance-list-xlsx"),
    path("instances/<id:instance_id>/", instances.instance_detail, name="instance-detail"),
    path(
        "instances/<id:instance_id>.json",
        instances.instance_detail_json,
        name="instance-detail-json",
    ),
    path("instances/<id:instance_id>/sync/", sync_now.sync_now, name="sync-now"),
    path("codes/", codes.code_list, name="code-list"),
    path("codes.json", codes.code_list_json, name="code-list-json"),
    path("codes/<id:code>/", codes.code_detail, name="code-detail"),
    path("codes/<id:code>.json", codes.code_detail_json, name="code-detail-json"),
    path("reports/downtime/", downtime.downtime, name="downtime"),
    path("reports/downtime.json", downtime.downtime_json, name="downtime-json"),
    path("reports/downtime.csv", downtime.downtime_csv, name="downtime-csv"),
    path("reports/downtime.xlsx", downtime.downtime_xlsx, name="downtime-xlsx"),
    path("lookup/", lookup.lookup, name="lookup"),
    path("lookup.json", lookup.lookup_json, name="lookup-json"),
    path("lookup.md", lookup.lookup_md, name="lookup-md"),
    path("sync-status/", sync_status.sync_status, name="sync-status"),
    path("sync-status.json", sync_status.sync_status_json, name="sync-status-json"),
    path("time-zone/", time_zone.time_zone, name="time-zone"),
    path("time-zones.json", time_zone.time_zones_json, name="time-zones-json"),
    path("login/", auth.sign_in, name="login"),
    path("login/once/<str:token>/", auth.sign_in_once, name="login-once"),
    path("logout/", auth.sign_out, name="logout"),
]
