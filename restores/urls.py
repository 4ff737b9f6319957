"""The pages and their JSON endpoints and exports."""

from django.urls import path, register_converter

from restores.converters import IdConverter
from restores.views import (
    auth,
    exports,
    instances,
    overview,
    restore_detail,
    restore_list,
    sync_now,
    sync_status,
)

register_converter(IdConverter, "id")

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("overview.json", overview.overview_json, name="overview-json"),
    path("restores/", restore_list.restore_list, name="restore-list"),
    path("restores.json", restore_list.restore_list_json, name="restore-list-json"),
    path("restores.csv", exports.restore_list_csv, name="restore-list-csv"),
    path("restores.md", exports.restore_list_md, name="restore-list-md"),
    path("facets/", restore_list.facet_list, name="facets"),
    path("restores/<id:restore_id>/", restore_detail.restore_detail, name="restore-detail"),
    path(
        "restores/<id:restore_id>.json",
        restore_detail.restore_detail_json,
        name="restore-detail-json",
    ),
    path("restores/<id:restore_id>.md", exports.restore_detail_md, name="restore-detail-md"),
    path("instances/", instances.instance_list, name="instance-list"),
    path("instances.json", instances.instance_list_json, name="instance-list-json"),
    path("instances/<id:instance_id>/", instances.instance_detail, name="instance-detail"),
    path(
        "instances/<id:instance_id>.json",
        instances.instance_detail_json,
        name="instance-detail-json",
    ),
    path("instances/<id:instance_id>/sync/", sync_now.sync_now, name="sync-now"),
    path("sync-status/", sync_status.sync_status, name="sync-status"),
    path("sync-status.json", sync_status.sync_status_json, name="sync-status-json"),
    path("login/", auth.sign_in, name="login"),
    path("login/once/<str:token>/", auth.sign_in_once, name="login-once"),
    path("logout/", auth.sign_out, name="logout"),
]
