"""IDs as tickets spell them, in parameters, paths and commands."""

from urllib.parse import quote, urlencode

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from restores.models import Restore
from restores.spellings import all_spellings, bare, canonical_id, spellings, split_ids
from tests.factories import NOW, make_instance, make_restore

RESTORE, OTHER = "3f2a9c1e-5b7d-4e80-9a1b-0c2d3e4f5a6b", "0b1c2d3e-4f50-4617-8829-3a4b5c6d7e8f"
INSTANCE = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d"
PLAIN = RESTORE.replace("-", "")
SPELLED = [
    "{id}",
    " {id} ",
    "{{{id}}}",
    "“{id}”",
    '"{id}"',
    "'{id}'",
    "`{id}`",
    "«{id}»",
    "<{id}>",
    "({id})",
    "[{id}],",
    "{id}.",
    "{id};",
    "urn:uuid:{id}",
    "URN:UUID:{id}",
    "id:{id}",
    'instance_id="{id}",',
    "uuid={id}",
    "*{id}*",
    "_{id}_",
    "|{id}|",
    "#{id}",
    "&quot;{id}&quot;",
    "{id}…",
    "• {id}",
    "\n{id}\r\n",
    "\u200b{id}\ufeff",
]
CASES = [str, str.upper, str.title, lambda text: text.replace("-", "")]
CASES += [lambda text: text.replace("-", "\u2011"), lambda text: text.replace("-", "–").upper()]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(web):
    instance = make_instance("cart prod", instance_id=INSTANCE)
    for restore_id in (RESTORE, OTHER):
        make_restore(restore_id, instance=instance)
    make_restore("another", instance=make_instance("another"))
    return web


def spelled(text):
    return [form.replace("{{{id}}}", f"{{{one}}}").replace("{id}", one) for form in SPELLED
            for one in (case(text) for case in CASES)]  # fmt: skip


def final(web, url):
    response = web.get(url)
    if response.status_code == 302:
        response = web.get(response.headers["Location"])
    return response


def rows(web, **query):
    found = web.get(f"/restores.json?{urlencode(query)}").json()
    assert found["not_found"] == []
    return {row["restore_id"] for row in found["restores"]}


def test_an_id_is_found_however_a_ticket_spells_it(world):
    for text in spelled(RESTORE)[::2]:
        assert rows(world, ids=text) == {RESTORE}, text
    for text in spelled(INSTANCE)[::5]:
        assert rows(world, ids=text) == rows(world, instance=text) == {RESTORE, OTHER}, text


@pytest.mark.parametrize(
    "separator",
    [",", ";", " ", "\n", "\r\n", "\t", ", ", " ; ", ";\n", ",,", "|", " | ", "，", "；", "、"],
)
def test_ids_are_separated_by_whatever_stands_between_them_in_a_ticket(world, separator):
    text = separator.join([f"{{{RESTORE.upper()}}}", f"“{OTHER}”"])
    assert rows(world, ids=text) == {RESTORE, OTHER}
    assert rows(world, ids=f"{text}{separator}another") == {RESTORE, OTHER, "another"}
    text = separator.join([INSTANCE.upper(), "id-of-another"])
    assert rows(world, instance=text) == {RESTORE, OTHER, "another"}


@pytest.mark.parametrize("text", ["~", "•", "*", "…", "--"])
def test_marks_alone_are_the_id_of_nothing(world, text):
    for name in ("ids", "instance"):
        found = world.get(f"/restores.json?{urlencode({name: text})}").json()
        assert (found["restores"], found["not_found"]) == ([], [text])


# In quadratic time, this would take minutes.
@pytest.mark.parametrize("marks", ["_", ":", "_:", "id:", "a_", "-", "0", "ab-"])
def test_a_long_row_of_marks_and_labels_is_read_at_once(marks):
    assert canonical_id(marks * 100_000) == marks * 100_000


def test_an_id_that_is_not_a_uuid_is_found_in_any_case(world):
    instance = make_instance("x", instance_id="ff-0Ab")
    make_restore("Rst-7a", backup_id="Backup-é7", instance=instance)
    for text in ("Rst-7a", "rst-7a", "rST-7A", "bACKUP-é7", '"rSt-7a"', "{RST-7a}", "fF-0aB"):
        assert rows(world, ids=text) == {"Rst-7a"}, text
        assert rows(world, ids=f"{text},another") == {"Rst-7a", "another"}, text
    for text in ("ff-0Ab", "fF-0aB", "“FF-0aB”"):
        assert rows(world, instance=text) == {"Rst-7a"}, text
    for path, url in (
        ("restores/rST-7A", "restores/Rst-7a"),
        ("instances/Ff-0aB", "instances/ff-0Ab"),
    ):
        assert world.get(f"/{path}/").headers["Location"] == f"/{url}/"
        assert world.get(f"/{path}.json").status_code == 200
    assert world.post("/instances/fF-0aB/sync/", {"project": "shop-prod"}).status_code == 302


IDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=12)


class AnyCase(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(IDS.filter(lambda one: one == bare(one)), st.randoms(use_true_random=False))
    def test_an_id_is_found_whatever_the_case_of_its_letters(self, restore_id, dice):
        restore = make_restore(restore_id)
        text = "".join(dice.choice((char.lower(), char.upper())) for char in restore_id)
        found = Restore.objects.filter(restore_id__lower__in=spellings(text))
        assert list(found) == [restore]


def test_a_name_keeps_its_blanks_and_its_case(world):
    assert rows(world, instance="cart prod") == rows(world, instance="“cart prod”")
    assert world.get("/restores.json?instance=cart").json()["not_found"] == ["cart"]


def test_a_path_moves_to_the_canonical_spelling(world):
    for kind, found in (("restores", RESTORE), ("instances", INSTANCE)):
        for text in spelled(found)[1::7]:
            if text == found:
                continue
            response = world.get(f"/{kind}/{quote(text)}/?asof=2026-11-23T16:59:00Z")
            assert response.status_code == 302, text
            url = f"/{kind}/{found}/?asof=2026-11-23T16:59:00Z"
            assert response.headers["Location"] == url, text
            assert world.get(url).status_code == 200
            # Endpoints for scripts don't redirect.
            assert world.get(f"/{kind}/{quote(text)}.json").json()[f"{kind[:-1]}_id"] == found
    assert world.get(f"/restores/{quote(f'{{{PLAIN}}}')}.md").status_code == 200


def test_a_path_of_several_ids_moves_to_their_list(world):
    response = world.get(f"/restores/{quote(f'{RESTORE};{OTHER}')}/")
    assert response.headers["Location"] == f"/restores/?ids={OTHER},{RESTORE}"
    response = world.get(f"/restores/{quote(f'{RESTORE} {OTHER}')}.json").json()
    assert {row["restore_id"] for row in response["restores"]} == {RESTORE, OTHER}


@pytest.mark.parametrize("text", ["nope", "{nope}", "a;b", "%00", "~zz", "x" * 5000, "‑" * 40, "~"])
def test_a_path_of_no_known_id_is_not_found(world, text):
    for kind in ("restores", "instances"):
        assert world.get(f"/{kind}/{text if text == '%00' else quote(text)}/").status_code == 404


def test_an_exact_id_comes_before_any_other_spelling(world):
    make_restore(RESTORE.upper())
    assert world.get(f"/restores/{RESTORE.upper()}/").status_code == 200
    assert world.get(f"/restores/{RESTORE}/").status_code == 200


def test_the_canonical_url_has_one_spelling(world):
    response = world.get("/restores/?" + urlencode({"ids": f"{{{PLAIN.upper()}}};another"}))
    assert response.headers["Location"] == f"/restores/?ids={RESTORE},another"
    response = world.get("/restores/?" + urlencode({"instance": f"“{INSTANCE.upper()}”"}))
    assert response.headers["Location"] == f"/restores/?instance={INSTANCE}"


def test_sync_now_takes_an_id_as_a_ticket_spells_it(world):
    url = f"/instances/{quote(f'{{{INSTANCE.upper()}}}')}/sync/"
    assert world.post(url, {"project": "shop-prod"}).status_code == 302


TOKENS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(TOKENS, max_size=5), st.sampled_from([",", ";", " ", "\n"]))
def test_every_text_has_spellings_and_one_canonical_form(tokens, separator):
    text = separator.join(tokens)
    for one in split_ids(text):
        assert one.lower() in spellings(one) and spellings(one) <= all_spellings(text)
        assert canonical_id(canonical_id(one)) == canonical_id(one)
        assert one == canonical_id(one) or canonical_id(one) in spellings(one)


@given(st.uuids(), st.sampled_from(SPELLED), st.sampled_from(CASES))
def test_a_uuid_has_one_canonical_spelling(uuid, form, case):
    text = form.replace("{{{id}}}", f"{{{case(str(uuid))}}}").replace("{id}", case(str(uuid)))
    assert canonical_id(text) == str(uuid)
    assert {str(uuid), uuid.hex} <= spellings(text)
