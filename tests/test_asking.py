"""Questions that are asked in one trip: each gets its own answer, once."""

import pytest
from django.db import connection
from django.db.models.expressions import RawSQL

from restores.models import Restore
from restores.querysets.asking import Plan, ask_anew, pose, together
from restores.querysets.slots import Keys, Slot
from tests.factories import make_restore

ON_POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def rows(db):
    for name in ("r1", "r2", "50 % done; DROP TABLE x", "%s"):
        make_restore(name)
    return Restore.objects.order_by("restore_id")


def called(rows, name):
    return pose(None, lambda: rows.filter(restore_id=Slot("id")).values_list("restore_id"), id=name)


def test_each_has_its_own_answer(rows):
    keys = [row.pk for row in rows]
    asked = [
        called(rows, "r2"),
        pose(None, lambda: rows.filter(pk__in=Keys("keys")), keys=keys[:3]),
        pose(None, lambda: rows.values_list("restore_id", flat=True)[:1]),
        called(rows, "50 % done; DROP TABLE x"),
        pose(None, lambda: rows.none()),
        called(rows, "%s"),
        called(rows, "no such"),
    ]
    together(*asked)
    first = "%s"
    assert [one.rows for one in asked] == [
        [("r2",)],
        [row for row in rows if row.pk in keys[:3]],
        [first],
        [("50 % done; DROP TABLE x",)],
        [],
        [("%s",)],
        [],
    ]


def test_postgresql_is_asked_once_and_sqlite_as_often_as_needed(rows, django_assert_num_queries):
    asked = [called(rows, "r1"), called(rows, "r2"), pose(None, lambda: rows.none())]
    with django_assert_num_queries(1 if ON_POSTGRESQL else 2):
        together(*asked)
    with django_assert_num_queries(0):
        assert [len(one.rows) for one in asked] == [1, 1, 0]
        together(*asked)
        together()


def test_without_keys_nothing_is_asked(rows, django_assert_num_queries):
    question = pose(None, lambda: rows.filter(pk__in=Keys("keys")), keys=[])
    with django_assert_num_queries(0):
        together(question)
        assert question.rows == []


def test_what_was_asked_can_be_asked_anew(rows):
    first, second = called(rows, "r1"), called(rows, "r9")
    together(first, second)
    make_restore("r9")
    ask_anew(first, second)
    assert [first.rows, second.rows] == [[("r1",)], [("r9",)]]


def test_what_was_asked_is_not_asked_again_beside_others(rows):
    first, second = called(rows, "r1"), called(rows, "r9")
    assert first.rows == [("r1",)]
    Restore.objects.filter(restore_id="r1").delete()
    make_restore("r9")
    together(first, second)
    assert [first.rows, second.rows] == [[("r1",)], [("r9",)]]


def test_a_view_asks_each_of_its_questions_once(rows, django_assert_num_queries):
    def view():
        return Restore.objects.all().planned(Plan("all of them", {}))

    page = view()
    with django_assert_num_queries(1):
        assert page.state_sums(10)[0].rows == page.state_sums(10)[0].rows
    make_restore("r9")
    assert view().sums(10, "all", "pk")[0].rows == [(5,)]


def test_a_view_without_a_key_holds_nothing(rows):
    everything = Restore.objects.all()
    assert everything.sums(10, "all", "pk")[0].rows == [(4,)]
    make_restore("r9")
    assert everything.sums(10, "all", "pk")[0].rows == [(5,)]


@pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite is asked one question at a time")
@pytest.mark.django_db(transaction=True)
def test_a_question_that_fails_leaves_the_others_open(db):
    make_restore("r1")
    rows = Restore.objects.all()
    good = called(rows, "r1")
    bad = pose(None, lambda: rows.annotate(x=RawSQL("1 / 0", ())).filter(x=1))
    with pytest.raises(Exception, match="zero"):
        together(good, bad)
    assert good.open
    assert good.rows == [("r1",)]
