// Sets documents of ours page by page: a cursor that goes down and onto the next page, tables whose
// head is repeated, and the footer with page x of y. House style: inks, margins, sizes.
// Threads: those of the Typesetter it is given. 1. Words are cut with "…" rather than cross a
// column; numbers are never cut, they get smaller. 2. A row is not split between pages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "documents/invoice_page.h"

namespace ampacity::documents {

inline constexpr double left_edge = 48;
inline constexpr double right_edge = page_width - 48;
inline constexpr double full_width = right_edge - left_edge;
inline constexpr double lowest = page_height - 66;  // the footer lies below

inline constexpr Ink ink_text{24, 30, 42};
inline constexpr Ink ink_soft{101, 110, 125};
inline constexpr Ink ink_accent{13, 71, 120};
inline constexpr Ink ink_rule{208, 213, 221};
inline constexpr Ink ink_fill{242, 245, 249};
inline constexpr Ink ink_alert{156, 72, 0};
inline constexpr Ink ink_alert_fill{255, 243, 224};

inline constexpr Style body{9, false, ink_text};
inline constexpr Style strong{9, true, ink_text};
inline constexpr Style small{7.5, false, ink_soft};
inline constexpr Style label{7, true, ink_soft};

// Words left-aligned at x, or (right) ending at x + width.
struct Column {
  std::string title;
  double x = 0;
  double width = 0;
  bool right = false;
};

class PageFlow {
 public:
  PageFlow(const Typesetter& type, Pages& pages);

  double y = 0;  // baseline-free top of what comes next
  // Room for `height` more, on a new page if it must be; whether it is one.
  bool need(double height);
  void new_page();
  double left_over() const { return lowest - y; }

  // At a baseline of this page.
  void words(double x, double baseline, std::string_view text, const Style& style);
  void words_right(double x, double baseline, std::string_view text, const Style& style);
  void words_within(const Column& column, double baseline, std::string_view text,
                    const Style& style);
  void box(double x, double top, double width, double height, Ink ink);
  void rule(double x, double top, double width, Ink ink = ink_rule, double height = 0.6);
  // Wrapped lines from y down; y is below them.
  void paragraph(double x, double width, std::string_view text, const Style& style,
                 std::size_t most_lines);

  // Below every page: a rule, `words_left`, "Page x of y".
  void finish(std::string_view words_left);

  const Typesetter& type;

 private:
  Page& page() { return pages_.pages.back(); }
  Pages& pages_;
};

class Table {
 public:
  Table(PageFlow& flow, std::vector<Column> columns) : flow_(flow), columns_(std::move(columns)) {}
  void head();
  // The first cell wraps to two lines; `detail` stands small below it.
  void row(const std::vector<std::string>& cells, std::string_view detail, const Style& style,
           bool ruled = true);
  // A bold line over a group, with its sum in the last column; stays with the row that follows.
  void group(std::string_view title, std::string_view sum);

 private:
  PageFlow& flow_;
  std::vector<Column> columns_;
};

}  // namespace ampacity::documents
