"""The README's first command: the demo's receipt, usage and ledger agree to the tick."""

import os
import re
import subprocess

from cloud import expect, need_podman

need_podman()
r = subprocess.run(["bash", "examples/demo.sh"], capture_output=True, text=True, timeout=240,
                   env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}, check=False)
print(r.stdout, r.stderr)
expect(r.returncode == 0, f"the demo ended with {r.returncode}")
for word in ("epoch", "accuracy", "succeeded", "emulated", "2300 wallet demo", "4000 revenue cpu"):
    expect(word in r.stdout, f"the demo never said {word!r}")
expect(not re.search(r"FAIL|does not hold", r.stdout), "the books do not hold")
left = subprocess.run(["pgrep", "-f", "ampacity-demo-"], capture_output=True, text=True, check=False)
expect(not left.stdout.strip(), f"the demo left processes: {left.stdout}")
