#include <doctest/doctest.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/money.h"
#include "base/onward_clock.h"
#include "base/threads.h"

namespace ampacity::base {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)
struct Inner {
  std::int64_t n = 0;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (n, note))
struct Outer {
  std::string name;
  std::vector<Inner> inner;
  std::map<std::string, std::uint32_t> counts;
  Colour colour{};
  Instant at;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (name, inner, counts, colour, at))

}  // namespace

TEST_CASE("JSON: there and back, fields in any order") {
  Outer o{"a\"\n\x01é", {{-5, {}}, {7, "x"}}, {{"k", 9}}, Colour::green, {1'700'000'000'123'456}};
  const auto back = from_json<Outer>(to_json(o));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(o));
  CHECK(from_json<Inner>(R"({"note":"y","n":3})")->note == "y");
}

TEST_CASE("JSON: what is not UTF-8 is written as U+FFFD, so that it can be read back") {
  const char* rows[][2] = {{"caf\xc3", "caf\xEF\xBF\xBD"},
                           {"\xff\xfe", "\xEF\xBF\xBD\xEF\xBF\xBD"},
                           {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
                           {"\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
                           {"\xc0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"}};
  for (const auto& row : rows) {
    const auto back =
        from_json<std::vector<std::string>>(to_json(std::vector<std::string>{row[0]}));
    REQUIRE(back);
    CHECK(back->at(0) == row[1]);
  }
}

TEST_CASE("JSON: every wrong field is named by its path") {
  const auto r = from_json<Outer>(
      R"({"name":1,"inner":[{"n":1},{"n":"x"},{}],"counts":{"k":-1},"colour":"blue","extra":2})");
  REQUIRE_FALSE(r);
  std::vector<std::string> fields;
  for (const Wrong& w : r.error().wrong) fields.push_back(w.field);
  CHECK(fields == std::vector<std::string>{"name", "inner[1].n", "inner[2].n", "counts.k", "colour",
                                           "at", "extra"});
  CHECK(from_json<Inner>("{\n \"n\": }").error().message.find("line 2") != std::string::npos);
  CHECK_FALSE(from_json<Inner>("{\"n\":\"\xff\"}"));
  CHECK_FALSE(from_json<Inner>("{\"n\":99999999999999999999}"));
}

TEST_CASE("JSON: a refusal stays small, and a key without a name is not an index") {
  std::string body = R"({"n":1,"":2)";
  for (int i = 0; i < 300; ++i) body += ",\"k" + std::to_string(i) + "\":0";
  const auto r = from_json<Inner>(body + "}");
  REQUIRE_FALSE(r);
  CHECK(r.error().wrong.size() == 101);
  CHECK(r.error().wrong.front().field == "\"\"");
  CHECK(r.error().wrong.back() == Wrong{"(more)", "201 more are wrong"});
  CHECK(r.error().message.starts_with("301 fields"));
  const auto long_key = from_json<Inner>("{\"n\":1,\"" + std::string(5000, 'k') + "\":0}");
  REQUIRE_FALSE(long_key);
  CHECK(long_key.error().wrong.front().field.size() == 200);
}

TEST_CASE("instants and durations") {
  for (const char* text : {"1970-01-01T00:00:00Z", "2026-11-22T12:45:51.123456Z",
                           "2000-02-29T23:59:59.5Z", "1969-12-31T23:59:59.999999Z"})
    CHECK(format_instant(*parse_instant(text)) == text);
  CHECK(*parse_instant("2026-01-01T01:00:00+01:00") == *parse_instant("2026-01-01T00:00:00Z"));
  for (const char* bad :
       {"", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00Zx",
        // outside the years that can be written
        "9999-12-31T23:59:59-00:09", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00+00:01"})
    CHECK_MESSAGE(!parse_instant(bad), bad);
  CHECK(parse_duration("2h30m")->whole_seconds() == 9000);
  CHECK(parse_duration("90")->whole_seconds() == 90);
  for (const char* bad : {"", "-1s", "1x", "2h30", "99999999999999999999s", "s", "1.5h"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
  CHECK(Duration{1}.seconds_rounded_up() == 1);
  CHECK(Duration::seconds(5).seconds_rounded_up() == 5);
}

TEST_CASE("money: exact in and out") {
  CHECK(parse_hourly_price("4.78") == 47'800);
  CHECK(parse_hourly_price("0.0125") == 125);
  CHECK(parse_hourly_price("4.78000") == 47'800);
  for (const char* bad : {"", ".", "4.", ".5", "-1", "1e3", "4.78001", "999999999999999999999"})
    CHECK_MESSAGE(!parse_hourly_price(bad), bad);
  CHECK(format_hourly_price(47'800) == "4.78");
  CHECK(format_hourly_price(125) == "0.0125");
  CHECK(parse_usd("25.00") == 25 * ticks_per_usd);
  CHECK_FALSE(parse_usd("0.00000001"));  // a fraction of a tick
  CHECK(format_usd(25 * ticks_per_usd, 2) == "25.00");
  CHECK(format_usd(1, 4) == "0.0000");
  CHECK(format_usd(-ticks_per_usd, 2) == "-1.00");
  CHECK(divide_half_up(5, 10) == 1);
  CHECK(divide_half_up(-5, 10) == -1);
  CHECK(divide_half_up(4, 10) == 0);
  CHECK_FALSE(multiply(INT64_MAX, 2));
}

TEST_CASE("ids are 26 digits that sort by time") {
  SeededPrng prng(1);
  const Id a = make_uuid7({1'000'000}, prng);
  const Id b = make_uuid7({2'000'000}, prng);
  CHECK(format_id("job", a) < format_id("job", b));
  CHECK(parse_id("job", format_id("job", a)) == a);
  CHECK(((a.high >> 12) & 0xf) == 7);
  CHECK((a.low >> 62) == 2);
  for (const char* bad :
       {"job-", "job", "box-00000000000000000000000000", "job-0000000000000000000000000",
        "job-zzzzzzzzzzzzzzzzzzzzzzzzzz", "job-0000000000000000000000000U"})
    CHECK_MESSAGE(!parse_id("job", bad), bad);
}

TEST_CASE("hashes match published vectors") {
  CHECK(to_hex(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(hmac_sha256("key", "The quick brown fox jumps over the lazy dog")) ==
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");  // RFC-style vector
  CHECK(checksum_base62("123456789").size() == 6);
  CHECK(checksum_base62("amp_a") != checksum_base62("amp_b"));
}

namespace {
// Both clocks by hand: the wall's, and what has truly passed.
struct Hands final : Clock, Scheduler {
  Instant wall{1'700'000'000'000'000};
  Duration passed{5'000'000};
  Hands() { scheduler = this; }
  ~Hands() override { scheduler = nullptr; }
  void pass(Duration d) {
    wall.us += d.us;
    passed.us += d.us;
  }
  Instant now() override { return wall; }
  Duration elapsed() override { return passed; }
  int spawn(std::function<void()>) override { return 0; }
  void join(int) override {}
  bool park(const void*, std::optional<Duration>, bool) override { return false; }
  void wake(const void*) override {}
  bool ending() const override { return false; }
  void give_way() override {}
};
}  // namespace

TEST_CASE("the server's clock: never back, never still, and on the wall clock's time again") {
  Hands hands;
  OnwardClock clock(hands);
  const Instant begin = clock.now();
  CHECK(begin == hands.wall);
  hands.pass(Duration::seconds(10));
  CHECK(clock.now() == hands.wall);
  CHECK(clock.ahead() == Duration{0});

  hands.wall.us -= Duration::seconds(3'600).us;  // set back by an hour
  const Instant stepped = clock.now();
  CHECK(stepped == begin + Duration::seconds(10));
  Instant before = stepped;
  for (int i = 0; i < 1'000; ++i) {  // however often it is asked
    hands.pass(Duration::millis(1));
    const Instant t = clock.now();
    CHECK(t > before);
    before = t;
  }
  hands.pass(Duration::seconds(1'999));
  CHECK(clock.now() == stepped + Duration::seconds(2'000) - Duration::seconds(1));
  CHECK(clock.ahead() == Duration::seconds(3'599));
  hands.pass(Duration::seconds(3'599 * 2'000));  // it has caught up
  CHECK(clock.now() == hands.wall);
  CHECK(clock.ahead() == Duration{0});

  hands.wall.us += Duration::seconds(60).us;  // forwards: followed
  CHECK(clock.now() == hands.wall);
  clock.not_before(hands.wall + Duration::seconds(30));  // as a store that was ahead
  CHECK(clock.ahead() == Duration::seconds(30));
  clock.not_before(hands.wall);
  CHECK(clock.ahead() == Duration::seconds(30));
}

}  // namespace ampacity::base
