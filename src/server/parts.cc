#include "server/parts.h"

#include <cstdio>

namespace ampacity::server {

int give_up(const std::string& why) {
  std::fprintf(stderr, "ampacityd: %s\n", why.c_str());
  return start_error;
}

engines::ContainerOptions container_options(const Config& c, const engines::HostFound& host,
                                            const std::string& label) {
  engines::ContainerOptions o;
  o.state = c.state;
  o.cloud = label;
  o.dialect = c.engine == EngineChoice::docker ? engines::ContainerOptions::Dialect::docker
                                               : engines::ContainerOptions::Dialect::podman;
  o.docker_socket = c.docker_socket;
  o.image_archives = c.images;
  o.host_cpu_milli = host.cpu_milli;
  o.host_memory_mib = host.memory_mib;
  o.volume_limit_bytes = c.volume_limit_gib << 30;
  return o;
}

base::Try<std::string> engine_label(const Config& c, store::Journal& journal) {
  constexpr std::size_t digits = 12;
  // Once in PostgreSQL, it is kept wherever the cloud moves.
  const auto known = journal.meta("engine_label");
  const bool kept = journal.meta("engine_label_kept").has_value();
  if (c.store.on_postgres() && !kept)
    if (const auto r = journal.set_meta("engine_label_kept", "1"); !r)
      return base::fault(r.error().message);
  if (known && (kept || c.store.on_postgres())) return *known;
  const std::string source = c.store.on_postgres() ? base::random_bytes(32) : c.state.string();
  std::string label = base::to_hex(base::sha256(source)).substr(0, digits);
  if (known == label) return label;
  if (const auto kept = journal.set_meta("engine_label", label); !kept)
    return base::fault(kept.error().message);
  return label;
}

base::Try<Secrets> open_secrets(const Config& c) {
  return Secrets::open_file(c.secret_file.empty() ? c.state / "secret" : c.secret_file);
}

base::Try<Opened> open_state(const Config& c) {
  auto journal = store::open_journal(c.store);
  if (!journal) return std::unexpected(journal.error());
  auto secrets = open_secrets(c);
  if (!secrets) return std::unexpected(secrets.error());
  auto world = (*journal)->load();
  if (!world) return std::unexpected(world.error());
  return Opened{std::move(*journal), std::move(*secrets), std::move(*world)};
}

}  // namespace ampacity::server
