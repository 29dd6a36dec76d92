"""What all parts share: paths, the environment, a time limit, and progress messages."""

import os
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent
ROOT = BENCHES.parent
SECRET = "a-secret-for-measuring-only"
ENVIRONMENT = os.environ | {
    "GITHUB_WEBHOOK_SECRET": SECRET,
    "WORKBENCH_KEY": "a-key-for-measuring-only",
}
# The longest wait, in seconds, for a program to start, to answer or to end.
PATIENCE = 60


class Broken(Exception):
    """A fault that makes the figures worthless."""


def say(text, end="\n"):
    """Prints progress and faults to standard error, so that standard output has only the report."""
    print(text, end=end, file=sys.stderr, flush=True)
