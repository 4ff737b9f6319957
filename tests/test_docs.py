"""The documents: their pictures, their links, and the tests that they name."""

import re
from pathlib import Path

import pytest

from docs.pictures import PICTURES

ROOT = Path(__file__).parent.parent


def pictures_in(page):
    """The files that a Markdown page shows."""
    links = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())
    return {(page.parent / link).resolve() for link in links}


def test_every_picture_that_the_docs_show_is_made_by_the_one_command():
    shown = pictures_in(ROOT / "README.md") | pictures_in(ROOT / "docs/guide.md")
    made = {ROOT / f"docs/{name}.png" for name in PICTURES}
    assert shown == made == set((ROOT / "docs").glob("*.png"))


def test_pictures_load_fast():
    assert max(path.stat().st_size for path in (ROOT / "docs").glob("*.png")) <= 150_000


def test_every_test_that_the_threat_model_names_exists():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/security.md").read_text()))
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named and named <= set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))


def anchors_of(page):
    """The fragments that the headings of a Markdown page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {text.replace(" ", "-") for text in words}


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda page: page.name
)
def test_links_between_documents_lead_to_a_heading(page):
    for target, _, anchor in re.findall(r"\]\(([^):#]*)(#?)([^)]*)\)", page.read_text()):
        if target and not target.startswith("http"):
            assert (page.parent / target).exists(), target
        found = page.parent / target if target else page
        if anchor and found.suffix == ".md":
            assert anchor in anchors_of(found), f"{target}#{anchor}"
