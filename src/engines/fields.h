// Reading engines' JSON without exceptions: a missing or wrongly typed field is its fallback.
// Threads: pure.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ampacity::engines::fields {

// A body that is no JSON is a Fault naming `what`.
base::Try<boost::json::value> parse(std::string_view body, std::string_view what);

// The member, or a null value; so look-ups can be chained.
const boost::json::value& at(const boost::json::value& object, std::string_view key);
std::string text(const boost::json::value& object, std::string_view key);
std::int64_t number(const boost::json::value& object, std::string_view key,
                    std::int64_t fallback = 0);
int process(const boost::json::value& object, std::string_view key);  // 0: none
bool truth(const boost::json::value& object, std::string_view key);
// A list, or null: Go writes a list that was never made so. Anything else is no answer.
bool is_list(const boost::json::value& value);
const boost::json::array& list(const boost::json::value& value);  // empty if it is none

}  // namespace ampacity::engines::fields
