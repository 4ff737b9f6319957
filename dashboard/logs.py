"""Log records: printable, without sign-in tokens, and one line per slow client."""

import logging
import re

_TOKEN = re.compile(r"(/login/once/)[^/?#\s\"']+")


def printable(text: str) -> str:
    """Replace control characters: what is printed may quote text from the cloud."""
    return "".join(c if c.isprintable() or c in "\t\n" else "�" for c in text)


class PrintableFormatter(logging.Formatter):
    """Format records without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return printable(super().format(record))


class HideSignInTokens(logging.Filter):
    """Replace the token of a one-time sign-in link, in the message and in the traceback.

    Whoever reads the logs must not be able to sign in.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        try:
            message = record.getMessage()
        except Exception:
            return True  # the handler reports a message that doesn't fit its arguments
        record.msg, record.args = _TOKEN.sub(r"\1…", message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _TOKEN.sub(r"\1…", record.exc_text)
        return True


class ShortenSlowClients(logging.Filter):
    """Log a client that was too slow in one line instead of a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always logged."""
        if record.exc_info and isinstance(record.exc_info[1], BlockingIOError):
            record.msg, record.args = "Closed a connection: its client was too slow", ()
            record.exc_info = record.exc_text = None
        return True
