// Signs with GitHub's own packages. Reads a line of JSON a request, {"package", "secret", "body"},
// and writes a line with the signature.
import { createInterface } from "node:readline";
import { Webhooks } from "@octokit/webhooks";
import { sign } from "@octokit/webhooks-methods";

const packages = {
  "@octokit/webhooks": (secret, body) => new Webhooks({ secret }).sign(body),
  "@octokit/webhooks-methods": (secret, body) => sign(secret, body),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { package: name, secret, body } = JSON.parse(line);
  console.log(await packages[name](secret, body));
}
