"""The Debian packages: made, unpacked into a scratch root, looked at, and their programs run from there."""

import os
import shutil
import subprocess
import tempfile

from cloud import BIN, Cloud, expect, skip
import cloud as cloud_module


def out(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, **more)
    expect(done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def verify_unit(root):
    if not shutil.which("systemd-analyze"):
        return
    unit = f"{root}/usr/lib/systemd/system/ampacityd.service"
    text = open(unit).read()
    open(unit, "w").write(text.replace("/usr/bin/ampacityd", f"{root}/usr/bin/ampacityd"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60,
                          check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "ampacityd.service" in line]
    expect(done.returncode == 0 and not ours, f"systemd-analyze verify: {done.returncode} {ours or done.stderr}")


def main():
    if not shutil.which("dpkg-shlibdeps"):
        skip("dpkg-dev is not installed")
    work = tempfile.mkdtemp(prefix="ampacity-packages-", dir="/var/tmp")
    try:
        out("packaging/build.sh", BIN, work)
        packages = [f"{work}/{name}" for name in sorted(os.listdir(work))]
        expect(len(packages) == 2, f"two packages: {packages}")
        root = f"{work}/root"
        for package in packages:
            fields = out("dpkg-deb", "--field", package)
            expect("Depends: " in fields and "libc6" in fields, fields)
            out("dpkg-deb", "-x", package, root)
        server, client = packages
        owners = out("dpkg-deb", "--contents", server)
        expect(all(line.split()[1] == "root/root" for line in owners.splitlines()), "files are root's")
        expect("/etc/ampacity/ampacityd.yaml" in out("dpkg-deb", "--info", server, "conffiles"), "the file is a conffile")
        for path in ("usr/share/man/man1/ampacity.1.gz", "usr/share/man/man8/ampacityd.8.gz",
                     "usr/share/bash-completion/completions/ampacity", "usr/share/zsh/vendor-completions/_ampacity",
                     "usr/share/fish/vendor_completions.d/ampacity.fish", "usr/lib/sysusers.d/ampacity.conf",
                     "usr/share/doc/ampacity-server/operating.md"):
            expect(os.path.getsize(f"{root}/{path}") > 50, f"{path} is missing")
        out("bash", "-n", f"{root}/usr/share/bash-completion/completions/ampacity")
        verify_unit(root)

        # As installed: the file as it comes is accepted, and a cloud runs from the packages alone.
        out(f"{root}/usr/bin/ampacityd", "--config", f"{root}/etc/ampacity/ampacityd.yaml", "--state", f"{work}/state", "--check")
        cloud_module.BIN = f"{root}/usr/bin"
        with Cloud(engine="stub", emulate="h100:8", more=["--config", f"{root}/etc/ampacity/ampacityd.yaml", "--tls", "off"]) as c:
            job = c.submit("true")
            c.wait(job)
            environment = {**os.environ, "AMPACITY_URL": f"http://127.0.0.1:{c.port}", "AMPACITY_KEY": c.owner_key}
            shown = out(f"{root}/usr/bin/ampacity", "--json", "receipt", job, env=environment)
            expect(job in shown, shown)
            made = out(f"{root}/usr/bin/ampacity", "backup", "--state", c.state, f"{work}/backup")
            expect("world " in made, made)
        expect("usage" in out(f"{root}/usr/bin/ampacity", "sim", "--help").lower(), "ampacity sim lies beside")
        if shutil.which("lintian"):
            found = subprocess.run(["lintian", "--fail-on", "error", "--suppress-tags",
                                    # who builds it says so by DEBEMAIL
                                    "bogus-mail-host,bogus-mail-host-in-debian-changelog", *packages], capture_output=True, text=True,
                                   timeout=300, check=False)
            expect(found.returncode == 0, found.stdout)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
