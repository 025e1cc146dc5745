// Pages of paper as plain data (words and filled boxes at points of an A4 sheet), what measures the
// words, and what turns pages into a PDF. Fonts: Liberation Sans, then DejaVu Sans, then Droid Sans
// Fallback (Chinese, Japanese, Korean) for what the one before lacks; each is embedded as a subset.
// Threads: a Typesetter holds the fonts, which the process has once, for as long as it lives: one
// at a time, another thread waits.
// 1. The same pages give the same bytes: the only date in them is made_at. 2. Any text is painted:
// what no font has is shown as U+FFFD and still copied as what it is. Not done: shaping and
// right-to-left order (Arabic, Hebrew, Indic scripts appear letter by letter).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ampacity::documents {

inline constexpr double page_width = 595.28;  // points: 1/72 inch
inline constexpr double page_height = 841.89;

struct Ink {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

struct Style {
  double size = 9;
  bool bold = false;
  Ink ink;
};

struct TextMark {
  double x = 0;  // of its left end
  double y = 0;  // of its baseline, from the top
  Style style;
  std::string text;
};

struct BoxMark {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  Ink ink;
};

// Boxes lie under words.
struct Page {
  std::vector<BoxMark> boxes;
  std::vector<TextMark> words;
};

struct Pages {
  std::string title;
  std::string author;
  std::string subject;
  base::Instant made_at;
  std::vector<Page> pages;
};

class Typesetter {
 public:
  // Refused as unavailable, if the fonts are not installed.
  static base::Result<Typesetter> open();

  double width(std::string_view text, const Style& style) const;
  // As much of it as fits, with "…" for the rest.
  std::string fitted(std::string_view text, const Style& style, double width) const;
  // Lines that fit, broken at blanks where there are any; what is beyond `most` lines ends in "…".
  std::vector<std::string> wrapped(std::string_view text, const Style& style, double width,
                                   std::size_t most) const;
  base::Result<std::string> pdf(const Pages& pages) const;

 private:
  explicit Typesetter(std::unique_lock<std::mutex> lock) : lock_(std::move(lock)) {}
  std::unique_lock<std::mutex> lock_;
};

}  // namespace ampacity::documents
