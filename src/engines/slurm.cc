#include "engines/slurm.h"

#include <sys/stat.h>

#include "engines/slurm_engine.h"
#include "engines/slurm_scontrol.h"
#include "engines/slurm_shared.h"
#include "net/gated_transport.h"

namespace ampacity::engines {

namespace {

net::Peer peer_of(const std::string& url) {
  if (url.starts_with("unix:")) {
    std::string path = url.substr(5);
    if (path.starts_with("//")) path.erase(0, 2);
    return {"http://slurmrestd", std::move(path), {}};
  }
  std::string base = url;
  while (base.ends_with('/')) base.pop_back();
  return {std::move(base), {}, {}};
}

}  // namespace

std::unique_ptr<Engine> make_slurm_engine(SlurmOptions options, base::Clock& clock) {
  auto transport = std::make_unique<net::HttpClient>(peer_of(options.url));
  return make_slurm_engine(std::move(options), clock, std::move(transport));
}

std::unique_ptr<Engine> make_slurm_engine(SlurmOptions options, base::Clock& clock,
                                          std::unique_ptr<net::Transport> transport) {
  SlurmHost host{std::move(transport),
                 std::make_unique<SlurmShared>(options.shared, log_directory(options)),
                 std::make_unique<Scontrol>(options.conf)};
  return make_slurm_engine(std::move(options), clock, std::move(host));
}

std::unique_ptr<Engine> make_slurm_engine(SlurmOptions options, base::Clock& clock,
                                          SlurmHost host) {
  host.transport = net::gated(std::move(host.transport), options.may_act);
  return std::make_unique<SlurmEngine>(std::move(options), clock, std::move(host));
}

std::filesystem::path log_directory(const SlurmOptions& options) { return options.state / "logs"; }

base::Result<void> check_slurm_options(const SlurmOptions& o) {
  const bool unix_socket = o.url.starts_with("unix:/");
  if (!unix_socket && !o.url.starts_with("http://") && !o.url.starts_with("https://"))
    return base::refuse_field("url", "must be unix:/path/of/socket, http://host:port or https://…");
  const int doors = !o.token_file.empty() + !o.token_env.empty() + !o.jwt_key_file.empty();
  if (doors > 1)
    return base::refuse_field("token_file",
                              "give one of token file, token variable and JWT key file");
  if (!unix_socket && doors == 0)
    return base::refuse_field("token_file",
                              "slurmrestd over TCP asks for a token: give a token file");
  if (!o.jwt_key_file.empty() && o.user.empty())
    return base::refuse_field("options",
                              "user: a token minted from the key needs the user it is for");
  if (o.lease.us != 0 && o.lease < base::Duration::seconds(120))
    return base::refuse_field(
        "options", "the lease must be 0 (none) or at least 2 minutes: Slurm counts them");
  if (!o.shared.empty() && !o.shared.is_absolute())
    return base::refuse_field("options", "shared must be an absolute path, the same on every node");
  return {};
}

}  // namespace ampacity::engines
