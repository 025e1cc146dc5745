// Tables of text: aligned, and no wider than the terminal.
// Threads: values only.
//
// To fit, columns give way in this order: those that may `shrink` are cut with "…" down to their
// least width, the widest first; then those with the highest `drop` rank vanish; then lines are
// cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace ampacity::cli {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  int shrink_to = 0;  // 0: never cut
  int drop = 0;       // 0: never dropped
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
  Cell(std::string t, Tone how = Tone::plain) : text(std::move(t)), tone(how) {}
  Cell(const char* t, Tone how = Tone::plain) : text(t), tone(how) {}
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
};

int width_of(std::string_view utf8);                     // columns it takes: code points
std::string cut_to(std::string_view utf8, int columns);  // with "…" where something was cut
std::string render(const Table& table, int width, bool colour);  // width 0: no bound

// "label  value" lines; long values are wrapped under themselves.
using Facts = std::vector<std::pair<std::string, Cell>>;
std::string render_facts(const Facts& facts, int width, bool colour);

}  // namespace ampacity::cli
