"""What pages and twins have in common: no cache keeps them, and a twin's errors are JSON too."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

fresh = cache_control(private=True, no_cache=True)
Answer = Mapping[str, Any] | JsonResponse


def twin(view: Callable[..., Answer]) -> Callable[..., JsonResponse]:
    """Turn a function that returns a mapping into a JSON view for signed-in users.

    It answers 401 itself: a redirect to a sign-in page would reach scripts as 200 with HTML.
    """

    @login_not_required
    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        if not request.user.is_authenticated:
            return error(401, "sign in first")
        try:
            found = view(request, *args, **kwargs)
        except Http404 as missing:
            return error(404, str(missing))
        response = found if isinstance(found, JsonResponse) else JsonResponse(dict(found))
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    return answer


def error(status: int, reason: str) -> JsonResponse:
    """An error that no single parameter is the cause of."""
    body = {"errors": [{"param": None, "value": None, "reason": reason}]}
    return JsonResponse(body, status=status)
