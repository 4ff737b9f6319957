"""What a lookup finds in pasted text, measured on the corpus."""

import re
import sys
import unicodedata
from collections import Counter
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restores.lookup import MAX_FINDINGS, MAX_SEARCHED, find
from tests.lookup.corpus import NOW, TICKETS

UTC = ZoneInfo("UTC")
# What the corpus has and the lookup does not find, by ticket: to be shortened.
MISSES = set()


def spelled(kind, value):
    if kind == "id":
        return value.replace("-", "")
    return value.replace(" ", "…") if kind == "ends" else value


def misses(ticket, found):
    """What was expected in a ticket and not found, and what was found besides."""
    values = {(one.kind, spelled(one.kind, one.value)) for one in found.findings}
    for kind in ("id", "prefix", "ends", "code", "address", "name"):
        for value in ticket.expected[kind]:
            if (kind, spelled(kind, value)) not in values:
                yield kind, value
    read = {one.text: {meaning.start.replace(microsecond=0) for meaning in one.meanings}
            for one in found.times}  # fmt: skip
    for text, meanings in ticket.times.items():
        same = [starts for written, starts in read.items() if text in written or written in text]
        if meanings not in same:
            yield "time", text


def invented(ticket, found):
    """What was found and is not in the ticket, or in something else that it has."""
    for kind in ("id", "prefix", "ends", "code"):
        expected = {spelled(kind, value) for value in ticket.expected[kind]}
        for one in found.of(kind):
            # What merely may be the beginning of an id is looked up, but not mentioned.
            if spelled(kind, one.value) not in expected and one.certain:
                yield kind, one.value
    times = [*ticket.times, *ticket.expected["maybe"]]
    for one in found.times:
        if not any(one.text in text or text in one.text for text in times):
            yield "time", one.text
    for text in ticket.expected["not"]:
        for one in found.findings:
            if one.kind != "name" and text in one.value and one.certain:
                yield "not", one.value


def test_the_corpus_is_read(capsys):
    expected, missed, wrong = Counter(), [], []
    for ticket in TICKETS:
        found = find(ticket.text, NOW, UTC)
        expected["time"] += len(ticket.times)
        for kind in ("id", "prefix", "ends", "code", "address", "name"):
            expected[kind] += len(ticket.expected[kind])
        missed += [(ticket.name, *miss) for miss in misses(ticket, found)]
        wrong += [(ticket.name, *one) for one in invented(ticket, found)]
    with capsys.disabled():
        counts = Counter(kind for _, kind, _ in missed)
        rates = [f"{kind} {count - counts[kind]}/{count}" for kind, count in expected.items()]
        sys.stdout.write(f"\nFound in {len(TICKETS)} tickets: {', '.join(rates)}\n")
    assert wrong == []
    assert set(missed) == MISSES
    wanted = expected["id"] + expected["prefix"] + expected["ends"] + expected["time"]
    assert len(missed) <= 0.03 * wanted


WHOLE = "0ad91043-4c33-4c0c-af93-c43f03fdb873"
OTHER = "77c1e0aa-90d1-4c1f-8d5f-0a4b1c7d2e9f"


def ids(text):
    return [one.value for one in find(text, NOW, UTC).of("id")]


@pytest.mark.parametrize(
    "spelled_as",
    [
        "{}",
        "{{{}}}",
        "“{}”",
        "'{}'",
        "`{}`",
        "<{}>",
        "[{}],",
        "urn:uuid:{}",
        "id={};",
        "/restores/{}/?asof=2026-11-28T04:30:00Z",
        "https://console.example/dcs/#/instance/{}/backup",
        "恢复{}失败",
        "backup_{}.rdb",
    ],
)
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_an_id_is_found_in_whatever_surrounds_it(spelled_as, case):
    found = find(f"see {spelled_as.format(case(WHOLE))} please", NOW, UTC)
    assert [one.value for one in found.of("id")] == [WHOLE]
    assert ids(spelled_as.format(case(WHOLE.replace("-", "")))) == [WHOLE.replace("-", "")]


BREAKS = [
    "\n", "\r\n", " \n  ", "\n> ", "\n>> > ", "\n[14:05] anna: ", "\n<anna> ",
    "\nAnna S.  [14:06]\n", "\nJansen, Pieter\n14:06\n", "\n[23/11/2026, 14:05:33] Anna: ",
    "=\n", " |\n| ", " | failed |\n| ",
    "\u2028", " \\\n",
]  # fmt: skip


