// `ampacity doctor`: one line a check; under what is bad, what to do.
#include <fmt/core.h>

#include "api/contract_doctor.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace ampacity::cli {

int doctor(Session& session) {
  const auto body = session.call("GET", "/v1/doctor");
  const auto report = Session::read<api::DoctorReport>(body);
  if (!report) return session.report(report.error());
  const int code = report->clean ? 0 : exit_failed;
  if (session.print_json(*body)) return code;
  auto& t = session.terminal;
  Table table{{{""}, {"CHECK", Align::left, 12}, {"FOUND", Align::left, 20}}, {}};
  int bad = 0, unknown = 0;
  for (const auto& c : report->checks) {
    const bool is_bad = c.state == api::CheckState::bad;
    const Tone tone = is_bad                                ? Tone::bad
                      : c.state == api::CheckState::unknown ? Tone::warn
                                                            : Tone::good;
    bad += is_bad;
    unknown += c.state == api::CheckState::unknown;
    table.rows.push_back({Cell(std::string(base::enum_name(c.state)), tone), c.check, c.detail});
  }
  t.out << render(table, t.width, t.colour_out);
  std::string said;  // the same advice once
  for (const auto& c : report->checks) {
    if (c.state != api::CheckState::bad) continue;
    Facts facts{{c.check, Cell(c.detail, Tone::bad)}};
    if (const std::string next = c.next.value_or(""); next != said) {
      facts.push_back({"what to do", next});
      said = next;
    }
    t.out << "\n" << render_facts(facts, t.width, t.colour_out);
  }
  if (bad) t.out << "\n";
  const std::string end = bad ? fmt::format("{} bad, {} unknown", bad, unknown)
                              : fmt::format("sound; {} unknown; the loop was asked for {:.1f} ms",
                                            unknown, static_cast<double>(report->loop_us) / 1000);
  t.out << paint(end, bad ? Tone::bad : Tone::good, t.colour_out) << "\n" << std::flush;
  return code;
}

}  // namespace ampacity::cli
