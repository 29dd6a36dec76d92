"""A store and a configuration that version 0.1.0 wrote are gone on with by this version.

written/0.1.0 was made with a program of version 0.1.0: two pushes, of which each started a run, failed one, and left one
to a paused job; the second run of `braked` was held by its brake."""

import json
import secrets
import sqlite3
import unittest

from site_of import ROOT, Site, until

WRITTEN = ROOT / "tests/docs/written/0.1.0"
JOBS = [f"alice/risk-analysis/{number}" for number in (208, 209, 210)]
# What an SQLite file of version 0.1.0 says of itself.
TABLES, APPLICATION = 4, 1128551239


class Upgrade(unittest.TestCase):
    def written(self, secret=None):
        """A directory as version 0.1.0 left it."""
        site = Site(self)
        text = (WRITTEN / "gateway.yaml").read_text()
        site.write("gateway.yaml", text)
        self.key = secrets.token_hex(24)
        for name in ("ops", "github"):
            site.write(f"secrets/{name}", secret or secrets.token_hex(24))
        site.write("secrets/alice", self.key)
        file = sqlite3.connect(site.directory / "gateway.db")
        file.executescript((WRITTEN / "store.sql").read_text())
        file.execute(f"PRAGMA user_version = {TABLES}")
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.close()
        (site.directory / "gateway.db").chmod(0o600)
        site.environment["CDSW_GATEWAY_TOKEN_FILE"] = "secrets/ops"
        return site

    def states(self, site):
        runs = json.loads(site.run("runs", "list", "--json"))["runs"]
        return sorted((run["route"], run["state"]) for run in runs)

    def test_check_names_what_has_another_meaning_and_takes_the_rest_as_it_is(self):
        words = self.written().run("check")
        self.assertIn("the meaning of `{main,trunk}` changed", words)
        self.assertIn('write a list: `["main", "trunk"]`', words)

    def test_every_run_is_there_in_its_state_and_what_waited_is_started(self):
        site = self.written()
        site.simulate(self.key, *JOBS)
        site.serve()
        before = [("fails", "failed"), ("fails", "failed"), ("held", "held"), ("held", "started"), ("started", "started"),
                  ("started", "started"), ("waits", "queued"), ("waits", "queued")]
        self.assertEqual(self.states(site), before)
        self.assertIn("before the upgrade", site.run("jobs", "paused"))
        site.run("jobs", "resume", "paused")
        until("what waited is started", lambda: self.states(site)[-2:] == [("waits", "started")] * 2)
        held = json.loads(site.run("runs", "list", "--state", "held", "--json"))["runs"][0]
        site.run("release", held["id"], "--retry")
        until("the held run is started", lambda: ("held", "held") not in self.states(site))
        # The body that 0.1.0 kept is read again, and judged by the routes of today.
        shown = json.loads(site.run("deliveries", "show", held["delivery"], "--body"))
        self.assertEqual(shown["ref"], "refs/heads/main")
        self.assertIn("started", site.run("replay", held["delivery"], "--dry-run"))
        self.assertEqual([row["note"] for row in json.loads(site.run("audit", "--json"))["acts"]][-1], "before the upgrade")

    def test_new_deliveries_are_kept_beside_the_old_ones(self):
        site = self.written()
        site.simulate(self.key, *JOBS)
        site.serve()
        site.run("send", "github")
        self.assertEqual(len(json.loads(site.run("deliveries", "list", "--json"))["deliveries"]), 3)
        until("its run is started", lambda: self.states(site).count(("started", "started")) == 3)

    def test_weak_secrets_stop_check_and_not_the_gateway(self):
        site = self.written(secret="a-webhook-secret-of-the-test")
        self.assertIn("the next version will not", site.run("check", status=3))
        site.serve()
        until("the log says so", lambda: "can be guessed" in site.logged())

    def test_old_names_work(self):
        site = self.written()
        site.serve()
        site.run("starts", "stop")
        self.assertEqual(len(json.loads(site.run("jobs", "paused", "--json"))["pauses"]), 2)
        site.run("starts", "resume")
        self.assertEqual(len(json.loads(site.run("jobs", "paused", "--json"))["pauses"]), 1)


if __name__ == "__main__":
    unittest.main()
