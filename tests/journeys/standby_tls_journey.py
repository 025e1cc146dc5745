"""The parts of a cloud speak TLS to each other: two servers on one PostgreSQL, a write sent on from
the one that follows. With an authority of one's own and mutual TLS, and with one generated key that
both show. Whoever is not vouched for is refused, client and leader alike, before anything is sent."""

import http.client
import os
import shutil
import ssl
import subprocess
import tempfile

import postgres
from cloud import BIN, Cloud, expect, skip, wait_for

if not postgres.programs():
    skip("PostgreSQL is not installed")


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


class Authority:
    """Vouches for what it makes: NAME.pem and NAME.key in its folder."""

    def __init__(self, folder):
        self.dir = folder
        os.makedirs(folder)
        self.ca = f"{folder}/ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=ca", "-keyout", f"{folder}/ca.key", "-out", self.ca)

    def make(self, name):
        certificate, key = f"{self.dir}/{name}.pem", f"{self.dir}/{name}.key"
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", f"{self.dir}/{name}.csr")
        open(f"{self.dir}/san", "w").write("subjectAltName=IP:127.0.0.1")
        openssl("x509", "-req", "-in", f"{self.dir}/{name}.csr", "-CA", self.ca, "-CAkey", f"{self.dir}/ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{self.dir}/san", "-out", certificate)
        return certificate, key


class Server(Cloud):
    """Asked over TLS; `ca` vouches for it, `shows` is what its client shows: (certificate, key)."""
    ca, shows = "", None

    def tls(self):
        context = ssl.create_default_context(cafile=self.ca or os.path.join(self.state, "tls", "certificate.pem"))
        if self.shows:
            context.load_cert_chain(*self.shows)
        return context

    def role(self):
        return self.ok("GET", "/healthz")["role"]

    def offer(self):
        return self.call("POST", "/v1/jobs", {"image": "x", "command": ["x"], "resources": {"cpus": "0.1"}},
                         self.customer_key, {"Idempotency-Key": os.urandom(8).hex()})

    def jobs(self):
        return len(self.ok("GET", "/v1/jobs?all=1&limit=500")["items"])

    def begin_beside(self, other):
        self.owner_key, self.customer_key = other.owner_key, other.customer_key
        self.start()


def a_server(database, *flags):
    return Server(engine="stub", emulate="", more=[
        "--store", database, "--secret-file", secret, "--stub-run-ms", "50", *flags])


def check_refused(server, shows):
    server.shows, shown = shows, server.shows
    try:
        answer = server.call("GET", "/healthz", key="")
    except (OSError, http.client.HTTPException):
        answer = None
    server.shows = shown
    expect(answer is None, f"answered to a client that shows {shows}: {answer}")


def check_sent_on(follower, leader):
    expect((leader.role(), follower.role()) == ("leader", "follower"), "one leads, the other follows")
    sent_on = follower.offer()
    expect(sent_on.status == 201, f"sent on to the leader: {sent_on.status} {sent_on.text}")
    for server in (follower, leader):
        expect(server.job(sent_on.json["id"])["name"], "what was sent on is there")


def check_distrusted(follower, leader):
    """It reads for itself, and sends nothing to a leader that it does not trust."""
    there = leader.jobs()
    answer = follower.offer()
    expect(answer.status == 503 and "nothing was done" in answer.text, f"sent to whom it does not trust: {answer.text}")
    expect(follower.role() == "follower" and follower.jobs() == leader.jobs() == there, "nothing was done")
    return answer.json["detail"]


def own_authority(database):
    """Each has a key of its own; clients and servers show certificates to each other."""
    ours, others = Authority(f"{folder}/ours"), Authority(f"{folder}/others")
    me, stranger = ours.make("me"), others.make("stranger")

    def flags(name, peers):
        certificate, key = ours.make(name)
        return ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", ours.ca, "--peer-ca-file", peers]
    Server.ca, Server.shows = ours.ca, me
    with a_server(database, *flags("a", ours.ca)) as a:
        b = a_server(database, *flags("b", ours.ca))
        try:
            b.begin_beside(a)
            check_sent_on(b, a)
            for server in (a, b):
                check_refused(server, None)
                check_refused(server, stranger)
            a.kill9()
            wait_for("the other takes over", lambda: b.role() == "leader")
            expect(b.offer().status == 201, "it decides for itself")
            a.start()
            check_sent_on(a, b)
            a.stop()
            a.more = a.more[:-1] + [others.ca]
            a.start()
            print("not vouched for:", check_distrusted(a, b), flush=True)
            b.check_books()
        finally:
            b.__exit__(None, None, None)


def one_key(database):
    """Made by the first, copied to the second; before that the second trusts nobody."""
    Server.ca, Server.shows = "", None
    with a_server(database, "--tls", "generate") as a:
        b = a_server(database, "--tls", "generate")
        try:
            b.begin_beside(a)
            print("another key:", check_distrusted(b, a), flush=True)
            b.stop()
            shutil.rmtree(os.path.join(b.state, "tls"))
            shutil.copytree(os.path.join(a.state, "tls"), os.path.join(b.state, "tls"))
            b.start()
            check_sent_on(b, a)
            a.stop()
            wait_for("the other takes over", lambda: b.role() == "leader")
        finally:
            b.__exit__(None, None, None)


def shell(database):
    """A session in a container, opened at the one who follows: both ways through the leader."""
    if not shutil.which("podman"):
        print("no podman: no session in a container was opened")
        return
    Server.ca, Server.shows = "", None
    more = ["--store", database, "--secret-file", secret, "--tls", "generate"]
    with Server(more=more) as a:
        b = Server(more=more)
        try:
            shutil.copytree(os.path.join(a.state, "tls"), os.path.join(b.state, "tls"))
            b.begin_beside(a)
            job = b.submit("sleep 60")
            b.wait(job, "running")
            r = subprocess.run([f"{BIN}/ampacity", "exec", job, "--", "sh", "-c", "cat; exit 5"], input="there and back",
                               capture_output=True, text=True, timeout=60, check=False, env={
                                   **os.environ, "AMPACITY_KEY": b.customer_key, "AMPACITY_CONFIG": b.dir + "/none",
                                   "AMPACITY_URL": f"https://127.0.0.1:{b.port}",
                                   "AMPACITY_CA_FILE": os.path.join(b.state, "tls", "certificate.pem")})
            expect((r.returncode, r.stdout) == (5, "there and back"), f"a session through the follower: {r}")
            expect(b.role() == "follower", "it still follows")
        finally:
            b.__exit__(None, None, None)


server = postgres.the_one()
with tempfile.TemporaryDirectory(prefix="ampacity-tls-", dir="/var/tmp") as folder:
    secret = f"{folder}/secret"
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(os.urandom(32))
    own_authority(server.url(server.make_database()))
    one_key(server.url(server.make_database()))
    shell(server.url(server.make_database()))
print("sent on over TLS, a shell as well, strangers refused")
