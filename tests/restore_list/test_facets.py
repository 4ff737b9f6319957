"""Facets: the values that a list can be filtered by, each with its number of rows."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.http import QueryDict
from django.utils.html import escape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restores.filters import ListParams, Scope
from restores.models import Membership, Restore
from restores.restore_list.facets import FACETS, facets
from restores.timerange import to_iso
from tests.factories import NOW, make_instance, make_observation, make_project, make_restore

URL = "/facets/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def world(db):
    """Restores of three projects of two customers, an hour apart; a third failed with two codes."""
    shop, maps = make_project(), make_project("maps", region="eu-nl", customer="Mapster")
    atlas = make_project("atlas", customer="Mapster")
    instances = [make_instance("cart", project=shop), make_instance("geo", project=maps)]
    instances += [make_instance("tile", project=atlas), make_instance("geo-2", project=maps)]
    for number in range(24):
        failed = number % 3 == 0
        make_restore(
            instance=instances[number % 4],
            status="failed" if failed else "succeed",
            error_code=("dcs.08.0007" if number % 2 else "dcs.08.0002") if failed else "",
            created_at=NOW - number * HOUR,
        )


def counts(user, query=""):
    params = ListParams.parse(QueryDict(query), NOW)
    assert not params.errors
    return {
        name: {option.value: option.count for option in facet.options}
        for name, facet in facets(Scope(params, user)).items()
    }


def words(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def test_each_value_has_its_count(world, root):
    assert counts(root) == {
        "customer": {"Mapster": "18", "Shopwell": "6"},
        "region": {"eu-de": "12", "eu-nl": "12"},
        "project": {"maps": "12", "atlas": "6", "shop-prod": "6"},
        "instance": {"cart": "6", "geo": "6", "geo-2": "6", "tile": "6"},
        "code": {"any": "8", "dcs.08.0002": "4", "dcs.08.0007": "4"},
    }


def test_a_facet_ignores_its_own_filter_and_no_other(world, root):
    found = counts(root, "project=maps&code=any")
    assert found["project"] == {"maps": "4", "atlas": "2", "shop-prod": "2"}
    assert found["customer"] == {"Mapster": "4"}
    assert found["code"] == {"any": "4", "dcs.08.0007": "4"}


def test_time_range_and_search_apply_to_the_counts(world, root):
    assert counts(root, "from=now-3h")["project"] == {"maps": "2", "atlas": "1", "shop-prod": "1"}
    assert counts(root, "q=tile")["instance"] == {"tile": "6"}


def test_a_chosen_value_can_be_removed_whatever_its_count(world, root):
    assert counts(root, "region=nowhere")["region"]["nowhere"] == ""
    params = ListParams.parse(QueryDict("instance=id-of-geo&instance=cart"), NOW)
    options = facets(Scope(params, root))["instance"].options
    chosen = [(one.value, one.count) for one in options if one.chosen]
    assert chosen == [("cart", "6"), ("id-of-geo", "6")]
    assert "geo" not in {one.value for one in options}


def test_instances_that_share_a_name_are_told_apart_by_their_ids(world, root):
    make_restore(instance=make_instance("cart", project=make_project("maps"), instance_id="other"))
    assert counts(root)["instance"].keys() >= {"id-of-cart", "other"}


def test_of_many_instances_those_with_the_most_restores_are_listed(root):
    for number in range(14):
        for _ in range(number + 1):
            make_restore(instance=make_instance(f"i{number:02}"))
    facet = facets(Scope(ListParams.parse(QueryDict(), NOW), root))["instance"]
    assert [one.value for one in facet.options] == [f"i{number:02}" for number in range(13, 3, -1)]
    assert facet.more


def test_a_snapshot_counts_codes_as_they_were_then(root):
    then = NOW - HOUR
    restore = make_restore(
        status="failed", error_code="dcs.08.0007", first_seen_at=then - HOUR,
        created_at=then - HOUR, moved_at=then + timedelta(minutes=1),
    )  # fmt: skip
    make_observation(restore, then - HOUR, status="restoring")
    assert counts(root)["code"] == {"any": "1", "dcs.08.0007": "1"}
    assert counts(root, f"asof={to_iso(then)}")["code"] == {}


def test_above_ten_thousand_only_the_newest_are_counted_and_the_page_says_so(web, root, world):
    instance = make_instance("tile", project=make_project("atlas"))
    Restore.objects.bulk_create(
        (
            Restore(
                instance=instance, project=instance.project, restore_id=f"m{number}",
                status="succeed", created_at=NOW + timedelta(seconds=number),
                first_seen_at=NOW, changed_at=NOW,
            )
            for number in range(10_001)
        ),
        batch_size=2000,
    )  # fmt: skip
    assert counts(root)["project"] == {"atlas": "10,000+", "maps": "", "shop-prod": ""}
    text = words(web.get(URL))
    assert "“+” means only the newest 10,000 restores were counted" in text
    assert "10,000+" in text
    exact = words(web.get(f"{URL}?project=maps"))
    assert "eu-nl 12 " in exact


def test_a_member_sees_no_values_of_other_projects(client, django_user_model, world):
    user = django_user_model.objects.create_user("mia")
    Membership.objects.create(user=user, project=make_project("maps"))
    assert counts(user) == {
        "customer": {"Mapster": "12"},
        "region": {"eu-nl": "12"},
        "project": {"maps": "12"},
        "instance": {"geo": "6", "geo-2": "6"},
        "code": {"any": "4", "dcs.08.0007": "4"},
    }
    client.force_login(user)
    html = client.get(URL).content.decode()
    assert not re.search("shop-prod|Shopwell|atlas|cart|dcs.08.0002</bdi>", html)


def test_the_page_is_the_filter_form_of_the_list_with_its_values(web, world):
    response = web.get(f"{URL}?project=maps&from=now-1d/d&sort=created")
    html = " ".join(response.content.decode().split())
    form = html[html.index('<form action="/restores/"', html.index("<main")) :]
    assert '<input type="checkbox" name="project" value="maps" checked >' in form
    assert '<input type="hidden" name="from" value="now-1d/d">' in form
    assert '<input type="hidden" name="sort" value="created">' in form
    assert '<input type="hidden" name="project"' not in form


def test_the_list_links_to_the_page_and_loads_no_counts_itself(web, world):
    html = web.get("/restores/?project=maps").content.decode()
    assert 'href="/facets/?project=maps&amp;asof=2026-11-23T16:59:00Z" data-facets' in html
    assert '<input type="hidden" name="project" value="maps">' in html
    assert 'type="checkbox" name="project"' not in html


def test_invalid_values_are_explained_as_in_the_list(web):
    response = web.get(f"{URL}?size=x&from=y")
    assert response.status_code == 400
    assert b"<code>size</code>" in response.content and b"<b>From</b>" in response.content


def test_a_page_sends_the_same_queries_however_many_rows(web, world, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        web.get(URL)


@pytest.mark.parametrize("text", ['"><script>x</script>', "\u202e{{7*7}}", "a'b&amp;"])
def test_hostile_names_stay_text(web, text):
    project = make_project(text, customer=text, region=text)
    make_restore(instance=make_instance(text, project=project), status="failed", error_code=text)
    html = web.get(URL).content.decode()
    assert "<script>x" not in html
    assert html.count(f"<bdi>{text}</bdi>".replace(text, _escaped(text))) >= 5


def _escaped(text):
    return str(escape(text))


filters = st.fixed_dictionaries(
    {},
    optional={
        "project": st.sampled_from(["maps", "atlas"]),
        "region": st.sampled_from(["eu-de", "eu-nl"]),
        "instance": st.sampled_from(["cart", "geo"]),
        "code": st.sampled_from(["any", "dcs.08.0007"]),
        "status": st.sampled_from(["failed", "succeed"]),
        "recovered": st.sampled_from(["yes", "no"]),
        "from": st.sampled_from(["now-3h", "now-9h"]),
        "on": st.sampled_from(["ended", "running", "changed"]),
    },
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(filters)
def test_a_count_is_the_number_of_rows_after_choosing_the_value(world, root, params):
    query = QueryDict(mutable=True)
    query.update(params)
    found = counts(root, query.urlencode())
    for name in FACETS:
        for value, count in found[name].items():
            chosen = query.copy()
            chosen[name] = value
            rows = Scope(ListParams.parse(chosen, NOW), root).restores.count()
            assert (count or "0") == str(rows), (params, name, value)
