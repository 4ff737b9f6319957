"""What every page of the product may say, whatever it is about."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from restores.pages.moments import Moment, moment
from restores.stalled import stalled_since


def stalled(request: HttpRequest) -> dict[str, Callable[[], Moment | None]]:
    """Since when the collector stands still; asked only by a page that prints it.

    Error pages do not, so that they need no database.
    """

    def since() -> Moment | None:
        now: datetime = timezone.now()
        return moment(stalled_since(now)) if request.user.is_authenticated else None

    return {"stalled": since}
