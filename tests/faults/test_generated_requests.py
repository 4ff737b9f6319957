"""Every request, whatever it contains, soon gets a short response that isn't a 5xx."""

import json
import random
import re
import socket
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import quote, unquote, urlsplit

import pytest
from django.urls import URLResolver, get_resolver

from restores.converters import IdConverter
from restores.link_repair import PARAMS
from tests.test_hostile_input import CORPUS, RAW, VALUES, encoded
from tests.test_malformed_requests import CHARSETS, FORM, MULTIPART, PART, UNREADABLE

from .kit import Product

MAX_SECONDS, MAX_BYTES = 2, 1_000_000
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "POST")
NAMES = (*sorted(PARAMS), "next", "token", "csrfmiddlewaretoken", "username", "password",
         "password1", "old_password", "action", "_selected_action", "select_across", "_popup",
         "_to_field", "_changelist_filters", "o", "p", "e", "all", "user", "role", "role__exact",
         "user__pk__exact", "app_label", "model_name", "field_name", "term", "what__regex",
         "status[]", "", "\0", "\u202e", "x" * 300)  # fmt: skip
SEPARATORS = (*["&"] * 20, "&amp;", "&amp;amp;", "%26", ";", "&&")
# Values that suit a parameter, besides those that we have stored.
FITTING = {
    "on": ("created", "ended", "running", "changed"),
    "status": ("failed", "succeed", "waiting", "restoring", "other"),
    "recovered": ("yes", "no"),
    "stuck": ("yes",),
    "username": ("root", "nobody"),
    "password": ("x",),
    "sort": ("-created", "ended", "-duration", "instance", "name", "-restores"),
    "size": ("10", "200"),
    "page": ("1", "2", "9", "200", "201"),
    "cols": ("created,status", "created,status,instance,restore,project,outcome"),
    "state": ("problem", "never_synced", "complete"),
    "from": ("now-30d", "today", "2026-11-01T00:00Z", "now-1M/M"),
    "to": ("now", "now/d", "9999-12-31T23:59:59.999Z"),
    "around": ("now", "today 14:05", "1741183402"),
    "win": ("30m", "2h"),
    "asof": ("now-1h", "now", "2026-11-20T00:00Z"),
    "tz": ("UTC", "Europe/Berlin"),
    "format": ("jira", "markdown", "plain", "slack"),
}
# Python refuses to read more than 4,300 digits as a number; others are numbers to Python only.
NUMBERS = (
    "9" * 4301, "-" + "9" * 4301, "0" * 4301 + "1", "9" * 4301 + "m", "now-" + "9" * 4301 + "d",
    "2026-11-" + "9" * 4301, "1e400", "-1e400", "Infinity", "0x10", "1_000", "²", "①", "٣" * 30,
    "１" * 4301, "9223372036854775807", "9223372036854775808", "-9223372036854775809", "00", "+1",
    " 1 ", "1.0", "1,000", "-0", "2147483648", "9" * 13, "-" + "9" * 14, "9" * 309,
)  # fmt: skip
PUNCTUATION = (".", ",", ")", ">", '"', "'", "…", "%E2%80%8B", "%0A", "?", "!", "%3F", "*")
DAMAGED = (
    "//", "/../", "/./", "/%2e%2e/%2e%2e/etc/passwd", "/%2F%2F", "/..%5c", ";x=1", "/?", "?",
    "%3Fq=1", "%00", "%ff", "%ED%A0%80", "%", "%zz", "#x", "\\", "~", "~00", "~FF", "~2e~2e", " ",
    ".json", ".csv", ".xlsx", ".md", ".json/", "/static/", "é", "\u202e", "\x7f", "a" * 3000,
    "%41" * 2000, "/x" * 500, "{{7*7}}", "<script>", "'--", "&amp;", "+", "%20",
)  # fmt: skip
ELSEWHERE = (
    "/static/", "/static/../dashboard/settings.py", "/static/%2e%2e/manage.py", "/static/%00",
    "/static/" + "a" * 5000, "//example.com/", "///", "/.env", "/favicon.ico", "/robots.txt", "*",
    "http://example.com/", "http://[/", "example.com:443", "/" + "%F0%9F%98%80" * 300, "?", "x",
)  # fmt: skip
HEADERS = {
    "Accept": ("*/*", "application/json", "text/html;q=é", "*/*;q=" + "9" * 400, ","),
    "Accept-Encoding": ("gzip", "br, gzip;q=0", "gzip;q=x", "identity;q=0", "*"),
    "Accept-Language": ("de", "zh-Hans-CN;q=0.5", "de;q=" + "1" * 99, "*;q=x", "a-" * 2000, "..,/"),
    "Authorization": ("Basic Og==", "Basic !", "Bearer \0", "Bearer " + "x" * 5000),
    "Cache-Control": ("no-cache", "max-age=-1"),
    "Expect": ("100-continue", "x"),
    "If-Match": ("*", '"x"'),
    "If-Modified-Since": ("0", "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 99 Foo 99999 99:99:99 GMT"),
    "If-None-Match": ("*", "W/", '"', 'W/"x", "y"', '"' + "x" * 5000, ",,,"),
    "If-Range": ('"x"', "yesterday"),
    "Origin": ("null", "http://example.com", "http://[", "é"),
    "Range": ("bytes=0-", "bytes=-1", "bytes=9-1", "bytes=" + "0-1," * 500, "lines=x"),
    "Referer": ("http://example.com/", "http://[", "//", "é", "x" * 5000),
    "Sec-Purpose": ("prefetch", "prefetch;prerender"),
    "Upgrade": ("websocket", "h2c"),
    "User-Agent": ("", "x" * 5000, "\u202e", "() { :; };"),
    "X-CSRFToken": ("x", "x" * 32, "é" * 64),
    "X-Forwarded-For": ("127.0.0.1", "x", "::1, 10.0.0.1", "1.2.3.4," * 300, "[::1", "é"),
    "X-Forwarded-Host": ("example.com", "127.0.0.1:1", "[", "é"),
    "X-Forwarded-Port": ("443", "x", "-1"),
    "X-Forwarded-Proto": ("https", "http", "x", "https,http"),
    "X-Forwarded-Prefix": ("/x", "//example.com"),
    "X-HTTP-Method-Override": ("DELETE", "x"),
    "X-Requested-With": ("XMLHttpRequest",),
    "X-Script-Name": ("/x",),
    "X_Forwarded_Proto": ("https",),
    "Path-Info": ("/admin/",),
    "PATH_INFO": ("/admin/", "é", "%00"),
    "SCRIPT_NAME": ("/x", "/restores", "//example.com", "é"),
    "Remote-User": ("root",),
    "Content-Encoding": ("gzip",),
    "Content-Length": ("x", "-1", "+0", "0, 0", "٣", "9" * 20, "9" * 4301, "0" * 4301, "0x0"),
    "Transfer-Encoding": ("x", "gzip, chunked", "chunked, chunked", "identity", "chunked;x"),
    "Bad Name": ("x",),
    "Né": ("x",),
    "X-Many": ("x" * 8000,),
}  # fmt: skip
HOSTS = ("localhost", "LOCALHOST", "127.0.0.1:1", "127.0.0.1:99999", "127.0.0.1:x", "[::1]", "[",
         "example.com", "127.0.0.1, example.com", "é", "", "127.1", "@", "a" * 999)  # fmt: skip
