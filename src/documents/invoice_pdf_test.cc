#include "documents/invoice_pdf.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "documents/invoice_samples.h"
#include "documents/invoice_words.h"
#include "documents/statement.h"

namespace ampacity::documents {
namespace {

namespace fs = std::filesystem;

// What poppler reads of it, page after page, in the order and columns a person sees.
std::string text_of(const std::string& pdf) {
  std::string name = (fs::temp_directory_path() / "ampacity-pdf-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream(name, std::ios::binary) << pdf;
  std::string text;
  FILE* pipe = ::popen(("pdftotext -layout -enc UTF-8 " + name + " - 2>&1").c_str(), "r");
  REQUIRE(pipe);
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, pipe)) text.append(piece, n);
  const int status = ::pclose(pipe);
  fs::remove(name);
  CHECK(status == 0);
  return text;
}

bool can_read() {
  static const bool can = std::system("command -v pdftotext >/dev/null 2>&1") == 0;
  if (!can) MESSAGE("pdftotext (package poppler-utils) is not here: PDFs are made but not read");
  return can;
}

std::string pdf_of(const Sample& s) {
  auto pdf = invoice_pdf(s.source());
  REQUIRE_MESSAGE(pdf, (pdf ? "" : pdf.error().message));
  CHECK(pdf->starts_with("%PDF-"));
  return std::move(*pdf);
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view words) {
  std::size_t n = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    ++n;
  return n;
}

// Blanks at the ends of lines and runs of blanks are the reader's, not ours.
std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' && !out.empty() && (out.back() == ' ' || out.back() == '\n')) continue;
    if (c == '\n' || c == '\f') {
      while (!out.empty() && out.back() == ' ') out.pop_back();
      if (!out.empty() && out.back() == '\n') continue;
      out += '\n';
      continue;
    }
    out += c;
  }
  return out;
}

void check_golden(const std::string& file, const std::string& text) {
  const fs::path path = fs::path(AMPACITY_SOURCE_DIR) / "tests/golden" / file;
  if (std::getenv("AMPACITY_WRITE_GOLDEN")) std::ofstream(path, std::ios::binary) << text;
  std::ostringstream golden;
  golden << std::ifstream(path, std::ios::binary).rdbuf();
  CHECK_MESSAGE(text == golden.str(), file, " (AMPACITY_WRITE_GOLDEN=1 writes it anew):\n", text);
}

core::Invoice owed(std::uint64_t id, const char* number, std::int64_t minor, const char* issued,
                   const char* due) {
  core::Invoice i;
  i.id = {0, id};
  i.number = number;
  i.payable_minor = i.total_minor = minor;
  i.issued_at = at(issued);
  i.due_at = at(due);
  return i;
}

}  // namespace

TEST_CASE("An invoice and its credit note read as they should") {
  if (!can_read()) return;
  const Sample s = showcase();
  check_golden("invoice.txt", squeezed(text_of(pdf_of(s))));
  check_golden("credit_note.txt", squeezed(text_of(pdf_of(credit_note_of(s)))));
}

TEST_CASE("The same invoice gives the same bytes, whatever became of it since") {
  Sample s = showcase();
  const std::string pdf = pdf_of(s);
  CHECK(pdf == pdf_of(s));
  s.invoice.state = core::InvoiceState::paid;
  s.invoice.paid_minor = s.invoice.payable_minor;
  CHECK(pdf == pdf_of(s));
  s.invoice.lines[0].minor += 1;
  CHECK(pdf != pdf_of(s));
}

TEST_CASE("Every line is there, on as many pages as it takes") {
  const base::Currency& usd = *base::find_currency("USD");
  for (const int n : {1, 40, 400, 2000}) {
    CAPTURE(n);
    Sample s = empty_sample();
    for (int k = 0; k < n; ++k)
      s.invoice.lines.push_back(gpu_line(static_cast<std::uint32_t>(k * 7 % 4),
                                         static_cast<std::uint32_t>(k % 3), 3600 * (k + 1), 22'100,
                                         usd));
    add_up(s);
    const std::string pdf = pdf_of(s);
    CHECK(pdf.size() < 1'000'000);
    if (!can_read()) continue;
    const std::string text = text_of(pdf);
    CHECK(count(text, "GPU-Hours") == static_cast<std::size_t>(n));
    for (const core::InvoiceLine& l : s.invoice.lines)
      CHECK(contains(text, money_text(l.minor, usd)));
    const std::size_t pages = count(text, "Page ");
    CHECK(contains(text, fmt::format("Page 1 of {}", pages)));
    CHECK(contains(text, fmt::format("Page {} of {}", pages, pages)));
    CHECK(count(text, "EMULATED") == 1 * (n > 2) + static_cast<std::size_t>(n / 3));
    CHECK(contains(text, "inputs SHA-256 9f86d081884c7d65"));
  }
}

