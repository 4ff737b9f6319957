"""The templates are readable, and each of them is used."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
# Django renders these by their names.
BY_STATUS = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html"}


def test_no_line_is_longer_than_120_characters():
    lines = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in TEMPLATES
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if len(line) > 120
    ]
    assert lines == []


def test_there_are_no_templates_but_djangos():
    assert [file for file in FOLDER.rglob("*.*") if file.suffix != ".html"] == []


def test_every_template_is_rendered_or_included_by_name():
    sources = [*TEMPLATES, *(ROOT / "restores").rglob("*.py")]
    named = {name for file in sources for name in re.findall(r'"([\w/]+\.html)"', file.read_text())}
    assert {str(file.relative_to(FOLDER)) for file in TEMPLATES} == named | BY_STATUS
