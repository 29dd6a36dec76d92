"""The senders: each signs with its own package, under a secret that it makes up."""

import base64
import json
import secrets
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone

import standardwebhooks


@dataclass
class Signed:
    """A request to a source."""

    headers: dict
    body: bytes
    query: str = ""


class Sender:
    """One package, signing one kind of request."""

    package: str
    source: str
    request: str
    # Where the signature is.
    signature: str
    # Where the signed time is, and whether the gateway bounds its age.
    time: str | None = None
    ages = True
    signs_body = True

    def __init__(self):
        self.secret = self.new_secret()

    def new_secret(self):
        return "canary-" + secrets.token_urlsafe(24)

    def verifier(self):
        """What the gateway is given to verify with."""
        return self.secret

    def sign(self, id, at):
        """The request with this id, signed at this time (in seconds since 1970)."""
        raise NotImplementedError

    def key(self, id):
        """What the gateway should know the delivery by."""
        return id

    def at_another_time(self, signed):
        """The same request with another time in it, its signature left as it is."""
        headers = dict(signed.headers)
        headers[self.time] = str(int(headers[self.time]) + 1)
        return Signed(headers, signed.body, signed.query)

    def forgeries(self, id, at):
        """Further requests that only this sender can be tried with."""
        return iter(())


class GitHub(Sender):
    """GitHub's packages run in Node."""

    source = "github"
    request = "push"
    signature = "X-Hub-Signature-256"
    script: str

    def sign(self, id, at):
        body = {
            "ref": "refs/heads/main",
            "repository": {"full_name": "acme/risk", "default_branch": "main"},
            "commits": [],
        }
        body = json.dumps(body)
        ask = {"package": self.package, "secret": self.secret, "body": body}
        ran = subprocess.run(
            ["node", self.script], input=json.dumps(ask), capture_output=True, text=True, check=True
        )
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": id,
            self.signature: ran.stdout.strip(),
        }
        return Signed(headers, body.encode())


class OctokitWebhooks(GitHub):
    package = "@octokit/webhooks"


class OctokitWebhooksMethods(GitHub):
    package = "@octokit/webhooks-methods"


class StandardWebhooks(Sender):
    package = "standardwebhooks"
    source = "standard-webhooks"
    request = "event"
    signature = "webhook-signature"
    time = "webhook-timestamp"

    def new_secret(self):
        return "whsec_" + base64.b64encode(b"canary-" + secrets.token_bytes(24)).decode()

    def sign(self, id, at):
        body = json.dumps({"type": "model.trained", "data": {"by": "acme"}})
        moment = datetime.fromtimestamp(at, tz=timezone.utc)
        signature = standardwebhooks.Webhook(self.secret).sign(id, moment, body)
        headers = {"webhook-id": id, self.time: str(at), self.signature: signature}
        return Signed(headers, body.encode())


def all_senders(github_script):
    """Every sender. Those of one source share its secret."""
    GitHub.script = github_script
    senders = [
        OctokitWebhooks(),
        OctokitWebhooksMethods(),
        StandardWebhooks(),
    ]
    first = {}
    for sender in senders:
        sender.secret = first.setdefault(sender.source, sender).secret
    return senders
