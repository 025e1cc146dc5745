#include "sim/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace ampacity::sim {
namespace {

constexpr std::int64_t most_seconds = 100'000'000'000;

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

void Problems::add(std::string message) {
  if (++count <= most_listed_problems) listed.push_back(std::move(message));
}

base::Try<std::string> read_whole(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return base::fault(path + ": " + std::strerror(errno), false);
  std::string text;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + (std::size_t{1} << 20));
    const std::size_t got = std::fread(text.data() + before, 1, text.size() - before, file.get());
    text.resize(before + got);
    if (text.size() > most_csv_bytes)
      return base::fault(path + ": larger than 1 GiB, the most that is read", false);
    if (got == 0) break;
  }
  if (std::ferror(file.get())) return base::fault(path + ": " + std::strerror(errno), false);
  return text;
}

base::Try<bool> write_whole(const std::string& path, std::string_view text) {
  File file(std::fopen(path.c_str(), "wb"));
  const bool wrote = file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                     std::fflush(file.get()) == 0;
  if (!wrote) return base::fault(path + ": " + std::strerror(errno), false);
  return true;
}

base::Try<CsvReader> CsvReader::from_file(const std::string& path,
                                          const std::vector<CsvColumn>& columns) {
  auto text = read_whole(path);
  if (!text) return std::unexpected(std::move(text.error()));
  return from_text(path, std::move(*text), columns);
}

base::Try<CsvReader> CsvReader::from_text(std::string file, std::string text,
                                          const std::vector<CsvColumn>& columns) {
  CsvReader r;
  r.file_ = std::move(file);
  r.text_ = std::move(text);
  if (r.text_.starts_with("\xef\xbb\xbf")) r.offset_ = 3;
  const bool cut = !r.split(r.next_line());
  if (cut || r.fields_.size() > most_csv_columns)
    return base::fault(r.file_ + ":1: not a row of column names", false);
  r.columns_in_file_ = r.fields_.size();
  std::string missing;
  for (const CsvColumn& column : columns) {
    std::optional<std::size_t> position;
    for (std::size_t i = 0; i < r.fields_.size(); ++i) {
      if (trim(std::string_view(r.text_).substr(r.fields_[i].first, r.fields_[i].second)) !=
          column.name)
        continue;
      if (position)
        return base::fault(fmt::format("{}:1: two columns are named {}", r.file_, column.name),
                           false);
      position = i;
    }
    if (!position && column.required)
      missing += (missing.empty() ? "" : ", ") + std::string(column.name);
    r.names_.emplace_back(column.name);
    r.positions_.push_back(position);
  }
  if (!missing.empty()) {
    std::string wanted;
    for (const CsvColumn& column : columns)
      if (column.required) wanted += (wanted.empty() ? "" : ",") + std::string(column.name);
    return base::fault(fmt::format("{}:1: column {} is missing; the first line must name {}",
                                   r.file_, missing, wanted),
                       false);
  }
  return r;
}

std::string_view CsvReader::next_line() {
  const std::size_t begin = offset_;
  std::size_t end = text_.find('\n', begin);
  if (end == std::string::npos) end = text_.size();
  offset_ = std::min(end + 1, text_.size());
  if (end == text_.size()) offset_ = text_.size();
  ++line_;
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

// Fields as offsets into the text, so that the reader may be moved. False: a quote is not closed.
bool CsvReader::split(std::string_view row) {
  fields_.clear();
  const std::size_t base = static_cast<std::size_t>(row.data() - text_.data());
  std::size_t i = 0;
  for (;;) {
    if (i < row.size() && row[i] == '"') {
      const std::size_t close = row.find('"', i + 1);
      if (close == std::string_view::npos) return false;
      if (close + 1 < row.size() && row[close + 1] != ',') return false;
      fields_.emplace_back(base + i + 1, close - i - 1);
      i = close + 1;
    } else {
      const std::size_t comma = std::min(row.find(',', i), row.size());
      if (row.substr(i, comma - i).contains('"')) return false;
      fields_.emplace_back(base + i, comma - i);
      i = comma;
    }
    if (i >= row.size()) return true;
    ++i;
  }
}

bool CsvReader::next() {
  while (offset_ < text_.size()) {
    const std::string_view row = next_line();
    if (trim(row).empty()) continue;
    broken_.clear();
    if (!split(row))
      broken_ = "a quoted field does not end before the comma or the line does";
    else if (std::any_of(row.begin(), row.end(), is_control))
      broken_ = "a control character";
    else if (fields_.size() != columns_in_file_)
      broken_ = fmt::format("{} fields, but the first line names {} columns", fields_.size(),
                            columns_in_file_);
    return true;
  }
  return false;
}

std::string_view CsvReader::field(std::size_t column) const {
  const auto position = positions_[column];
  if (!position || *position >= fields_.size()) return {};
  const auto [offset, length] = fields_[*position];
  return trim(std::string_view(text_).substr(offset, length));
}

std::string CsvReader::at(std::size_t column, std::string_view what_would_be_right) const {
  return fmt::format("{}:{}: {}: '{}' {}", file_, line_, names_[column],
                     field(column).substr(0, 80), what_would_be_right);
}

std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > most || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<base::Duration> parse_seconds(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto seconds = parse_whole(text.substr(0, point), most_seconds);
  if (!seconds) return std::nullopt;
  std::int64_t us = *seconds * 1'000'000;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    const auto fraction = parse_whole(decimals.substr(0, 6), 999'999);
    if (!fraction) return std::nullopt;
    for (const char c : decimals)
      if (c < '0' || c > '9') return std::nullopt;
    std::int64_t unit = 1;
    for (std::size_t i = decimals.size(); i < 6; ++i) unit *= 10;
    us += *fraction * unit;
  }
  return base::Duration{us};
}

std::string csv_field(std::string_view text) {
  return text.contains(',') ? fmt::format("\"{}\"", text) : std::string(text);
}

std::string format_seconds(base::Duration d) {
  if (d.us % 1'000'000 == 0) return std::to_string(d.us / 1'000'000);
  std::string text = fmt::format("{}.{:06}", d.us / 1'000'000, d.us % 1'000'000);
  while (text.back() == '0') text.pop_back();
  return text;
}

}  // namespace ampacity::sim
