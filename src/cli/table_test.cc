#include "cli/table.h"

#include <doctest/doctest.h>

#include <sstream>

#include "cli/display.h"

using namespace ampacity;
using namespace ampacity::cli;

namespace {

const Table jobs{{{"NAME", Align::left, 6}, {"COST", Align::right}, {"ID", Align::left, 0, 1}},
                 {{{"train", Tone::good}, "1.5", "job-1"}, {"a-very-long-name", "12.25", "job-2"}}};

int widest(const std::string& text) {
  int w = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) w = std::max(w, width_of(line));
  return w;
}

}  // namespace

TEST_CASE("columns are aligned and lines have no trailing space") {
  CHECK(render(jobs, 0, false) ==
        "NAME               COST  ID\n"
        "train               1.5  job-1\n"
        "a-very-long-name  12.25  job-2\n");
}

TEST_CASE("a narrow terminal: cut what may be cut, then drop, then cut lines") {
  CHECK(render(jobs, 24, false) ==
        "NAME         COST  ID\n"
        "train         1.5  job-1\n"
        "a-very-lo…  12.25  job-2\n");
  CHECK(render(jobs, 15, false) ==
        "NAME       COST\n"
        "train       1.5\n"
        "a-very-…  12.25\n");
  CHECK(widest(render(jobs, 9, false)) <= 9);
  for (int width = 1; width < 60; ++width) CHECK(widest(render(jobs, width, false)) <= width);
}

TEST_CASE("colour changes no width, and text cannot bring its own") {
  const Table one{{{"A"}, {"B"}}, {{{"x\033[31m", Tone::bad}, "y\nz"}}};
  CHECK(render(one, 0, false) == "A       B\nx?[31m  y z\n");
  CHECK(render(one, 0, true) ==
        "\033[1mA\033[0m       \033[1mB\033[0m\n\033[31mx?[31m\033[0m  y z\n");
  CHECK(printable("a\xC2\x9B"
                  "b\x7F") == "a??b?");
}

TEST_CASE("width counts code points, and cuts between them") {
  CHECK(width_of("žluť ×8") == 7);
  CHECK(cut_to("žluťoučký", 4) == "žlu…");
  CHECK(cut_to("abc", 3) == "abc");
  CHECK(cut_to("abc", 1) == "…");
  CHECK(cut_to("abc", 0).empty());
}

TEST_CASE("facts wrap under themselves") {
  CHECK(render_facts({{"id", "job-1"}, {"why", "no h100 is free until the other job ends"}}, 29,
                     false) ==
        "id   job-1\n"
        "why  no h100 is free until\n"
        "     the other job ends\n");
  CHECK(render_facts({{"id", ""}}, 0, false) == "id  \n");
  CHECK(render_facts({{"x", std::string(50, 'a')}}, 23, false) ==
        "x  " + std::string(20, 'a') + "\n   " + std::string(20, 'a') + "\n   " +
            std::string(10, 'a') + "\n");
}

TEST_CASE("values as people read them") {
  const base::Instant t{1'000'000'000'000'000};
  const auto after = [&](std::int64_t s) { return age(t, t + base::Duration::seconds(s)); };
  CHECK(after(0) == "0s");
  CHECK(after(119) == "119s");
  CHECK(after(120) == "2m");
  CHECK(after(7200) == "2h");
  CHECK(after(172'800) == "2d");
  CHECK(after(-5) == "0s");
  CHECK(vcpus(500) == "0.5");
  CHECK(vcpus(128'000) == "128");
  CHECK(memory(512) == "512 MiB");
  CHECK(memory(1536) == "1.5 GiB");
  CHECK(memory(2'097'152) == "2048 GiB");
  CHECK(bytes(0) == "0 B");
  CHECK(bytes(10 << 20) == "10 MiB");
  CHECK(command_line({"sh", "-c", "echo 'a b'", ""}) == "sh -c 'echo '\\''a b'\\''' ''");
  api::JobView job;
  job.sku = "h100";
  job.gpus_per_node = 8;
  job.nodes = 2;
  job.emulated = true;
  CHECK(hardware(job) == "h100 ×8 ×2 nodes (emulated)");
  job = {};
  job.sku = "cpu";
  job.cpu_milli = 1500;
  job.memory_mib = 1024;
  CHECK(hardware(job) == "cpu 1.5 vCPU 1 GiB");
}
