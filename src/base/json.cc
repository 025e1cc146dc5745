#include "base/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>

namespace ampacity::base {

Result<boost::json::value> parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 32;
  boost::json::error_code error;
  boost::json::stream_parser parser({}, options);
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read == text.size()) parser.finish(error);
  if (!error && read == text.size()) return parser.release();
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < read && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return refuse(Code::invalid, "the body is not JSON: line " + std::to_string(line) + ", column " +
                                   std::to_string(column) + ": " +
                                   (error ? error.message() : "text after the value"));
}

namespace {

// Bytes of the UTF-8 sequence at `at` (RFC 3629), 0 if it is not one.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0), second = byte(1);
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if ((first & 0xf0) == 0xe0) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool outside = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
    return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
  }
  return 0;
}

}  // namespace

// What is not UTF-8 (a log's bytes, a text cut short) becomes U+FFFD: what we write, we can read.
void write_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') [[likely]]
      continue;
    if (c >= 0x80) {
      if (const std::size_t length = utf8_length(text, i)) {
        i += length - 1;
        continue;
      }
    }
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (c >= 0x80) {
          out += "\xEF\xBF\xBD";
          break;
        }
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void write_json_int(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
}

void write_json_uint(std::string& out, std::uint64_t value) {
  char buffer[24];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
}

std::string JsonPath::text() const {
  const std::string before = up ? up->text() : "";
  if (name.empty()) return up ? before + "[" + std::to_string(index) + "]" : "";
  return before.empty() ? std::string(name) : before + "." + std::string(name);
}

void JsonReader::say(const JsonPath& path, std::string_view expected,
                     const boost::json::value& got) {
  std::string shown = boost::json::serialize(got);
  if (shown.size() > 60) shown = shown.substr(0, 57) + "...";
  const std::string field = path.text();
  wrong.push_back({field.empty() ? "(body)" : field, std::string(expected) + ", got " + shown});
}

std::string JsonReader::text_of(const boost::json::value& number) {
  return boost::json::serialize(number);
}

Refusal refusal_of(std::vector<Wrong> wrong) {
  Refusal r{Code::invalid, {}, std::move(wrong), {}, {}};
  r.message = r.wrong.size() == 1
                  ? r.wrong[0].field + ": " + r.wrong[0].message
                  : std::to_string(r.wrong.size()) + " fields are wrong; see `wrong`";
  return r;
}

}  // namespace ampacity::base
