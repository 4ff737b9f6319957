"""Text search: restores that contain every word of a query, by a trigram index or by scanning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db import connection
from django.db.models import Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from restores.asof import AsOf
from restores.keyset import first_pairs
from restores.models import Instance, Restore
from restores.querysets import RestoreQuerySet

# This many of the newest rows are scanned before the index is used.
SCANNED = 5_000
# For one or two letters no index helps: only this many of the newest rows are scanned.
SHORT_SCANNED = 2_000
# Rows that contain the text are named one by one if there are no more than this.
_FEW = 300
# A word that occurs in more instances than this is searched for with a subquery.
_MANY_INSTANCES = 200
_GRAM = 3
_MATCH = "SELECT rowid FROM restore_text WHERE restore_text MATCH %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The rows that contain the searched words.

    ``searched`` is how many of the newest rows were searched, 0 for all. For a common word the
    index is no use: ``recent`` are those among the newest rows only, and ``scanned`` all of them
    once more, for a filter that leaves only a few rows to be scanned.
    """

    rows: RestoreQuerySet
    recent: RestoreQuerySet | None = None
    scanned: RestoreQuerySet | None = None
    searched: int = 0


def search(
    rows: RestoreQuerySet,
    text: str,
    asof: AsOf | None,
    *,
    projects: Sequence[int] | None,
    newest_first: bool,
) -> SearchResult:
    """Find every word in names, remarks, ids, ip, domain or customer; ignoring case.

    ``projects`` are the primary keys of the projects that the rows are of, None for all.
    ``recent`` rows are of use only to the first pages of a list that begins with the newest.
    """
    words = [_Word(word, _instances_with(word)) for word in text.casefold().split()]
    if not words:
        return SearchResult(rows=rows)
    if asof:
        rows = rows.exclude(pk__in=_later_codes(asof, [word.text for word in words]))
    if all(len(word.text) < _GRAM for word in words):
        since = _created_at_of(rows, SHORT_SCANNED, projects)
        newest = rows.filter(created_at__gte=since) if since else rows
        return SearchResult(
            rows=_contains(newest, words, by_index=False), searched=SHORT_SCANNED if since else 0
        )
    if (few := _few(words)) is not None:
        return SearchResult(rows=_contains(rows.filter(pk__in=few), words))
    found = _by_index(rows, words)
    if not newest_first:
        return SearchResult(rows=found)
    since = _created_at_of(rows, SCANNED, projects)
    if since is None:
        return SearchResult(rows=_contains(rows, words))
    scanned = _contains(rows, words, by_index=False)
    return SearchResult(rows=found, recent=scanned.filter(created_at__gte=since), scanned=scanned)


def keys_containing(texts: Iterable[str], condition: Q, limit: int) -> list[int]:
    """The keys of restores that meet a condition and contain such text in names, ids or remark.

    They are found by the index, regardless of who may see them: a condition on projects, or an
    order, would let PostgreSQL read the newest restores instead. One or two letters are left out.
    """
    folded = [text.casefold() for text in texts if len(text) >= _GRAM]
    if not folded:
        return []
    rows = Restore.objects.order_by()
    if connection.vendor == "sqlite" and _has_index():
        grams = " OR ".join(f"({_all_grams([text], ' AND ')})" for text in folded)
        rows = rows.filter(pk__in=RawSQL(_MATCH, [grams]))  # noqa: S611 - a parameter
    rows = rows.filter(reduce(or_, (Q(search__contains=text) for text in folded)), condition)
    return list(rows.values_list("pk", flat=True)[:limit])


def _created_at_of(
    rows: RestoreQuerySet, number: int, projects: Sequence[int] | None
) -> datetime | None:
    """When the ``number``-th newest row was created; None if there are no more rows than that."""
    found = first_pairs(rows.exclude(created_at=None), "-created_at", 2, projects, number - 1)
    return found[0][0] if len(found) == 2 else None


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, and the condition that a restore's instance contains it."""

    text: str
    instances: Q


