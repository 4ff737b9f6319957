"""Finds the restores in which every word of a text occurs, by index or by walking the newest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from restores.filters.params import ListParams
from restores.models import Instance, Restore
from restores.past import Past
from restores.querysets import RestoreQuerySet
from restores.snapshots import RestoresThen

# So many of the newest rows are read before an index of the text is asked.
REACH = 5_000
# A word found on more instances than these is rather asked of each row.
_MANY = 200
# Rows that hold a word are named one by one if they are no more than these.
_FEW = 300
_GRAM = 3
_FOUND = """
SELECT found.id FROM restore_text CROSS JOIN restores_restore AS found
ON found.id = restore_text.rowid WHERE restore_text MATCH %s"""


def sought(
    rows: RestoreQuerySet, params: ListParams
) -> tuple[RestoreQuerySet, tuple[RestoreQuerySet, RestoreQuerySet] | None]:
    """Rows in which every word occurs: names, remarks, ids, ip, domain, customer.

    Beside all of them, where it may do to read rows one by one because a common word has no use
    for an index: those among the newest, and all once more, for what else makes them few.
    """
    words = [_Word(text, _on_instances(text)) for text in params.get("q").casefold().split()]
    if not words:
        return rows, None
    if isinstance(rows, RestoresThen):
        rows = rows.exclude(pk__in=_learnt(rows.past, [word.text for word in words]))
    if (few := _few(words)) is not None:
        return _walked(rows.filter(pk__in=few), words), None
    found = _indexed(rows, words)
    if params.sort != ListParams.DECLARED["sort"].default or params.cursor or rows.seam:
        return found, None
    newest = rows.exclude(created_at=None).order_by("-created_at", "-pk")
    edge = newest.values_list("created_at", flat=True)[REACH : REACH + 1]
    if not (since := list(edge)):
        return _walked(rows, words), None
    walked = _walked(rows, words, by_index=False)
    return found, (walked.filter(created_at__gte=since[0]), walked)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    instances: Q

    def contained(self, *, by_index: bool) -> Q:
        """That it occurs in the restore itself; no index knows the second spelling."""
        return Q(search__contains=self.text) if by_index else Q(read__contains=self.text)


def _on_instances(word: str) -> Q:
    found = Instance.objects.filter(search__contains=word)
    keys = list(found.values_list("pk", flat=True)[: _MANY + 1])
    return Q(instance__in=found.values("pk") if len(keys) > _MANY else keys) if keys else Q()


def _few(words: Sequence[_Word]) -> list[int] | None:
    """The keys of all restores that may hold the words, if they are few: found once, not thrice."""
    own = [word for word in words if not word.instances and len(word.text) >= _GRAM]
    if not own:
        return None
    if connection.vendor == "sqlite" and _has_index():
        keys = _first_by_grams([word.text for word in own])
    else:
        rows = _walked(Restore.objects.all(), own)
        keys = list(rows.values_list("pk", flat=True)[: _FEW + 1])
    return keys if len(keys) <= _FEW else None


def _first_by_grams(texts: Sequence[str]) -> list[int]:
    """The first keys as the index gives them: as a condition it would be read to its end."""
    holds = " AND found.search LIKE %s ESCAPE '\\'" * len(texts)
    like = [f"%{connection.ops.prep_for_like_query(text)}%" for text in texts]
    with connection.cursor() as cursor:
        cursor.execute(f"{_FOUND}{holds} LIMIT %s", [_grams(texts), *like, _FEW + 1])
        return [key for (key,) in cursor.fetchall()]


def _learnt(past: Past, words: Sequence[str]) -> list[int]:
    """The restores that hold a word only in the code that they have got since."""
    codes = {key: then.error_code_now.casefold() for key, then in past.moved.items()
             if then.error_code != then.error_code_now}  # fmt: skip
    doubtful = [key for key, code in codes.items() if any(word in code for word in words)]
    rows = Restore.objects.filter(pk__in=doubtful).values_list("pk", "search", "instance__search")
    known = {
        key: f"{search.removesuffix(codes[key])} {past.moved[key].error_code} {instance}"
        for key, search, instance in rows
    }
    return [
        key for key, text in known.items() if any(word not in text.casefold() for word in words)
    ]


def _walked(
    rows: RestoreQuerySet, words: Iterable[_Word], *, by_index: bool = True
) -> RestoreQuerySet:
    rows = (
        rows
        if by_index
        else rows.alias(read=Coalesce("search", Value(""), output_field=TextField()))
    )
    for word in words:
        rows = rows.filter(word.contained(by_index=by_index) | word.instances)
    return rows


def _indexed(rows: RestoreQuerySet, words: Sequence[_Word]) -> RestoreQuerySet:
    """PostgreSQL asks its index by itself; SQLite has to be told."""
    if connection.vendor != "sqlite" or not _has_index():
        return _walked(rows, words)
    # One question for all words that no instance has: a common word costs nothing beside a rare.
    rows = rows.filter(_by_grams([word for word in words if not word.instances]))
    for word in words:
        found = word.contained(by_index=True)
        rows = rows.filter(found & _by_grams([word]) | word.instances if word.instances else found)
    return rows


def _by_grams(words: Sequence[_Word]) -> Q:
    params = _grams([word.text for word in words])
    if not params:
        return Q()
    sql = "SELECT rowid FROM restore_text WHERE restore_text MATCH %s"
    return Q(pk__in=RawSQL(sql, [params]))  # noqa: S611 - the text is a parameter


def _grams(texts: Iterable[str]) -> str:
    """What the index is asked for: every three characters of the texts."""
    grams = {text[n : n + _GRAM] for text in texts for n in range(len(text) - _GRAM + 1)}
    return " ".join('"' + gram.replace('"', '""') + '"' for gram in sorted(grams))


def _has_index() -> bool:
    with connection.cursor() as cursor:
        found: Any = cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'restore_text'")
        return found.fetchone() is not None
