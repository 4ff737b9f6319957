"""Repair of addresses that mail programs and ticket systems have damaged.

They add the punctuation around a link to its end, drop its last slash, and write ``&``, ``=`` or
``?`` as ``&amp;``, ``%26``, ``%3D`` or ``%3F``. Pages are redirected to the intended address;
endpoints for scripts never redirect and say what is wrong instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote, unquote_plus, urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_script_prefix, resolve

from restores.filters import DowntimeParams, InstanceListParams, ListParams
from restores.models import Project, Restore
from restores.querysets import Viewer
from restores.views.api import json_error

PARAMS = {
    *ListParams.DECLARED, *ListParams.SHORTHAND, *InstanceListParams.DECLARED,
    *DowntimeParams.DECLARED, "format",
}  # fmt: skip
_NAMES = "|".join(sorted(PARAMS))
_ENTITY = re.compile(r"(?:&|^)(?:(?:amp|%2338|%23x26)(?:;|%3B))+", re.IGNORECASE)
# As JSON writes an "&", and as old forms separated parameters.
_SEPARATOR = re.compile(rf"(?:(?:\\|%5C)u0026|;)(?=(?:{_NAMES})=)", re.IGNORECASE)
# Some are encoded once for each program that they passed through.
_AND, _EQUALS = "%(?:25)*26", "%(?:25)*3D"
_ENCODED_AND = re.compile(rf"{_AND}(?:amp(?:;|%3B))*(?=(?:{_NAMES})(?:=|{_EQUALS}))", re.IGNORECASE)
_ENCODED_EQUALS = re.compile(rf"({_NAMES}){_EQUALS}", re.IGNORECASE)
# Mail in quoted-printable writes "=" as "=3D"; no value of these begins like that.
_QUOTED = re.compile(r"(status|stuck|recovered|on|sort|size|page|cols|tz|asof)=3D(?=.)")
# What programs leave after a link: entities, encoded characters, marks of Jira and Markdown. At
# most nine in a row, or a long row would be tried from each of its characters.
_TAIL = re.compile(
    r"(?:&(?:quot|apos|gt|lt|nbsp|#\d+);?|%(?:20|22|29|3E|5D|0A|0D)|\|smart-link.*|\]\(.*|_){1,9}$",
    re.IGNORECASE,
)
# How many times punctuation and tails are removed in turn.
_ROUNDS = 9
# A search for "a&b=c" is written with %3D, so there only a plain "=" begins a parameter.
_ENCODED_AND_IN_SEARCH = re.compile(rf"%26(?=(?:{_NAMES})=)", re.IGNORECASE)
_OPENERS = {")": "(", "]": "[", "}": "{", ">": "<"}
# Their values are read without the punctuation around an id.
_TRIMMED = ("ids", "instance")
_ENDPOINT = re.compile(r"\.(?:json|csv|xlsx|md)$")
# Their addresses aren't ours.
_UNTOUCHED = ("/admin/", "/login/oidc/")
# The query of a sign-in link holds an address that must stay as it is.
_QUERY_UNTOUCHED = "/login/once/"
_SAFE = "!$%&'()*+,/:;=?@[]~"


def repair_links(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: redirect a page with a damaged address to the intended one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        # WSGI hands over bytes as Latin-1; programs may leave any of them unencoded.
        raw = request.META.get("QUERY_STRING", "").encode("latin-1", errors="replace")
        query = quote(raw, safe=_SAFE)
        if request.method not in ("GET", "HEAD") or path.startswith(_UNTOUCHED):
            return get_response(request)
        meant = query if path.startswith(_QUERY_UNTOUCHED) else repaired_query(query)
        # A script searches for exactly what it says, and pasted text is shown as it is.
        exact = _ENDPOINT.search(path) or path == "/lookup/"
        literal = exact and query.rpartition("&")[2].startswith("q=")
        if meant == query and not literal and request.user.is_authenticated:
            meant = query_without_punctuation(query, request.user)
        if meant != query:
            return _redirect(path, meant, 400)
        response = get_response(request)
        if response.status_code == 404 and (found := repaired_path(path)):
            return _redirect(found[0], "&".join(filter(None, [found[1], query])), 404)
        return response

    return middleware


def repaired_query(query: str) -> str:
    """Return a query string with its ``&`` and ``=`` restored."""
    parts = []
    query_only = re.sub(r"^(?:\?|%3F)+", "", query, flags=re.IGNORECASE)
    for part in _SEPARATOR.sub("&", _ENTITY.sub("&", query_only)).split("&"):
        name, equals, _ = part.partition("=")
        if not equals and (encoded := _ENCODED_EQUALS.match(part)):
            plain = f"{encoded[1]}={unquote(part[encoded.end() :])}"
            parts.append(quote(plain, safe=_SAFE))
        elif _QUOTED.match(part):
            parts.append(part.replace("=3D", "=", 1))
        elif name in PARAMS:
            parts.append((_ENCODED_AND_IN_SEARCH if name == "q" else _ENCODED_AND).sub("&", part))
        else:
            parts.append(part)
    repaired = "&".join(parts)
    return repaired if repaired == query else repaired_query(repaired)


def query_without_punctuation(query: str, user: Viewer) -> str:
    """Return a query string without punctuation at its end, unless that is part of a name."""
    head, _, last = query.rpartition("&")
    name, equals, raw = last.partition("=")
    value = unquote_plus(raw)
    trimmed = _without_punctuation(value)
    if not equals:
        return query if _without_punctuation(unquote(last)) or not last else head
    if name in _TRIMMED or name not in PARAMS:
        return query
    if not trimmed or trimmed == value or _exists(name, value, user):
        return query
    return "&".join(filter(None, [head, urlencode({name: trimmed}, safe=":/,")]))


def repaired_path(path: str) -> tuple[str, str] | None:
    """Return the path that was meant and the query string in it, if any; None if unknown."""
    trimmed, _, query = path.partition("?")
    for _ in range(_ROUNDS):
        trimmed = _TAIL.sub("", _without_punctuation(trimmed.rstrip("/")))
    if trimmed == path.rstrip("/") and _resolves(path):
        return None  # that page itself says what it can't find
    single = re.sub("/{2,}", "/", trimmed)
    for candidate in (trimmed, f"{trimmed}/", single, f"{single}/", f"{single.lower()}/"):
        if candidate != path and _resolves(candidate):
            return candidate, quote(query, safe=_SAFE)
    return None


def _without_punctuation(text: str) -> str:
    """Remove what surrounds a link in text; a closing bracket only without its opening one."""
    while text:
        last = text[-1]
        if last in _OPENERS:
            added = text.count(last) > text.count(_OPENERS[last])
        elif last in "\"'`":
            added = text.count(last) % 2 == 1
        else:
            added = last in ".,;:!?*|\\…’”»\u200b" or last.isspace()
        if not added:
            break
        text = text[:-1]
    return text


def _exists(name: str, value: str, user: Viewer) -> bool:
    """Whether something that the user may see has exactly this name."""
    projects = Project.objects.visible_to(user)
    if name in ("customer", "region"):
        return projects.filter(**{name: value}).exists()
    if name == "project":
        return projects.filter(Q(name=value) | Q(project_id=value)).exists()
    if name == "code":
        return Restore.objects.visible_to(user).filter(error_code=value).exists()
    return False


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _redirect(path: str, query: str, status: int) -> HttpResponse:
    """Redirect a page; for scripts say with this status what was probably meant."""
    url = get_script_prefix().rstrip("/") + quote(path, safe="/~") + (f"?{query}" if query else "")
    if not _ENDPOINT.search(path):
        return HttpResponseRedirect(url)
    reason = f"The address is damaged. Did you mean {url}?"
    if path.endswith(".json"):
        return json_error(status, reason)
    return HttpResponse(f"{reason}\n", status=status, content_type="text/plain; charset=utf-8")
