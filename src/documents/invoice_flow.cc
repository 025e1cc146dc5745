#include "documents/invoice_flow.h"

#include <fmt/core.h>

#include "documents/invoice_words.h"

namespace ampacity::documents {

PageFlow::PageFlow(const Typesetter& t, Pages& pages) : type(t), pages_(pages) { new_page(); }

void PageFlow::new_page() {
  pages_.pages.emplace_back();
  y = 48;
}

bool PageFlow::need(double height) {
  if (y + height <= lowest) return false;
  new_page();
  return true;
}

void PageFlow::words(double x, double baseline, std::string_view text, const Style& style) {
  if (!text.empty()) page().words.push_back({x, baseline, style, clean_text(text)});
}

void PageFlow::words_right(double x, double baseline, std::string_view text, const Style& style) {
  words(x - type.width(clean_text(text), style), baseline, text, style);
}

void PageFlow::words_within(const Column& column, double baseline, std::string_view text,
                            const Style& style) {
  const std::string clean = clean_text(text);
  if (!column.right) {
    words(column.x, baseline, type.fitted(clean, style, column.width), style);
    return;
  }
  Style fits = style;
  const double wide = type.width(clean, style);
  if (wide > column.width) fits.size *= column.width / wide;
  words_right(column.x + column.width, baseline, clean, fits);
}

void PageFlow::box(double x, double top, double width, double height, Ink ink) {
  page().boxes.push_back({x, top, width, height, ink});
}

void PageFlow::rule(double x, double top, double width, Ink ink, double height) {
  box(x, top, width, height, ink);
}

void PageFlow::paragraph(double x, double width, std::string_view text, const Style& style,
                         std::size_t most_lines) {
  for (const std::string& line : type.wrapped(clean_text(text), style, width, most_lines)) {
    need(style.size * 1.4);
    y += style.size * 1.4;
    words(x, y - style.size * 0.35, line, style);
  }
}

void PageFlow::finish(std::string_view words_left) {
  const std::string clean = clean_text(words_left);
  for (std::size_t i = 0; i < pages_.pages.size(); ++i) {
    Page& p = pages_.pages[i];
    const double top = page_height - 50;
    p.boxes.push_back({left_edge, top, right_edge - left_edge, 0.6, ink_rule});
    const std::string count = fmt::format("Page {} of {}", i + 1, pages_.pages.size());
    const double count_width = type.width(count, small);
    const double room = right_edge - left_edge - count_width - 12;
    p.words.push_back({left_edge, top + 14, small, type.fitted(clean, small, room)});
    p.words.push_back({right_edge - count_width, top + 14, small, count});
  }
}

void Table::head() {
  flow_.box(left_edge, flow_.y, right_edge - left_edge, 17, ink_fill);
  for (const Column& c : columns_) flow_.words_within(c, flow_.y + 11.5, c.title, label);
  flow_.y += 17;
}

void Table::row(const std::vector<std::string>& cells, std::string_view detail, const Style& style,
                bool ruled) {
  const std::vector<std::string> title =
      flow_.type.wrapped(clean_text(cells.front()), style, columns_.front().width, 2);
  const double leading = style.size * 1.3;
  const auto lines = static_cast<double>(std::max<std::size_t>(title.size(), 1));
  const double height = 7 + leading * lines + (detail.empty() ? 0 : 10);
  if (flow_.need(height)) head();
  double baseline = flow_.y + 3 + style.size;
  for (std::size_t i = 1; i < cells.size() && i < columns_.size(); ++i)
    flow_.words_within(columns_[i], baseline, cells[i], style);
  for (const std::string& line : title) {
    flow_.words(columns_.front().x, baseline, line, style);
    baseline += leading;
  }
  if (!detail.empty())
    flow_.words_within({"", columns_.front().x, columns_.front().width + 60, false},
                       baseline - leading + 10.5, detail, small);
  flow_.y += height;
  if (ruled) flow_.rule(left_edge, flow_.y, right_edge - left_edge, ink_rule, 0.35);
}

void Table::group(std::string_view title, std::string_view sum) {
  if (flow_.need(52)) head();
  const Column& last = columns_.back();
  const Style style{9, true, ink_accent};
  flow_.words_within({"", columns_.front().x, last.x - columns_.front().x - 8, false}, flow_.y + 15,
                     title, style);
  flow_.words_within(last, flow_.y + 15, sum, style);
  flow_.y += 20;
  flow_.rule(left_edge, flow_.y, right_edge - left_edge, ink_rule);
}

}  // namespace ampacity::documents
