"""Writes a note as Markdown, Jira wiki text, HTML or plain text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from . import escapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table; its first cell leads to ``url`` and is never foreign text."""

    url: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A title, sentences, facts as label and value, a table, and the address it was taken from."""

    title: str
    url: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def markdown(note: Note) -> str:
    """The note as Markdown, its table in pipes."""
    mark = escapes.markdown
    blocks = [f"**{mark(note.title)}**", *map(mark, note.sentences)]
    if note.facts:
        blocks.append(_lines(f"- **{name}:** {mark(value)}" for name, value in note.facts))
    if note.rows:
        ruler = "|" + " --- |" * len(note.heads)
        rows = (_piped(_markdown_cells(row)) for row in note.rows)
        blocks.append(_lines([_piped(map(mark, note.heads)), ruler, *rows]))
    return "\n\n".join([*blocks, *([f"<{note.url}>"] if note.url else [])]) + "\n"


def jira(note: Note) -> str:
    """The note in Jira's wiki notation."""
    mark = escapes.jira
    blocks = [f"*{mark(note.title)}*", *map(mark, note.sentences)]
    if note.facts:
        blocks.append(_lines(f"* *{name}:* {mark(value)}" for name, value in note.facts))
    if note.rows:
        heads = "||" + "||".join(map(mark, note.heads)) + "||"
        blocks.append(_lines([heads, *(_piped(_jira_cells(row)) for row in note.rows)]))
    return "\n\n".join([*blocks, *([f"[{note.url}]"] if note.url else [])]) + "\n"


def html(note: Note) -> str:
    """The note as a piece of HTML for a rich clipboard."""
    mark = _html
    parts = [f"<p><strong>{mark(note.title)}</strong></p>"]
    parts += [f"<p>{mark(sentence)}</p>" for sentence in note.sentences]
    if note.facts:
        items = (f"<li><strong>{name}:</strong> {mark(value)}</li>" for name, value in note.facts)
        parts.append(f"<ul>{''.join(items)}</ul>")
    if note.rows:
        heads = "".join(f"<th>{mark(head)}</th>" for head in note.heads)
        rows = "".join(f"<tr>{_html_cells(row)}</tr>" for row in note.rows)
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    if note.url:
        parts.append(f"<p>{_anchor(note.url, mark(note.url))}</p>")
    return "\n".join(parts) + "\n"


def plain(note: Note) -> str:
    """The note as plain text, a line for each restore."""
    tidy = escapes.tidy
    lines = [tidy(note.title), *map(tidy, note.sentences)]
    lines += [f"{name}: {tidy(value)}" for name, value in note.facts]
    for row in note.rows:
        lines.append("- " + " · ".join(filter(None, map(tidy, row.cells))))
    return _lines([*lines, *([note.url] if note.url else [])]) + "\n"


def _markdown_cells(row: Row) -> list[str]:
    return _linked(row, escapes.markdown, lambda text: f"[{text}]({row.url})")


def _jira_cells(row: Row) -> list[str]:
    # An empty cell would close the table's row.
    return [cell or " " for cell in _linked(row, escapes.jira, lambda t: f"[{t}|{row.url}]")]


def _html_cells(row: Row) -> str:
    cells = _linked(row, _html, lambda text: _anchor(row.url, text))
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _linked(row: Row, mark: Callable[[str], str], link: Callable[[str], str]) -> list[str]:
    first, *others = row.cells
    text = mark(first)
    return [link(text) if row.url else text, *map(mark, others)]


def _anchor(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{text}</a>'


def _html(text: str) -> str:
    return escape(escapes.tidy(text))


def _piped(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