@pytest.mark.parametrize("broken_by", BREAKS)
@pytest.mark.parametrize("at", [9, 11, 14, 19, 20, 24, 30])
def test_an_id_is_found_across_lines_with_what_chats_and_mails_put_between(broken_by, at):
    text = f"restore {WHOLE[:at]}{broken_by}{WHOLE[at:]} failed"
    (found,) = find(text, NOW, UTC).of("id")
    assert found.value == WHOLE
    assert [text[slice(*span)] for span in found.spans] == [WHOLE[:at], WHOLE[at:]]


def test_an_id_without_hyphens_is_found_across_lines_of_a_mail():
    plain = WHOLE.replace("-", "")
    assert ids(f"> project {plain[:20]}\n> {plain[20:]} is ours") == [plain]
    assert ids(f"project {plain[:16]}=\n{plain[16:]} is ours") == [plain]


def test_a_break_on_one_line_is_a_break_too():
    # Browsers paste several lines into one as blanks.
    assert ids(f"[14:05] anna: {WHOLE[:14]} [14:06] anna: {WHOLE[14:]} failed") == [WHOLE]


def test_a_break_may_lose_its_hyphen_or_double_it():
    assert ids(f"{WHOLE[:13]}\n{WHOLE[14:]}") == [WHOLE]
    assert ids(f"{WHOLE[:14]}\n{WHOLE[13:]}") == [WHOLE]
    assert ids(f"{WHOLE[:9]}\n{WHOLE[9:19]}\n{WHOLE[19:]}") == [WHOLE]


@pytest.mark.parametrize(
    "text",
    [
        "span 4bf92f3577b34da6\nspan 00f067aa0ba902b7",
        f"{'ab12' * 16}",
        "deadbeef\ncafebabe\n12345678\n90abcdef",
        "00:1a:2b:3c:4d:5e 2001:db8::8a2e:370:7334",
        f"x{WHOLE}",
        f"{WHOLE}0",
        "12345678901234567890123456789012",
        "2026-11-28 04:26:11\n2026-11-28 04:26:12",
        f"{WHOLE[:14]} failed, and later on a line of its own:\n{'a word ' * 30}\n{WHOLE[14:]}",
    ],
)
def test_other_hexadecimal_numbers_are_not_taken_for_ids(text):
    assert ids(text) == []


def test_letters_that_a_screenshot_has_for_digits_are_read_as_digits():
    assert ids("Oad9lO43-4c33-4cOc-af93-c43fO3fdb873") == [WHOLE]


def test_the_beginning_of_an_id_is_found_and_of_a_bare_word_nothing_is_said():
    found = find(f"{WHOLE[:8]}, {OTHER[:13]} and facade, 20261128, #0ad91043, deadbeef", NOW, UTC)
    assert [(one.value, one.certain) for one in found.of("prefix")] == [
        (WHOLE[:8], False),
        (OTHER[:13], True),
    ]


@pytest.mark.parametrize("between", ["…", "...", "..", "-…-", "****", "*", "~"])
def test_an_id_is_found_by_its_first_and_last_characters(between):
    (found,) = find(f"restore {WHOLE[:8]}{between}{WHOLE[-4:]} hangs", NOW, UTC).of("ends")
    assert found.value == f"{WHOLE[:8]}…{WHOLE[-4:]}"


def test_codes_are_found_as_they_are_written():
    text = "DCS.08.0007, dcs.O8.OO07, DCS.4097, dcs 4086, 111400096, dcs 9999, DCS.9999, 111400999"
    found = find(text, NOW, UTC).of("code")
    assert [one.value for one in found] == [
        "dcs.08.0007", "DCS.4097", "DCS.4086", "DCS.4096", "DCS.9999",
    ]  # fmt: skip


def test_addresses_have_a_host_and_maybe_a_port():
    text = "10.20.0.15:6379, 10.0.3.11 v7.2.4 300.1.1.1 redis-1.dcs.example.com:6380 a@b.c.example"
    found = find(f"{text} localhost:6379 e.g. cart:311", NOW, UTC).of("address")
    assert [(one.value, one.certain) for one in found] == [
        ("10.20.0.15:6379", True),
        ("10.0.3.11", False),
        ("redis-1.dcs.example.com:6380", True),
    ]


