"""Writes a document as Markdown, Jira wiki text, HTML or plain text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape as escape_html

from . import escapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table; its first cell links to ``url`` and is never foreign text."""

    url: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A title, sentences, facts as label and value, a table, and the URL of their source."""

    title: str
    url: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    headers: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def markdown(document: Document) -> str:
    """Write a document as Markdown, with its table in pipes."""
    escape = escapes.markdown
    blocks = [f"**{escape(document.title)}**", *map(escape, document.sentences)]
    if document.facts:
        blocks.append("\n".join(f"- **{name}:** {escape(value)}" for name, value in document.facts))
    if document.rows:
        ruler = "|" + " --- |" * len(document.headers)
        rows = (
            _piped(_cells(row, escape, lambda text, url: f"[{text}]({url})"))
            for row in document.rows
        )
        blocks.append("\n".join([_piped(map(escape, document.headers)), ruler, *rows]))
    if document.url:
        blocks.append(f"<{document.url}>")
    return "\n\n".join(blocks) + "\n"


def jira(document: Document) -> str:
    """Write a document in Jira's wiki notation."""
    escape = escapes.jira
    blocks = [f"*{escape(document.title)}*", *map(escape, document.sentences)]
    if document.facts:
        blocks.append("\n".join(f"* *{name}:* {escape(value)}" for name, value in document.facts))
    if document.rows:
        headers = "||" + "||".join(map(escape, document.headers)) + "||"
        rows = (_cells(row, escape, lambda text, url: f"[{text}|{url}]") for row in document.rows)
        # An empty cell would end the row.
        blocks.append("\n".join([headers, *(_piped(cell or " " for cell in row) for row in rows)]))
    if document.url:
        blocks.append(f"[{document.url}]")
    return "\n\n".join(blocks) + "\n"


def html(document: Document) -> str:
    """Write a document as an HTML fragment for a rich-text clipboard."""
    escape = _html
    parts = [f"<p><strong>{escape(document.title)}</strong></p>"]
    parts += [f"<p>{escape(sentence)}</p>" for sentence in document.sentences]
    if document.facts:
        items = (
            f"<li><strong>{name}:</strong> {escape(value)}</li>" for name, value in document.facts
        )
        parts.append(f"<ul>{''.join(items)}</ul>")
    if document.rows:
        headers = "".join(f"<th>{escape(header)}</th>" for header in document.headers)
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in _cells(row, escape, _anchor)) + "</tr>"
            for row in document.rows
        )
        parts.append(f"<table><thead><tr>{headers}</tr></thead><tbody>{rows}</tbody></table>")
    if document.url:
        parts.append(f"<p>{_anchor(escape(document.url), document.url)}</p>")
    return "\n".join(parts) + "\n"


def plain(document: Document) -> str:
    """Write a document as plain text, with a line for each row."""
    clean = escapes.clean
    lines = [clean(document.title), *map(clean, document.sentences)]
    lines += [f"{name}: {clean(value)}" for name, value in document.facts]
    for row in document.rows:
        lines.append("- " + " · ".join(filter(None, map(clean, row.cells))))
    if document.url:
        lines.append(document.url)
    return "\n".join(lines) + "\n"


def _cells(row: Row, escape: Callable[[str], str], link: Callable[[str, str], str]) -> list[str]:
    first, *others = map(escape, row.cells)
    return [link(first, row.url) if row.url else first, *others]


def _piped(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _anchor(text: str, url: str) -> str:
    return f'<a href="{escape_html(url)}">{text}</a>'


def _html(text: str) -> str:
    return escape_html(escapes.clean(text))
