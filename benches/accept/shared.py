"""What all parts share: places, the environment, patience, and a voice."""

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
# Nothing may wait for longer than this for a program to start, to answer or to end.
PATIENCE = 60


class Broken(Exception):
    """Something that makes the figures worthless."""


def say(text, end="\n"):
    """Progress and complaints: to standard error, so that the report is alone on standard output."""
    print(text, end=end, file=sys.stderr, flush=True)
