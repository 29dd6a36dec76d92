"""Sends signed pushes to `the Service`, a file of addresses that lists what is ready, until that file is gone. Run in the
namespace of the ingress controller; prints one line for each answer: status, sha."""

import hashlib
import hmac
import itertools
import json
import pathlib
import sys
import urllib.error
import urllib.request
import uuid

service, secret, pace = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
body = json.loads(pathlib.Path(sys.argv[4]).read_text())
for number in itertools.count(1):  # a commit of zeros alone is a deleted branch
    try:
        addresses = service.read_text().split()
    except FileNotFoundError:
        break
    body["after"] = body["head_commit"]["id"] = f"{number:040x}"
    if len(sys.argv) > 5:
        body["repository"]["full_name"] = sys.argv[5]
    text = json.dumps(body).encode()
    request = urllib.request.Request(f"http://{addresses[number % len(addresses)]}:8080/hooks/github", text, {
        "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError as error:
        status = f"{type(error).__name__}"
    print(status, body["after"], flush=True)
    if pace == 0:
        break
    __import__("time").sleep(pace)
