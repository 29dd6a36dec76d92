"""What holds for every page: links, the table of contents, marks of blocks, and the form of a page."""

import re
import unittest

import pages
from site_of import ROOT

MARKS = {"run", "walked", "shown"}
# Words that the project does not use, since each means several things or nothing to a stranger.
NOT_USED = re.compile(r"\b(rests|resting|rested|tid(?:y|ies|ied)|knock\w*|manners|grounds|book of acts|go(?:es)? on|went on)\b", re.I)
# Made from tables in the source: their headings are the rows.
GENERATED = ("docs/providers.md", "docs/configuration.md", "docs/changed-meanings.md")


def plain(line):
    """A line without code, and with links as their words."""
    return pages.LINK.sub(lambda link: link[1], re.sub(r"`[^`]*`", "", line))


class Pages(unittest.TestCase):
    def each(self, found):
        """Fails with the list of what was found."""
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(self):
        found, seen, anchors = [], 0, {}
        for page in pages.everything():
            for number, words, target, anchor in page.links():
                if re.match(r"[a-z]+:", target):
                    continue
                seen += 1
                path = (page.path.parent / target).resolve() if target else page.path
                if not path.exists():
                    found.append(f"{page.name}:{number}: there is no {target}")
                elif anchor and path.suffix == ".md":
                    if path not in anchors:
                        anchors[path] = pages.Page(path).anchors()
                    if anchor not in anchors[path]:
                        found.append(f"{page.name}:{number}: {target or page.name} has no heading #{anchor}")
        self.each(found)
        self.assertGreater(seen, 400)

    def test_every_page_is_in_the_table_of_contents_once(self):
        summary = pages.Page(pages.DOCS / "SUMMARY.md")
        listed = [(summary.path.parent / target).resolve() for _, _, target, _ in summary.links()]
        self.assertEqual(sorted(map(str, set(listed))), sorted(map(str, listed)))
        there = {page.path for page in pages.documentation()}
        self.each([f"{path.relative_to(ROOT)} is not in docs/SUMMARY.md" for path in sorted(there - set(listed))])

    def test_the_table_of_contents_groups_pages_by_reader(self):
        groups = [text for level, text, _ in pages.Page(pages.DOCS / "SUMMARY.md").headings() if level == 1]
        self.assertEqual(groups, ["Summary", "Set it up", "Write routes", "Run it", "Understand it", "Reference"])

    def test_every_block_of_commands_says_whether_it_is_run(self):
        found, marks = [], []
        for page in pages.documentation() + [pages.Page(ROOT / "README.md")]:
            for block in page.blocks:
                if block.language in pages.SHELL:
                    mark = [each for each in block.marks if each in MARKS]
                    marks += mark
                    if len(mark) != 1:
                        found.append(f"{page.name}:{block.line}: mark it as run, walked or shown")
        self.each(found)
        self.assertGreater(marks.count("run"), 20)

    def test_a_page_whose_blocks_another_test_runs_is_read_by_one(self):
        tests = [path for path in (ROOT / "tests").rglob("*") if path.suffix in (".rs", ".py") and "docs" not in path.parts]
        found = []
        for page in pages.documentation():
            if any("walked" in block.marks for block in page.blocks):
                if not any(f"docs/{page.path.name}" in path.read_text() for path in tests):
                    found.append(f"{page.name}: no test reads it")
        self.each(found)

    def test_every_page_begins_with_a_sentence_on_what_it_answers(self):
        found = []
        for page in pages.documentation():
            first = [line for _, line in page.prose if line and not line.startswith("<!--")]
            if not first[0].startswith("# ") or first[1][0] in "#-|" or not first[1][0].isupper() or len(first[1]) < 30:
                found.append(f"{page.name}: no sentence below its title")
        self.each(found)

    def test_a_page_with_more_than_four_headings_lists_them_all(self):
        found = []
        for page in pages.documentation() + [pages.Page(ROOT / "README.md")]:
            second = [(text, number) for level, text, number in page.headings() if level == 2]
            if len(second) <= 4 or page.name in GENERATED:
                continue
            listed = [anchor for number, _, target, anchor in page.links() if not target and number < second[0][1]]
            wanted = [re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text, _ in second]
            missing = [each for each in wanted if each not in listed]
            if missing:
                found.append(f"{page.name}: its table of contents lacks {missing}")
        self.each(found)

    def test_no_line_is_longer_than_120_characters(self):
        found = []
        for page in pages.documentation() + [pages.Page(ROOT / "README.md"), pages.Page(ROOT / "CHANGELOG.md")]:
            for number, line in page.prose:
                if re.fullmatch(r"- \[[^]]*\]\([^)]*\)", line):
                    continue
                # In pages written from tables a span of code stays whole, and so does a number at the end of a line.
                if len(line) > (125 if page.name in GENERATED else 120) and not line.startswith("|"):
                    found.append(f"{page.name}:{number}: {len(line)} characters")
        self.each(found)

    def test_words_that_are_not_used_are_not_there(self):
        found = []
        for page in pages.documentation() + [pages.Page(ROOT / "README.md")]:
            for number, line in page.prose:
                for word in NOT_USED.findall(plain(line)):
                    found.append(f"{page.name}:{number}: {word}")
        self.each(found)

    def test_examples_name_the_version_of_the_program(self):
        version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        found = []
        for page in pages.documentation() + [pages.Page(ROOT / "README.md")]:
            for block in page.blocks:
                for number in re.findall(r"(?<![\d.])0\.\d+\.0(?![\d.])", block.text):
                    if number != version:
                        found.append(f"{page.name}:{block.line}: an example of {number}, and this is {version}")
        self.each(found)


if __name__ == "__main__":
    unittest.main()