TEST_CASE("Beyond its bound an invoice shows projects and names the CSV") {
  const base::Currency& usd = *base::find_currency("USD");
  Sample s = empty_sample();
  for (std::size_t k = 0; k < most_pdf_lines + 1; ++k)
    s.invoice.lines.push_back(gpu_line(static_cast<std::uint32_t>(k % 4), 0, 3600, 47'800, usd));
  add_up(s);
  const std::string pdf = pdf_of(s);
  if (!can_read()) return;
  const std::string text = text_of(pdf);
  CHECK(contains(text, "invoice-2026-000042.csv"));
  CHECK(contains(text, "2,001 lines"));
  CHECK(!contains(text, "GPU-Hours"));
  CHECK(count(text, "all services") == 4);
}

TEST_CASE("Amounts are whole, however large, in every currency") {
  for (const char* currency : {"USD", "JPY", "KWD"}) {
    const base::Currency& c = *base::find_currency(currency);
    Sample s = empty_sample(currency);
    s.invoice.lines = {gpu_line(0, 0, 3600, 47'800, c)};
    s.invoice.lines[0].minor = INT64_MAX;
    s.invoice.lines[0].quantity = INT64_MAX;
    s.invoice.lines[0].price = INT64_MAX;
    s.invoice.lines_minor = s.invoice.total_minor = INT64_MAX;
    s.invoice.net_minor = INT64_MIN;
    s.invoice.payable_minor = INT64_MIN;
    for (const bool credit : {false, true}) {
      if (credit) s.invoice.kind = core::InvoiceKind::credit_note;
      const std::string pdf = pdf_of(s);
      if (!can_read()) continue;
      const std::string text = text_of(pdf);
      const std::string most = money_text(INT64_MAX, c), least = money_text(INT64_MIN, c);
      CHECK(contains(text, credit ? "-" + most : most));
      CHECK(contains(text, credit ? least.substr(1) : least));
    }
  }
}

TEST_CASE("No text can break a document") {
  base::SeededPrng prng(12);
  for (int round = 0; round < 40; ++round) {
    const auto junk = [&] {
      std::string text;
      const std::size_t n = prng.next() % (round % 8 == 0 ? 5'000 : 60);
      for (std::size_t k = 0; k < n; ++k) {
        const std::uint64_t r = prng.next();
        if (r % 3 == 0)
          text += static_cast<char>(r >> 8);
        else if (r % 3 == 1)
          text += "\xf0\x9f\x8e\xb2 \xd7\xa9 \xe0\xa4\xb9 \xe6\xbc\xa2 \xcc\x81";
        else
          text += static_cast<char>('a' + (r >> 8) % 26);
      }
      return text;
    };
    Sample s = showcase();
    s.issuer.name = junk();
    s.issuer.bank = junk();
    s.issuer.street = junk();
    s.profile.party.name = junk();
    s.profile.party.email = junk();
    s.invoice.number = junk();
    s.invoice.note = junk();
    s.invoice.inputs_hash = junk();
    s.invoice.lines[0].description = junk();
    s.invoice.lines[0].unit = junk();
    s.names.projects[0] = junk();
    const std::string pdf = pdf_of(s);
    if (can_read()) CHECK(contains(text_of(pdf), "28,450.56"));
  }
  // A mark that turns the direction of writing does not reach an amount's page.
  CHECK(clean_text("a\xe2\x80\xae"
                   "b") == "a b");
}

TEST_CASE("A statement reads as it should") {
  const std::vector<core::Invoice> invoices = {
      owed(1, "2026-000001", 100'000, "2026-09-02T00:00:00Z", "2026-09-17T00:00:00Z"),
      owed(2, "2026-000002", 250'050, "2026-11-02T00:00:00Z", "2026-11-17T00:00:00Z"),
      owed(3, "2026-000003", 75'025, "2026-11-20T00:00:00Z", "2026-12-05T00:00:00Z")};
  const std::vector<core::Payment> payments = {
      {{0, 9}, {0, 1}, 40'000, "bank", "W-771", at("2026-11-05T00:00:00Z")},
      {{0, 10}, {0, 2}, 250'050, "bank", "W-772", at("2026-11-19T00:00:00Z")}};
  const auto s = make_statement(0, "USD", at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"),
                                invoices, payments);
  REQUIRE(s);
  const Sample who = empty_sample();
  const auto pdf = statement_pdf(*s, who.issuer, who.profile.party);
  REQUIRE(pdf);
  CHECK(*pdf == *statement_pdf(*s, who.issuer, who.profile.party));
  if (can_read()) check_golden("statement.txt", squeezed(text_of(*pdf)));
}

}  // namespace ampacity::documents
