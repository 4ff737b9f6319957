"""Why a call to the cloud brought nothing, one exception for each thing the caller can do."""

from datetime import datetime
from typing import ClassVar


class Fault(Exception):
    """A call that failed; ``text`` is one readable sentence and never holds a credential."""

    kind: ClassVar[str] = "fault"

    def __init__(
        self, text: str, *, request_id: str = "", status: int | None = None, code: str = ""
    ) -> None:
        super().__init__(text)
        self.text = text
        self.request_id = request_id
        self.status = status
        self.code = code

    def __str__(self) -> str:
        return self.text


class Refused(Fault):
    """The credentials are not accepted: stop, for five refusals in a row lock a key."""

    kind = "credentials"


class Forbidden(Fault):
    """The credentials are good but lack the permission: an operator must grant it."""

    kind = "permission"


class Gone(Fault):
    """The cloud does not know this instance (any more): keep its history."""

    kind = "gone"


class Throttled(Fault):
    """Too many calls: make none for this account before ``until`` (aware UTC)."""

    kind = "throttled"

    def __init__(
        self,
        text: str,
        until: datetime,
        *,
        request_id: str = "",
        status: int | None = None,
        code: str = "",
    ) -> None:
        super().__init__(text, request_id=request_id, status=status, code=code)
        self.args = (text, until)
        self.until = until


class Unreachable(Fault):
    """The cloud could not answer now: asking again later may help."""

    kind = "unreachable"


class BadAnswer(Fault):
    """The cloud answered something else than its documentation promises: look at the endpoint."""

    kind = "bad_answer"


class NotOffered(Fault):
    """This cloud does not have this call: do without it."""

    kind = "not_offered"


class NotAsked(Fault):
    """What another call was told made this one pointless: nothing was sent."""

    kind = "not_asked"

    def __init__(self, because: Fault) -> None:
        super().__init__(f"Not asked: {because.text}", request_id=because.request_id)
        self.args = (because,)
        self.because = because
