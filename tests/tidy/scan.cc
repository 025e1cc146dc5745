#include "scan.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ampacity::tidy {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// The word that ends just before `end`.
std::string_view word_before(std::string_view text, std::size_t end) {
  std::size_t begin = end;
  while (begin > 0 && is_word(text[begin - 1])) --begin;
  return text.substr(begin, end - begin);
}

void blank(std::string& text, std::size_t from, std::size_t to) {
  to = std::min(to, text.size());
  for (std::size_t i = from; i < to; ++i)
    if (text[i] != '\n') text[i] = ' ';
}

// Past the closing quote of the ordinary literal that opens at `i`, or at the end of its line.
std::size_t end_of_literal(std::string_view text, std::size_t i) {
  const char quote = text[i++];
  while (i < text.size() && text[i] != quote && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return std::min(i + 1, text.size());
}

// Past the closing quote of the raw string whose first quote is at `i`.
std::size_t end_of_raw_string(std::string_view text, std::size_t i) {
  const std::size_t open = text.find('(', i);
  if (open == text.npos) return text.size();
  const std::string close = ")" + std::string(text.substr(i + 1, open - i - 1)) + "\"";
  const std::size_t end = text.find(close, open);
  return end == text.npos ? text.size() : end + close.size();
}

bool opens_raw_string(std::string_view text, std::size_t quote) {
  static constexpr std::array<std::string_view, 5> prefixes = {"R", "u8R", "uR", "UR", "LR"};
  return std::ranges::find(prefixes, word_before(text, quote)) != prefixes.end();
}

// 1'000'000: a quote inside a number is no literal.
bool separates_digits(std::string_view text, std::size_t quote) {
  const auto word = word_before(text, quote);
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
}

// Blanks #-lines with their continuations, so that macros do not disturb the braces.
std::string without_preprocessor(std::string_view blanked) {
  std::string text(blanked);
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t first = text.find_first_not_of(" \t", begin);
    if (first < end && text[first] == '#') {
      while (end < text.size() && text[end - 1] == '\\')
        end = std::min(text.find('\n', end + 1), text.size());
      blank(text, begin, end);
    }
    begin = end + 1;
  }
  return text;
}

// Walks namespaces and classes; skips over whatever else has braces.
class BraceWalk {
 public:
  explicit BraceWalk(std::string_view text) : text_(text) {}

  std::vector<Function> run() {
    for (at_ = 0; at_ < text_.size(); ++at_) step(text_[at_]);
    return std::move(found_);
  }

 private:
  enum class Kind { scope, function, other };

  void step(char c) {
    if (c == '\n') ++line_;
    if (parens_ == 0 && (c == ';' || c == '}')) return head_.clear();
    if (c == '(' || c == '[') ++parens_;
    if (c == ')' || c == ']') --parens_;
    if (c == '{') return open();
    if (head_.empty()) {
      if (is_blank(c)) return;
      head_line_ = line_;
    }
    head_ += c;
    if (parens_ == 0 && ends_access_specifier()) head_.clear();
  }

  bool ends_access_specifier() const {
    return head_ == "public:" || head_ == "private:" || head_ == "protected:";
  }

  void open() {
    const Kind kind = parens_ > 0 ? Kind::other : classify();
    if (kind == Kind::scope) return head_.clear();
    const bool initialises_member = kind == Kind::other && parens_ == 0 && in_member_initialisers();
    skip_braces();
    if (kind == Kind::function) {
      found_.push_back({head_line_, line_, name()});
      head_.clear();
    } else if (initialises_member || parens_ > 0) {
      head_ += "{}";
    }
  }

