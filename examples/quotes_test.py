#!/usr/bin/env python3
"""Code in the documentation is code of the examples: compares the pages named as arguments with the files they quote.

    <!-- from examples/hello/client.cc -->
    ```cpp
    lines that stand in examples/hello/client.cc, next to each other
    ```

C++ without such a line above it is an error in README.md, so that nobody shows what does not compile.
"""
import re
import sys

BLOCK = re.compile(r"(?:<!-- from (\S+) -->\n)?```cpp\n(.*?)```\n", re.DOTALL)


def check(page):
    """Yields what is wrong with a page."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    for source, code in BLOCK.findall(text):
        first = code.split("\n", 1)[0]
        if not source:
            yield f'{page}: "{first}": expected a line <!-- from examples/... --> above the code, got none'
            continue
        with open(source, encoding="utf-8") as file:
            if code not in file.read():
                yield f'{page}: the code from "{first}" on is not in {source} any more; do: copy it again'


def main():
    pages = sys.argv[1:]
    problems = [problem for page in pages for problem in check(page)]
    print("\n".join(problems) or f"{len(pages)} pages quote what is there")
    sys.exit(1 if problems or not pages else 0)


if __name__ == "__main__":
    main()
