#include "net/tls.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "net/duplex.h"
#include "net/http_client.h"
#include "net/test_peer.h"

namespace ampacity::net {
namespace {

using namespace test;

const base::Instant now = base::SystemClock().now();
const base::Duration ten_years = base::Duration::seconds(3650LL * 86'400);

// Keys and certificates in a folder that goes with the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/ampacity-tls-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name) << bytes;
    return path / name;
  }
  TlsFiles make(const std::string& name, const std::vector<std::string>& names = {"127.0.0.1"},
                base::Duration valid_for = ten_years) const {
    const auto key = make_private_key();
    REQUIRE(key.has_value());
    const auto certificate = make_certificate(*key, names, now, valid_for);
    REQUIRE(certificate.has_value());
    return {put(name + ".pem", *certificate), put(name + ".key", *key), {}};
  }
  std::filesystem::path path;
};

std::shared_ptr<const TlsIdentity> identity(const TlsFiles& files) {
  const auto loaded = TlsIdentity::load(files);
  REQUIRE(loaded.has_value());
  return *loaded;
}

struct SecurelyServed {
  explicit SecurelyServed(const TlsFiles& files, Handler handler = echo, ServerOptions o = {})
      : tls(identity(files)), served(std::move(handler), with(std::move(o), tls)) {}
  static ServerOptions with(ServerOptions o, std::shared_ptr<const TlsIdentity> tls) {
    o.tls = std::move(tls);
    return o;
  }
  std::string pin() const { return tls->certificate().pin; }
  Peer peer(Trust trust) const {
    return {"https://127.0.0.1:" + std::to_string(served.server.port()), {}, std::move(trust)};
  }
  Peer pinned() const { return peer({pin(), {}, {}, {}}); }

