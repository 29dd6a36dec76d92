"""The pages of the documentation: their lines, headings, links and blocks."""

import dataclasses
import re

from site_of import ROOT

DOCS = ROOT / "docs"
# Pages outside of docs/ that are pages of the site, too.
OTHERS = ["README.md", "CHANGELOG.md", "ARCHITECTURE.md", "deploy/helm/cdsw-gateway/README.md"]
SHELL = {"console", "sh", "bash"}
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#]*)(#[^)\s]*)?\)")


@dataclasses.dataclass
class Block:
    """A block of code, or a hidden one in a comment: its line, its language, its attributes, its text."""
    line: int
    language: str
    marks: list
    text: str


class Page:
    def __init__(self, path):
        self.path, self.name = path, str(path.relative_to(ROOT))
        self.text = path.read_text()
        self.lines = self.text.splitlines()
        self.blocks, self.prose = [], []
        inside, begun, ends = None, 0, ""
        for number, line in enumerate(self.lines, 1):
            if inside is None and line.lstrip().startswith("```"):
                words = line.strip()[3:].split(",")
                inside, begun, ends = (words[0], words[1:]), number, "```"
            elif inside is None and line.strip() == "<!-- run":
                inside, begun, ends = ("sh", ["run", "hidden"]), number, "-->"
            elif inside is not None and line.strip() == ends:
                self.blocks.append(Block(begun, *inside, "\n".join(self.lines[begun:number - 1]) + "\n"))
                inside = None
            elif inside is None:
                self.prose.append((number, line))
        assert inside is None, f"{self.name}:{begun}: the block does not end"

    def headings(self):
        """Level, text and line of each heading."""
        return [(len(found[1]), found[2], number) for number, line in self.prose
                if (found := re.fullmatch(r"(#{1,6}) (.+)", line))]

    def anchors(self):
        """The anchors that GitHub and mdBook make of the headings."""
        seen, found = {}, set()
        for _, text, _ in self.headings():
            text = LINK.sub(lambda link: link[1], text)
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            found.add(slug if count == 0 else f"{slug}-{count}")
        return found

    def links(self):
        """Line, words, target and anchor of each link."""
        for number, line in self.prose:
            line = re.sub(r"`[^`]*`", lambda code: code[0] if "](" not in code[0] else "", line)
            for found in LINK.finditer(line):
                yield number, found[1], found[2], (found[3] or "")[1:]


def documentation():
    """The pages of docs/, but for the table of contents of the site."""
    return [Page(path) for path in sorted(DOCS.rglob("*.md")) if path.name != "SUMMARY.md"]


def everything():
    return documentation() + [Page(DOCS / "SUMMARY.md")] + [Page(ROOT / name) for name in OTHERS]
