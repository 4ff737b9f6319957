"""Where everything lives."""

from django.contrib import admin
from django.urls import include, path

from dashboard.health import healthz, readyz

handler500 = "dashboard.outage.error_page"

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("admin/", admin.site.urls),
    path("", include("restores.urls")),
]
