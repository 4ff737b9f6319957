"""The guide and its pictures."""

import re
from pathlib import Path

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
