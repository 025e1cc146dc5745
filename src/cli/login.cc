// `login`: which servers, whom we believe there, and which key; kept only once all of it works.
#include <fmt/core.h>

#include <algorithm>
#include <ostream>

#include "cli/display.h"
#include "cli/verbs.h"

namespace ampacity::cli {
namespace {

std::string wrong_options(const LoginOptions& o, const std::vector<std::string>& urls) {
  for (const std::string& url : urls)
    if (std::string why = wrong_url(url); !why.empty()) return "--url " + why;
  if (!o.pin.empty() && !net::is_pin(o.pin))
    return "--pin: must be sha256// and 44 characters of base64, as ampacityd prints it";
  if (o.client_cert.empty() != o.client_key.empty())
    return "--client-cert and --client-key go together";
  return {};
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

// Asked only of a person: what a script is to believe, it must say.
bool believes(Terminal& t, const std::string& url, const net::CertificateFacts& shown) {
  for (const std::string& line :
       {url + " is vouched for by nobody this system trusts. What it shows:",
        "  for    " + listed(shown.names), "  until  " + base::format_instant(shown.not_after),
        "  key    " + shown.pin, std::string("ampacityd prints its key when it starts.")})
    t.err << printable(line) << "\n";
  t.err << "Is that the key, and shall it be believed from now on? [y/N] " << std::flush;
  std::string answer;
  std::getline(t.in, answer);
  return answer == "y" || answer == "yes";
}

// Fills in the pin of one server, if it takes one; a failure says how to go on.
Answer<void> settle_trust(Terminal& t, Config& config, const std::string& url,
                          const LoginOptions& o) {
  if (!url.starts_with("https://")) return {};
  if (!o.pin.empty()) {
    config.pins[url] = o.pin;
    return {};
  }
  if (!o.ca_file.empty()) {
    config.pins.erase(url);
    return {};
  }
  if (config.pins.contains(url)) return {};
  net::HttpClient client(config.peer(url));
  const auto well = client.call({"GET", "/healthz", {}, {}}, {});
  if (well || well.error().retryable) return {};  // vouched for, or away: the next call says
  const auto shown = net::peer_certificate(config.peer(url));
  if (!shown) return {};
  if (!t.in_is_tty || !believes(t, url, *shown))
    return fail(exit_not_allowed, distrust(config.peer(url), well.error()));
  config.pins[url] = shown->pin;
  return {};
}

std::string read_key(Terminal& t, const Config& config, std::string key) {
  if (key == "-" || (key.empty() && t.in_is_tty))
    key = read_secret(t, fmt::format("key for {}: ", config.urls.front()));
  if (key.empty()) key = t.env("AMPACITY_KEY");
  return key;
}

bool is_sane(const std::string& key) {
  return !key.empty() && key.size() <= 200 &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

int login(Session& session, LoginOptions o) {
  auto& t = session.terminal;
  Config config = session.config;
  if (config.urls.empty()) config.urls = {std::string(default_url)};
  if (auto urls = split_urls(o.url); !urls.empty()) config.urls = std::move(urls);
  if (const std::string why = wrong_options(o, config.urls); !why.empty())
    return session.report({exit_refused, why});
  std::erase_if(config.pins, [&](const auto& pinned) {
    return std::ranges::find(config.urls, pinned.first) == config.urls.end();
  });
  if (!o.ca_file.empty()) config.trust.ca_file = std::filesystem::absolute(o.ca_file);
  if (!o.client_cert.empty()) {
    config.trust.certificate_file = std::filesystem::absolute(o.client_cert);
    config.trust.key_file = std::filesystem::absolute(o.client_key);
  }
  for (const std::string& url : config.urls)
    if (auto settled = settle_trust(t, config, url, o); !settled)
      return session.report(settled.error());
  config.key = read_key(t, config, std::move(o.key));
  if (!is_sane(config.key))
    return session.report({exit_refused,
                           "a key is needed: --key amp_…, or `--key -` to read it from "
                           "standard input"});
  Session trial(t, config, false);
  const auto me = trial.get<api::WhoAmI>("/v1/whoami");
  if (!me) {
    Failure failure = me.error();  // whoever is signing in needs no telling to sign in
    if (failure.text.find("`ampacity login`") != std::string::npos)
      failure.text = failure.text.substr(0, failure.text.find("\n  hint:"));
    return session.report(failure);
  }
  if (auto saved = save_config(config); !saved) return session.report(saved.error());
  t.out << printable(fmt::format("signed in to {}: {}", trial.servers.url(), identity(*me))) << "\n"
        << std::flush;
  for (const auto& [url, pin] : config.pins)
    session.notice(fmt::format("{} is pinned to {}", url, pin));
  session.notice(fmt::format("kept in {}; next: ampacity offers", config.path));
  return 0;
}

}  // namespace ampacity::cli
