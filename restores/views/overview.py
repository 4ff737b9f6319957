"""The first page: what runs, what failed and stayed so."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from restores.pages.answers import answer_in
from restores.pages.coverage import coverage_for
from restores.pages.instances import visible_instances
from restores.pages.overview import WEEK
from restores.pages.overview import overview as summed_up
from restores.restore_list.known import sayings
from restores.serializers import coverage_json
from restores.views.twin import Answer, fresh, twin


@require_safe
@fresh
def overview(request: HttpRequest) -> HttpResponse:
    """Numbers that lead to lists, what is in progress, what still failed, and a trend."""
    now = timezone.now()
    instances, coverage = visible_instances(request.user), coverage_for(request.user)
    context = {
        "page": summed_up(request.user, now),
        "sayings": sayings(coverage, now),
        "none_running": answer_in(coverage, instances, None, "Nothing waits or restores"),
        "none_failed": answer_in(
            coverage, instances, now - WEEK, "No instance is left with a failed restore"
        ),
    }
    return TemplateResponse(request, "overview.html", context)


@twin
def overview_json(request: HttpRequest) -> Answer:
    """The numbers as JSON."""
    return {
        **summed_up(request.user, timezone.now()).json(),
        **coverage_json(coverage_for(request.user)),
    }