def test_names_are_found_in_any_script_in_quotes_cells_and_words():
    text = (
        "instance カート-本番-03, “cart prod”, 「購物車」\tאבג 7\trestore_20261128032611 and again"
    )
    names = [one.value for one in find(text, NOW, UTC).of("name")]
    assert {"カート-本番-03", "cart prod", "購物車", "אבג 7", "restore_20261128032611"} <= {*names}
    assert "again" not in names and "and" not in names


# Fragments of tickets, and of what is almost an id.
FRAGMENTS = st.sampled_from([
    WHOLE, OTHER, WHOLE[:14], WHOLE[14:], WHOLE[:8], "-", "…", "...", "\n", "> ", "\r\n", "|",
    "“", "”", '"', " ", "[14:05] a: ", "dcs.08.0007", "DCS.4097", "10.0.0.1:6379",
    "2026-11-28 04:26", "=", "O", "昨天", "\u200b", "\u202e", "０", "\ud800", "\0", "カート-03",
    "restore_20261128032611",
])  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=5), max_size=30).map("".join)


def plain(text):
    """Letters and digits as they are meant, for comparison."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^0-9a-z]", "", text.translate(str.maketrans("ols", "015", "i")))


@given(TEXTS)
def test_nothing_is_found_that_is_not_in_the_text(text):
    found = find(text, NOW, UTC)
    for one in found.findings:
        parts = [text[start:end] for start, end in one.spans]
        assert all(parts) and all(a[1] <= b[0] for a, b in pairwise(one.spans))
        if one.kind in ("id", "prefix", "ends"):
            assert plain("".join(parts)) == plain(one.value)
        elif one.kind == "name":
            assert plain(parts[0]) == plain(one.value)
    for time in found.times:
        assert text[slice(*time.span)] == time.text and time.meanings
    spans = sorted(
        span for one in found.of("id", "prefix", "ends", "code", "address") for span in one.spans
    )
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


UUIDS = st.uuids(version=4).map(str)
SPELLINGS = st.sampled_from(
    [str, str.upper, "{{{}}}".format, "“{}”".format, "<{}>".format, "|{}|".format,
     lambda text: text.replace("-", "‑"), lambda text: text.replace("-", ""),
     "https://x.example/restores/{}/".format]
)  # fmt: skip
NOISE = st.sampled_from(
    ["since this morning", "\n> ", "\n[14:05] anna: ", "昨日から", "failed; ", "\n", "| ok |",
     " dcs.08.0007 ", "4bf92f3577b34da6", "and (", ") 12 %"]
)  # fmt: skip


@given(st.lists(st.tuples(UUIDS, SPELLINGS, NOISE, st.none() | st.integers(9, 30)), max_size=12))
def test_every_id_of_a_ticket_is_found_and_no_other(parts):
    text = ""
    for uuid, spell, noise, at in parts:
        whole = spell(uuid) if at is None else f"{uuid[:at]}\n> {uuid[at:]}"
        text += f"{noise} {whole} "
    found = {UUID(one) for one in ids(text)}
    assert found == {UUID(uuid) for uuid, *_ in parts}


def test_findings_beyond_the_limit_are_cut_and_counted():
    text = "\n".join(str(UUID(int=number, version=4)) for number in range(10_000))
    found = find(text, NOW, UTC)
    assert len(found.of("id")) == MAX_FINDINGS["id"]
    assert MAX_SEARCHED - 37 <= found.searched <= MAX_SEARCHED < found.length == len(text)
    assert found.dropped == {"id": MAX_SEARCHED // 37 - MAX_FINDINGS["id"]}
    assert found.of("prefix") == []


@pytest.mark.parametrize(
    "kind", ["\0", "\u202e", "\ufeff", "\ud800", "\U0010ffff", "\x1b[31m", "Ａ"]
)
def test_odd_characters_around_and_within_an_id_do_not_hide_it(kind):
    invisible = "" if kind in ("\0", "\ud800", "\U0010ffff", "\x1b[31m", "Ａ") else kind
    assert ids(f"{'' if kind == 'Ａ' else kind}{WHOLE[:10]}{invisible}{WHOLE[10:]}{kind} ") == (
        [] if kind == "Ａ" else [WHOLE]
    )
