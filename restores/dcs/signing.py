"""The canonical form of a request, which SDK-HMAC-SHA256 signs (dcs-api.md section 9)."""

import hashlib
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from requests import PreparedRequest


def canonical(request: PreparedRequest) -> str:
    """Write a request as the text that both ends hash."""
    url = urlsplit(request.url or "")
    path = quote(unquote(url.path), safe="/~")
    query = sorted(parse_qsl(url.query, keep_blank_values=True))
    headers = signed_headers(request)
    body = request.body or b""
    return "\n".join(
        (
            (request.method or "GET").upper(),
            # Signed with a slash at the end although the request is sent without one.
            path if path.endswith("/") else f"{path}/",
            "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            ";".join(sorted(headers)),
            hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest(),
        )
    )


def signed_headers(request: PreparedRequest) -> dict[str, str]:
    """Give the headers that are signed, names in lower case."""
    # Gateways drop names with an underscore, so the official signer leaves them out too.
    return {
        name.lower(): (value.decode() if isinstance(value, bytes) else value).strip()
        for name, value in request.headers.items()
        if "_" not in name
    }
