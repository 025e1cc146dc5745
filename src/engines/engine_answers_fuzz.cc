// What podman and docker answer: any bytes are read or are a fault, and what is said is bounded.
// The first byte chooses the dialect and the status.
#include "base/fuzz_input.h"
#include "engines/dialect.h"

namespace base = ampacity::base;
namespace engines = ampacity::engines;

namespace {

void lists(const engines::Dialect& dialect, std::string_view body) {
  if (const auto all = dialect.parse_list(body))
    CHECK_THAT(body.contains('[') && all->size() <= body.size(), "containers out of nothing");
  // What is no list is never taken for an empty one.
  if (const auto all = dialect.parse_volumes(body))
    CHECK_THAT(body.contains('[') || body.contains("null"), "volumes out of nothing");
  if (const auto all = dialect.parse_networks(body)) {
    CHECK_THAT(body.contains('[') || body.contains("null"), "networks out of nothing");
    for (const auto& n : *all)
      for (const std::uint32_t rank : {0U, 250U, 251U}) {
        const std::string address = engines::fixed_address(n.subnet, rank);
        CHECK_THAT(address.size() <= 15, "no address");
        CHECK_THAT(rank <= 250 || address.empty(), "an address outside the network");
      }
  }
}

void one(const engines::Dialect& dialect, std::string_view body) {
  if (const auto c = dialect.parse_inspect(body)) {
    CHECK_THAT(!c->id.empty(), "a container without an id");
    CHECK_THAT(!c->started_at || c->started_at->us > 0, "a start before there were containers");
    CHECK_THAT(!c->ended_at || c->ended_at->us > 0, "an end before there were containers");
    CHECK_THAT(c->pid >= 0, "no process id");
  }
  if (const auto id = dialect.parse_exec_id(body)) CHECK_THAT(!id->empty(), "an exec without id");
  if (const auto state = dialect.parse_exec_state(body))
    CHECK_THAT(state->pid >= 0, "no process id");
  (void)dialect.parse_version(body);
  (void)dialect.parse_daemon(body);
}

void words(const engines::Dialect& dialect, int status, std::string_view body) {
  CHECK_THAT(dialect.message(body).size() <= 600, "a message without bounds");
  CHECK_THAT((dialect.judge(status, body) == engines::Verdict::ok) == (status < 400),
             "a failure taken for success");
  if (const auto error = dialect.pull_error(body))
    CHECK_THAT(!error->empty() && error->size() <= 500, "an error without words or bounds");
  if (const auto name = dialect.parse_end_event(body))
    CHECK_THAT(!name->empty(), "the end of nobody");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto podman = engines::podman_dialect();
  static const auto docker = engines::docker_dialect();
  base::FuzzInput input(data, size);
  const unsigned choice = input.byte();
  const engines::Dialect& dialect = choice & 1 ? *docker : *podman;
  constexpr int statuses[] = {200, 304, 400, 404, 409, 500, 503, 201};
  lists(dialect, input.rest());
  one(dialect, input.rest());
  words(dialect, statuses[choice >> 1 & 7], input.rest());
  return 0;
}
