"""Escaping of foreign text for each format: it stays the same text, on one line."""

import re
import unicodedata

# Direction marks would reverse the rest of a ticket, and tickets have no <bdi> to contain them.
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~$&@!^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_MARKDOWN_START = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))(.)")
# In Jira an icon is a word or a sign in parentheses; a smiley begins with ":" or ";".
_JIRA = re.compile(
    r"[&\\{}\[\]*_^~!#|]|://|\?(?=\?)|(?<!\w)[-+]|[-+](?!\w)|[:;](?=[DPp()])"
    r"|\((?=(?:[ynix/!?+-]|on|off|\*[rgby]?|flag(?:off)?)\))|^(?:h[1-6]|bq)\.",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Put text on one line, without control characters or direction marks."""
    text = " ".join(_DIRECTION_MARKS.sub("", text).split())
    return "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text
    )


def markdown(text: str) -> str:
    """Escape text so that no Markdown renderer sees markup, a link, a mention or a table cell."""
    text = _MARKDOWN.sub(r"\\\g<0>", clean(text))
    return _MARKDOWN_START.sub(r"\1\\\2", text)


def jira(text: str) -> str:
    """Escape text so that Jira's wiki renderer prints it as it is.

    As character references: not every reader of the notation knows each backslash escape.
    """
    return _JIRA.sub(lambda match: "".join(f"&#{ord(char)};" for char in match[0]), clean(text))
