#include "store/postgres_values.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ampacity::store::postgres {

void put_big_endian(std::string& out, std::uint64_t v, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(v >> (8 * i));
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes) n = (n << 8) | static_cast<unsigned char>(c);
  return n;
}

Statement::Type type_of(unsigned type) {
  switch (type) {
    case boolean:
    case int2:
    case int4:
    case int8:
    case oid:
    case numeric:
      return Statement::Type::integer;
    case bytea:
      return Statement::Type::blob;
    default:
      return Statement::Type::text;
  }
}

namespace {

// Digits of base 10,000, the first of which counts 10,000^weight.
std::int64_t whole_numeric(std::string_view b) {
  if (b.size() < 8) return 0;
  const auto field = [&](std::size_t i) {
    return static_cast<std::int16_t>(big_endian(b.substr(2 * i, 2)));
  };
  const int digits = field(0), weight = field(1);
  const bool negative = field(2) == 0x4000;
  std::uint64_t n = 0;
  for (int i = 0; i <= weight; ++i) {
    const std::size_t at = 4 + static_cast<std::size_t>(i);
    const bool there = i < digits && 2 * (at + 1) <= b.size();
    n = n * 10'000 + (there ? static_cast<std::uint64_t>(field(at)) : 0);
  }
  return static_cast<std::int64_t>(negative ? 0 - n : n);
}

}  // namespace

std::int64_t integer_of(unsigned type, std::string_view b) {
  switch (type) {
    case int2:
      return static_cast<std::int16_t>(big_endian(b));
    case int4:
      return static_cast<std::int32_t>(big_endian(b));
    case numeric:
      return whole_numeric(b);
    case boolean:
    case oid:
    case int8:
      return static_cast<std::int64_t>(big_endian(b));
    default:
      return 0;
  }
}

std::string with_dollars(std::string_view sql, int& parameters) {
  std::string out;
  out.reserve(sql.size() + 32);
  bool quoted = false;
  parameters = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'') quoted = !quoted;
    if (sql[i] != '?' || quoted) {
      out += sql[i];
      continue;
    }
    int n = 0;
    while (i + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i + 1])))
      n = 10 * n + (sql[++i] - '0');
    if (n == 0) n = parameters + 1;
    parameters = std::max(parameters, n);
    out += '$' + std::to_string(n);
  }
  return out;
}

std::string as_postgres(std::string_view ddl) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> words = {{
      {" WITHOUT ROWID", ""},
      {" INTEGER", " BIGINT"},
      {" BLOB", " BYTEA"},
      {" TEXT", " TEXT COLLATE \"C\""},
      {"DROP TRIGGER ", "-- "},
  }};
  std::string out;
  out.reserve(ddl.size() + 256);
  while (!ddl.empty()) {
    const auto word = std::ranges::find_if(words, [&](auto& w) {
      const std::string_view rest = ddl.substr(std::min(w.first.size(), ddl.size()));
      return ddl.starts_with(w.first) && (w.first.ends_with(' ') || rest.empty() ||
                                          !std::isalnum(static_cast<unsigned char>(rest.front())));
    });
    if (word == words.end()) {
      out += ddl.front();
      ddl.remove_prefix(1);
    } else {
      out += word->second;
      ddl.remove_prefix(word->first.size());
    }
  }
  return out;
}

}  // namespace ampacity::store::postgres
