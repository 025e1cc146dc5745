// Signing in through an OIDC provider: whom it vouches for, and what that gives here.
// Threads: post() from any; what it posts runs on two of its own, for the provider may be slow.
// 1. Nobody is let in by name alone: the name is one that the provider proved (oidc/provider.h).
// 2. An operator's key for that name goes before the configuration's rules, the first rule that
// fits before the next, the default after all. 3. A session has the rights of one key, never more.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/commands.h"
#include "net/http.h"
#include "oidc/provider.h"
#include "server/config.h"
#include "server/secrets.h"
#include "server/workers.h"

namespace ampacity::server {

class SignInDesk {
 public:
  struct Rule {
    std::string group;
    core::Grant grant;
  };
  SignInDesk(oidc::ProviderOptions provider, const OidcConfig& config, std::string flow_key,
             base::Clock& clock);
  // Null where no provider is configured.
  static base::Try<std::unique_ptr<SignInDesk>> open(const Config& config, const Secrets& secrets,
                                                     base::Clock& clock);

  // False: too many are signing in already.
  bool post(std::move_only_function<void()> work) { return workers_.post(std::move(work)); }
  void stop() { workers_.stop(); }

  oidc::Provider& provider() { return provider_; }
  const std::string& label() const { return label_; }  // for people
  const std::string& flow_key() const { return flow_key_; }
  std::optional<core::Grant> grant_of(const oidc::Identity& who) const;
  // As names are compared; nothing: nobody can sign in as that.
  std::optional<std::string> plain_name(std::string_view name) const;

 private:
  oidc::Provider provider_;
  const std::string label_;
  const std::string flow_key_;
  std::vector<Rule> rules_;
  std::optional<core::Grant> default_;
  Workers workers_{2, 64};
};

// "GROUP=owner", "GROUP=PROJECT".
base::Result<SignInDesk::Rule> parse_rule(const std::string& text);
// The secret's file, or the environment; empty: a public client.
base::Try<std::string> client_secret(const OidcConfig& config);
oidc::ProviderOptions provider_options(const OidcConfig& config, std::string secret);
// All that is wrong with what is configured, without looking at any file.
std::vector<std::string> wrong_with_sign_in(const Config& config);

// For a person whom the way back from the provider has led here.
net::Response refused_page(const base::Refusal& refusal);

}  // namespace ampacity::server
