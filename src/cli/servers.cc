#include "cli/servers.h"

#include <fmt/core.h>

namespace ampacity::cli {
namespace {
constexpr std::size_t servers_max = 16;
}

std::vector<std::string> split_urls(std::string_view text) {
  std::vector<std::string> urls;
  while (!text.empty() && urls.size() < servers_max) {
    std::string_view url = text.substr(0, text.find(','));
    text.remove_prefix(std::min(url.size() + 1, text.size()));
    while (url.ends_with('/') || url.ends_with(' ')) url.remove_suffix(1);
    while (url.starts_with(' ')) url.remove_prefix(1);
    if (!url.empty()) urls.emplace_back(url);
  }
  return urls;
}

std::string wrong_url(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (url.starts_with(scheme) && url.size() > scheme.size()) return {};
  return fmt::format("{}: must begin with http:// or https://", url);
}

Servers::Servers(std::vector<net::Peer> peers) : peers_(std::move(peers)) {
  if (peers_.empty()) peers_.emplace_back();
  clients_.resize(peers_.size());
}

net::HttpClient& Servers::client() {
  auto& client = clients_[now_];
  if (!client) client = std::make_unique<net::HttpClient>(peer());
  return *client;
}

void Servers::find_living(const net::CallOptions& options) {
  for (std::size_t i = 0; size() > 1 && i < size(); ++i) {
    const auto r = client().call({"GET", "/healthz", {}, {}}, options);
    if (r && r->status == 200) return;
    next();
  }
}

std::string distrust(const net::Peer& peer, const base::Fault& fault) {
  if (fault.retryable || !peer.base_url.starts_with("https://")) return {};
  const auto shown = net::peer_certificate(peer);
  if (!shown) return {};
  const std::string& url = peer.base_url;
  if (!peer.trust.pin.empty() && shown->pin != peer.trust.pin)
    return fmt::format(
        "{} shows another key than the one pinned\n  pinned {}\n  shown  {}\n"
        "  Its operator made a new one, or somebody stands between: nothing was sent.\n"
        "  hint: ask the operator which key is right; then ampacity login --url {} --pin {}",
        url, peer.trust.pin, shown->pin, url, shown->pin);
  if (peer.trust.pin.empty())
    return fmt::format(
        "{} is not vouched for by {}: {}\n  its key {}\n"
        "  hint: if that is the key its operator named: ampacity login --url {} --pin {}",
        url, peer.trust.ca_file.empty() ? "this system's authorities" : peer.trust.ca_file,
        fault.message, shown->pin, url, shown->pin);
  return {};
}

}  // namespace ampacity::cli
