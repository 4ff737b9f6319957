"""Look now: ask for a look at one instance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from restores.looks import ask_for_look
from restores.models import Event
from restores.pages.look import asked_instances, way_back
from restores.pages.matches import instance_url


@require_POST
def look_now(request: HttpRequest, instance_id: str) -> HttpResponse:
    """Make the instance due, and lead back to the page, which says what becomes of it."""
    params = asked_instances(instance_id, request.POST.get("project", ""), request.user)
    instance = params.get()
    if ask_for_look(params, timezone.now()):
        subject = f"{instance.project.name}/{instance.instance_id}"
        Event.objects.create(user_id=request.user.pk, what="asked for a look", subject=subject)
    return redirect(way_back(request.POST, instance_url(instance)))