def _instances_with(word: str) -> Q:
    found = Instance.objects.filter(search__contains=word)
    keys = list(found.values_list("pk", flat=True)[: _MANY_INSTANCES + 1])
    if not keys:
        return Q()
    return Q(instance__in=keys if len(keys) <= _MANY_INSTANCES else found.values("pk"))


def _contains(
    rows: RestoreQuerySet, words: Iterable[_Word], *, by_index: bool = True
) -> RestoreQuerySet:
    """Rows that contain every word; PostgreSQL uses its index unless it is hidden from it."""
    column = "search"
    if not by_index:
        column = "scanned"
        rows = rows.alias(scanned=Coalesce("search", Value(""), output_field=TextField()))
    for word in words:
        rows = rows.filter(Q(**{f"{column}__contains": word.text}) | word.instances)
    return rows


def _few(words: Sequence[_Word]) -> list[int] | None:
    """The keys of all restores that may contain the words, unless there are many."""
    own = [word for word in words if not word.instances and len(word.text) >= _GRAM]
    if not own:
        return None
    if connection.vendor == "sqlite" and _has_index():
        # Through the ORM, as a condition on restores, all matches would be read.
        with connection.cursor() as cursor:
            texts = [word.text for word in own]
            cursor.execute(f"{_MATCH} LIMIT %s", [_all_grams(texts), _FEW + 1])
            keys = [key for (key,) in cursor.fetchall()]
    else:
        found = _contains(Restore.objects.all(), own)
        keys = list(found.values_list("pk", flat=True)[: _FEW + 1])
    return keys if len(keys) <= _FEW else None


def _by_index(rows: RestoreQuerySet, words: Sequence[_Word]) -> RestoreQuerySet:
    """PostgreSQL uses its index by itself; SQLite needs a separate condition."""
    if connection.vendor != "sqlite" or not _has_index():
        return _contains(rows, words)
    # One condition for all words that no instance contains: a common word next to a rare one
    # costs nothing then.
    rows = rows.filter(_match([word.text for word in words if not word.instances]))
    for word in words:
        own = Q(search__contains=word.text)
        rows = rows.filter(own & _match([word.text]) | word.instances if word.instances else own)
    return rows


def _match(texts: Sequence[str]) -> Q:
    grams = _all_grams(texts)
    return Q(pk__in=RawSQL(_MATCH, [grams])) if grams else Q()  # noqa: S611 - a parameter


def _all_grams(texts: Iterable[str], joined_by: str = " ") -> str:
    """The full-text query for every three characters of the strings; empty for shorter ones."""
    grams = {text[n : n + _GRAM] for text in texts for n in range(len(text) - _GRAM + 1)}
    return joined_by.join('"' + gram.replace('"', '""') + '"' for gram in sorted(grams))


_index_found = False


def _has_index() -> bool:
    """Whether SQLite could build the index: a library before 3.34 lacks the trigram tokenizer."""
    global _index_found
    # Only that it exists is remembered: a migration may build it while this process runs.
    if not _index_found:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'restore_text'")
            _index_found = cursor.fetchone() is not None
    return _index_found


def _later_codes(asof: AsOf, words: Sequence[str]) -> list[int]:
    """The restores that contain a word only in an error code that they got since."""
    codes = {
        key: state.error_code_now.casefold()
        for key, state in asof.changed_since.items()
        if state.error_code != state.error_code_now
    }
    doubtful = [key for key, code in codes.items() if any(word in code for word in words)]
    rows = Restore.objects.filter(pk__in=doubtful).values_list("pk", "search", "instance__search")
    found = []
    for key, search, instance in rows:
        then = asof.changed_since[key].error_code
        text = f"{search.removesuffix(codes[key])} {then} {instance}".casefold()
        if any(word not in text for word in words):
            found.append(key)
    return found
