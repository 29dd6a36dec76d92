"""What a page shows of a command's output, against what the command prints today: ids, times and the like may differ, and
an id that the page names once stands for the same thing in the commands that follow."""

import re

ID = r"\b0[0-9a-f]{7}-[0-9a-f]{4}(?:-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\b"
UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
# As a narrow column has it.
CUT = r"\b[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]*…"
TIMES = [
    (r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z(?: \((?:now|in [^)]+|[^)]+ ago)\))?", "TIME"),
    (r"\bnow\b|\b\d+ (?:s|min|h|days?) ago\b", "AGO"),
    (r"\b\d+(?:\.\d+)? (?:ms|s)\b", "TOOK"),
]
# The engine's id of the workbench, and the version of a configuration.
OTHERS = [(r"\b(?=[a-z0-9]*[0-9])(?=[a-z0-9]*[a-z])[a-z0-9]{16}\b", "ENGINE"), (r"\b[0-9a-f]{12}\b", "CONFIG")]


def lines(text):
    """The lines that are compared: what may differ is a word, and widths of columns do not count."""
    for pattern, word in [(CUT, "ID"), (UUID, "ID"), (ID, "ID")] + TIMES + OTHERS:
        text = re.sub(pattern, word, text)
    return [" ".join(line.split()) for line in text.strip("\n").splitlines()]


def fits(shown, printed):
    """Whether the page's line stands for the printed one; `…` stands for anything."""
    return re.fullmatch(".*".join(re.escape(part) for part in shown.split("…")), printed) is not None


def differs(shown, printed):
    """What is wrong with what the page shows, or None. A line `…` stands for any lines."""
    wanted, found = lines(shown), lines(printed)
    at = 0
    for number, line in enumerate(wanted):
        if line == "…":
            rest = wanted[number + 1:]
            if not rest:
                return None
            while at < len(found) and not fits(rest[0], found[at]):
                at += 1
        elif at >= len(found) or not fits(line, found[at]):
            return f"the page shows {line!r}, and this was printed: {found[at] if at < len(found) else 'nothing'!r}"
        else:
            at += 1
    return None if at == len(found) else f"this was printed, too: {found[at]!r}"


class Ids:
    """What the page's ids stand for."""

    def __init__(self):
        self.known = {}

    def learn(self, shown, printed):
        for one, other in zip(shown.strip("\n").splitlines(), printed.strip("\n").splitlines()):
            for mine, theirs in zip(re.findall(f"{UUID}|{ID}", one), re.findall(f"{UUID}|{ID}", other)):
                self.known.setdefault(mine, theirs)

    def today(self, command):
        """A command of the page, with the ids of today."""
        def replace(found):
            for mine, theirs in self.known.items():
                if mine.startswith(found[0]) or found[0].startswith(mine):
                    return theirs
            return found[0]
        return re.sub(r"\b0[0-9a-f]{7}(?:-[0-9a-f]+)*\b", replace, command)

    def of_page(self, printed):
        """What was printed, with the ids that the page has for the same things."""
        for mine, theirs in self.known.items():
            size = min(len(mine), len(theirs))
            printed = printed.replace(theirs[:size], mine[:size])
        return printed
