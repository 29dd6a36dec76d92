"""The files of a release against each other, and against the same release made a second time."""

import hashlib
import json
import os
import pathlib
import re
import tarfile
import tomllib
import unittest
import zlib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import stage

HELM = stage.ROOT / "target/deploy-tools/helm/helm"


def digests(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pathlib.Path(directory).iterdir()}


def built_in(case):
    """The dependencies that the program itself names: name and version, without what was needed only to build it."""
    with tarfile.open(stage.the("*-musl.tar.gz")) as tarball:
        (member,) = [each for each in tarball if each.name.split("/")[1:] == ["cdsw-gateway"]]
        program = tarball.extractfile(member).read()
    at = stage.directory(case, "gateway-audit.")
    (at / "program").write_bytes(program)
    stage.sh("objcopy", "--dump-section", f".dep-v0={at}/list", at / "program", at / "copy")
    packages = json.loads(zlib.decompress((at / "list").read_bytes()))["packages"]
    return {(each["name"], each["version"]) for each in packages if each.get("kind") != "build" and not each.get("root")}


class Release(unittest.TestCase):
    def test_a_second_build_of_the_files_gives_the_same_bytes(self):
        self.assertEqual(digests(stage.RELEASE), digests(os.environ["AGAIN"]))

    def test_the_checksums_are_those_of_all_files(self):
        sums = (stage.RELEASE / "SHA256SUMS").read_text().splitlines()
        listed = {name: digest for digest, name in (line.split("  ") for line in sums)}
        found = digests(stage.RELEASE)
        found.pop("SHA256SUMS")
        self.assertEqual(listed, found)

    def test_the_files_are_those_that_the_page_lists(self):
        page = (stage.ROOT / "docs/install.md").read_text()
        listed = re.search(r"^## What a release holds\n(.*?)^## |\Z", page, re.M | re.S)[1]
        patterns = re.findall(r"`([^`]+)`", "\n".join(line.split("|")[1] for line in listed.splitlines() if line.startswith("|")))
        left = {path.name for path in stage.RELEASE.iterdir()}
        for pattern in patterns:
            shape = re.escape(pattern).replace("VERSION", re.escape(stage.VERSION)).replace("…", ".*")
            matching = {name for name in left if re.fullmatch(shape, name)}
            self.assertTrue(matching, f"{pattern} is not in the release: {left}")
            left -= matching
        self.assertEqual(left, set(), "the page does not list these")

    def test_the_tarball_has_the_program_pages_and_documentation_and_no_names_of_people(self):
        with tarfile.open(stage.the("*-musl.tar.gz")) as tarball:
            members = tarball.getmembers()
        (top,) = {each.name.split("/")[0] for each in members}
        names = {each.name.removeprefix(top + "/") for each in members}
        for wanted in ("cdsw-gateway", "LICENSE", "README.md", "CHANGELOG.md", "man/cdsw-gateway.1", "docs/install.md",
                       "completions/_cdsw-gateway", "deploy/systemd/cdsw-gateway.service", "config/gateway.yaml"):
            self.assertIn(wanted, names)
        commit = int(stage.sh("git", "-C", stage.ROOT, "log", "-1", "--format=%ct"))
        for each in members:
            self.assertEqual((each.uid, each.gid, each.uname, each.gname, each.mtime), (0, 0, "", "", commit), each.name)
            self.assertEqual(each.mode & 0o7022, 0, each.name)

    def test_the_chart_archive_renders_as_the_chart_does(self):
        values = stage.ROOT / "tests/deploy/values/single.yaml"
        told = [stage.sh(HELM, "template", "gw", chart, "--kube-version", "1.31.0", "--values", values)
                for chart in (stage.the("cdsw-gateway-chart-*.tgz"), stage.ROOT / "deploy/helm/cdsw-gateway")]
        self.assertEqual(told[0], told[1])
        self.assertIn("kind: StatefulSet", told[0])

    def test_the_lists_of_components_are_valid_and_name_all_that_is_built_in(self):
        lock = tomllib.loads((stage.ROOT / "Cargo.lock").read_text())
        locked = {(each["name"], each["version"]) for each in lock["package"]}
        needed = built_in(self.addCleanup)
        self.assertGreater(len(needed), 100)
        for path in (stage.the("*-musl.cdx.json"), stage.the("*.image.cdx.json")):
            text = path.read_text()
            self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_5).validate_str(text), path.name)
            self.assertNotIn("file:///", text.replace("path+file:///src#", ""), "a path of the machine that built it")
            components = json.loads(text)["components"]
            crates = {(each["name"], each["version"]) for each in components if each.get("purl", "").startswith("pkg:cargo/")}
            self.assertEqual(needed - crates, set(), f"{path.name} does not name these")
            self.assertEqual(crates - locked, set(), f"{path.name} names these, and the program has other ones")
            for each in components:
                if each.get("purl", "").startswith("pkg:cargo/") and each["name"] != "cdsw-gateway":
                    self.assertTrue(each.get("licenses"), f"{each['name']} has no licence")

    def test_the_list_of_the_image_is_of_this_image(self):
        bom = json.loads(stage.the("*.image.cdx.json").read_text())
        self.assertEqual(bom["metadata"]["component"]["type"], "container")
        with tarfile.open(stage.the("*.image.tar.gz")) as image:
            entry = json.load(image.extractfile("manifest.json"))[0]
            config = image.extractfile(entry["Config"]).read()
        self.assertEqual(bom["metadata"]["component"]["hashes"][0]["content"], hashlib.sha256(config).hexdigest())
        self.assertEqual([each["name"] for each in bom["components"][:2]], ["cdsw-gateway", "ca-certificates.crt"])

    def test_what_it_was_built_with_is_told(self):
        told = (stage.RELEASE / "build.txt").read_text()
        for wanted in (r"^commit: [0-9a-f]{40}", r"^profile: \w+$", r"^rustc: rustc \d", r"^rustc: commit-hash: [0-9a-f]{40}$",
                       r"^musl-gcc: .*\d", r"^authorities: sha256 [0-9a-f]{64}$"):
            self.assertRegex(told, re.compile(wanted, re.M))
