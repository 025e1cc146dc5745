#include "tidy.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <tuple>

#include "rules.h"
#include "scan.h"

namespace ampacity::tidy {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // relative, with /
  std::string room;
  std::string text;
  std::string blanked;

  // A test, or what only tests include (net/test_peer.h).
  bool is_test() const { return path.ends_with("_test.cc") || path.contains("/test_"); }
  bool is_bench() const { return path.ends_with("_bench.cc") || path.ends_with("_bench.h"); }
  bool is_product() const { return !is_test() && !is_bench() && !path.ends_with("_fuzz.cc"); }
};

class Inspector {
 public:
  explicit Inspector(const Source& source) : source_(source) {}

  std::vector<Complaint> run() {
    check_name();
    check_header_opening();
    check_sizes();
    check_includes();
    if (is_pure()) check_core_words();
    std::ranges::sort(found_, {}, [](const Complaint& c) { return std::tie(c.line, c.what); });
    return std::move(found_);
  }

 private:
  void complain(int line, std::string what) {
    found_.push_back({source_.path, line, std::move(what)});
  }

  void check_name() {
    const std::string stem = fs::path(source_.path).stem().string();
    for (std::size_t begin = 0; begin <= stem.size();) {
      const std::size_t end = std::min(stem.find('_', begin), stem.size());
      const auto part = stem.substr(begin, end - begin);
      if (std::ranges::find(banned_names, part) != banned_names.end())
        complain(1, "file name says nothing: '" + part + "'");
      begin = end + 1;
    }
    if (std::ranges::any_of(stem, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; }))
      complain(1, "file names are snake_case");
  }

  void check_header_opening() {
    if (source_.path.ends_with(".h") && !source_.text.starts_with("// "))
      complain(1, "a header's first line says what the file is for");
  }

  void check_sizes() {
    const std::string& text = source_.text;
    int line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const auto columns = std::count_if(text.begin() + begin, text.begin() + end, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // UTF-8: one a code point
      });
      const bool include = text.compare(begin, 8, "#include") == 0;
      if (columns > static_cast<std::ptrdiff_t>(most_columns) && !include)
        complain(line, "line of " + std::to_string(columns) + " columns");
      begin = end + 1;
    }
    if (line - 1 > static_cast<int>(most_lines_per_file))
      complain(static_cast<int>(most_lines_per_file) + 1,
               "file of " + std::to_string(line - 1) + " lines");
    for (const Function& f : find_functions(source_.blanked)) {
      const int lines = f.last_line - f.first_line + 1;
      if (lines > static_cast<int>(most_lines_per_function))
        complain(f.first_line, "function " + f.name + " of " + std::to_string(lines) + " lines");
    }
  }

  void check_includes() {
    const auto arrow = std::ranges::find(arrows, source_.room, &Arrow::room);
    if (arrow == arrows.end())
      return complain(1, "room '" + source_.room + "' has no arrows in rules.h");
    for (const Include& include : find_includes(source_.text, source_.blanked)) {
      if (include.quoted)
        check_arrow(*arrow, include);
      else
        check_library(include);
    }
  }

  void check_arrow(const Arrow& arrow, const Include& include) {
    const auto begins = [&](std::string_view with) { return include.path.starts_with(with); };
    if (include.path.find('/') == std::string::npos || begins("."))
      return complain(include.line, "include \"room/file.h\", not \"" + include.path + "\"");
    if (begins(source_.room + "/") || std::ranges::any_of(arrow.may_include, begins)) {
      check_core_header(include);
      return;
    }
    complain(include.line, source_.room + " may not include \"" + include.path + "\"");
  }

  void check_library(const Include& include) {
    const auto begins = [&](std::string_view with) { return include.path.starts_with(with); };
    for (const Door& door : doors)
      if (begins(door.header) && std::ranges::find(door.rooms, source_.room) == door.rooms.end())
        complain(include.line, "<" + include.path + "> is not for room " + source_.room);
    if (begins("doctest/") && !source_.is_test())
      complain(include.line, "<" + include.path + "> is only for *_test.cc and test_*.h");
    if (begins("benchmark/") && !source_.is_bench())
      complain(include.line, "<" + include.path + "> is only for *_bench.cc");
    check_core_header(include);
  }

  bool is_pure() const {
    return source_.is_product() && std::ranges::find(pure_rooms, source_.room) != pure_rooms.end();
  }

  void check_core_header(const Include& include) {
    if (!is_pure()) return;
    for (const auto banned : banned_headers_in_core)
      if (include.path == banned || (banned.ends_with('/') && include.path.starts_with(banned)))
        complain(include.line, "banned in " + source_.room + ": " + include.path);
  }

  void check_core_words() {
    for (const Word& word : find_words(source_.blanked))
      if (std::ranges::find(banned_in_core, word.text) != banned_in_core.end())
        complain(word.line, "banned in " + source_.room + ": " + std::string(word.text));
  }

  const Source& source_;
  std::vector<Complaint> found_;
};

Source read(const fs::path& src, const fs::path& file) {
  Source source;
  source.path = fs::relative(file, src).generic_string();
  source.room = source.path.substr(0, source.path.find('/'));
  std::ifstream in(file, std::ios::binary);
  source.text.assign(std::istreambuf_iterator<char>(in), {});
  source.blanked = blank_comments_and_literals(source.text);
  return source;
}

}  // namespace

std::vector<Complaint> inspect(const fs::path& src) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(src))
    if (entry.is_regular_file() &&
        (entry.path().extension() == ".h" || entry.path().extension() == ".cc"))
      files.push_back(entry.path());
  std::ranges::sort(files);

  std::vector<Complaint> found;
  for (const auto& file : files)
    for (auto& complaint : Inspector(read(src, file)).run()) found.push_back(std::move(complaint));
  return found;
}

std::string format(const Complaint& complaint) {
  return complaint.file + ":" + std::to_string(complaint.line) + ": " + complaint.what;
}

}  // namespace ampacity::tidy
