#include <algorithm>

#include "core/decide.h"

namespace ampacity::core {
namespace {

// A key's oldest session makes room; when everybody has too many, nobody else comes in.
Decision open_session(const World& world, std::vector<FactBody> facts, Session session,
                      Instant now) {
  std::size_t of_key = 0, of_all = 0;
  const Session* oldest = nullptr;
  for (const Session& s : world.state().sessions) {
    if (s.until <= now) continue;
    ++of_all;
    if (s.key != session.key) continue;
    ++of_key;
    if (!oldest) oldest = &s;
  }
  if (of_key >= most_sessions_of_key)
    facts.emplace_back(SessionClosed{oldest->hash});
  else if (of_all >= most_sessions)
    return base::refuse(base::Code::too_many, "too many people are signed in; try again later");
  facts.emplace_back(SessionOpened{std::move(session)});
  return facts;
}

// "ann.lee@example.org" → "ann-lee", and with a number where that is somebody else's.
std::optional<std::string> free_user_name(const World& world, OrgIx org, std::string_view name) {
  constexpr std::size_t longest = 50;
  constexpr int most_namesakes = 1'000;
  std::string plain;
  for (char c : name.substr(0, name.find('@'))) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool sound = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (sound || (!plain.empty() && plain.back() != '-')) plain += sound ? c : '-';
  }
  plain = plain.substr(0, longest);
  while (!plain.empty() && plain.back() == '-') plain.pop_back();
  if (plain.empty() || plain[0] < 'a') plain = "user" + (plain.empty() ? "" : "-" + plain);
  for (int n = 1; n <= most_namesakes; ++n) {
    std::string candidate = n == 1 ? plain : plain + "-" + std::to_string(n);
    if (!world.find_user(candidate, org)) return candidate;
  }
  return std::nullopt;
}

// What the state says of a name.
struct KeysOfName {
  const Key* by_hand = nullptr;  // an operator's word goes before any rule
  const Key* by_rule = nullptr;
  bool barred = false;  // a key of that name was revoked by somebody
  UserIx user = nobody;
  std::size_t granted = 0;  // keys by rules, anybody's
};
KeysOfName keys_of_name(const State& s, const std::string& name, OrgIx org) {
  KeysOfName out;
  for (const Key& k : s.keys) {
    if (!k.rule.empty() && !k.revoked) ++out.granted;
    if (k.sign_in != name) continue;
    if (!k.revoked) (k.rule.empty() ? out.by_hand : out.by_rule) = &k;
    out.barred |= k.revoked && !k.lapsed;
    if (k.user != nobody && s.users[k.user].org == org) out.user = k.user;
  }
  return out;
}

std::unexpected<base::Refusal> unknown(const std::string& name) {
  return base::refuse(base::Code::forbidden,
                      "nobody here signs in as " + name +
                          ". Ask the operator of this cloud for it: ampacity keys add --sign-in " +
                          name + " --project … --user …");
}

// The key that the rule gives, made.
Decision grant_key(const World& world, const SignIn& c, const KeysOfName& is,
                   std::optional<ProjectIx> project, std::vector<FactBody> facts, Instant now) {
  if (is.granted >= most_granted_keys)
    return base::refuse(base::Code::too_many,
                        "too many people have come in by a rule; ask the operator for a key");
  if (world.key_by_lookup(c.fresh.lookup))
    return base::refuse(base::Code::conflict, "a new key's look-up part is taken: try again");
  Key key;
  key.id = c.fresh.id;
  key.lookup = c.fresh.lookup;
  key.role = c.grant->role;
  key.label = "by signing in: " + c.grant->rule;
  key.created_at = now;
  key.sign_in = c.name;
  key.rule = c.grant->rule;
  if (project) {
    const OrgIx org = world.state().projects[*project].org;
    key.project = *project;
    key.user = is.user;
    if (key.user == nobody) {
      auto name = free_user_name(world, org, c.name);
      if (!name)
        return base::refuse(base::Code::conflict,
                            "every name like " + c.name + " is taken; ask the operator for a user");
      key.user = static_cast<UserIx>(world.state().users.size());
      facts.emplace_back(UserCreated{{c.user, org, std::move(*name), now}});
    }
  }
  Session session = c.session;
  session.key = key.id;
  facts.emplace_back(KeyCreated{std::move(key)});
  return open_session(world, std::move(facts), std::move(session), now);
}

}  // namespace

Decision decide_sessions(const World& world, const OpenSession& c, Instant now) {
  const auto& keys = world.state().keys;
  const bool known =
      std::ranges::any_of(keys, [&](const Key& k) { return k.id == c.session.key && !k.revoked; });
  if (!known)
    return base::refuse(base::Code::unauthenticated, "this API key was revoked a moment ago");
  return open_session(world, {}, c.session, now);
}

Decision decide_sessions(const World& world, const CloseSession& c) {
  const auto& all = world.state().sessions;
  const bool open = std::ranges::any_of(all, [&](const Session& s) { return s.hash == c.hash; });
  if (!open) return std::vector<FactBody>{};
  return std::vector<FactBody>{SessionClosed{c.hash}};
}

Decision decide_sessions(const World& world, const SignIn& c, Instant now) {
  const State& s = world.state();
  std::optional<ProjectIx> project;
  if (c.grant && c.grant->role == Role::customer) {
    project = world.project(c.grant->project);
    if (!project)
      return base::refuse(base::Code::conflict, "the configuration's rule \"" + c.grant->rule +
                                                    "\" names project " + c.grant->project +
                                                    ", and there is none: tell the operator");
  }
  const KeysOfName is = keys_of_name(s, c.name, project ? s.projects[*project].org : nobody);
  const bool fits = is.by_rule && !is.by_hand && c.grant && is.by_rule->role == c.grant->role &&
                    is.by_rule->project == project.value_or(nobody);
  std::vector<FactBody> facts;
  if (is.by_rule && !fits) facts.emplace_back(KeyRevoked{is.by_rule->id, true});
  if (is.by_hand || fits) {
    Session session = c.session;
    session.key = (is.by_hand ? is.by_hand : is.by_rule)->id;
    return open_session(world, std::move(facts), std::move(session), now);
  }
  if (!facts.empty() && (!c.grant || is.barred)) return facts;
  if (is.barred)
    return base::refuse(base::Code::forbidden, "the access of " + c.name +
                                                   " was revoked here. Ask the operator of this "
                                                   "cloud, if you should have it again");
  if (!c.grant) return unknown(c.name);
  return grant_key(world, c, is, project, std::move(facts), now);
}

}  // namespace ampacity::core