  // From an opening brace to its closing one.
  void skip_braces() {
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '{') ++depth;
      if (text_[at_] == '}' && --depth == 0) return;
    }
  }

  Kind classify() const {
    const std::string_view head = after_macro(without_template(trimmed(head_)));
    const auto first =
        head.substr(0, std::find_if_not(head.begin(), head.end(), is_word) - head.begin());
    if (first == "namespace" || head.starts_with("inline namespace")) return Kind::scope;
    if (first == "extern" && head.find('(') == head.npos) return Kind::scope;
    const bool type = first == "class" || first == "struct" || first == "union" || first == "enum";
    if (type && head.find('=') == head.npos) return first == "enum" ? Kind::other : Kind::scope;
    if (head.find('(') == head.npos) return Kind::other;
    if (in_member_initialisers()) {
      const char last = head.back();
      return last == ')' || last == '}' ? Kind::function : Kind::other;
    }
    if (head.find("operator") != head.npos) return Kind::function;
    return assigns(head) ? Kind::other : Kind::function;
  }

  // An = outside parentheses and angle brackets: a variable, not a function.
  static bool assigns(std::string_view head) {
    int depth = 0;
    for (const char c : head) {
      if (c == '(' || c == '[' || c == '<') ++depth;
      if (c == ')' || c == ']' || c == '>') --depth;
      if (c == '=' && depth <= 0) return true;
    }
    return false;
  }

  // After `Foo::Foo(…) :`, a brace may still open a member's initialiser.
  bool in_member_initialisers() const {
    int depth = 0;
    bool parameters = false;
    for (std::size_t i = 0; i < head_.size(); ++i) {
      if (head_[i] == '(') ++depth;
      if (head_[i] == ')') parameters = --depth == 0 || parameters;
      if (head_[i] != ':' || depth > 0 || !parameters) continue;
      if (i + 1 < head_.size() && head_[i + 1] == ':')
        ++i;
      else
        return true;
    }
    return false;
  }

  std::string name() const {
    const std::size_t paren = head_.find('(');
    std::size_t end = paren;
    while (end > 0 && is_blank(head_[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && (is_word(head_[begin - 1]) || head_[begin - 1] == ':')) --begin;
    return head_.substr(begin, end - begin);
  }

  // `MACRO(…) struct X`, `requires (…) struct X`: the type is what matters.
  static std::string_view after_macro(std::string_view head) {
    int depth = 0;
    bool called = false;
    for (std::size_t i = 0; i < head.size(); ++i) {
      if (head[i] == '(' || head[i] == '<') ++depth;
      if (head[i] == ')' || head[i] == '>') called = --depth == 0 || called;
      if (!called || depth != 0 || !is_word(head[i]) || is_word(head[i - 1])) continue;
      static constexpr std::array<std::string_view, 5> types = {"class", "struct", "union", "enum",
                                                                "namespace"};
      const auto rest = head.substr(i);
      const auto end = std::find_if_not(rest.begin(), rest.end(), is_word) - rest.begin();
      if (std::ranges::find(types, rest.substr(0, end)) != types.end()) return rest;
    }
    return head;
  }

  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
  }

  static std::string_view without_template(std::string_view head) {
    while (head.starts_with("template")) {
      int depth = 0;
      std::size_t i = head.find('<');
      for (; i < head.size(); ++i) {
        if (head[i] == '<') ++depth;
        if (head[i] == '>' && --depth == 0) break;
      }
      if (i >= head.size()) return head;
      head.remove_prefix(i + 1);
      while (!head.empty() && is_blank(head.front())) head.remove_prefix(1);
    }
    return head;
  }

  std::string_view text_;
  std::vector<Function> found_;
  std::string head_;  // what stands since the last ; { or } of this level
  std::size_t at_ = 0;
  int line_ = 1;
  int head_line_ = 1;
  int parens_ = 0;
};

}  // namespace

std::string blank_comments_and_literals(std::string_view source) {
  std::string text(source);
  for (std::size_t i = 0; i < source.size();) {
    const auto two = source.substr(i, 2);
    std::size_t end = i + 1;
    if (two == "//") {
      end = std::min(source.find('\n', i), source.size());
      blank(text, i, end);
    } else if (two == "/*") {
      end = source.find("*/", i + 2);
      end = end == source.npos ? source.size() : end + 2;
      blank(text, i, end);
    } else if (source[i] == '"' && opens_raw_string(source, i)) {
      end = end_of_raw_string(source, i);
      blank(text, i + 1, end - 1);
    } else if (source[i] == '"' || (source[i] == '\'' && !separates_digits(source, i))) {
      end = end_of_literal(source, i);
      blank(text, i + 1, end - 1);
    }
    i = end;
  }
  return text;
}

std::vector<Include> find_includes(std::string_view source, std::string_view blanked) {
  std::vector<Include> found;
  int line = 1;
  for (std::size_t begin = 0; begin < blanked.size(); ++line) {
    const std::size_t end = std::min(blanked.find('\n', begin), blanked.size());
    std::size_t i = blanked.find_first_not_of(" \t", begin);
    if (i < end && blanked[i] == '#') {
      i = blanked.find_first_not_of(" \t", i + 1);
      const auto open = source.substr(0, end).find_first_of("<\"", std::min(i, end));
      if (i < end && blanked.substr(i).starts_with("include") && open < end) {
        const char close = source[open] == '<' ? '>' : '"';
        const auto length = source.find(close, open + 1) - open - 1;
        found.push_back({line, std::string(source.substr(open + 1, length)), close == '"'});
      }
    }
    begin = end + 1;
  }
  return found;
}

std::vector<Word> find_words(std::string_view blanked) {
  std::vector<Word> found;
  const std::string code = without_preprocessor(blanked);
  int line = 1;
  for (std::size_t i = 0; i < code.size();) {
    if (code[i] == '\n') ++line;
    std::size_t end = i;
    while (end < code.size() && is_word(code[end])) ++end;
    if (end > i) found.push_back({line, blanked.substr(i, end - i)});
    i = std::max(end, i + 1);
  }
  return found;
}

std::vector<Function> find_functions(std::string_view blanked) {
  return BraceWalk(without_preprocessor(blanked)).run();
}

}  // namespace ampacity::tidy
