// JSON text: what is read is written and read again; any bytes become a string that can be read.
#include <boost/json/serialize.hpp>

#include "base/fuzz_input.h"
#include "base/json.h"

namespace base = ampacity::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  if (const auto value = base::parse_json(text)) {
    const std::string written = boost::json::serialize(*value);
    const auto again = base::parse_json(written);
    // Boost reads 1e400 and 0e400 as no numbers, which JSON has no words for; no field takes such.
    const bool sayable = !written.contains("Infinity") && !written.contains("NaN");
    CHECK_THAT(again || !sayable, "what was written is no JSON");
    CHECK_THAT(!again || again->kind() == value->kind(), "another kind");
  } else {
    base::check_refusal(value.error(), text);
    CHECK_THAT(value.error().message.contains("line "), "no line is named");
  }
  std::string quoted;
  base::write_json_string(quoted, text);
  CHECK_THAT(quoted.size() <= 6 * size + 2, "a string's text grew too much");
  const auto string = base::parse_json(quoted);
  CHECK_THAT(string && string->is_string(), "a string that cannot be read");
  std::string twice;
  base::write_json_string(twice, string->get_string());
  CHECK_THAT(twice == quoted, "a string that changes");
  return 0;
}
