// Sessions of browsers, and what signing in through a provider gives whom.
#include "core/decide.h"
#include "core/invariants.h"
#include "core/test_cloud.h"

namespace ampacity::core {
namespace {

struct TestSessions : TestCloud {
  TestSessions() : TestCloud(0) { add_project("other", 0); }

  Id key(const char* project = "demo", const std::string& name = {}) {
    CreateKey c;
    c.key.id = {2, ids++};
    c.key.lookup = "k" + std::to_string(ids);
    c.key.sign_in = name;
    c.project = project;
    c.user = "ann";
    if (!*project) c.key.role = Role::owner;
    const auto done = run(c);
    REQUIRE_MESSAGE(done, done.error().message);
    return c.key.id;
  }
  Session session(Id key = {}) {
    return {"hash-" + std::to_string(ids++), key, now + Duration::seconds(3'600)};
  }
  const Session* find(const std::string& hash) const {
    for (const Session& s : world.state().sessions)
      if (s.hash == hash) return &s;
    return nullptr;
  }
  // The key of the session that came of it, "none" (something was taken back) or why not.
  std::string sign_in(const std::string& name, std::optional<Grant> grant = {}) {
    SignIn c;
    c.name = name;
    c.grant = std::move(grant);
    c.session = session();
    c.fresh.id = {3, ids++};
    c.fresh.lookup = "f" + std::to_string(ids);
    c.user = {4, ids++};
    if (const auto done = run(c); !done) return done.error().message;
    check();
    const Session* s = find(c.session.hash);
    return s ? base::format_id("key", s->key) : "none";
  }
  const Key& latest() const { return world.state().keys.back(); }
  std::string latest_id() const { return base::format_id("key", latest().id); }
  // With the newest key.
  bool lets_in(const std::string& name, std::optional<Grant> grant) {
    const std::string key = sign_in(name, std::move(grant));
    return key == latest_id();
  }
  void check() {
    World shadow;
    for (const Fact& f : facts) evolve(shadow, f);
    CHECK(state_digest(shadow.state()) == state_digest(world.state()));
    for (const Violation& v : violations(world, now))
      FAIL_CHECK(v.invariant << " " << v.where << ": " << v.what);
  }
};

const Grant demo{Role::customer, "demo", "group ml"}, other{Role::customer, "other", "group ops"},
    owner{Role::owner, "", "group admins"};

bool says(const std::string& answer, const char* what) {
  return answer.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a session is open until it is closed, is over, or its key is revoked") {
  TestSessions c;
  const Id ann = c.key();
  const Session a = c.session(ann), b = c.session(ann), d = c.session(ann);
  for (const Session& s : {a, b}) REQUIRE(c.run(OpenSession{s}));
  REQUIRE(c.run(CloseSession{a.hash}));
  CHECK_FALSE(c.find(a.hash));
  CHECK(c.find(b.hash));
  REQUIRE(c.run(CloseSession{a.hash}));  // again: nothing
  c.now = b.until;
  REQUIRE(c.run(OpenSession{{d.hash, ann, c.now + Duration::seconds(1)}}));
  CHECK_FALSE(c.find(b.hash));
  c.check();
  REQUIRE(c.run(RevokeKey{ann}));
  CHECK(c.world.state().sessions.empty());
  c.check();
  CHECK_FALSE(c.run(OpenSession{c.session(ann)}));
  CHECK_FALSE(c.run(OpenSession{c.session({9, 9})}));
}

TEST_CASE("sessions are bounded: a key's oldest makes room, in all others are refused") {
  TestSessions c;
  const Id ann = c.key();
  const Session first = c.session(ann);
  REQUIRE(c.run(OpenSession{first}));
  for (std::size_t i = 1; i < most_sessions_of_key; ++i)
    REQUIRE(c.run(OpenSession{c.session(ann)}));
  CHECK(c.find(first.hash));
  REQUIRE(c.run(OpenSession{c.session(ann)}));
  CHECK_FALSE(c.find(first.hash));
  CHECK(c.world.state().sessions.size() == most_sessions_of_key);
  while (c.world.state().sessions.size() < most_sessions) {
    const Id key = c.key();
    for (std::size_t i = 0;
         i < most_sessions_of_key && c.world.state().sessions.size() < most_sessions; ++i)
      REQUIRE(c.run(OpenSession{c.session(key)}));
  }
  CHECK_FALSE(c.run(OpenSession{c.session(c.key())}));
  CHECK(c.run(OpenSession{c.session(ann)}));  // in place of her own
  c.check();
}

TEST_CASE("signing in: with the key made for that name, and with nobody else's") {
  TestSessions c;
  CHECK(says(c.sign_in("ann@x.org"), "nobody here signs in as ann@x.org"));
  const Id ann = c.key("demo", "ann@x.org");
  CHECK(c.sign_in("ann@x.org") == base::format_id("key", ann));
  CHECK(says(c.sign_in("bob@x.org"), "nobody here"));
  CreateKey twice;
  twice.key = {{2, 99}, "twice"};
  twice.key.sign_in = "ann@x.org";
  twice.project = "other";
  twice.user = "ann";
  CHECK_FALSE(c.run(twice));
  // An operator's word goes before any rule, and stays when it is taken back.
  CHECK(c.sign_in("ann@x.org", owner) == base::format_id("key", ann));
  REQUIRE(c.run(RevokeKey{ann}));
  CHECK(says(c.sign_in("ann@x.org", owner), "was revoked here"));
  const Id again = c.key("", "ann@x.org");
  CHECK(c.sign_in("ann@x.org") == base::format_id("key", again));
}

TEST_CASE("signing in by a rule: a user and a key are made once, and follow the rule") {
  TestSessions c;
  const std::string first = c.sign_in("ann@x.org", demo);
  CHECK(first == c.latest_id());
  CHECK(c.latest().role == Role::customer);
  CHECK(c.latest().project == *c.world.project("demo"));
  // The other Ann's name is taken, and she is not her.
  CHECK(c.world.state().users[c.latest().user].name == "ann-2");
  const auto users = c.world.state().users.size();
  CHECK(c.sign_in("ann@x.org", demo) == first);
  CHECK(c.world.state().sessions.size() == 2);

  const std::string moved = c.sign_in("ann@x.org", other);
  CHECK(moved == c.latest_id());
  CHECK(moved != first);
  CHECK(c.latest().project == *c.world.project("other"));
  CHECK(c.world.state().users.size() == users);  // the same person
  CHECK(c.world.state().sessions.size() == 1);   // what she had before is over
  CHECK(c.lets_in("ann@x.org", owner));
  CHECK(c.latest().role == Role::owner);
  CHECK(c.latest().user == nobody);

  CHECK(c.sign_in("ann@x.org") == "none");
  CHECK(c.world.state().sessions.empty());
  CHECK(c.latest().revoked);
  CHECK(says(c.sign_in("ann@x.org"), "nobody here"));
  CHECK(c.lets_in("ann@x.org", demo));  // back in the group
  // Somebody revokes it: no rule brings it back.
  REQUIRE(c.run(RevokeKey{c.latest().id}));
  CHECK(says(c.sign_in("ann@x.org", demo), "was revoked here"));
}

TEST_CASE("an operator's key for somebody whom a rule let in takes the rule's place") {
  TestSessions c;
  CHECK(c.lets_in("ann@x.org", demo));
  const Id ruled = c.latest().id, by_hand = c.key("other", "ann@x.org");
  CHECK(c.sign_in("ann@x.org", demo) == base::format_id("key", by_hand));
  for (const Key& k : c.world.state().keys)
    if (k.id == ruled) CHECK(k.revoked);
}

TEST_CASE("a rule for a project that is not there lets nobody in; names make users' names") {
  TestSessions c;
  CHECK(
      says(c.sign_in("ann@x.org", Grant{Role::customer, "gone", "default"}), "names project gone"));
  for (const auto& [name, user] : std::vector<std::pair<std::string, std::string>>{
           {"Bob.Lee@x.org", "bob-lee"},
           {"bob_lee@y.org", "bob-lee-2"},
           {"--c--@x.org", "c"},
           {"4711", "user-4711"},
           {"@", "user"},
           {std::string(200, 'z') + "@x.org", std::string(50, 'z')}}) {
    CHECK(c.lets_in(name, demo));
    CHECK(c.world.state().users[c.latest().user].name == user);
  }
}

}  // namespace ampacity::core
