"""Operating a cloud: TLS with a pinned key, a configuration file, a certificate changed while it runs,
logs that move away, a backup under load, and a restore that is proven and served from."""

import json
import os
import signal
import ssl
import subprocess
import threading
import urllib.request

import postgres
from cloud import BIN, Cloud, expect, wait_for


def run(*words, ok=True, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)
    expect((done.returncode == 0) == ok, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class SecureCloud(Cloud):
    """A Cloud whose API is asked over TLS."""

    def tls(self):
        return ssl.create_default_context(cafile=os.path.join(self.state, "tls", "certificate.pem"))


def check_configuration(directory):
    path = os.path.join(directory, "wrong.yaml")
    open(path, "w").write("colud: x\nlisten: 0.0.0.0:7878\nstore-url: postgres://me:hunter2@db/x\n")
    check = run(f"{BIN}/ampacityd", "--config", path, "--check", ok=False)
    for part in (f"{path}:1: colud: there is no such option", "listens on loopback only", "--state is required"):
        expect(part in check.stdout, f"--check: {part} is missing in\n{check.stdout}")
    expect("hunter2" not in check.stdout + check.stderr, "a secret was repeated")
    expect(check.returncode == 2, "--check: exit 2")


def own_certificate(directory):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=own", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{directory}/own.key",
        "-out", f"{directory}/own.pem")


def cli(cloud, name, *words, ok=True, stdin=None):
    environment = {**os.environ, "AMPACITY_CONFIG": f"{cloud.dir}/{name}.json"}
    for variable in ("AMPACITY_URL", "AMPACITY_KEY"):
        environment.pop(variable, None)
    return run(f"{BIN}/ampacity", *words, ok=ok, env=environment, input=stdin)


def sign_in(cloud, *more, ok=True, url=None):
    return cli(cloud, "cli", "login", "--url", url or f"https://127.0.0.1:{cloud.port}", *more, "--key", "-",
               ok=ok, stdin=cloud.owner_key + "\n")


def check_tls(cloud):
    shown = sign_in(cloud, ok=False)
    expect("not vouched for" in shown.stderr and "sha256//" in shown.stderr, shown.stderr)
    pin = next(w for w in open(cloud.log_path).read().split() if w.startswith("sha256//"))
    dead = "https://127.0.0.1:1"
    sign_in(cloud, "--pin", pin, url=f"{dead},https://127.0.0.1:{cloud.port}")
    job = cli(cloud, "cli", "--json", "run", "--project", "demo", "--image", "localhost/ampacity-tiny", "--cpus", "0.1",
              "--memory", "64MiB", "-d", "--", "true")
    name = json.loads(job.stdout)["id"]
    cloud.wait(name)
    cli(cloud, "cli", "logs", "-f", name)  # server-sent events over TLS
    expect("ampacity_" in cloud.call("GET", "/metrics").text, "metrics over TLS")
    plain = urllib.request.Request(f"http://127.0.0.1:{cloud.port}/healthz")
    try:
        urllib.request.urlopen(plain, timeout=20)
        raise AssertionError("plain HTTP was answered")
    except urllib.error.HTTPError as e:
        expect(e.code == 400 and "https://" in e.read().decode(), "plain HTTP is told to use https")
    return pin


def check_reload(cloud, own, pin):
    """The same server shows another key from SIGHUP on; the old pin is refused and nothing is sent."""
    sign_in(cloud, "--pin", pin)
    for name in ("pem", "key"):
        os.replace(f"{own}/own.{name}", f"{own}/live.{name}")
    log = f"{cloud.dir}/server.log"
    os.replace(log, log + ".moved")
    cloud.process.send_signal(signal.SIGHUP)
    wait_for("the log is opened again", lambda: os.path.exists(log) and "SIGHUP" in open(log).read())
    expect(pin not in open(log).read(), "the key did not change")
    refused = cli(cloud, "cli", "whoami", ok=False)
    expect("another key than the one pinned" in refused.stderr and refused.returncode == 4, refused.stderr)
    sign_in(cloud, "--ca-file", f"{own}/live.pem")
    cli(cloud, "cli", "whoami")


