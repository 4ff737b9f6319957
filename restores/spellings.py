"""IDs as tickets spell them: in capitals, braces or quotes, without hyphens, several in a row."""

import re
from html import unescape
from unicodedata import normalize

_SEPARATORS = re.compile(r"[\s,;|，；、]+")
_AROUND = "\"'`´‘’‚‛“”„‟«»‹›{}[]()<>.,:;!?"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_DASHES = re.compile("[‐‑‒–—―−]")
_UUID = re.compile("-?".join(f"([0-9a-f]{{{count}}})" for count in (8, 4, 4, 4, 12)))
# Labels (id:, urn:uuid:) and marks. No character fits both, so long text is rejected in one pass.
_BEFORE_UUID = re.compile(r"(?:[a-z][a-z_]*[:=]|[\W_])*")
_AFTER_UUID = re.compile(r"[\W_]*")


def split_ids(text: str) -> list[str]:
    """Split text at commas, semicolons, bars, spaces and line breaks; leave bullets out."""
    parts = list(filter(None, _SEPARATORS.split(unescape(text))))
    # But not all of it: without a value, a filter would let everything through.
    return [one for one in parts if any(map(str.isalnum, one))] or parts


def canonical_id(text: str) -> str:
    """Spell a UUID as the provider does; leave any other id as it is."""
    return parse_uuid(text) or text


def parse_uuid(text: str) -> str:
    """Return a UUID in lower case with hyphens, ignoring what is around it; "" if there is none."""
    plain = normalize("NFKC", bare(unescape(text))).casefold()
    match = _UUID.search(plain)
    if (
        match
        and _BEFORE_UUID.fullmatch(plain, 0, match.start())
        and _AFTER_UUID.fullmatch(plain, match.end())
    ):
        return "-".join(match.groups())
    return ""


def spellings(text: str) -> set[str]:
    """Return how an id that is spelled like this may be stored, in lower case."""
    found = {text, bare(text)}
    if uuid := parse_uuid(text):
        found |= {uuid, uuid.replace("-", "")}
    # SQLite changes the case of ASCII letters only.
    return {lower for one in found for lower in (one.lower(), _ascii_lower(one))} - {""}


def all_spellings(text: str) -> set[str]:
    """Return how the ids that make up the text may be stored, in lower case."""
    return spellings(text).union(*map(spellings, split_ids(text)))


def _ascii_lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


def bare(text: str) -> str:
    """Return an id without what tickets put around it or inside it."""
    plain = _DASHES.sub("-", _INVISIBLE.sub("", text)).strip()
    return plain.strip(_AROUND).removeprefix("urn:uuid:").strip(_AROUND)
