// Reads one C++ source just well enough for the house rules: code without comments and literals,
// the includes, and how long each function is. Not a parser: it follows braces, not grammar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ampacity::tidy {

// The same text, byte for byte as long, with comments and the insides of string and character
// literals turned into spaces; line breaks stay, so line numbers stay true.
std::string blank_comments_and_literals(std::string_view source);

struct Include {
  int line = 0;
  std::string path;
  bool quoted = false;  // "path" rather than <path>
};
std::vector<Include> find_includes(std::string_view source, std::string_view blanked);

struct Word {
  int line = 0;
  std::string_view text;
};
// Every identifier and keyword outside preprocessor lines.
std::vector<Word> find_words(std::string_view blanked);

struct Function {
  int first_line = 0;  // where its head begins
  int last_line = 0;   // its closing brace
  std::string name;
};
// Every function that begins at namespace or class level, TEST_CASE and the like included; what is
// inside one (lambdas, local classes) counts as part of it.
std::vector<Function> find_functions(std::string_view blanked);

}  // namespace ampacity::tidy