  std::shared_ptr<const TlsIdentity> tls;
  Served served;
};

base::Try<Response> get(const Peer& peer, const std::string& target = "/a") {
  HttpClient client(peer);
  return client.call({"GET", target, {}, {}});
}

TEST_CASE("a certificate is for the names asked for, and a key's pin outlives it") {
  const Folder folder;
  const TlsFiles files = folder.make("a", {"gpu.example.org", "10.0.0.7", "2001:db8::1"});
  const auto facts = read_certificate(files.certificate);
  REQUIRE(facts.has_value());
  CHECK(facts->names == std::vector<std::string>{"gpu.example.org", "10.0.0.7", "2001:db8::1"});
  CHECK(facts->subject == "CN=ampacityd");
  CHECK(facts->not_after.us / 1'000'000 == (now + ten_years).us / 1'000'000);
  CHECK(is_pin(facts->pin));
  std::ifstream in(files.key);
  const std::string key((std::istreambuf_iterator<char>(in)), {});
  const auto renewed = make_certificate(key, {"other"}, now, ten_years);
  REQUIRE(renewed.has_value());
  CHECK(read_certificate(folder.put("b.pem", *renewed))->pin == facts->pin);
  CHECK(read_certificate(folder.make("c").certificate)->pin != facts->pin);

  for (const char* bad : {"", "a b", "a,DNS:b", "a\nb", "*"})
    CHECK_FALSE(make_certificate(key, {bad}, now, ten_years).has_value());
  CHECK_FALSE(make_certificate(key, {}, now, ten_years).has_value());
  for (const char* bad :
       {"", "sha256//", "sha256//AAAA", "md5//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0="})
    CHECK_FALSE(is_pin(bad));
}

TEST_CASE("files that do not fit each other are refused by name") {
  const Folder folder;
  const TlsFiles a = folder.make("a"), b = folder.make("b");
  const auto refused = [](const TlsFiles& files, const std::filesystem::path& named) {
    const auto loaded = TlsIdentity::load(files);
    return !loaded && contains(loaded.error().message, named.string());
  };
  CHECK(refused({a.certificate, b.key, {}}, b.key));
  CHECK(refused({folder.path / "none.pem", a.key, {}}, folder.path / "none.pem"));
  CHECK(refused({a.certificate, folder.path / "none.key", {}}, folder.path / "none.key"));
  CHECK(refused({folder.put("junk.pem", "junk"), a.key, {}}, "junk.pem"));
  CHECK(refused({a.certificate, a.key, folder.path / "no-ca.pem"}, "no-ca.pem"));
}

TEST_CASE("a client believes the pinned key, or whom its authorities vouch for; nobody else") {
  const Folder folder;
  const TlsFiles files = folder.make("server"), other = folder.make("other");
  const SecurelyServed s(files);
  const std::string other_pin = read_certificate(other.certificate)->pin;
  const auto body = [&](Trust trust) {
    const auto r = get(s.peer(std::move(trust)));
    return r ? r->body : "no: " + r.error().message;
  };
  CHECK(body({s.pin(), {}, {}, {}}) == "GET /a ");
  CHECK(body({{}, files.certificate, {}, {}}) == "GET /a ");
  CHECK(body({other_pin, {}, {}, {}}).starts_with("no: "));
  CHECK(body({{}, other.certificate, {}, {}}).starts_with("no: "));
  CHECK(body({}).starts_with("no: "));  // the system's authorities do not know it
  const auto refused = get(s.peer({other_pin, {}, {}, {}}));
  CHECK_FALSE(refused.error().retryable);

  const auto shown = peer_certificate(s.peer({}));
  REQUIRE(shown.has_value());
  CHECK(shown->pin == s.pin());
}

TEST_CASE("a certificate for another name is not believed, but for its pin") {
  const Folder folder;
  const TlsFiles files = folder.make("server", {"elsewhere.example"});
  const SecurelyServed s(files);
  CHECK_FALSE(get(s.peer({{}, files.certificate, {}, {}})).has_value());
  CHECK(get(s.pinned()).has_value());
}

TEST_CASE("mutual TLS: who shows no certificate of the authority's is not answered") {
  const Folder folder;
  const TlsFiles server = folder.make("server"), client = folder.make("client"),
                 stranger = folder.make("stranger");
  const SecurelyServed s({server.certificate, server.key, client.certificate});
  const auto as = [&](const TlsFiles& who) {
    return get(s.peer({s.pin(), {}, who.certificate, who.key})).has_value();
  };
  CHECK(as(client));
  CHECK_FALSE(as(stranger));
  CHECK_FALSE(get(s.pinned()).has_value());
  CHECK_FALSE(as({client.certificate, stranger.key, {}}));
}

TEST_CASE("bodies of every size pass whole, both ways, on one connection") {
  const Folder folder;
  const SecurelyServed s(folder.make("server"), [](Request q, Reply r) {
    r.send({200, "application/octet-stream", std::move(q.body), {}});
  });
  HttpClient client(s.pinned());
  for (const std::size_t n : {0, 1, 4095, 4096, 16'383, 16'384, 16'385, 70'000, 1 << 20}) {
    std::string bytes(n, '\0');
    for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
    const auto r = client.call({"POST", "/", {}, bytes});
    REQUIRE(r.has_value());
    CHECK(r->status == 200);
    CHECK(r->body == bytes);
  }
  const auto too_large = client.call({"POST", "/", {}, std::string((1 << 20) + 1, 'x')});
  CHECK((!too_large || too_large->status == 413));
}

TEST_CASE("a stream longer than any buffer, and a WebSocket, pass over TLS") {
  const Folder folder;
  std::shared_ptr<WebSocket> socket;
  const SecurelyServed s(folder.make("server"), [&](Request q, Reply r) {
    if (r.wants_websocket()) {
      socket = r.websocket();
      socket->on_message([&](std::string bytes, bool text) { socket->send(bytes + "!", text); });
      return;
    }
    const auto stream = r.stream({200, "text/plain", "", {}});
    for (int i = 0; i < 300; ++i)
      stream->write(std::string(10'000, static_cast<char>('a' + i % 26)));
    (void)q;
  });
  std::size_t got = 0;
  HttpClient client(s.pinned());
  const auto r = client.stream({"GET", "/stream", {}, {}}, [&](std::string_view bytes) {
    got += bytes.size();
    return true;
  });
  REQUIRE(r.has_value());
  CHECK(got == 3'000'000);

  std::promise<std::string> echoed;
  const DuplexEvents events{[&](std::string bytes, bool) { echoed.set_value(std::move(bytes)); },
                            {}};
  auto duplex = connect_websocket(s.pinned(), {"GET", "/ws", {}, {}}, events);
  REQUIRE(duplex.has_value());
  CHECK((*duplex)->write(std::string(100'000, 'w')));
  auto answer = echoed.get_future();
  REQUIRE(answer.wait_for(std::chrono::seconds(patience_s)) == std::future_status::ready);
  CHECK(answer.get() == std::string(100'000, 'w') + "!");
  duplex->reset();

  const TlsFiles other = folder.make("other");
  const Trust wrong{read_certificate(other.certificate)->pin, {}, {}, {}};
  CHECK_FALSE(connect_websocket(s.peer(wrong), {"GET", "/ws", {}, {}}, {}).has_value());
}

TEST_CASE("plain HTTP to a TLS port is told so; what is no greeting at all is cut off") {
  const Folder folder;
  const SecurelyServed s(folder.make("server"));
  RawPeer plain(s.served.server.port());
  CHECK(plain.send_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(contains(plain.read_to_end(), "this port speaks TLS: use https://"));
  RawPeer junk(s.served.server.port());
  CHECK(junk.send_bytes(std::string("\x16\x03\x01\x00\x05hello", 10)));
  junk.read_to_end();
  CHECK(get(s.pinned()).has_value());
}

TEST_CASE("who does not finish the greeting is cut off; only so many greet at once") {
  const Folder folder;
  ServerOptions o;
  o.greeting_timeout = base::Duration::millis(200);
  o.max_greetings = 2;
  const SecurelyServed s(folder.make("server"), echo, o);
  RawPeer first(s.served.server.port()), second(s.served.server.port());
  while (s.served.server.connections() < 2) std::this_thread::yield();
  RawPeer third(s.served.server.port());
  CHECK(third.read_to_end().empty());
  CHECK(first.read_to_end().empty());
  CHECK(second.read_to_end().empty());
  CHECK(get(s.pinned()).has_value());
}

TEST_CASE("another identity is shown from then on, and old connections go on") {
  const Folder folder;
  SecurelyServed s(folder.make("server"));
  HttpClient before(s.pinned());
  CHECK(before.call({"GET", "/1", {}, {}}).has_value());
  const auto next = identity(folder.make("next"));
  s.served.server.show(next);
  const Peer now_pinned = s.peer({next->certificate().pin, {}, {}, {}});
  CHECK(get(now_pinned).has_value());
  CHECK(before.call({"GET", "/2", {}, {}}).has_value());  // on the connection it has
  CHECK_FALSE(get(s.pinned()).has_value());
}

}  // namespace
}  // namespace ampacity::net
