"""Makes what cargo-cyclonedx wrote into the lists of components (SBOM, CycloneDX) of a release, the same from every build
of a commit:

    deploy/sbom.py program FROM VERSION EPOCH          the program's list, to standard output
    deploy/sbom.py image PROGRAM-LIST IMAGE-ARCHIVE    the image's: the program, and the roots of certificate authorities

Paths of this machine become paths within the project, and the serial number is derived from the content, as a build that
can be repeated asks for it."""

import datetime
import hashlib
import json
import pathlib
import re
import sys
import tarfile
import urllib.parse
import uuid


def written(bom):
    """The text of a list. The serial number stands for its content."""
    bom.pop("serialNumber", None)
    text = json.dumps(bom, sort_keys=True)
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text)}"
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"


def of_program(source, version, epoch):
    text = pathlib.Path(source).read_text()
    root = urllib.parse.quote(str(pathlib.Path(__file__).resolve().parents[1]))
    # `path+file:///home/me/gateway#0.1.0` and `…?download_url=file://.`
    text = text.replace(f"path+file://{root}#", "path+file:///src#")
    text = re.sub(r"[?&]download_url=file://[^\"#]*", "", text)
    bom = json.loads(text)
    when = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
    bom["metadata"]["timestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert bom["metadata"]["component"]["version"] == version, bom["metadata"]["component"]
    return bom


def of_image(program_list, archive):
    bom = json.loads(pathlib.Path(program_list).read_text())
    with tarfile.open(archive) as image:
        entry = json.load(image.extractfile("manifest.json"))[0]
        raw = image.extractfile(entry["Config"]).read()
        labels = json.loads(raw)["config"]["Labels"]
        with tarfile.open(fileobj=image.extractfile(entry["Layers"][-1])) as layer:
            authorities = layer.extractfile("etc/ssl/certs/ca-certificates.crt").read()
    program = bom["metadata"]["component"]
    roots = {"type": "data", "bom-ref": "authorities", "name": "ca-certificates.crt",
             "description": "Roots of certificate authorities at /etc/ssl/certs: "
                            f"{authorities.count(b'BEGIN CERTIFICATE')} certificates",
             "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(authorities).hexdigest()}]}
    assert labels["cdsw-gateway.authorities.sha256"] == roots["hashes"][0]["content"]
    digest = hashlib.sha256(raw).hexdigest()
    bom["metadata"]["component"] = {
        "type": "container", "bom-ref": "image", "name": "cdsw-gateway", "version": labels["org.opencontainers.image.version"],
        "description": "The id of the image is the hash of its configuration",
        "hashes": [{"alg": "SHA-256", "content": digest}]}
    bom["components"] = [program, roots, *bom["components"]]
    bom["dependencies"] = [{"ref": "image", "dependsOn": [program["bom-ref"], "authorities"]}, *bom["dependencies"]]
    return bom


if __name__ == "__main__":
    made = {"program": of_program, "image": of_image}[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(written(made))