COOKIES = ("=", ";;;", "x", "a=b=c", "\"", "{name}=", "{name}=\0", "{name}=é", "{name}=\ud800",
           "{name}=" + "x" * 4000, "{name}=\"\\000\"", "{name}=%00", "{name}=' OR 1=1 --",
           "zone=Mars/Base", "zone=../../etc/passwd", "tz=é", "__proto__=x", "x=" + "y" * 7000,
           "; ".join(f"c{n}=x" for n in range(300)))  # fmt: skip
CONTENT_TYPES = (
    FORM, MULTIPART, "", "text/plain", "application/json", "multipart/mixed", "é", "/", ";;=",
    "multipart/form-data; boundary=\"b", "multipart/form-data; boundary*=utf-8''b", "x" * 5000,
)  # fmt: skip
# These end what later requests need: a session, a user, a membership.
NO_TOKEN = re.compile(r"logout|delete|auth/user/\D*\d")


@dataclass(frozen=True)
class World:
    """What requests may refer to: the site, sessions on it, and what it has stored."""

    address: tuple[str, int]
    cookies: dict[str, str]
    known: dict[str, list[str]]
    routes: list[str]


@pytest.fixture(scope="module")
def product(folder, scratch):
    product = Product(folder, scratch)
    yield product
    product.close()


