"""HTTP requests and responses of the simulator, and the documented errors."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = ("Content-Type", "application/json;charset=UTF-8")

# code -> (HTTP status, message); {} stands for the parameter in question
SERVICE_ERRORS: Mapping[str, tuple[int, str]] = {
    "DCS.4002": (400, "Invalid project ID format."),
    "DCS.4025": (400, "The end time must be later than the start time."),
    "DCS.4061": (400, "Invalid instance ID format."),
    "DCS.4062": (400, "Invalid {} in the request."),
    "DCS.4086": (400, "This operation is supported only by master/standby instances."),
    "DCS.4087": (400, "The backup is not in the Succeeded state."),
    "DCS.4097": (400, "The instance is being restored."),
    "DCS.4098": (400, "The remark exceeds 128 characters."),
    "DCS.4800": (400, "Invalid {} in the request."),
    "DCS.1001": (401, "Invalid token."),
    "DCS.1002": (401, "The token has expired."),
    "DCS.1003": (401, "Missing token."),
    "DCS.1004": (401, "The project ID and token do not match."),
    "DCS.2003": (403, "This role does not have the permission to perform this operation."),
    "DCS.3022": (404, "This DCS instance does not exist."),
    "DCS.5001": (405, "This method is not allowed."),
    "DCS.5000": (500, "Internal service error."),
    # The documentation of the restore list really says "group node".
    "DCS.5079": (500, "Query group node failed."),
}


class Connection(Protocol):
    """The connection on which a response is sent."""

    def send(self, raw: bytes) -> None:
        """Write immediately."""

    def wait(self, seconds: float) -> None:
        """Pause; ends early when the server stops."""

    def close(self) -> None:
        """Close the connection after what was sent."""

    def reset(self) -> None:
        """Abort the connection with RST."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; ``deliver`` replaces the usual way of sending head and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (JSON,)
    deliver: Callable[[Connection, bytes, bytes], None] | None = None


@dataclass(slots=True)
class Request:
    """An HTTP request.

    ``now`` is the server's own clock, which a fault may set wrong; ``world_now`` is the true time.
    ``account`` is filled in once the caller is known.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    world_now: datetime
    account: str = field(default="", init=False)

    @property
    def path(self) -> str:
        """The path as it was sent."""
        return urlsplit(self.target).path

    @property
    def decoded_path(self) -> str:
        """The path with its percent-escapes decoded."""
        return unquote(self.path)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query, decoded, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def param(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)


class ApiError(Exception):
    """Ends the request with an error response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def json_response(status: int, value: object, *headers: tuple[str, str]) -> Response:
    """Return a JSON response, compact and in UTF-8 as the cloud sends it."""
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status, raw.encode(), (JSON, *headers))


NO_CONTENT = Response(204, headers=())


def service_error(code: str, parameter: str = "") -> ApiError:
    """Return an error of the DCS service."""
    status, message = SERVICE_ERRORS[code]
    body = {"error_code": code, "error_msg": message.format(parameter), "error_ext_msg": None}
    return ApiError(json_response(status, body))


def gateway_error(status: int, code: str, message: str, *headers: tuple[str, str]) -> ApiError:
    """Return an error of the API gateway."""
    body = {"error_msg": message, "error_code": f"APIGW.{code}", "request_id": uuid.uuid4().hex}
    return ApiError(json_response(status, body, *headers))


def iam_error(status: int, title: str, message: str) -> ApiError:
    """Return an error of IAM, whose bodies are nested."""
    body = {"error": {"code": status, "message": message, "title": title}}
    return ApiError(json_response(status, body))


def rate_limit_error(limit: int, *headers: tuple[str, str]) -> ApiError:
    """Return the gateway's error for more calls per second than its limit."""
    text = f"policy ip over ratelimit,limit:{limit},time:1 second"
    message = f"The throttling threshold has been reached: {text}"
    return gateway_error(429, "0308", message, *headers)
