"""The client’s address, as reported by trusted proxies."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address, or its network for IPv6; empty if it is unknown.

    Only the part of ``X-Forwarded-For`` that addresses in TRUSTED_PROXIES have added counts.
    """
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").split(","))
    address = ""
    for hop in hops:
        try:
            found = ip_address(hop.strip())
        except ValueError:
            break
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found
        wide = isinstance(found, IPv6Address)
        address = str(ip_network((found, 64), strict=False)) if wide else str(found)
        if not any(found in network for network in settings.TRUSTED_PROXIES):
            break
    return address
