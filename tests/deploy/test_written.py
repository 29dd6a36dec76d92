"""Files that are written from others are current, and the plain manifests are the chart's objects."""

import subprocess
import unittest

import yaml

import chart
import written


class Written(unittest.TestCase):
    def test_files_that_are_written_from_others_are_current(self):
        for path, text in written.all_files():
            there = path.read_text() if path.exists() else ""
            self.assertEqual(there, text, f"{path.relative_to(chart.ROOT)} is not current: UPDATE=1 tests/deploy/run.sh")

    def test_no_file_of_the_manifests_is_left_over(self):
        there = {str(path.relative_to(written.MANIFESTS)) for path in written.MANIFESTS.rglob("*.yaml")}
        self.assertEqual(there, set(written.manifests()))

    def test_kustomize_makes_the_charts_objects(self):
        for mode in ("single", "replicas"):
            done = subprocess.run([str(chart.KUBECTL), "kustomize", str(written.MANIFESTS / "overlays" / mode)],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            built = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}
            self.assertEqual(built.pop(("Namespace", "cdsw-gateway"))["metadata"]["labels"],
                             {"pod-security.kubernetes.io/enforce": "restricted"})
            wanted = {(each["kind"], each["metadata"]["name"]): each for each in written.plain(mode)}
            self.assertEqual(set(built), set(wanted))
            for key, each in wanted.items():
                self.assertEqual(built[key], each, key)


if __name__ == "__main__":
    unittest.main()
