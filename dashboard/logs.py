"""Log records as text or JSON: with IDs, without control characters or tokens."""

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from restores import log_ids

# What a record may contain besides its message. Nothing else that a library attaches is logged:
# Django attaches the whole request.
_ID_FIELDS = ("request_id", "sync_id", "provider_request_id")
_PLACE_FIELDS = ("account", "project", "instance")
_TOKEN = re.compile(r"(/login/once/)[^/?#\s\"']+|(dcs_[a-z0-9]{12}_)[A-Za-z0-9_-]+")


def printable(text: str) -> str:
    """Replace control characters: printed text may quote the cloud."""
    return "".join(c if c.isprintable() or c in "\t\n" else "�" for c in text)


class TextFormatter(logging.Formatter):
    """Format records for people: without control characters, the IDs after the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the first line of a record."""
        ids = " ".join(f"{name}={value}" for name, value in _fields(record, _ID_FIELDS).items())
        return super().formatMessage(record) + (f" [{ids}]" if ids else "")


class JsonFormatter(logging.Formatter):
    """Format each record as one line with a JSON object, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object of a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record, (*_ID_FIELDS, *_PLACE_FIELDS)),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            fields["exception"] = record.exc_text
        return json.dumps(fields)


class AddIds(logging.Filter):
    """Add the IDs of the current request and sync."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        record.request_id = log_ids.request_id.get()
        record.sync_id = log_ids.sync_id.get()
        return True


class HideSignInTokens(logging.Filter):
    """Replace the tokens of sign-in links and of the API, in the message and in the traceback.

    Reading the logs must not be enough to sign in.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        try:
            message = record.getMessage()
        except Exception:
            return True  # the handler reports a message that doesn't fit its arguments
        record.msg, record.args = _TOKEN.sub(r"\1\2…", message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _TOKEN.sub(r"\1\2…", record.exc_text)
        return True


class ShortenSlowClients(logging.Filter):
    """Log a client that was too slow in one line instead of a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        if record.exc_info and isinstance(record.exc_info[1], BlockingIOError):
            record.msg, record.args = "Closed a connection: its client was too slow", ()
            record.exc_info = record.exc_text = None
        return True


def _fields(record: logging.LogRecord, names: Iterable[str]) -> dict[str, str]:
    return {name: value for name in names if (value := getattr(record, name, ""))}
