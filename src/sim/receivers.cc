#include "sim/receivers.h"

#include <cstdlib>

#include "base/crypto.h"

namespace ampacity::sim {
namespace {

// Of a timestamp, as the specification has it.
constexpr base::Duration tolerance = base::Duration::seconds(300);

std::string bytes_of_base64(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text.substr(0, text.find('='))) {
    held = held << 6 | static_cast<std::uint32_t>(digits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 0xff);
  }
  return bytes;
}

}  // namespace

void Receivers::note(bool holds, const std::string& what) {
  if (!holds && wrong_.size() < 20) wrong_.push_back("webhook " + what);
}

const std::map<std::string, Receivers::Told>& Receivers::told(const std::string& name) const {
  static const std::map<std::string, Told> nothing;
  const auto at = told_.find(name);
  return at == told_.end() ? nothing : at->second;
}

// Signed by whoever knows the secret. By hand: not with the sender's code.
void Receivers::check(const std::string& name, const net::Request& request) {
  const std::string id(request.header("webhook-id")), at(request.header("webhook-timestamp"));
  const auto known = secrets_.find(name);
  if (known != secrets_.end()) {
    const std::string key = bytes_of_base64(known->second.substr(6));  // after "whsec_"
    const base::Digest d = base::hmac_sha256(key, id + "." + at + "." + request.body);
    const std::string right =
        "v1," + base::to_base64({reinterpret_cast<const char*>(d.data()), d.size()});
    note(request.header("webhook-signature") == right, id + " is not signed as it should be");
  }
}

base::Duration Receivers::age(const net::Request& request) const {
  const std::string at(request.header("webhook-timestamp"));
  return senders_clock() - base::Instant{std::atoll(at.c_str()) * 1'000'000};
}

base::Try<net::Response> Receivers::take(const net::Request& request) {
  const std::string name = request.target.substr(1);
  const std::string id(request.header("webhook-id"));
  Told& told = told_[name][id];
  ++told.attempts;
  note(std::abs(age(request).us) <= 1'000'000,
       id + " bears the time " + std::string(request.header("webhook-timestamp")));
  base::sleep_for(base::Duration{50 + static_cast<std::int64_t>(prng_.next() % 1'000) *
                                          std::max<std::int64_t>(faults.slowest.us / 1'000, 1)});
  const auto failed = [&](int status) {
    ++told.failed;
    return net::Response{status, "text/plain", "", {}};
  };
  if (drawn(faults.unreachable)) {
    ++told.failed;
    return base::fault("could not connect to the simulated receiver");
  }
  if (drawn(faults.gone)) gone_.insert(name);
  if (gone_.contains(name)) return failed(410);
  if (drawn(faults.failing)) return failed(500);
  if (age(request) > tolerance) return failed(400);  // its sender stood still: it must come anew
  check(name, request);
  note(told.taken == 0 || told.body == request.body, id + " came again with another body");
  told.body = request.body;
  ++told.taken;
  ++taken_;
  if (drawn(faults.reply_lost)) {
    ++told.failed;
    return base::fault("the connection ended before the answer");
  }
  ++told.answered;
  return net::Response{204, "", "", {}};
}

class ReceiverTransport final : public net::Transport {
 public:
  explicit ReceiverTransport(Receivers& receivers) : receivers_(receivers) {}
  base::Try<net::Response> call(const net::Request& request, const net::CallOptions&) override {
    return receivers_.take(request);
  }
  base::Try<net::Response> stream(const net::Request& request,
                                  const std::function<bool(std::string_view)>&,
                                  const net::CallOptions& o) override {
    return call(request, o);
  }
  base::Try<net::Response> upload(const net::Request& request, const std::function<std::string()>&,
                                  const net::CallOptions& o) override {
    return call(request, o);
  }

 private:
  Receivers& receivers_;
};

net::Connector Receivers::connector() {
  return [this](const net::Peer&) { return std::make_unique<ReceiverTransport>(*this); };
}

net::Resolver Receivers::resolver() {
  return [](const std::string&) -> base::Try<std::vector<net::Address>> {
    return std::vector<net::Address>{*net::parse_address("93.184.215.14")};
  };
}

}  // namespace ampacity::sim
