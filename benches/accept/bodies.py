"""The requests: GitHub pushes and their signatures."""

import hashlib
import hmac
import json
import random

from shared import BENCHES, SECRET


def bodies():
    """GitHub pushes of three sizes, all for the same repository and branch."""
    push = json.loads((BENCHES / "push.json").read_bytes())
    chance = random.Random(1)

    def packed(value):
        return json.dumps(value, separators=(",", ":")).encode()

    def padded(value, commit, size):
        commit["message"] += "." * (size - len(packed(value)))
        return packed(value)

    small = {key: push[key] for key in ("ref", "before", "after", "pusher", "deleted", "forced")}
    small["repository"] = {"id": push["repository"]["id"], "full_name": push["repository"]["full_name"]}
    commit = {key: value for key, value in push["commits"][0].items()
              if key in ("id", "message", "timestamp", "added", "removed", "modified")}
    small["commits"] = [commit]

    # Each commit has its own ids, as in a real push; equal commits would compress too well.
    def another():
        commit = json.loads(packed(push["commits"][0]))
        commit["id"], commit["tree_id"] = (f"{chance.getrandbits(160):040x}" for _ in range(2))
        commit["url"] = f"https://github.com/acme/risk/commit/{commit['id']}"
        commit["modified"] = [f"models/v{chance.randrange(1000)}/train.py" for _ in range(3)]
        return commit

    large = dict(push, commits=[])
    while (size := len(packed(large))) < 999_000:
        large["commits"] += [another() for _ in range(max(1, (999_000 - size) // 1_000))]
    return {
        "1 kB": padded(small, commit, 1_000),
        "7 kB": (BENCHES / "push.json").read_bytes(),
        "1 MB": padded(large, large["commits"][-1], 1_000_000),
    }


def sign(body):
    """The signature that GitHub sends with a body."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
