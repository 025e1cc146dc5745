#include "cli/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ampacity::cli {
namespace {

constexpr int gap = 2;

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

struct Layout {
  std::vector<std::size_t> shown;  // indexes of columns
  std::vector<int> widths;         // of every column
  int total() const {
    int sum = shown.empty() ? 0 : gap * (static_cast<int>(shown.size()) - 1);
    for (const auto i : shown) sum += widths[i];
    return sum;
  }
};

void shrink(Layout& layout, const std::vector<Column>& columns, int width) {
  while (layout.total() > width) {
    int* widest = nullptr;
    for (const auto i : layout.shown) {
      int& w = layout.widths[i];
      const int least = std::max(columns[i].shrink_to, width_of(columns[i].title));
      if (columns[i].shrink_to > 0 && w > least && (!widest || w > *widest)) widest = &w;
    }
    if (!widest) return;
    --*widest;
  }
}

bool drop_one(Layout& layout, const std::vector<Column>& columns) {
  const auto last = std::max_element(layout.shown.begin(), layout.shown.end(), [&](auto a, auto b) {
    return columns[a].drop < columns[b].drop;
  });
  if (last == layout.shown.end() || columns[*last].drop == 0) return false;
  layout.shown.erase(last);
  return true;
}

Layout lay_out(const Table& table, int width) {
  Layout natural;
  natural.shown.resize(table.columns.size());
  std::iota(natural.shown.begin(), natural.shown.end(), 0U);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    int w = width_of(table.columns[i].title);
    for (const auto& row : table.rows)
      if (i < row.size()) w = std::max(w, width_of(row[i].text));
    natural.widths.push_back(w);
  }
  if (width <= 0) return natural;
  for (;;) {
    Layout fitted = natural;
    shrink(fitted, table.columns, width);
    if (fitted.total() <= width || !drop_one(natural, table.columns)) return fitted;
  }
}

void append_cell(std::string& line, int& used, int width, const Cell& cell, const Column& column,
                 int cell_width, bool last, bool colour) {
  std::string text = cut_to(cell.text, cell_width);
  const int pad = cell_width - width_of(text);
  if (column.align == Align::right) line.append(static_cast<std::size_t>(pad), ' '), used += pad;
  if (width > 0) text = cut_to(text, std::max(0, width - used));
  used += width_of(text);
  line += paint(text, cell.tone, colour);
  if (column.align == Align::left && !last) {
    line.append(static_cast<std::size_t>(pad), ' ');
    used += pad;
  }
}

}  // namespace

int width_of(std::string_view utf8) {
  return static_cast<int>(std::count_if(utf8.begin(), utf8.end(), begins_code_point));
}

std::string cut_to(std::string_view utf8, int columns) {
  if (width_of(utf8) <= columns) return std::string(utf8);
  if (columns <= 0) return {};
  std::size_t end = 0;
  for (int n = 0; end < utf8.size(); ++end)
    if (begins_code_point(utf8[end]) && n++ == columns - 1) break;
  return std::string(utf8.substr(0, end)) + "…";
}

std::string render(const Table& table, int width, bool colour) {
  Table safe = table;
  for (auto& row : safe.rows)
    for (auto& cell : row) cell.text = printable(cell.text);
  const Layout layout = lay_out(safe, width);
  std::string out;
  const auto line = [&](auto&& cell_of) {
    std::string text;
    int used = 0;
    for (std::size_t k = 0; k < layout.shown.size(); ++k) {
      const auto i = layout.shown[k];
      if (k > 0) text.append(gap, ' '), used += gap;
      append_cell(text, used, width, cell_of(i), safe.columns[i], layout.widths[i],
                  k + 1 == layout.shown.size(), colour);
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out += text + "\n";
  };
  line([&](std::size_t i) { return Cell(safe.columns[i].title, Tone::bold); });
  for (const auto& row : safe.rows)
    line([&](std::size_t i) { return i < row.size() ? row[i] : Cell(""); });
  return out;
}

std::string render_facts(const Facts& facts, int width, bool colour) {
  int label_width = 0;
  for (const auto& [label, value] : facts) label_width = std::max(label_width, width_of(label));
  const int room = width > 0 ? std::max(20, width - label_width - gap) : 0;
  std::string out;
  for (const auto& [label, cell] : facts) {
    std::string rest = printable(cell.text);
    std::string head =
        paint(label, Tone::dim, colour) +
        std::string(static_cast<std::size_t>(label_width - width_of(label) + gap), ' ');
    do {
      std::string piece = rest;
      if (room > 0 && width_of(rest) > room) {
        std::string cut = cut_to(rest, room + 1);
        cut.resize(cut.size() - std::string_view("…").size());
        const auto space = cut.rfind(' ');
        piece = rest.substr(0, space == std::string::npos || space == 0 ? cut.size() : space);
      }
      rest.erase(0, piece.size());
      rest.erase(0, std::min(rest.find_first_not_of(' '), rest.size()));
      out += head + paint(piece, cell.tone, colour) + "\n";
      head.assign(static_cast<std::size_t>(label_width + gap), ' ');
    } while (!rest.empty());
  }
  return out;
}

}  // namespace ampacity::cli
