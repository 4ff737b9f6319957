"""Escaping of foreign text for each format: it stays the same text, on one line."""

import re
import unicodedata

# Direction marks would reverse the rest of a ticket, and tickets have no <bdi> to contain them.
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~$&@!^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_MARKDOWN_START = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))(.)")
_JIRA = re.compile(r"[{}\[\]()*_^~!#|]|\?(?=\?)|(?<!\w)[-+]|[-+](?!\w)|[:;](?=[DPp()])")
_JIRA_START = re.compile(r"^(h[1-6]|bq)\.", re.IGNORECASE)


def clean(text: str) -> str:
    """Put text on one line, without control characters or direction marks."""
    text = _DIRECTION_MARKS.sub("", " ".join(text.split()))
    return "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text
    )


def markdown(text: str) -> str:
    """Escape text so that no Markdown renderer sees markup, a link, a mention or a table cell."""
    text = _MARKDOWN.sub(r"\\\g<0>", clean(text))
    return _MARKDOWN_START.sub(r"\1\\\2", text)


def jira(text: str) -> str:
    """Escape text so that Jira's wiki renderer prints it as it is."""
    # A backslash before a backslash is a line break in Jira, and "://" makes a link.
    text = clean(text).replace("&", "&amp;").replace("\\", "&#92;").replace("://", "&#58;//")
    return _JIRA.sub(_escape_jira, _JIRA_START.sub(r"\1&#46;", text))


def _escape_jira(match: re.Match[str]) -> str:
    # The "#" of "&#92;" and the like is ours.
    ours = match[0] == "#" and match.string[match.start() - 1] == "&"
    return match[0] if ours else f"\\{match[0]}"