@pytest.fixture(scope="module")
def site(product):
    product.command("seed", "--restores", "400")
    return product.web()


@pytest.fixture(scope="module")
def world(product, site):
    cookies = {"nobody": ""}
    for user in ("root", "member"):
        site.sign_in(product.command("login_link", user, "--create"))
        cookies[user] = site.cookie
    product.command("shell", "-v0", "-c", MAKE_MEMBER)
    rows = product.database.rows
    known = {
        "restore_id": "select restore_id from restores_restore order by id limit 200",
        "instance_id": "select instance_id from restores_instance order by id limit 50",
        "instance": "select name from restores_instance order by id limit 50",
        "project": "select project_id from restores_project union select name from restores_project"
        " order by 1",
        "customer": "select distinct customer from restores_project order by 1",
        "region": "select distinct region from restores_project order by 1",
        "code": "select distinct error_code from restores_restore order by 1",
    }
    known = {name: [row[0] for row in rows(sql)] for name, sql in known.items()}
    numbers = [str(number) for number in range(1, 40)]
    known |= dict.fromkeys(("id", "object_id", "content_type_id"), numbers)
    known["app_label"] = ["auth", "restores"]
    known["ids"] = known["restore_id"] + known["instance_id"]
    site.cookie = cookies["root"]
    following = json.loads(site.get("/restores.json?size=10").text)["next"]
    known["after"] = known["before"] = re.findall(r"after=([^&]+)", following)
    address = urlsplit(site.url)
    routes = list(routes_of(get_resolver()))
    return World((address.hostname, address.port), cookies, known, routes)


MAKE_MEMBER = """
from django.contrib.auth.models import User
from restores.models import Membership, Project
User.objects.filter(username="member").update(is_staff=False, is_superuser=False)
Membership.objects.create(user=User.objects.get(username="member"), project=Project.objects.first())
"""


