"""The web process is ready for its first page before it takes it."""

import json
import subprocess
import sys

from django.conf import settings

READY = """
import json, sys
import dashboard.wsgi
from django.template import engines
[loader] = engines["django"].engine.template_loaders
print(json.dumps({"modules": list(sys.modules), "templates": list(loader.get_template_cache)}))
"""


def test_the_first_page_waits_for_no_view_and_no_template():
    command = [sys.executable, "-c", READY]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ready = json.loads(done.stdout)
    assert {"restores.views.restore_list", "restores.views.auth"} <= {*ready["modules"]}
    folder = settings.BASE_DIR / "templates"
    templates = {str(file.relative_to(folder)) for file in folder.rglob("*.*")}
    assert templates <= {*ready["templates"]}
