"""URLs: health checks, the admin, and the app."""

from django.contrib import admin
from django.urls import include, path

from dashboard.health import healthz, readyz

handler500 = "dashboard.errors.server_error"

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("admin/", admin.site.urls),
    path("", include("restores.urls")),
]
