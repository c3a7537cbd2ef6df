#!/usr/bin/env python3
"""Breaks comments at 120 columns, where clang-format leaves them: `break_comments.py FILE...` changes the files.

What hangs over goes to the front of the next line, if that goes on with the same paragraph, or onto a line of its own. Only
comments that have their lines to themselves, and no drawings: lines that begin with more than one space after the mark are
taken for one unless they are an item of a list ("- ...") or go on with it. Prints the files that it has changed.
"""
import re
import sys

WIDTH = 120
COMMENT = re.compile(r"(\s*(?://|#) )(.*)")
ITEM = re.compile(r"(?:- |\d+\. )")
RULE = re.compile(r"-+ .* -+|-+")


def goes_on(text, hang):
    """Is this the text of a comment line that goes on with a paragraph whose lines begin with `hang`?"""
    rest = text[len(hang):]
    return text.startswith(hang) and rest[:1].strip() and not ITEM.match(rest) and not RULE.fullmatch(rest)


def break_lines(lines):
    """The lines with long comments broken."""
    todo = list(reversed(lines))
    done = []
    hangs = {}  # of lines that were made here, by their number in `done`
    while todo:
        line = todo.pop()
        hang = hangs.pop(len(done), None)
        comment = COMMENT.fullmatch(line)
        if len(line) <= WIDTH or comment is None:
            done.append(line)
            continue
        mark, text = comment.groups()
        if RULE.fullmatch(text):
            done.append(line[:WIDTH])
            continue
        if hang is None:
            hang = " " * (ITEM.match(text).end() if ITEM.match(text) else 0)
            if text.startswith(" "):
                done.append(line)  # a drawing, or code
                continue
        cut = line.rfind(" ", len(mark) + len(hang), WIDTH + 1)
        if cut < 0:
            done.append(line)  # one long word
            continue
        done.append(line[:cut])
        rest = line[cut + 1:]
        following = COMMENT.fullmatch(todo[-1]) if todo else None
        if following is not None and following.group(1) == mark and goes_on(following.group(2), hang):
            rest += " " + following.group(2)[len(hang):]
            todo.pop()
        todo.append(mark + hang + rest)
        hangs[len(done)] = hang
    return done


def main():
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            lines = file.read().split("\n")
        broken = break_lines(lines)
        if broken == lines:
            continue
        with open(name, "w", encoding="utf-8") as file:
            file.write("\n".join(broken))
        print(name)


if __name__ == "__main__":
    main()