def routes_of(resolver, prefix="/"):
    """Every route of the URLconf, in Django's notation."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).strip("^$")
        if isinstance(pattern, URLResolver):
            yield from routes_of(pattern, route)
        else:
            yield route


@dataclass(frozen=True)
class Request:
    """A request in two parts, so that a redirect can be followed with the same headers."""

    method: str
    target: bytes
    rest: bytes

    def __bytes__(self):
        return b"%b %b%b" % (self.method.encode(), self.target, self.rest)


class Generator:
    """One request, which follows from the seed and its number."""

    def __init__(self, world, seed, number):
        self.world, self.dice = world, random.Random(f"{seed}/{number}")
        self.user = self.dice.choice(("root", "root", "root", "member", "member", "nobody"))
        self.method = self.dice.choice(METHODS)
        if self.chance(0.02):
            self.method = self.dice.choice(("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY"))

    def chance(self, probability):
        return self.dice.random() < probability

    def request(self):
        path = self.path()
        query = self.query() if self.chance(0.7) else ""
        target = raw(path) + (b"?" if query else b"") + raw(query)
        headers, body = self.headers(), b""
        if self.method not in ("GET", "HEAD") or self.chance(0.03):
            content_type, body = self.body(path)
            headers.append(("Content-Type", content_type))
            if self.chance(0.1):
                headers.append(("Transfer-Encoding", "chunked"))
                body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
            else:
                headers.append(("Content-Length", str(len(body))))
        version = b"1.0" if self.chance(0.03) else b"1.1"
        lines = [b" HTTP/" + version, *(raw(f"{name}: {value}") for name, value in headers)]
        return Request(self.method, target, b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def path(self):
        if self.chance(0.05):
            return self.dice.choice(ELSEWHERE)
        weights = [1 if route.startswith("/admin/") else 3 for route in self.world.routes]
        [route] = self.dice.choices(self.world.routes, weights)
        path = re.sub(
            r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>.*?\)", lambda m: self.segment(m[1] or m[2]), route
        )
        if self.chance(0.15):
            at = self.dice.choice((len(path), self.dice.randrange(len(path) + 1)))
            path = path[:at] + self.dice.choice((*DAMAGED, *PUNCTUATION)) + path[at:]
        return path.rstrip("/") if self.chance(0.05) else path

    def segment(self, name):
        if self.chance(0.6):
            value = self.dice.choice(self.world.known.get(name, ["x"]))
            value = self.spelling(value) if self.chance(0.3) else value
        else:
            value = self.value()[:7000]
        if self.chance(0.5):
            value = IdConverter().to_url(value.encode(errors="replace").decode())
        return quoted(value) or "x"

    def spelling(self, known):
        """An ID or a name as people write it."""
        return self.dice.choice(
            (
                known.upper(),
                known.replace("-", ""),
                known.replace("-", "\u2011"),
                f"{{{known}}}",
                f'"{known}",',
                f" {known}\t",
                f"<{known}>.",
                f"{known}, {known}; {known.upper()}\n{known}",
                ",".join([known] * 150),
                known[:8],
                known + "x",
                "".join(f"~{byte:02X}" for byte in known.encode()),
            )
        )

    def value(self):
        kind = self.dice.random()
        if kind < 0.4:
            return self.dice.choice((*VALUES, *NUMBERS))
        if kind < 0.7:
            return self.dice.choice(CORPUS)
        known = self.dice.choice(self.dice.choice(list(self.world.known.values())))
        return self.spelling(known) if self.chance(0.5) else known

    def query(self):
        text = self.parameter()
        for _ in range(self.dice.choice((0, 0, 1, 1, 2, 5))):
            text += self.dice.choice(SEPARATORS)
            text += text if self.chance(0.02) else self.parameter()
        text += self.dice.choice(PUNCTUATION) if self.chance(0.05) else ""
        # What is longer never reaches Django.
        return text if self.chance(0.02) else text[:7000]

    def parameter(self):
        name = self.dice.choice(sorted(PARAMS) if self.chance(0.7) else NAMES)
        fitting = [*FITTING.get(name, ()), *self.world.known.get(name, ())]
        if fitting and self.chance(0.7):
            return f"{name}={encoded(self.dice.choice(fitting))}"
        name, value = quoted(name), encoded(self.value())
        if self.chance(0.1):
            value = self.dice.choice(RAW)
        elif self.chance(0.05):
            value = unquote(value)  # unencoded, as programs leave it
        return name if self.chance(0.02) else f"{name}{'%3D' if self.chance(0.02) else '='}{value}"

    def headers(self):
        host, port = self.world.address
        headers = [("Host", self.dice.choice(HOSTS) if self.chance(0.05) else f"{host}:{port}")]
        if self.chance(0.01):
            headers.clear()
        cookie = self.world.cookies[self.user]
        if self.chance(0.1):
            names = [part.partition("=")[0] for part in self.world.cookies["root"].split("; ")]
            odd = self.dice.choice(COOKIES).replace("{name}", self.dice.choice(names))
            cookie = self.dice.choice((odd, f"{odd}; {cookie}", f"{cookie}; {odd}"))
        if cookie:
            headers.append(("Cookie", cookie))
        for name in self.dice.sample(list(HEADERS), self.dice.choice((0, 0, 0, 1, 1, 2))):
            odd = self.chance(0.2)
            headers.append((name, self.value() if odd else self.dice.choice(HEADERS[name])))
        return [*headers, ("Connection", "close")]

    def body(self, path):
        kind = self.dice.random()
        if kind < 0.1:
            return self.dice.choice(list(UNREADABLE.values()))
        if kind < 0.2:
            content_type = self.dice.choice(CONTENT_TYPES)
            return f"{content_type}; charset={self.dice.choice(CHARSETS)}", b"a=+AGE-"
        if kind < 0.3:
            return self.dice.choice(CONTENT_TYPES), self.dice.randbytes(self.dice.randrange(300))
        token = self.token(path)
        if kind < 0.4:
            part = (
                b'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n%b\r\n'
            )
            return MULTIPART, part % token.encode() + PART % (1, b"") + b"--b--\r\n"
        return FORM, raw(f"csrfmiddlewaretoken={token}&{self.query()}")

    def token(self, path):
        found = re.search(r"csrf-[^=]+=(\w+)", self.world.cookies[self.user])
        return found[1] if found and not NO_TOKEN.search(path) else "x"


def quoted(text):
    return quote(text.encode(errors="surrogatepass"), safe="")


def raw(text):
    """The text in bytes, on one line: another would be another header."""
    return re.sub(rb"[\r\n]", b" ", text.encode(errors="surrogatepass"))


@dataclass(frozen=True)
class Response:
    status: int
    location: str
    length: int
    seconds: float


def send(address, request):
    """Send a request on a new connection; measure the response."""
    begun = time.perf_counter()
    with socket.create_connection(address, 30) as connection:
        with suppress(ConnectionError):  # a body that is refused may not be read to its end
            connection.sendall(bytes(request))
        with HTTPResponse(connection, method=request.method) as response:
            response.begin()
            # An export has no limit, so we read no more of it than of a page.
            length = len(response.read(MAX_BYTES + 1))
            exported = "attachment" in response.headers.get("Content-Disposition", "")
            return Response(
                response.status,
                response.headers.get("Location", ""),
                min(length, MAX_BYTES) if exported else length,
                time.perf_counter() - begun,
            )


def problem(address, request, statuses, redirects=5):
    """What is wrong with the response to a request, and those it redirects to; "" if nothing."""
    try:
        response = send(address, request)
        if response.seconds > MAX_SECONDS:  # perhaps the machine was busy
            response = send(address, request)
    except (OSError, HTTPException) as error:
        return f"no response: {error!r}"
    statuses[response.status] += 1
    # RFC 9112 asks for 501 if the server doesn't know the transfer coding.
    unknown_coding = response.status == 501 and b"\r\nTransfer-Encoding:" in request.rest
    if response.status >= 500 and not unknown_coding:
        return f"status {response.status}"
    if response.length > MAX_BYTES:
        return f"more than {MAX_BYTES} bytes"
    if response.seconds > MAX_SECONDS:
        return f"{response.seconds:.1f} s"
    if response.location.startswith("/") and request.method in ("GET", "HEAD"):
        if not redirects:
            return f"redirected again and again, at last to {response.location}"
        following = replace(request, target=response.location.encode())
        return problem(address, following, statuses, redirects - 1)
    return ""


def check(world, site, seed, count):
    """Send generated requests; fail with the seed and those that got no good response."""
    statuses, found = Counter(), []
    for number in range(count):
        request = Generator(world, seed, number).request()
        if wrong := problem(world.address, request, statuses):
            found.append(f"seed {seed}, request {number}: {wrong}\n{bytes(request)[:1500]!r}")
    assert not found, f"{len(found)} of {count} requests:\n" + "\n".join(found[:20])
    assert {200, 302, 400, 403, 404} <= set(statuses), statuses
    for user in ("root", "member"):
        site.cookie = world.cookies[user]
        assert site.get("/overview.json").status == 200, f"{user} is no longer signed in"


def test_h8_generated_requests_get_a_short_response_soon(world, site):
    check(world, site, seed=1, count=600)


@pytest.mark.long
def test_h8_thirty_thousand_generated_requests_get_a_short_response_soon(world, site):
    check(world, site, seed=2, count=30_000)


@pytest.mark.parametrize("prefix", ["/x", "/restores", "//evil.example", "é"])
def test_h6_a_client_cannot_say_where_the_site_is_mounted(site, prefix):
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=30)
    with closing(connection):
        connection.request("GET", "/restores/", headers={"SCRIPT_NAME": prefix})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (302, "/login/?next=/restores/")
