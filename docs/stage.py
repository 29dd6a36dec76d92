#!/usr/bin/env python3
"""Lays the pages out as mdBook wants them: docs/ as the root of the book, and what pages link to outside of docs/ in a
directory `repository`, so that every link works in the site without the repository.

    docs/stage.py DIRECTORY
"""

import os
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
# Links to the program's own code are for people who have the repository: in the site only their words are left.
CODE = ("src", "tests", "benches", "fuzz", "target")
FENCE = re.compile(r"^( *)(```|~~~)")


def place(path):
    """Where a file of the repository lies in the book; a README is the page of its directory."""
    path = path.with_name("index.md") if path.name == "README.md" else path
    return path.relative_to(DOCS) if path.is_relative_to(DOCS) else "repository" / path.relative_to(ROOT)


def listing(directory):
    """A page that lists the files below a directory that a page links to."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    lines = [f"- [`{path.relative_to(directory)}`]({place(path).relative_to(place(directory))})" for path in files]
    return f"# {directory.relative_to(ROOT)}\n\n" + "\n".join(lines) + "\n"


def outside_of_code(text, change):
    """`change` of each line that is not within a block of code."""
    lines, inside = [], False
    for line in text.split("\n"):
        if FENCE.match(line):
            inside = not inside
        lines.append(line if inside or FENCE.match(line) else change(line))
    return "\n".join(lines)


class Book:
    def __init__(self, directory):
        self.source = directory / "src"
        self.done, self.extra = set(), []

    def page(self, path):
        """Writes a page, and what it links to."""
        if path in self.done:
            return
        self.done.add(path)
        def change(line):
            return LINK.sub(lambda found: self.link(path, found), line)
        self.write(place(path), outside_of_code(path.read_text(), change))

    def link(self, page, found):
        words, target, anchor = found.groups()
        if re.match(r"[a-z]+:", target):
            return found[0]
        path = (page.parent / target).resolve()
        if not path.is_relative_to(ROOT) or not path.exists():
            sys.exit(f"{page.relative_to(ROOT)}: there is no {target}")
        if path.relative_to(ROOT).parts[:1] and path.relative_to(ROOT).parts[0] in CODE:
            return words
        if path.is_dir():
            leads_to = place(path) / "files.md"
            if path not in self.done:
                self.done.add(path)
                self.extra.append((str(path.relative_to(ROOT)), leads_to))
                self.write(leads_to, listing(path))
                for file in path.rglob("*"):
                    if file.is_file():
                        self.copy(file)
        else:
            leads_to = place(path)
            if path.suffix == ".md":
                self.page(path)
            else:
                self.copy(path)
        return f"[{words}]({os.path.relpath(leads_to, place(page).parent)}{anchor or ''})"

    def copy(self, path):
        """A file as it is. Pages that are only listed are pages of the book, too."""
        if path.suffix == ".md":
            self.page(path)
        elif path not in self.done:
            self.done.add(path)
            target = self.source / place(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)

    def write(self, name, text):
        target = self.source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def main(directory):
    shutil.rmtree(directory, ignore_errors=True)
    book = Book(directory)
    summary = DOCS / "SUMMARY.md"
    book.page(summary)
    for path in sorted(DOCS.rglob("*")):
        if path.suffix == ".md":
            book.page(path)
    # What is linked to and has no place in the table of contents stands at its end.
    listed = (book.source / "SUMMARY.md").read_text()
    pages = {path: place(path) for path in book.done if path.suffix == ".md" and path != summary}
    rest = [(path.relative_to(ROOT), name) for path, name in sorted(pages.items()) if f"]({name})" not in listed]
    rest += book.extra
    if rest:
        listed += "\n# Files of the repository\n\n" + "".join(f"- [{title}]({name})\n" for title, name in rest)
        book.write("SUMMARY.md", listed)
    shutil.copyfile(DOCS / "book.toml", directory / "book.toml")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
