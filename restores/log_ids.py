"""IDs that tie log lines together: one for each web request and each sync."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

request_id: ContextVar[str] = ContextVar("request_id", default="")
sync_id: ContextVar[str] = ContextVar("sync_id", default="")


def new_id() -> str:
    """Return a new ID: 32 hexadecimal digits."""
    return uuid4().hex


@contextmanager
def new_sync_id() -> Iterator[None]:
    """Mark what is logged meanwhile as belonging to one sync. Threads need the context, too."""
    token = sync_id.set(new_id())
    try:
        yield
    finally:
        sync_id.reset(token)
