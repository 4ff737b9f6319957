"""What is asked and what is answered, and the bodies of the documented errors."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = ("Content-Type", "application/json;charset=UTF-8")


class Wire(Protocol):
    """The connection an answer leaves by."""

    def send(self, raw: bytes) -> None:
        """Write at once."""

    def wait(self, seconds: float) -> None:
        """Pause; ends early when the server stops."""

    def close(self) -> None:
        """End the connection after what was sent."""

    def reset(self) -> None:
        """Break the connection off with RST."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``deliver`` replaces the plain way of writing head and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (JSON,)
    deliver: Callable[[Wire, bytes, bytes], None] | None = None


@dataclass(slots=True)
class Request:
    """An HTTP request as it came in.

    ``now`` is the server's own clock, which a fault may set wrong; ``world_now`` is the truth.
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
    def plain_path(self) -> str:
        """The path with its percent-escapes undone."""
        return unquote(self.path)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query, decoded, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(status: int, value: object, *headers: tuple[str, str]) -> Answer:
    """Answer with JSON, compact and in UTF-8 as the cloud sends it."""
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Answer(status, raw.encode(), (JSON, *headers))


NOTHING = Answer(204, headers=())

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
    # The documented text of the failed restoration query really speaks of a group node.
    "DCS.5079": (500, "Query group node failed."),
}


def service_error(code: str, parameter: str = "") -> Answer:
    """Answer with an error of the DCS service."""
    status, message = SERVICE_ERRORS[code]
    return json_answer(
        status,
        {"error_code": code, "error_msg": message.format(parameter), "error_ext_msg": None},
    )


def gateway_error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    """Answer with an error of the API gateway."""
    body = {"error_msg": message, "error_code": f"APIGW.{code}", "request_id": uuid.uuid4().hex}
    return json_answer(status, body, *headers)


def iam_error(status: int, title: str, message: str) -> Answer:
    """Answer with an error of IAM, whose bodies are nested."""
    return json_answer(status, {"error": {"code": status, "message": message, "title": title}})


def throttled(limit: int, *headers: tuple[str, str]) -> Answer:
    """Answer that the gateway's limit of calls per second is reached."""
    text = f"policy ip over ratelimit,limit:{limit},time:1 second"
    return gateway_error(
        429, "0308", f"The throttling threshold has been reached: {text}", *headers
    )
