#include "api/yaml_tree.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <optional>
#include <streambuf>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace ampacity::api {
namespace {

using base::Code;
using base::refuse;
using boost::json::value;

// Thrown through yaml-cpp's parser and caught below: the only way to stop it.
struct Stop {
  base::Refusal refusal;
};

std::string at(const YAML::Mark& mark) {
  return fmt::format("line {}, column {}", mark.line + 1, mark.column + 1);
}

[[noreturn]] void stop(Code code, std::string message) {
  throw Stop{refuse(code, std::move(message)).error()};
}

struct Size {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
};

Size size_of(const value& v) {
  Size s{1, 0};
  if (v.is_string()) s.bytes = v.get_string().size();
  if (v.is_array())
    for (const auto& item : v.get_array()) {
      const Size inner = size_of(item);
      s.nodes += inner.nodes;
      s.bytes += inner.bytes;
    }
  if (v.is_object())
    for (const auto& [key, item] : v.get_object()) {
      const Size inner = size_of(item);
      s.nodes += inner.nodes;
      s.bytes += inner.bytes + key.size();
    }
  return s;
}

bool is_null_text(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds the tree from the parser's events, counting as it goes.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const YamlBounds& bounds) : bounds_(bounds) {}

  std::optional<value> root;
  std::map<std::string, int> lines;
  int documents = 0;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents > 1)
      stop(Code::invalid, at(mark) + ": a job file is one document; here a second begins");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place(mark, anchor, value(nullptr));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      stop(Code::invalid, at(mark) + ": an alias inside what it stands for");
    count(mark, found->second.size);
    const int depth = found->second.depth;
    if (static_cast<int>(stack_.size()) + depth > bounds_.max_depth) too_deep(mark);
    if (!stack_.empty()) stack_.back().depth = std::max(stack_.back().depth, depth + 1);
    put(mark, found->second.tree);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool plain = tag == "?" || tag.empty();
    place(mark, anchor, plain && is_null_text(text) ? value(nullptr) : value(text));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, value(boost::json::array{}));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, value(boost::json::object{}));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    value tree;
    std::string path;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    int depth = 1;                   // of what is inside, itself included
    std::optional<std::string> key;  // a map's, waiting for its value
  };
  struct Anchored {
    value tree;
    Size size;
    int depth = 0;
  };

  [[noreturn]] void too_deep(const YAML::Mark& mark) {
    stop(Code::too_large, fmt::format("{}: nested more than {} deep", at(mark), bounds_.max_depth));
  }

  void count(const YAML::Mark& mark, const Size& size) {
    total_.nodes += size.nodes;
    total_.bytes += size.bytes;
    if (total_.nodes > bounds_.max_nodes || total_.bytes > bounds_.max_bytes)
      stop(Code::too_large,
           fmt::format("{}: with its aliases written out the file is over {} values "
                       "or {} bytes",
                       at(mark), bounds_.max_nodes, bounds_.max_bytes));
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, value empty) {
    if (static_cast<int>(stack_.size()) >= bounds_.max_depth) too_deep(mark);
    refuse_as_key(mark);
    count(mark, {1, 0});
    std::string path = next_path();
    stack_.push_back({std::move(empty), std::move(path), mark, anchor, 1, {}});
  }

  void close() {
    Frame done = std::move(stack_.back());
    stack_.pop_back();
    if (!stack_.empty()) stack_.back().depth = std::max(stack_.back().depth, done.depth + 1);
    if (done.anchor != 0) remember(done.anchor, done.tree, done.depth);
    put(done.mark, std::move(done.tree));
  }

  void place(const YAML::Mark& mark, YAML::anchor_t anchor, value leaf) {
    count(mark, size_of(leaf));
    if (anchor != 0) remember(anchor, leaf, 0);
    put(mark, std::move(leaf));
  }

  void remember(YAML::anchor_t anchor, const value& tree, int depth) {
    Anchored kept{tree, size_of(tree), depth};
    count({}, kept.size);  // the copy kept takes memory too
    anchors_.insert_or_assign(anchor, std::move(kept));
  }

  void refuse_as_key(const YAML::Mark& mark) const {
    if (!stack_.empty() && stack_.back().tree.is_object() && !stack_.back().key)
      stop(Code::invalid, at(mark) + ": a field's name must be plain text");
  }

  std::string next_path() const {
    if (stack_.empty()) return {};
    const Frame& top = stack_.back();
    if (top.tree.is_array()) return fmt::format("{}[{}]", top.path, top.tree.get_array().size());
    const std::string key = top.key.value_or("");
    return top.path.empty() ? key : top.path + "." + key;
  }

  void put(const YAML::Mark& mark, value v) {
    if (stack_.empty()) {
      root = std::move(v);
      return;
    }
    Frame& top = stack_.back();
    if (top.tree.is_array()) {
      note_line(mark);
      top.tree.get_array().push_back(std::move(v));
    } else if (!top.key) {
      take_key(mark, v);
    } else {
      top.tree.get_object().insert_or_assign(*top.key, std::move(v));
      top.key.reset();
    }
  }

  void take_key(const YAML::Mark& mark, const value& v) {
    if (!v.is_string()) stop(Code::invalid, at(mark) + ": a field's name must be plain text");
    Frame& top = stack_.back();
    top.key = std::string(v.get_string());
    if (*top.key == "<<") stop(Code::invalid, at(mark) + ": merge keys (<<) are not read here");
    if (top.tree.get_object().contains(*top.key))
      stop(Code::invalid, fmt::format("{}: `{}` is given twice", at(mark), *top.key));
    note_line(mark);
  }

  // Long names, nested, make paths far longer than the text: then only the first have lines.
  void note_line(const YAML::Mark& mark) {
    std::string path = next_path();
    path_bytes_ += path.size();
    if (path_bytes_ <= 16 * bounds_.max_bytes) lines.try_emplace(std::move(path), mark.line + 1);
  }

  const YamlBounds bounds_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  Size total_;
  std::size_t path_bytes_ = 0;
};

// A stream over the caller's text, without a copy.
class View final : public std::streambuf {
 public:
  explicit View(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's get area is only read
    setg(begin, begin, begin + text.size());
  }
};

std::string line_of_offset(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto newline = before.rfind('\n');
  return fmt::format("line {}, column {}", 1 + std::count(before.begin(), before.end(), '\n'),
                     newline == std::string_view::npos ? offset + 1 : offset - newline);
}

}  // namespace

base::Result<YamlTree> parse_yaml(std::string_view text, const YamlBounds& bounds) {
  if (text.size() > bounds.max_bytes)
    return refuse(Code::too_large, fmt::format("the file has {} bytes; at most {} are read",
                                               text.size(), bounds.max_bytes));
  if (const auto bad = base::find_bad_utf8(text); bad != std::string_view::npos)
    return refuse(Code::invalid, line_of_offset(text, bad) + ": not UTF-8 text");
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return refuse(Code::invalid, line_of_offset(text, nul) + ": a NUL byte");
  Builder builder(bounds);
  try {
    View view(text);
    std::istream in(&view);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& s) {
    return std::unexpected(s.refusal);
  } catch (const YAML::Exception& e) {
    return refuse(Code::invalid, fmt::format("{}: not YAML: {}", at(e.mark), e.msg));
  } catch (const std::exception& e) {
    return refuse(Code::invalid, fmt::format("not YAML: {}", e.what()));
  }
  return YamlTree{builder.root ? std::move(*builder.root) : value(nullptr),
                  std::move(builder.lines)};
}

}  // namespace ampacity::api
