"""Make the pictures in README.md and docs/guide.md: .venv/bin/python -m docs.pictures.

It starts ./run with the simulated cloud and takes about ten minutes: some show a restore that has
stood still long enough to be possibly stuck.
"""

import io
import re
import shutil
import signal
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from deploy.launcher.data_folder import DataFolder
from deploy.launcher.stack import free_port
from simulator.world import World

FOLDER = Path(__file__).parent
PATIENCE = timedelta(minutes=20)
# Each picture, and the height of its window, which is 1440 wide.
PICTURES = {"restore": 1040, "lookup": 640, "overview": 1000, "list": 900, "stuck": 900}
TICKET = """Hello, our cache {instance_name} has been down since {created_at}.
The console shows restore
{restore_id}
and error {error_code}. What happened? Is our data safe?
Thanks, Anna
"""


def begin_with_a_stuck_restore(now: datetime) -> datetime:
    """Return when history has to begin so that a restore is stuck now, and stays so long enough."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    # Long enough ago that the last 24 hours can be compared with those a week before.
    for hours in count(8 * 24):
        epoch = hour - timedelta(hours=hours)
        for instance, restore in World(epoch=epoch).running(now):
            reports_progress = instance.project.reports_progress and 0 < restore.max_progress < 100
            stopped = restore.started_at + restore.ramp < now < restore.ended_at - PATIENCE
            if reports_progress and stopped:
                return epoch


def fail_a_restore(page: Page, folder: Path) -> str:
    """Begin a restore in the simulated cloud that fails after a minute; return its ID."""
    cloud = re.search(r'endpoint = "([^"]+)"', (folder / "projects.toml").read_text())[1]
    order = {"seconds": 70, "code": "dcs.08.0007"}
    return page.request.post(f"{cloud}/_restores", data=order).json()["restore_id"]


def wait_for(page: Page, query: str) -> dict:
    """Wait until the list has a restore with some progress, and return it."""
    for _ in range(PATIENCE // timedelta(seconds=5)):
        for restore in page.request.get(f"/restores.json?{query}").json()["restores"]:
            if restore["progress"]:
                return restore
        time.sleep(5)
    raise SystemExit(f"No restore matched {query} within {PATIENCE}")


def take(page: Page, name: str) -> None:
    """Take a picture of the page, reduced to a palette, which hardly affects text and lines."""
    page.set_viewport_size({"width": 1440, "height": PICTURES[name]})
    page.wait_for_load_state("networkidle")
    image = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    file = FOLDER / f"{name}.png"
    image.quantize(method=Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def take_all(page: Page, folder: Path) -> None:
    """Take every picture; those with a stuck restore last, as detecting one takes time."""
    failed = wait_for(page, f"ids={fail_a_restore(page, folder)}&status=failed")
    page.goto(f"/restores/{failed['restore_id']}/")
    take(page, "restore")
    page.locator(".find textarea").fill(TICKET.format(**failed))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Lookup").wait_for()
    take(page, "lookup")
    stuck = wait_for(page, "stuck=yes")
    page.goto("/?from=now-24h")
    take(page, "overview")
    page.goto("/restores/?from=now-24h")
    take(page, "list")
    page.goto(f"/restores/{stuck['restore_id']}/")
    take(page, "stuck")


def main() -> None:
    """Start the product, take the pictures, and stop it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        epoch = begin_with_a_stuck_restore(datetime.now(UTC)).isoformat()
        world = {"epoch": epoch, "environment": {}, "projects_file": ""}
        DataFolder.prepare(Path(name)).save_simulator(0, world)
        command = [FOLDER.parent / "run", "--port", str(free_port()), "--data", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as product:
            try:
                ready = next(line for line in product.stdout if line.startswith("Ready: "))
                login = ready.split()[1]
                browser = driver.chromium.launch(executable_path=chromium)
                options = {"color_scheme": "light", "device_scale_factor": 1.5}
                page = browser.new_page(base_url=login.partition("/login/")[0], **options)
                page.goto(login)
                page.get_by_role("button", name="Sign in").click()
                page.wait_for_url("**/")
                take_all(page, Path(name))
            finally:
                product.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
