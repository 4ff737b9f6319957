"""What a copied text says, whatever its format."""

from dataclasses import dataclass


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
