#!/usr/bin/env python3
"""Reads every YAML example of the documents; what is for pre-commit is read by pre-commit itself.

Usage: .ci/documents.py    needs pre-commit, which brings a YAML parser along
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

SOURCE = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def objection(text: str) -> str:
    """What is wrong with an example; nothing where it is as it should be."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return str(error)
    if not isinstance(content, dict):
        return "it is no mapping"
    if "repos" in content:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            check = [sys.executable, "-m", "pre_commit", "validate-config", file.name]
            result = subprocess.run(check, capture_output=True, text=True, check=False)
        if result.returncode:
            return result.stdout + result.stderr
    return ""


def main() -> int:
    count, wrong = 0, 0
    for document in [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]:
        for found in BLOCK.finditer(document.read_text(encoding="utf-8")):
            count += 1
            if told := objection(found[2]):
                wrong += 1
                line = document.read_text(encoding="utf-8")[: found.start()].count("\n") + 1
                print(f"{document.relative_to(SOURCE)}:{line}: {told}")
    print(f"documents: {count} YAML examples, {wrong} wrong")
    return int(wrong > 0 or count < 8)


if __name__ == "__main__":
    sys.exit(main())
