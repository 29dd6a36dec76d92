"""The blocks of commands that are marked `run` are run, in order, each page in a directory of its own; what the page shows
is what they print. Comments that begin with `<!-- run` hold what a reader has done before."""

import os
import re
import secrets
import sys
import unittest

import compare
import pages
from site_of import ROOT, Site
from terminal import Terminal

UPDATE = os.environ.get("UPDATE") == "1"
# Where a page does not begin with an empty directory: the configuration of the first steps, and what runs.
FIRST = ROOT / "docs/first-steps.md"
BEGINS = {"README.md": "configured", "docs/first-steps.md": "empty", "docs/replicas.md": "database"}


def commands(block):
    """The commands of a block, each with what the page shows of its output. Where it shows nothing, nothing is compared."""
    if block.language != "console":
        for command in block.text.splitlines() if "lines" in block.marks else [block.text.rstrip("\n")]:
            yield command, ""
        return
    command, shown = None, []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(shown)
            command, shown = line[2:], []
        elif command is not None and command.endswith("\\") and not shown:
            command += "\n" + line
        else:
            assert command is not None, f"a block of line {block.line} begins without a command"
            shown.append(line)
    if command is not None:
        yield command, "\n".join(shown)


def prepare(site, how):
    """The directory as the first steps leave it, and what runs. False where a part is missing."""
    if how == "empty":
        return True
    page = pages.Page(FIRST)
    text = next(block.text for block in page.blocks if "file=gateway.yaml" in block.marks)
    if how == "database":
        url = site.database()
        if url is None:
            skipped("the commands of docs/replicas.md: PostgreSQL is missing")
            return False
        text = re.sub(r"(?m)^store: .*$", f"store: {url}", text)
    site.write("gateway.yaml", text)
    key = "THE-" + secrets.token_hex(20)
    for name, text in (("alice-api-key", key), ("github", secrets.token_hex(24)), ("admin-token", secrets.token_hex(24))):
        site.write(f"secrets/{name}", text)
    site.environment["CDSW_GATEWAY_TOKEN_FILE"] = "secrets/admin-token"
    site.environment["CDSW_GATEWAY_TOKEN"] = (site.directory / "secrets/admin-token").read_text()
    site.simulate(key, "alice/risk-analysis/208")
    if how == "served":
        site.serve()
    return True


def skipped(what):
    print(f"SKIPPED {what}", file=sys.stderr)
    if "SKIPPED_TESTS_LOG" in os.environ:
        with open(os.environ["SKIPPED_TESTS_LOG"], "a") as log:
            log.write(what + "\n")


class Shell(unittest.TestCase):
    maxDiff = None

    def test_what_pages_show_is_what_is_printed(self):
        ran, printed_lines = 0, 0
        only = os.environ.get("PAGE")
        for page in pages.documentation() + [pages.Page(ROOT / "README.md")]:
            blocks = [block for block in page.blocks if "run" in block.marks or any("file=" in mark for mark in block.marks)]
            if not any("run" in block.marks for block in blocks) or only not in (None, page.name):
                continue
            with self.subTest(page=page.name):
                ran_here, compared = self.run_page(page, blocks)
                ran, printed_lines = ran + ran_here, printed_lines + compared
            self.doCleanups()
        if only is None:
            self.assertGreater(ran, 60)
            self.assertGreater(printed_lines, 100)

    def run_page(self, page, blocks):
        """How many commands were run, and how many lines were compared."""
        site = Site(self)
        if not prepare(site, BEGINS.get(page.name, "served")):
            return 0, 0
        terminal, ids, ran, compared, changes = Terminal(site), compare.Ids(), 0, 0, []
        for block in blocks:
            for mark in block.marks:
                if mark.startswith("file="):
                    site.write(mark.removeprefix("file="), block.text)
            if "run" not in block.marks:
                continue
            replaced = []
            for command, shown in commands(block):
                # A person writes an id in the place of these words.
                words = re.sub(r"(?<=[ ])(RUN|DELIVERY)\b", r"$\1", ids.today(command))
                printed, status = terminal.run(site.here(words), shown)
                printed = site.named(printed).strip("\n")
                where = f"{page.name}:{block.line}: {command}"
                ran += 1
                # `doctor` and `check` end by what they found.
                allowed = (0, 1, 3) if block.language == "console" else (0,)
                self.assertIn(status, allowed, f"{where}\n{printed}\n{site.logged()}")
                if not shown:
                    replaced.append((command, ""))
                    continue
                compared += len(shown.splitlines())
                wrong = compare.differs(shown, printed)
                if wrong and UPDATE:
                    ids.learn(shown, printed)
                    replaced.append((command, ids.of_page(printed)))
                    continue
                self.assertIsNone(wrong, f"{where}\n{wrong}\n\nprinted:\n{printed}\n")
                ids.learn(shown, printed)
                replaced.append((command, shown))
            if UPDATE and block.language == "console":
                text = "".join(f"$ {command}\n" + (f"{shown}\n" if shown else "") for command, shown in replaced)
                changes.append((block.text, text))
        text = page.path.read_text()
        for before, after in changes:
            text = text.replace(before, after, 1)
        if text != page.text:
            page.path.write_text(text)
        return ran, compared

    def test_a_line_that_differs_is_noticed(self):
        self.assertIsNone(compare.differs("run 01a222c9-3ff7  started\n…", "run 01b333c9-3ff8 started\nmore"))
        self.assertIsNotNone(compare.differs("run 01a222c9-3ff7  started", "run 01b333c9-3ff8 failed"))
        self.assertIsNotNone(compare.differs("one", "one\ntwo"))
        self.assertIsNotNone(compare.differs("one\ntwo", "one"))


if __name__ == "__main__":
    unittest.main()
