// For tests: verbs as rows of a table; each asks its route and shows the answer.
// Threads: the test's own.
#pragma once

#include <doctest/doctest.h>

#include "cli/fake_cloud.h"

namespace ampacity::cli {

struct VerbRow {
  std::vector<std::string> args;
  // What is asked for; empty parts are not looked at. `answer` empty: 204.
  std::string route, target, answer, says, sent;
  int expected = 0;
};

inline void check_verbs(const std::vector<VerbRow>& rows) {
  FakeCloud cloud;
  FakeTerminal cli;
  cli.env["AMPACITY_URL"] = cloud.url();
  for (const auto& row : rows) {
    CAPTURE(row.route);
    cloud.answer(row.route, row.answer.empty() ? 204 : 200, row.answer);
    CHECK(cli(row.args) == row.expected);
    CHECK_MESSAGE(cli.out.str().find(row.says) != std::string::npos,
                  (cli.out.str() + cli.err.str()));
    const auto last = cloud.seen().back();
    if (!row.target.empty()) CHECK(last.target == row.target);
    if (!row.sent.empty()) CHECK(last.body == row.sent);
    if (last.method == "POST") CHECK(last.header("Idempotency-Key").size() == 22);
    if (row.answer.empty()) continue;
    auto with_json = row.args;
    with_json.push_back("--json");
    CHECK(cli(with_json) == row.expected);
    CHECK(cli.out.str() == row.answer + "\n");
  }
}

}  // namespace ampacity::cli