def at(store):
    """The flags that say where a store is; none for the file in the state."""
    return ["--store", store] if store else []


def check_backup(cloud):
    stop, sent = threading.Event(), []

    def load():
        while not stop.is_set():
            sent.append(cloud.submit("true", name=f"load-{len(sent)}"))
    thread = threading.Thread(target=load)
    thread.start()
    wait_for("load", lambda: len(sent) > 20)
    folder = f"{cloud.dir}/backup"
    made = run(f"{BIN}/ampacity", "backup", "--state", cloud.state, *at(cloud.store), "--with-secret", folder)
    before = len(sent)
    wait_for("the load goes on", lambda: len(sent) > before)
    stop.set()
    thread.join()
    run(f"{BIN}/ampacity", "backup", "--state", cloud.state, *at(cloud.store), folder, ok=False)  # is there already
    world = next(line for line in made.stdout.splitlines() if line.startswith("world "))
    return folder, world.split()[1]


def check_damaged(folder, directory):
    """One byte changed, or one missing: refused, and nothing is left behind."""
    for name, damage in (("flipped", lambda b: b[:9000] + bytes([b[9000] ^ 1]) + b[9001:]), ("cut", lambda b: b[:-4096])):
        bad = f"{directory}/{name}"
        subprocess.run(["cp", "-r", folder, bad], check=True)
        store = f"{bad}/ampacity.db"
        content = open(store, "rb").read()
        open(store, "wb").write(damage(content))
        refused = run(f"{BIN}/ampacityd", "--state", f"{directory}/{name}-state", "restore", bad, ok=False)
        expect("the backup is damaged" in refused.stderr, refused.stderr)
        expect(not os.path.exists(f"{directory}/{name}-state/ampacity.db"), "a damaged store was restored")


def main():
    with SecureCloud(engine="stub", emulate="h100:8x2",
                     more=["--tls", "generate", "--stub-run-ms", "50"]) as cloud:
        check_configuration(cloud.dir)
        pin = check_tls(cloud)
        folder, world = check_backup(cloud)
        check_damaged(folder, cloud.dir)
        cloud.stop()
        fresh = f"{cloud.dir}/restored"
        if cloud.store:
            cloud.database = postgres.the_one().make_database()
            cloud.store = postgres.the_one().url(cloud.database)
        restored = run(f"{BIN}/ampacityd", "--state", fresh, *at(cloud.store), "restore", folder)
        expect(f"world {world}: equal" in restored.stdout, restored.stdout)
        run(f"{BIN}/ampacityd", "--state", fresh, *at(cloud.store), "restore", folder, ok=False)  # not over a store

        own_certificate(cloud.dir)
        for name in ("pem", "key"):
            subprocess.run(["cp", f"{cloud.state}/tls/{'certificate.pem' if name == 'pem' else 'key.pem'}",
                            f"{cloud.dir}/live.{name}"], check=True)
        config = f"{cloud.dir}/ampacityd.yaml"
        open(config, "w").write(
            f"state: {fresh}\ntls-cert: {cloud.dir}/live.pem\ntls-key: {cloud.dir}/live.key\n"
            f"log-file: {cloud.dir}/server.log\nlog-file-mib: 1\nlog-files: 2\nstub-run-ms: 50\n")
        expect("ok" in run(f"{BIN}/ampacityd", "--config", config, "--check").stdout, "--check of a good file")
        expect(f"state: {fresh}" in run(f"{BIN}/ampacityd", "--config", config, "--print-config").stdout,
               "--print-config")
        cloud.state, cloud.more = fresh, ["--config", config]
        expect(open(f"{fresh}/tls/key.pem").read() == open(f"{cloud.dir}/live.key").read(), "the TLS key came back")
        subprocess.run(["cp", f"{cloud.dir}/live.pem", f"{fresh}/tls/certificate.pem"], check=True)
        cloud.start()
        expect(cloud.ok("GET", "/v1/whoami")["role"] == "owner", "the old key opens the restored cloud")
        cloud.check_books()
        cloud.check_doctor()
        check_reload(cloud, cloud.dir, pin)


main()
