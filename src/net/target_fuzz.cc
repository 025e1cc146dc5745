// A request's target, a stranger's URL, an address.
#include "base/fuzz_input.h"
#include "net/destination.h"
#include "net/http.h"

namespace base = ampacity::base;
namespace net = ampacity::net;

namespace {

void targets(std::string_view text) {
  const net::Target t = net::parse_target(text);
  CHECK_THAT(t.path.size() <= text.size(), "a path longer than its target");
  std::size_t bytes = t.path.size();
  std::string written = net::percent_encode(t.path);
  for (std::size_t i = 0; i < t.query.size(); ++i) {
    const auto& [key, value] = t.query[i];
    bytes += key.size() + value.size();
    (written += i ? '&' : '?') += net::percent_encode(key) + "=" + net::percent_encode(value);
  }
  CHECK_THAT(bytes <= text.size(), "a query longer than its target");
  const net::Target again = net::parse_target(written);
  CHECK_THAT(again.path == t.path && again.query == t.query, "a target that changes");
  CHECK_THAT(net::parse_target(net::percent_encode(text)).path == text, "a text that changes");
}

void destinations(std::string_view text, net::Reach reach) {
  const auto d = net::parse_destination(text, reach);
  if (!d) return base::check_refusal(d.error(), text);
  CHECK_THAT(d->tls || reach == net::Reach::anywhere, "not encrypted");
  CHECK_THAT(!d->host.empty() && d->host.find_first_of("/@?# \t\r\n") == std::string::npos,
             "no host");
  CHECK_THAT(d->target.starts_with('/') && !d->target.contains('#'), "no target");
  CHECK_THAT(d->literal.has_value() || !net::parse_address(d->host), "an address taken for a name");
  if (d->literal && reach == net::Reach::public_only)
    CHECK_THAT(!net::is_loopback(*d->literal) || !net::address_of(*d, reach, nullptr).has_value(),
               "a way to this machine");
  const auto again = net::parse_destination(d->base_url() + d->target, reach);
  CHECK_THAT(again && again->host == d->host && again->port == d->port &&
                 again->target == d->target && again->tls == d->tls && again->literal == d->literal,
             "a destination that changes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  targets(text);
  destinations(text, net::Reach::public_only);
  destinations(text, net::Reach::anywhere);
  if (const auto a = net::parse_address(text)) {
    CHECK_THAT(net::parse_address(net::format_address(*a)) == *a, "an address that changes");
    CHECK_THAT(!net::is_public(*a) || !net::is_loopback(*a), "this machine is no public place");
  }
  return 0;
}
