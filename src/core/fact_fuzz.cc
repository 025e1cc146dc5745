// Stored facts: one that is read is written, and read again is the same.
#include "base/fuzz_input.h"
#include "core/facts.h"

namespace base = ampacity::base;
namespace core = ampacity::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  const auto value = base::parse_json(text);
  if (!value) return 0;
  const auto fact = core::read_fact(*value);
  if (!fact) {
    base::check_refusal(fact.error(), text);
    return 0;
  }
  std::string written;
  core::write_fact(written, *fact);
  const auto kept = base::parse_json(written);
  CHECK_THAT(kept.has_value(), "a fact written is no JSON");
  const auto again = core::read_fact(*kept);
  CHECK_THAT(again.has_value(), "a fact written is no fact");
  CHECK_THAT(core::kind_of(*again) == core::kind_of(*fact), "another kind of fact");
  std::string twice;
  core::write_fact(twice, *again);
  CHECK_THAT(twice == written, "a fact that changes");
  return 0;
}
