"""JSON endpoints: a decorator that makes one out of a function, and errors as JSON."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

# For pages, too: browsers keep them, but ask before they show them again.
revalidated = cache_control(private=True, no_cache=True)
JsonAnswer = Mapping[str, Any] | JsonResponse
# For each 401: how a script signs in.
CHALLENGE = 'Bearer realm="DCS Restores"'
View = TypeVar("View", bound=Callable[..., Any])


def json_endpoint(view: Callable[..., JsonAnswer]) -> Callable[..., JsonResponse]:
    """Turn a function that returns a mapping into a JSON view for signed-in users, for reading."""
    return answer_json("GET", "HEAD")(view)


def answer_json(*methods: str) -> Callable[..., Callable[..., JsonResponse]]:
    """Turn a function that returns a mapping into a JSON view for requests with these methods.

    It may be requested with an API token. It responds with 401 itself: a redirect to the sign-in
    page would reach scripts as 200 with HTML. It must change nothing, because nothing keeps other
    sites from requesting it: the CSRF check would turn the 405 for other methods into a 403.
    """
    return lambda view: login_not_required(csrf_exempt(revalidated(_answer(view, methods))))


def _answer(
    view: Callable[..., JsonAnswer], methods: tuple[str, ...]
) -> Callable[..., JsonResponse]:
    @takes_tokens
    @wraps(view)
    def endpoint(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        if request.method not in methods:
            *others, last = methods
            return not_allowed(f"Use {', '.join(others)} or {last}.", methods)
        if not request.user.is_authenticated:
            return unauthorized("Authentication required.")
        try:
            answer = view(request, *args, **kwargs)
        except Http404 as error:
            return json_error(404, str(error))
        return answer if isinstance(answer, JsonResponse) else JsonResponse(dict(answer))

    return endpoint


def takes_tokens(view: View) -> View:
    """Mark a view that may be requested with an API token."""
    view.takes_tokens = True  # type: ignore[attr-defined]
    return view


def unauthorized(reason: str) -> JsonResponse:
    """Respond with 401: neither signed in nor with a valid API token."""
    response = json_error(401, reason)
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def not_allowed(reason: str, methods: Iterable[str]) -> JsonResponse:
    """Respond with 405: requested with a method other than these."""
    response = json_error(405, reason)
    response.headers["Allow"] = ", ".join(methods)
    return response


def json_error(status: int, reason: str) -> JsonResponse:
    """Respond with an error that no single parameter caused."""
    body = {"errors": [{"param": None, "value": None, "reason": reason}]}
    return JsonResponse(body, status=status)
