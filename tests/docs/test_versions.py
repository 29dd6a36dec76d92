"""What the changelog and the page on upgrades say of versions and tables is so."""

import re
import unittest

from site_of import ROOT

KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
UPGRADE = (ROOT / "docs/upgrade.md").read_text()
VERSION = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def migrations():
    """Each migration of the program: database, name, and for PostgreSQL the oldest tables of programs beside it."""
    text = (ROOT / "src/store/migrations.rs").read_text()
    found = re.findall(r'include_str!\("migrations/(sqlite|postgres)/(\w+)\.sql"\)(?:, oldest: (\d+))?', text)
    return [({"sqlite": "SQLite", "postgres": "PostgreSQL"}[store], name, oldest) for store, name, oldest in found]


def rows(text, columns):
    """The cells of each row of the tables that have so many columns, without heads."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [row for row in cells if len(row) == columns and not set(row[0]) <= set("-") and row[0] not in ("version", "database")]


class Versions(unittest.TestCase):
    def test_the_newest_version_of_the_changelog_is_the_programs(self):
        self.assertEqual(re.search(r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", CHANGELOG, re.M)[1], VERSION)

    def test_each_version_has_the_sections_of_keep_a_changelog_in_their_order(self):
        for version in re.split(r"^## ", CHANGELOG, flags=re.M)[1:]:
            name = version.splitlines()[0]
            self.assertRegex(name, r"^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$")
            sections = re.findall(r"^### (.+)$", version, re.M)
            self.assertEqual(sections, [kind for kind in KINDS if kind in sections], name)

    def test_each_migration_is_in_the_table_and_no_other(self):
        written = [tuple(row[:2]) for row in rows(UPGRADE, 4) if row[0] in ("SQLite", "PostgreSQL")]
        self.assertEqual(written, [(store, name) for store, name, _ in migrations()])

    def test_the_tables_of_each_version_are_those_that_its_migrations_make(self):
        since = [(row[0], row[1], row[2]) for row in rows(UPGRADE, 4) if row[0] in ("SQLite", "PostgreSQL")]
        versions = rows(UPGRADE, 4)
        versions = [row for row in versions if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
        self.assertEqual([row[0] for row in versions][-1], VERSION)
        number = lambda text: [int(part) for part in text.split(".")]
        for version, sqlite, postgres, _ in versions:
            for store, tables in (("SQLite", sqlite), ("PostgreSQL", postgres)):
                made = [name for where, name, first in since if where == store and number(first) <= number(version)]
                self.assertEqual(made[-1][:4], f"{int(tables):04}", f"{store} of {version}")

    def test_the_oldest_program_beside_a_version_is_what_its_migrations_allow(self):
        tables = {row[0]: int(row[2]) for row in rows(UPGRADE, 4) if re.fullmatch(r"\d+\.\d+\.\d+", row[0])}
        beside = {row[0]: row[3] for row in rows(UPGRADE, 4) if re.fullmatch(r"\d+\.\d+\.\d+", row[0])}
        needed = int([oldest for store, _, oldest in migrations() if store == "PostgreSQL"][-1])
        self.assertGreaterEqual(tables[beside[VERSION]], needed)

    def test_the_tests_that_the_page_names_are_there(self):
        named = re.findall(r"\| `([a-z_]{20,})`", UPGRADE)
        self.assertGreater(len(named), 4)
        sources = "".join(path.read_text() for path in (ROOT / "tests/it").rglob("*.rs"))
        for name in named:
            self.assertIn(f"fn {name}()", sources)


if __name__ == "__main__":
    unittest.main()
