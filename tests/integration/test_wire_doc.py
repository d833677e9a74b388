"""docs/wire.md lists the error codes of include/scout/base/error.h, all of them and no others."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
header = (root / "include/scout/base/error.h").read_text().replace("\\\n", "")
rows = re.findall(r'X\(\w+, -\d+, "([^"]+)",\s*-\d+,\s*"([^"]+)"\)', header)
document = (root / "docs/wire.md").read_text().split("<!-- error codes", 1)[1]
listed = re.findall(r"^\| `([^`]+)` \| (.+) \|$", document, re.M)
if not rows or rows != listed:
    print("differ:", sorted(set(rows) ^ set(listed)))
    sys.exit(1)
print(len(rows), "codes")
