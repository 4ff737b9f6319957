"""Foreign text made harmless for each format: it stays the text that it was, on one line."""

import re
import unicodedata

# Direction marks would turn the rest of a ticket around, and a ticket has no <bdi> to hold them.
_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~$&@!^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_MARKDOWN_START = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))(.)")
_JIRA = re.compile(r"[{}\[\]()*_^~!#|]|\?(?=\?)|(?<!\w)[-+]|[-+](?!\w)|[:;](?=[DPp()])")
_JIRA_START = re.compile(r"^(h[1-6]|bq)\.", re.IGNORECASE)


def tidy(text: str) -> str:
    """One line without control characters and without marks that turn the direction of text."""
    text = _TURNING.sub("", " ".join(text.split()))
    return "".join(
        "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text
    )


def markdown(text: str) -> str:
    """Text that no Markdown reader takes for markup, a link, a mention or a table's edge."""
    text = _MARKDOWN.sub(r"\\\g<0>", tidy(text))
    return _MARKDOWN_START.sub(r"\1\\\2", text)


def jira(text: str) -> str:
    """Text that Jira's wiki renderer prints as it is."""
    # A backslash before a backslash breaks the line in Jira, and "://" makes a link.
    text = tidy(text).replace("&", "&amp;").replace("\\", "&#92;").replace("://", "&#58;//")
    return _JIRA.sub(_protected, _JIRA_START.sub(r"\1&#46;", text))


def _protected(match: re.Match[str]) -> str:
    # "&#92;" and its like are ours.
    return (
        match[0] if match[0] == "#" and match.string[match.start() - 1] == "&" else f"\\{match[0]}"
    )
