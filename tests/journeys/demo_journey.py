"""The README's first command: the demo's receipt, usage and ledger agree to the tick."""

import os
import re
import subprocess

from cloud import expect, need_podman

need_podman()
r = subprocess.run(["bash", "examples/demo.sh"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                   text=True, timeout=240,
                   env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}, check=False)
print(r.stdout)
expect(r.returncode == 0, f"the demo ended with {r.returncode}")
for word in ("epoch", "accuracy", "succeeded", "emulated", "2300 wallet demo", "4000 revenue cpu"):
    expect(word in r.stdout, f"the demo never said {word!r}")
total, posted = (re.search(rf"^{word} .*\((\d+) ticks\)", r.stdout, re.M).group(1) for word in ("total", "posted"))
expect(total == posted and int(total) > 0, f"the receipt says {total} ticks, its transfers {posted}")
expect(re.search(r"holds: every line was worked out again", r.stdout), "the demo did not prove its books")
number = re.search(r"invoice-(\d{4}-\d{6})\.pdf", r.stdout).group(1)
with open(f"build/demo/invoice-{number}.pdf", "rb") as f:
    pdf = f.read()
expect(pdf.startswith(b"%PDF") and len(pdf) > 5_000, f"the invoice is no PDF: {pdf[:20]!r}")
text = subprocess.run(["pdftotext", "-layout", f"build/demo/invoice-{number}.pdf", "-"],
                      capture_output=True, text=True, check=True).stdout
for word in (number, "Acme Research GmbH", "Ampacity Demo Cloud", "25.00"):
    expect(word in text, f"the invoice does not say {word!r}:\n{text}")
expect(not re.search(r"FAIL|does not hold", r.stdout), "the books do not hold")
left = subprocess.run(["pgrep", "-f", "ampacity-demo-"], capture_output=True, text=True, check=False)
expect(not left.stdout.strip(), f"the demo left processes: {left.stdout}")
