// Reads CSV files by column name, within bounds, and says where a wrong value stands.
// Not shared between threads. 1. Columns may come in any order, others may stand beside them; the
// first row names them. 2. LF or CRLF, with or without a last newline; a field may be quoted.
// 3. Views that field() gives hold until the reader is moved or destroyed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ampacity::sim {

inline constexpr std::size_t most_csv_bytes = std::size_t{1} << 30;
inline constexpr std::size_t most_csv_columns = 256;
inline constexpr std::size_t most_listed_problems = 20;

// What is wrong with an input: the first few, and how many there are.
struct Problems {
  std::vector<std::string> listed;
  std::uint64_t count = 0;
  void add(std::string message);
  bool none() const { return count == 0; }
};

struct CsvColumn {
  std::string_view name;
  bool required = true;
};

class CsvReader {
 public:
  // The error is a sentence that begins with the file's name.
  static base::Try<CsvReader> from_text(std::string file, std::string text,
                                        const std::vector<CsvColumn>& columns);
  static base::Try<CsvReader> from_file(const std::string& path,
                                        const std::vector<CsvColumn>& columns);

  // To the next row that is not blank; false: there is none.
  bool next();
  // The row has as many fields as the first has names, and its quotes are closed.
  bool whole() const { return broken_.empty(); }
  std::string why_broken() const { return file_ + ":" + std::to_string(line_) + ": " + broken_; }

  std::size_t line() const { return line_; }
  const std::string& file() const { return file_; }
  // By position in `columns`; empty where an optional column is not there.
  std::string_view field(std::size_t column) const;
  // "jobs.csv:7: run_s: 'abc' is not …"
  std::string at(std::size_t column, std::string_view what_would_be_right) const;

 private:
  std::string_view next_line();
  bool split(std::string_view row);

  std::string file_;
  std::string text_;
  std::vector<std::string> names_;  // of the wanted columns
  std::vector<std::optional<std::size_t>> positions_;
  std::vector<std::pair<std::size_t, std::size_t>> fields_;  // offset, length in text_
  std::size_t columns_in_file_ = 0;
  std::size_t offset_ = 0;
  std::size_t line_ = 0;
  std::string broken_;
};

// A whole number 0…most; nullopt otherwise.
std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t most);
// Seconds with up to six decimals, 0…10^11 (three thousand years); nullopt otherwise.
std::optional<base::Duration> parse_seconds(std::string_view text);
// As it stands in a row: quoted where it holds a comma. `text`: what field() gave.
std::string csv_field(std::string_view text);
// "12", "0.5": what parse_seconds reads.
std::string format_seconds(base::Duration d);

// The file, at most most_csv_bytes of it.
base::Try<std::string> read_whole(const std::string& path);
base::Try<bool> write_whole(const std::string& path, std::string_view text);

}  // namespace ampacity::sim
