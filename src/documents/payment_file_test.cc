#include "documents/payment_file.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "documents/invoice_samples.h"
#include "documents/payment_file_drop.h"

namespace ampacity::documents {
namespace {

namespace fs = std::filesystem;

struct Scratch {
  fs::path folder;
  Scratch() {
    std::string name = (fs::temp_directory_path() / "ampacity-pay-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    folder = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  void put(const fs::path& name, std::string_view text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  std::string get(const fs::path& name) const {
    std::ostringstream text;
    text << std::ifstream(folder / name, std::ios::binary).rdbuf();
    return text.str();
  }
  std::set<std::string> names(const fs::path& in) const {
    std::set<std::string> all;
    for (const auto& e : fs::directory_iterator(folder / in))
      all.insert(e.path().filename().string());
    return all;
  }
};

core::Invoice open_invoice(std::int64_t payable) {
  core::Invoice i = empty_sample().invoice;
  i.id = {1, 2};
  i.payable_minor = i.total_minor = payable;
  return i;
}

PaymentResult paid(std::string amount, std::string reference = "bank-1") {
  return {"2026-000042", std::move(amount), std::nullopt, std::move(reference),
          at("2026-12-10T10:00:00Z")};
}

const std::string good_report = R"({"invoice":"2026-000042","amount":"60.00","reference":"r",)"
                                R"("paid_at":"2026-12-10T10:00:00Z"})";
const base::Instant now = at("2026-12-11T00:00:00Z");
const auto nothing_recorded = [](const base::Id&) { return false; };

}  // namespace

TEST_CASE("A reported payment is judged against its invoice") {
  core::Invoice i = open_invoice(10'000);
  i.paid_minor = 4'000;
  struct Case {
    const char* amount;
    Judgement judgement;
    std::int64_t taken, open, excess;
  };
  for (const Case& c :
       {Case{"60.00", Judgement::exact, 6'000, 0, 0}, Case{"60", Judgement::exact, 6'000, 0, 0},
        Case{"59.99", Judgement::partial, 5'999, 1, 0},
        Case{"60.01", Judgement::excess, 6'000, 0, 1}, Case{"0", Judgement::refused, 0, 0, 0},
        Case{"-5.00", Judgement::refused, 0, 0, 0}, Case{"1.001", Judgement::refused, 0, 0, 0},
        Case{"1,00", Judgement::refused, 0, 0, 0},
        Case{"99999999999999999999", Judgement::refused, 0, 0, 0}}) {
    CAPTURE(c.amount);
    const Judged j = judge("file-drop", paid(c.amount), &i, nothing_recorded, now);
    CHECK(j.judgement == c.judgement);
    CHECK(j.payment.has_value() == (c.judgement != Judgement::refused));
    CHECK((j.words.empty()) == (c.judgement == Judgement::exact));
    if (!j.payment) continue;
    CHECK(j.payment->minor == c.taken);
    CHECK(j.payment->invoice == i.id);
    CHECK(j.open_minor == c.open);
    CHECK(j.excess_minor == c.excess);
  }
}

TEST_CASE("What cannot be recorded as payment says why") {
  const core::Invoice i = open_invoice(10'000);
  CHECK(judge("f", paid("1"), nullptr, nothing_recorded, now).judgement == Judgement::refused);
  core::Invoice other = i;
  other.number = "2026-000001";
  CHECK(judge("f", paid("1"), &other, nothing_recorded, now).judgement == Judgement::refused);
  other = i;
  other.state = core::InvoiceState::voided;
  CHECK(judge("f", paid("1"), &other, nothing_recorded, now).words.find("voided") !=
        std::string::npos);
  other = i;
  other.kind = core::InvoiceKind::credit_note;
  CHECK(judge("f", paid("1"), &other, nothing_recorded, now).judgement == Judgement::refused);
  other = i;
  other.paid_minor = other.payable_minor;
  CHECK(judge("f", paid("1"), &other, nothing_recorded, now).words.find("open") !=
        std::string::npos);
  PaymentResult euro = paid("1");
  euro.currency = "EUR";
  CHECK(judge("f", euro, &i, nothing_recorded, now).words.find("USD") != std::string::npos);
  CHECK(judge("f", paid("1"), &i, nothing_recorded, at("2026-12-01T00:00:00Z")).judgement ==
        Judgement::refused);
  const auto all_recorded = [](const base::Id&) { return true; };
  CHECK(judge("f", paid("1"), &i, all_recorded, now).judgement == Judgement::repeated);
  // Of the same report the same payment; of another reference, invoice or provider another.
  CHECK(payment_id("f", "1", "2") == payment_id("f", "1", "2"));
  CHECK(payment_id("f", "1", "23") != payment_id("f", "12", "3"));
  CHECK(payment_id("f", "1", "2") != payment_id("g", "1", "2"));
}

TEST_CASE("Reports are read from JSON and CSV, and everything wrong in them is named") {
  const auto one = parse_results_json(good_report);
  REQUIRE(one);
  CHECK((one->size() == 1 && one->front().amount == "60.00" && !one->front().currency));
  const auto bad = parse_results_json(
      R"([{"invoice":"","amount":60.0,"reference":"r","paid_at":"yesterday","iban":"x"}])");
  REQUIRE(!bad);
  CHECK(bad.error().wrong.size() >= 3);
  for (const char* text : {"", "{", "[]", "7", "null", "{}", "[[]]", "\xff"})
    CHECK(!parse_results_json(text));
  CHECK(parse_results_json("[]").error().wrong.front().field == "(body)");
  CHECK(!parse_results_json(std::string(most_message_bytes + 1, ' ')));

  const auto rows = parse_results_csv(
      "\xef\xbb\xbfpaid_at,invoice,reference,amount,bank\r\n"
      "2026-12-10T10:00:00Z,2026-000042,\"a \"\"b\"\", c\",60.00,x\r\n\r\n"
      "2026-12-11T10:00:00Z,2026-000043,d,1.5,\"two\nlines\"\n");
  REQUIRE(rows);
  REQUIRE(rows->size() == 2);
  CHECK(rows->front().reference == "a \"b\", c");
  CHECK((*rows)[1].paid_at == at("2026-12-11T10:00:00Z"));
  for (const char* text : {"", "invoice,amount\n1,2\n", "invoice,amount,reference,paid_at\n",
                           "invoice,amount,reference,paid_at\n1,2,3\n",
                           "invoice,amount,reference,paid_at\n1,2,\"3,2026-12-10T10:00:00Z\n",
                           "invoice,amount,reference,paid_at\n1,2,3\"x,2026-12-10T10:00:00Z\n",
                           "invoice,amount,reference,paid_at\n1,2,3,then\n",
                           "invoice,amount,reference,paid_at\n1,2,\xff,2026-12-10T10:00:00Z\n"})
    CHECK_MESSAGE(!parse_results_csv(text), std::string(text));
}

TEST_CASE("An invoice is asked for once, in a file that appears whole") {
  const Scratch s;
  auto drop = FileDrop::open(s.folder / "out", s.folder / "in");
  REQUIRE(drop);
  core::Invoice i = open_invoice(123'456);
  auto request = payment_request(i, empty_sample().profile, "northlight");
  REQUIRE(request);
  REQUIRE(drop->request(*request));
  REQUIRE(drop->request(*request));
  CHECK(s.names("out") == std::set<std::string>{"invoice-2026-000042.json"});
  const auto read = base::from_json<PaymentRequest>(s.get("out/invoice-2026-000042.json"));
  REQUIRE(read);
  CHECK((read->amount == "1234.56" && read->currency == "USD" && read->reference == i.number));
  request->amount = "1.00";  // the same invoice, another amount: a person must look
  CHECK(!drop->request(*request));
  CHECK(request_file_name("../../etc/x") == "invoice-------etc-x.json");
  i.state = core::InvoiceState::paid;
  CHECK(!payment_request(i, empty_sample().profile, "northlight"));
  i.state = core::InvoiceState::issued;
  i.paid_minor = i.payable_minor;
  CHECK(!payment_request(i, empty_sample().profile, "northlight"));
}

TEST_CASE("Each report is taken once, and what cannot be read says why beside it") {
  const Scratch s;
  auto drop = FileDrop::open(s.folder / "out", s.folder / "in");
  REQUIRE(drop);
  s.put("in/a.json", good_report);
  s.put("in/b.json", "{\"invoice\":");
  s.put("in/c.txt", "what is this");
  s.put("in/d.csv", "invoice,amount,reference,paid_at\n2026-000042,1.00,q,2026-12-10T10:00:00Z\n");
  s.put("in/e.json.part", good_report);
  s.put("in/.f.json", good_report);
  s.put("in/big.json", std::string(most_message_bytes + 10, ' '));
  fs::create_symlink(s.folder / "in/a.json", s.folder / "in/link.json");
  fs::create_directory(s.folder / "in/folder.json");
  auto first = drop->collect(100);
  REQUIRE(first);
  REQUIRE(first->size() == 2);
  CHECK((*first)[0].handle == "a.json");
  CHECK((*first)[1].handle == "d.csv");
  CHECK(s.names("in/failed") == std::set<std::string>{"b.json", "b.json.reason.txt", "big.json",
                                                      "big.json.reason.txt", "c.txt",
                                                      "c.txt.reason.txt"});
  CHECK(s.get("in/failed/c.txt.reason.txt").find(".json or .csv") != std::string::npos);
  // Not concluded, as after a crash: shown again.
  REQUIRE(drop->collect(1));
  CHECK(drop->collect(1)->size() == 1);
  CHECK(drop->collect(100)->size() == 2);
  REQUIRE(drop->conclude("a.json", {true, "paid in part"}));
  REQUIRE(drop->conclude("d.csv", {false, "there is no invoice"}));
  CHECK(drop->collect(100)->empty());
  CHECK(s.names("in/done") == std::set<std::string>{"a.json", "a.json.report.txt"});
  CHECK(s.get("in/done/a.json.report.txt") == "paid in part\n");
  // The same name again: both are kept.
  s.put("in/a.json", good_report);
  REQUIRE(drop->collect(100)->size() == 1);
  REQUIRE(drop->conclude("a.json", {true, ""}));
  CHECK(s.names("in/done") == std::set<std::string>{"a.json", "a.json.report.txt", "a.json.2"});
  CHECK(!drop->conclude("../a.json", {true, ""}));
  CHECK(!drop->conclude("a.json", {true, ""}));  // it is gone
}

}  // namespace ampacity::documents
