#include "base/json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>

#include "base/utf8.h"

namespace ampacity::base {
namespace {

constexpr std::size_t most_name_bytes = 200;    // of a key, in a path
constexpr std::size_t most_wrong_listed = 100;  // an answer is not to dwarf its request

}  // namespace

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
  // An empty name may be a key of the caller's: only one without an address is none.
  if (name.data() == nullptr || !up)
    return up ? before + "[" + std::to_string(index) + "]" : std::string(name);
  const std::string own = name.empty() ? "\"\"" : std::string(name.substr(0, most_name_bytes));
  return before.empty() ? own : before + "." + own;
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
  const std::size_t count = wrong.size();
  Refusal r{Code::invalid, {}, std::move(wrong), {}, {}};
  r.message = count == 1 ? r.wrong[0].field + ": " + r.wrong[0].message
                         : std::to_string(count) + " fields are wrong; see `wrong`";
  if (count <= most_wrong_listed) return r;
  r.wrong.resize(most_wrong_listed);
  r.wrong.push_back({"(more)", std::to_string(count - most_wrong_listed) + " more are wrong"});
  return r;
}

}  // namespace ampacity::base
