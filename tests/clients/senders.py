"""The senders: each signs with its own package, under a secret that it makes up."""

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlencode

import jwt
import nacl.signing
import slack_sdk.signature
import standardwebhooks
import stripe
import twilio.request_validator
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


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


class Stripe(Sender):
    package = "stripe"
    source = "stripe"
    request = "event"
    signature = "Stripe-Signature"
    time = "Stripe-Signature"

    def new_secret(self):
        return "whsec_canary-" + secrets.token_urlsafe(24)

    def sign(self, id, at):
        body = json.dumps({"id": id, "type": "invoice.paid", "data": {"by": "acme"}}, indent=2)
        # Stripe's libraries compute signatures to compare them with; the header is theirs to parse.
        signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", self.secret)
        header = f"t={at},v1={signature}"
        assert stripe.WebhookSignature.verify_header(body, header, self.secret)
        headers = {"Content-Type": "application/json; charset=utf-8", self.signature: header}
        return Signed(headers, body.encode())

    def at_another_time(self, signed):
        time, rest = signed.headers[self.signature].removeprefix("t=").split(",", 1)
        headers = signed.headers | {self.signature: f"t={int(time) + 1},{rest}"}
        return Signed(headers, signed.body)


class Slack(Sender):
    package = "slack_sdk"
    source = "slack"
    signature = "X-Slack-Signature"
    time = "X-Slack-Request-Timestamp"

    def signed(self, content_type, body, at):
        verifier = slack_sdk.signature.SignatureVerifier(self.secret)
        signature = verifier.generate_signature(timestamp=str(at), body=body)
        headers = {"Content-Type": content_type, self.time: str(at), self.signature: signature}
        return Signed(headers, body.encode())


class SlackEvent(Slack):
    request = "event"

    def sign(self, id, at):
        event = {"type": "app_mention", "user": "U1", "channel": "C1", "text": "acme"}
        body = {"type": "event_callback", "team_id": "T1", "event_id": id, "event": event}
        return self.signed("application/json", json.dumps(body), at)


class SlackCommand(Slack):
    request = "slash command"

    def sign(self, id, at):
        fields = {
            "command": "/cdsw",
            "text": "retrain",
            "user_id": "U1",
            "user_name": "acme",
            "channel_id": "C1",
            "channel_name": "risk",
            "team_id": "T1",
            "trigger_id": id,
            "response_url": "https://hooks.slack.com/commands/T1/1/x",
        }
        return self.signed("application/x-www-form-urlencoded", urlencode(fields), at)


class Twilio(Sender):
    package = "twilio"
    source = "twilio"
    signature = "X-Twilio-Signature"
    # As gateway.yaml says.
    url = "https://hooks.example.com/hooks/twilio"

    def signed(self, id, content_type, body, url, fields):
        validator = twilio.request_validator.RequestValidator(self.secret)
        headers = {"Content-Type": content_type, "I-Twilio-Idempotency-Token": id}
        headers[self.signature] = validator.compute_signature(url, fields)
        return Signed(headers, body.encode(), url.partition("?")[2])


class TwilioForm(Twilio):
    request = "form"

    def sign(self, id, at):
        fields = {"MessageSid": id, "MessageStatus": "delivered", "Body": "acme & s\u00f6hne"}
        content_type = "application/x-www-form-urlencoded"
        return self.signed(id, content_type, urlencode(fields), self.url, fields)


class TwilioJson(Twilio):
    request = "JSON"

    def sign(self, id, at):
        body = json.dumps({"MessageSid": id, "by": "acme"})
        digest = twilio.request_validator.RequestValidator(self.secret).compute_hash(body)
        url = f"{self.url}?bodySHA256={digest}"
        return self.signed(id, "application/json", body, url, {})


class Discord(Sender):
    package = "PyNaCl"
    source = "discord"
    request = "command"
    signature = "X-Signature-Ed25519"
    time = "X-Signature-Timestamp"

    def new_secret(self):
        return nacl.signing.SigningKey.generate()

    def verifier(self):
        return self.secret.verify_key.encode().hex()

    def sign(self, id, at):
        body = {
            "id": id,
            "type": 2,
            "application_id": "1",
            "channel_id": "7",
            "guild_id": "9",
            "data": {"id": "3", "name": "cdsw", "type": 1,
                     "options": [{"name": "command", "type": 3, "value": "retrain"}]},
            "member": {"user": {"id": "5", "username": "acme"}},
            "token": "interaction",
            "version": 1,
        }
        body = json.dumps(body)
        signature = self.secret.sign(f"{at}{body}".encode()).signature.hex()
        headers = {"Content-Type": "application/json", self.time: str(at)}
        return Signed(headers | {self.signature: signature}, body.encode())


class Jwt(Sender):
    package = "PyJWT"
    source = "jwt"
    request = "bearer token"
    signature = "Authorization"
    time = "Authorization"

    def new_secret(self):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def verifier(self):
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.secret.public_key().public_bytes(*form).decode()

    def body(self, id):
        return json.dumps({"id": id, "by": "acme"}).encode()

    def claims(self, id, at):
        # As gateway.yaml asks for.
        return {
            "iss": "https://ci.example.com",
            "aud": "cdsw-gateway",
            "sub": "acme/risk",
            "jti": id,
            "iat": at,
            "nbf": at,
            "exp": at + 300,
            "payload_hash": hashlib.sha256(self.body(id)).hexdigest(),
        }

    def sign(self, id, at):
        token = jwt.encode(self.claims(id, at), self.secret, algorithm="RS256")
        return self.bearing(token, self.body(id))

    def bearing(self, token, body):
        headers = {"Content-Type": "application/json", self.signature: f"Bearer {token}"}
        return Signed(headers, body)

    def at_another_time(self, signed):
        head, claims, signature = signed.headers[self.signature].removeprefix("Bearer ").split(".")
        claims = json.loads(jwt.utils.base64url_decode(claims))
        claims["exp"] += 1
        return self.bearing(f"{head}.{encoded(claims)}.{signature}", signed.body)

    def forgeries(self, id, at):
        claims, body = self.claims(id, at), self.body(id)
        unsigned = jwt.encode(claims, None, algorithm="none")
        yield "without algorithm", self.bearing(unsigned, body), False
        # The public key as the secret of an HMAC, which the package itself refuses to sign with.
        text = f'{encoded({"alg": "HS256", "typ": "JWT"})}.{encoded(claims)}'
        digest = hmac.digest(self.verifier().encode(), text.encode(), hashlib.sha256)
        confused = f"{text}.{jwt.utils.base64url_encode(digest).decode()}"
        yield "public key as secret", self.bearing(confused, body), False
        for name in ["iss", "aud"]:
            others = claims | {name: "https://other.example.com"}
            token = jwt.encode(others, self.secret, algorithm="RS256")
            yield f"another {name}", self.bearing(token, body), False


def encoded(content):
    """A part of a token."""
    return jwt.utils.base64url_encode(json.dumps(content).encode()).decode()


def all_senders(github_script):
    """Every sender. Those of one source share its secret."""
    GitHub.script = github_script
    senders = [
        OctokitWebhooks(),
        OctokitWebhooksMethods(),
        StandardWebhooks(),
        Stripe(),
        SlackEvent(),
        SlackCommand(),
        TwilioForm(),
        TwilioJson(),
        Discord(),
        Jwt(),
    ]
    first = {}
    for sender in senders:
        sender.secret = first.setdefault(sender.source, sender).secret
    return senders
