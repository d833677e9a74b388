"""docs/policy.md lists the default read deny-list of src/fleet/policy_secrets.c, all of it in its
order, and the limits of include/scout/fleet/policy.h."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
source = (root / "src/fleet/policy_secrets.c").read_text()
table = re.search(r"policy_secrets\[\] = \{(.*?)\};", source, re.S)[1]
patterns = re.findall(r'"([^"]+)"', re.sub(r"/\* .*? \*/", "", table))
document = (root / "docs/policy.md").read_text()
part = document.split("<!-- read deny-list", 1)[1].split("-->", 1)[1].split("<!-- end", 1)[0]
listed = re.findall(r"`([^`]+)`", part)
if not patterns or patterns != listed:
    print("differ:", sorted(set(patterns) ^ set(listed)))
    sys.exit(1)
header = (root / "include/scout/fleet/policy.h").read_text()
limits = dict(re.findall(r"#define POLICY_(\w+)_MAX +(\d+)", header))
said = re.search(r"At most (\S+) rules, (\S+) patterns a list, (\S+) bytes a pattern, (\S+) components "
                 r"or words a pattern; a path of more than (\S+) bytes", document)
wanted = [limits[name] for name in ("RULES", "LIST", "PATTERN", "COMPONENTS", "PATH")]
if [number.replace(",", "") for number in said.groups()] != wanted:
    print("limits differ:", said.groups(), wanted)
    sys.exit(1)
print(len(patterns), "patterns")
