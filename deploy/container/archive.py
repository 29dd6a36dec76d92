"""Writes an archive of an image anew, so that the same image gives the same bytes:

    deploy/container/archive.py FROM TO NAME

buildah writes the name of the container that it built in into the configuration of an image in Docker's format. That is taken
out here. What is left is the configuration, the layers, and `manifest.json`, which is all that `docker load`, podman and skopeo
read."""

import hashlib
import io
import json
import sys
import tarfile

OF_THE_BUILD = ("container", "container_config", "docker_version")


def plain(config):
    """The configuration without what is of one build alone."""
    kept = {key: value for key, value in config.items() if key not in OF_THE_BUILD}
    kept["config"] = {key: value for key, value in config["config"].items() if key not in ("Hostname", "Domainname", "Image")}
    return kept


def main(source, target, name):
    with tarfile.open(source) as old, tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as new:
        def add(path, content):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o444
            new.addfile(member, io.BytesIO(content))

        (entry,) = json.load(old.extractfile("manifest.json"))
        config = json.dumps(plain(json.load(old.extractfile(entry["Config"]))), sort_keys=True).encode()
        layers = []
        for layer in entry["Layers"]:
            content = old.extractfile(layer).read()
            layers.append(hashlib.sha256(content).hexdigest() + ".tar")
            add(layers[-1], content)
        path = hashlib.sha256(config).hexdigest() + ".json"
        add(path, config)
        add("manifest.json", json.dumps([{"Config": path, "RepoTags": [name], "Layers": layers}]).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
