"""Sends what each package signed, as it is and changed, and shows what the gateway made of it.

Ends with 1 when a verdict is not what it should be.
"""

import copy
import sys
import time

from gateway import Gateway
from senders import Signed, all_senders

REFUSED = 401


def requests(sender, id):
    """The requests to try, by name, and whether each is to be believed."""
    now = int(time.time())
    good = sender.sign(id, now)
    yield "as signed", good, True
    yield "signature changed", with_header(good, sender.signature, changed), False
    if sender.signs_body:
        forged = good.body.replace(b"acme", b"evil")
        assert forged != good.body, "the body names acme"
        yield "body changed", Signed(good.headers, forged, good.query), False
    if sender.time:
        yield "time changed", sender.at_another_time(good), False
    if sender.time and sender.ages:
        yield "signed an hour ago", sender.sign(f"{id}-old", now - 3600), False
    stranger = copy.copy(sender)
    stranger.secret = sender.new_secret()
    yield "signed by a stranger", stranger.sign(f"{id}-stranger", now), False
    yield "without signature", without_header(good, sender.signature), False
    yield from sender.forgeries(f"{id}-forged", now)
    yield "as signed, again", good, True


def changed(text):
    """One character near the end is another, which is lawful in hex and in base64."""
    at = len(text) - 6
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def with_header(signed, name, change):
    return Signed(signed.headers | {name: change(signed.headers[name])}, signed.body, signed.query)


def without_header(signed, name):
    headers = {key: value for key, value in signed.headers.items() if key != name}
    return Signed(headers, signed.body, signed.query)


def verdict(gateway, sender, signed, key, believed):
    """What came of a request, and what is wrong with that."""
    before = known(gateway, sender.source)
    path = f"/hooks/{sender.source}" + (f"?{signed.query}" if signed.query else "")
    status, text = gateway.send(path, signed.headers, signed.body)
    after = known(gateway, sender.source)
    if not believed:
        wrong = status != REFUSED or set(after) != set(before)
        return f"{status} refused" if status == REFUSED else f"{status} {text}", wrong
    if not 200 <= status < 300:
        return f"{status} {text}", True
    routes = [run["route"] for run in after.get(key, {}).get("runs", [])]
    wrong = routes != [f"from-{sender.source}"]
    wrong = wrong or len(after) != len(before) + (key not in before)
    return f"{status} {key} -> {', '.join(routes)}", wrong


def known(gateway, source):
    """The deliveries of a source, by the key that names them."""
    status, answer = gateway.ask(f"/api/deliveries?source={source}&limit=100")
    assert status == 200, answer
    return {delivery["key"]: delivery for delivery in answer["deliveries"]}


def main(program, github_script):
    senders = all_senders(github_script)
    faults = []
    with Gateway(program, senders) as gateway:
        accepted = 0
        print(f"{'package':<28}{'request':<18}{'as':<24}verdict")
        for number, sender in enumerate(senders):
            id = f"delivery-{number}"
            for name, signed, believed in requests(sender, id):
                said, wrong = verdict(gateway, sender, signed, sender.key(id), believed)
                mark = "  WRONG" if wrong else ""
                print(f"{sender.package:<28}{sender.request:<18}{name:<24}{said}{mark}")
                if wrong:
                    faults.append(f"{sender.package}, {sender.request}, {name}: {said}")
            accepted += 1
        started = lambda: gateway.ask("/api/runs?state=started&limit=100")[1]["runs"]
        gateway.wait(f"{accepted} jobs were started", lambda: len(started()) == accepted)
        for path in gateway.left_behind():
            if b"canary-" in path.read_bytes():
                faults.append(f"{path.name} holds a secret")
    print(f"{len(senders)} kinds of request of {len({s.package for s in senders})} packages, "
          f"{accepted} jobs started, {len(faults)} faults")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
