"""URLs: health checks, metrics, the admin, and the app."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path

from dashboard.health import healthz, readyz
from dashboard.metrics import metrics
from restores.views.auth import admin_sign_in

handler400 = "dashboard.errors.bad_request"
handler500 = "dashboard.errors.server_error"

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
    path("", include("restores.urls")),
]
if apps.is_installed("allauth"):
    urlpatterns.append(path("", include("restores.sign_in_urls")))
