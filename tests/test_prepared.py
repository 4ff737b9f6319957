"""Questions whose SQL is kept: asked again, only the values are new, and the answers."""

from datetime import timedelta
from threading import Thread

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from restores.models import Membership, Restore
from restores.querysets import prepared
from restores.querysets.asking import Bound, Plan, ask
from restores.querysets.prepared import Prepared
from restores.querysets.slots import Keys, Slot
from restores.querysets.visible import key_of
from tests.factories import NOW, make_instance, make_project, make_restore

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(prepared, "_questions", {})


@pytest.fixture
def rows(db):
    places = make_instance(), make_instance("b", project=make_project("other"))
    for number in range(4):
        created = NOW - number * MINUTE if number else None
        make_restore(f"r{number}", instance=places[number % 2], created_at=created)
    return Restore.objects.order_by("restore_id")


def ids(found):
    return [row.restore_id for row in found]


def answer(rows, **values):
    return Bound(Prepared(rows), values).rows


SHAPES = {
    "models": lambda rows: rows,
    "models in part": lambda rows: rows.defer("raw", "search"),
    "tuples": lambda rows: rows.values_list("restore_id", "created_at", "instance__name"),
    "bare values": lambda rows: rows.values_list("created_at", flat=True),
    "named tuples": lambda rows: rows.values_list("pk", "duration", "created_at", named=True),
    "none": lambda rows: rows.none(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_read_is_what_the_orm_reads(rows, shape):
    read = SHAPES[shape](rows)
    assert answer(read) == list(read)


def test_named_values_keep_their_names_and_deferred_ones_stay_unread(rows):
    assert answer(SHAPES["named tuples"](rows))[1].created_at == NOW - MINUTE
    assert answer(SHAPES["models in part"](rows))[0].get_deferred_fields() == {
        "raw",
        "search",
    }


def test_models_come_with_what_they_hang_on(rows, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = answer(rows.select_related("instance__project"))
        names = [row.instance.project.name for row in found]
    assert names == ["shop-prod", "other", "shop-prod", "other"]


def test_the_sql_is_written_once_and_the_answer_is_of_now(rows):
    worded = []

    def question():
        worded.append(1)
        return rows.filter(created_at__gte=Slot("start"), created_at__lt=Slot("end"))

    def asked(start, end):
        return ids(ask("window", question, start=start, end=end))

    assert asked(NOW - 3 * MINUTE, NOW - MINUTE) == ["r2", "r3"]
    assert asked(NOW - MINUTE, NOW) == ["r1"]
    make_restore("r9", created_at=NOW - MINUTE)
    assert asked(NOW - MINUTE, NOW) == ["r1", "r9"]
    assert worded == [1]


def test_a_time_may_be_asked_for_with_a_distance(rows):
    later = rows.filter(created_at__gt=Slot("at") - MINUTE - MINUTE)
    assert ids(answer(later, at=NOW)) == ["r1"]


@pytest.mark.parametrize("wanted", [[], ["r2"], ["r3", "r0", "r2"]])
def test_any_number_of_keys_is_one_value(rows, wanted):
    keys = [row.pk for row in rows if row.restore_id in wanted]
    assert ids(answer(rows.filter(pk__in=Keys("keys")), keys=keys)) == sorted(wanted)


def test_values_from_outside_stay_values(rows):
    question = Prepared(rows.filter(restore_id=Slot("id")))
    for hostile in ("r1' OR '1'='1", "%s", "r1\\", 'r1"; --'):
        assert Bound(question, {"id": hostile}).rows == []
        kept = make_restore(hostile)
        assert Bound(question, {"id": hostile}).rows == [kept]


def test_a_slot_without_a_value_is_an_error_and_no_other_rows(rows):
    with pytest.raises(KeyError, match="start"):
        answer(rows.filter(created_at__gte=Slot("start")))


def test_sums_are_asked_of_the_rows_found(rows):
    newest = rows.exclude(created_at=None).values_list("pk")[:2]
    assert Bound(Prepared(newest, "COUNT(*)"), {}).rows == [(2,)]


def test_a_plan_keeps_the_questions_of_its_own_view(rows):
    early, late = Plan("early", {"at": NOW - 2 * MINUTE}), Plan("late", {"at": NOW - 2 * MINUTE})
    before = Restore.objects.filter(created_at__lt=Slot("at")).planned(early)
    since = Restore.objects.filter(created_at__gte=Slot("at")).planned(late)

    def own(view):
        return [view.order_by("restore_id")]

    for _ in range(2):
        assert [ids(one.rows) for one in before.asked("own", own)] == [["r3"]]
        assert [ids(one.rows) for one in since.asked("own", own)] == [["r1", "r2"]]


def test_what_narrows_a_planned_view_has_no_plan_of_its_own(rows):
    view = rows.planned(Plan("view", {}))
    assert view.failed().plan.key is None
    assert view.sums(10, "all", "pk")[0].rows == [(4,)]
    assert view.sums(10, "failed", "pk")[0].rows == [(0,)]


def test_no_more_is_kept_than_so_many_questions(rows, monkeypatch):
    monkeypatch.setattr(prepared, "_MOST", 3)
    for number in range(10):
        ask(number, lambda: rows)
    assert len(prepared._questions) <= 3


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_question_and_none_shares_a_connection():
    make_restore("r1")
    rows = Restore.objects.select_related("instance")
    found = {}

    def read(name):
        found[name] = ids(ask("shared", lambda: rows))
        connection.close()

    threads = [Thread(target=read, args=[name]) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(found.values()) == [["r1"]] * 4


def test_a_page_asked_for_again_has_its_own_window_and_places(web, rows):
    def shown(query):
        body = web.get(f"/restores/?{query}").content.decode()
        return {row.restore_id for row in rows if f'id="r{row.pk}"' in body}

    for _ in range(2):
        for number in (1, 2, 3):
            start, end = NOW - number * MINUTE, NOW - (number - 1) * MINUTE
            query = f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"
            assert shown(query) == {f"r{number}"}
            assert shown(f"on=running&{query}") >= {f"r{number}"}
        assert shown("project=other") == shown("instance=b") == {"r1", "r3"}
        assert shown("project=shop-prod") == {"r0", "r2"}
    # The same name may come to mean another instance.
    twin = make_restore("r5", instance=make_instance("b", instance_id="id-of-another-b"))
    assert f'id="r{twin.pk}"' in web.get("/restores/?instance=b").content.decode()


def test_what_a_reader_may_see_is_asked_anew_each_time(client, django_user_model, rows):
    reader = django_user_model.objects.create_user("mia")
    client.force_login(reader)
    Restore.objects.update(status="failed", error_code="dcs.08.0007")

    def page():
        found = client.get("/restores/?code=dcs.08.0007")
        html = found.content.decode()
        return html.count('<tr id="r'), "No access or not found" in html

    for _ in range(2):
        assert page() == (0, True)
        seen = Membership.objects.create(user=reader, project=make_project("other"))
        assert page() == (2, False)
        seen.delete()


def test_nobody_is_taken_for_a_superuser(root):
    assert len({key_of(AnonymousUser()), key_of(root), key_of(User(pk=7))}) == 3
