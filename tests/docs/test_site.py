"""The site is built by one command, holds every page, finds them by its search, and loads nothing from elsewhere."""

import html.parser
import os
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.parse

import pages
from site_of import ROOT

BOOK = ROOT / "target/docs-site/book"


class Found(html.parser.HTMLParser):
    """The links, the parts that are loaded, and the ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in ("script", "img", "iframe") and "src" in given:
            self.loaded.append(given["src"])
        if tag == "link" and "href" in given:
            self.loaded.append(given["href"])


class TheSite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([str(ROOT / "docs/build.sh")], capture_output=True, text=True)
        if done.returncode == 77:
            what = "the documentation's site: mdbook is missing"
            print(f"SKIPPED {what}", file=sys.stderr)
            if "SKIPPED_TESTS_LOG" in os.environ:
                with open(os.environ["SKIPPED_TESTS_LOG"], "a") as log:
                    log.write(what + "\n")
            raise unittest.SkipTest(what)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.warnings = [line for line in done.stderr.splitlines() if "WARN" in line or "ERROR" in line]
        cls.html = {path: Found(path.read_text()) for path in BOOK.rglob("*.html")
                    if path.name not in ("print.html", "404.html", "toc.html")}

    def test_mdbook_warns_of_nothing(self):
        self.assertEqual(self.warnings, [])

    def test_every_page_is_there(self):
        for page in pages.documentation():
            name = page.path.relative_to(pages.DOCS).with_suffix(".html")
            name = name.with_name("index.html") if name.name == "README.html" else name
            self.assertIn(BOOK / name, self.html)
        for name in pages.OTHERS:
            self.assertIn(BOOK / "repository" / name.replace("README.md", "index.md").replace(".md", ".html"), self.html)

    def test_every_link_leads_somewhere_within_the_site(self):
        found, seen = [], 0
        for path, page in self.html.items():
            for link in page.links:
                parts = urllib.parse.urlsplit(link)
                if parts.scheme or parts.netloc:
                    continue
                seen += 1
                target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
                target = target / "index.html" if target.is_dir() else target
                if not target.exists():
                    found.append(f"{path.relative_to(BOOK)}: {link}")
                elif parts.fragment and target in self.html and urllib.parse.unquote(parts.fragment) not in self.html[target].ids:
                    found.append(f"{path.relative_to(BOOK)}: {link} has no such part")
        self.assertEqual(found, [], "\n" + "\n".join(found[:40]))
        self.assertGreater(seen, 1000)

    def test_the_site_loads_nothing_from_elsewhere(self):
        for path, page in self.html.items():
            for part in page.loaded:
                self.assertFalse(re.match(r"(?:[a-z]+:)?//", part), f"{path}: {part}")
        for style in BOOK.rglob("*.css"):
            self.assertNotRegex(style.read_text(), r"url\(['\"]?(?:https?:)?//", style.name)

    def test_the_search_knows_every_page(self):
        (index,) = BOOK.glob("searchindex*.js")
        text = index.read_text()
        for page in pages.documentation():
            name = str(page.path.relative_to(pages.DOCS).with_suffix(".html")).replace("README", "index")
            self.assertIn(f'{name}#', text, f"the search does not know {name}")

    def test_no_path_of_the_machine_that_built_it_is_in_it(self):
        for path in self.html:
            self.assertNotIn(str(ROOT), pathlib.Path(path).read_text())


if __name__ == "__main__":
    unittest.main()
