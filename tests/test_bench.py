"""The benchmarks still run with the code they measure, on a small table."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["pages", "--rows", "2000", "--rounds", "1"],
            "stock / this",
            marks=pytest.mark.long,
        ),
        pytest.param(
            ["load", "--rows", "2000", "--seconds", "2"],
            "back to back: pages, this / stock",
            marks=pytest.mark.long,
        ),
        pytest.param(
            ["sync", "--part", "writing"],
            "sync / update_or_create",
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_benchmark_runs_to_its_end_and_both_sides_have_the_same_rows(
    arguments, expected, tmp_path
):
    command = [sys.executable, "-m", "bench", *arguments, "--database", "sqlite"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    # The status says whether the goals are met, which a busy machine cannot promise.
    assert not done.stderr
    assert expected in done.stdout
