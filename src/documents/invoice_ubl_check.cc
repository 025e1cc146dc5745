#include "documents/invoice_ubl_check.h"

#include <fmt/core.h>

#include <array>

#include "documents/invoice_ubl.h"
#include "documents/invoice_words.h"

namespace ampacity::documents {
namespace {

constexpr std::array<std::string_view, 5> categories = {"S", "Z", "E", "AE", "O"};
// ISO 3166-1 alpha-2.
constexpr std::string_view countries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN "
    "BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ "
    "DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL "
    "GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM "
    "JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME "
    "MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP "
    "NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD "
    "SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";

constexpr int quantity_places = 6;
constexpr int price_places = 10;
constexpr Wide quantity_scale = 1'000'000;
constexpr Wide price_scale = 10'000'000'000;

struct Faults {
  std::vector<base::Wrong> list;
  void add(std::string field, std::string message) {
    list.push_back({std::move(field), std::move(message)});
  }
  void must_equal(std::string field, std::string_view rule, Wide is, Wide must) {
    if (is != must) add(std::move(field), fmt::format("does not add up ({})", rule));
  }
};

bool is_blank(std::string_view text) { return text.find_first_not_of(' ') == text.npos; }

void check_party(Faults& faults, const core::Party& party, const std::string& who) {
  if (is_blank(party.name)) faults.add(who + ".name", "is required (BR-06, BR-07)");
  if (!is_country(party.country))
    faults.add(who + ".country", "must be a country of ISO 3166-1 alpha-2 (BR-09, BR-11)");
}

void check_tax(Faults& faults, const InvoiceSource& from) {
  const core::Invoice& i = from.invoice;
  if (i.taxes.size() != 1) {
    faults.add("taxes", "must be one: lines do not say which of several is theirs");
    return;
  }
  const core::TaxLine& t = i.taxes.front();
  if (std::find(categories.begin(), categories.end(), t.category) == categories.end())
    faults.add("taxes[0].category", "must be S, Z, E, AE or O");
  if (t.category == "S" ? t.rate_bp <= 0 : t.rate_bp != 0)
    faults.add("taxes[0].rate_bp", t.category == "S" ? "must be above zero (BR-S-05)"
                                                     : "must be zero (BR-Z-05, BR-E-05, BR-AE-05)");
  if (is_blank(from.issuer.tax_id))
    faults.add("issuer.tax_id", "is required (BR-CO-26, BR-S-02, BR-Z-02, BR-E-02, BR-AE-02)");
  if (t.category == "AE" && is_blank(from.profile.party.tax_id))
    faults.add("customer.tax_id", "is required (BR-AE-02)");
  faults.must_equal("taxes[0].base_minor", "BR-S-08", t.base_minor, i.net_minor);
  // Rounded once, to the currency's minor unit.
  faults.must_equal("taxes[0].tax_minor", "BR-CO-17", t.tax_minor,
                    base::divide_half_up(static_cast<Wide>(t.base_minor) * t.rate_bp, 10'000));
  faults.must_equal("tax_minor", "BR-CO-14", i.tax_minor, t.tax_minor);
}

void check_totals(Faults& faults, const core::Invoice& i) {
  Wide lines = 0, covered = 0;
  for (const core::InvoiceLine& l : i.lines) {
    lines += l.minor;
    covered += l.covered_minor;
  }
  faults.must_equal("lines_minor", "BR-CO-10", i.lines_minor, lines);
  faults.must_equal("covered_minor", "BR-CO-11", i.covered_minor, covered);
  faults.must_equal("net_minor", "BR-CO-13", i.net_minor,
                    static_cast<Wide>(i.lines_minor) - i.covered_minor);
  faults.must_equal("total_minor", "BR-CO-15", i.total_minor,
                    static_cast<Wide>(i.net_minor) + i.tax_minor);
  faults.must_equal("payable_minor", "BR-CO-16", i.payable_minor,
                    static_cast<Wide>(i.total_minor) - i.prepaid_minor);
}

Wide ten_to(int n) {
  Wide power = 1;
  for (int i = 0; i < n; ++i) power *= 10;
  return power;
}

Wide rounded(Wide numerator, Wide denominator) {
  return (2 * numerator + denominator) / (2 * denominator);  // neither is negative
}

PricedQuantity one_piece(Wide minor, const base::Currency& currency) {
  return {minor < 0 ? "-1" : "1", "C62",
          decimal_text(minor < 0 ? -minor : minor, ten_to(currency.exponent), currency.exponent,
                       currency.exponent),
          true};
}

}  // namespace

bool is_country(std::string_view code) {
  if (code.size() != 2 || code[0] == ' ' || code[1] == ' ') return false;
  const std::size_t at = countries.find(code);
  return at != countries.npos && at % 3 == 0;
}

bool is_vat_number(std::string_view text) {
  if (text.size() < 4 || text.size() > 16 ||
      !(is_country(text.substr(0, 2)) || text.starts_with("EL")))
    return false;
  bool digit = false;
  for (const char c : text.substr(2)) {
    const bool is_digit = c >= '0' && c <= '9';
    digit |= is_digit;
    if (!is_digit && !(c >= 'A' && c <= 'Z') && c != '+' && c != '*') return false;
  }
  return digit;
}

std::vector<base::Wrong> ubl_faults(const InvoiceSource& from) {
  Faults faults;
  const core::Invoice& i = from.invoice;
  if (!base::find_currency(i.currency)) faults.add("currency", "must be one of ISO 4217 (BR-05)");
  if (is_blank(i.number)) faults.add("number", "is required (BR-02)");
  if (i.lines.empty()) faults.add("lines", "must be one at least (BR-16)");
  check_party(faults, from.issuer, "issuer");
  check_party(faults, from.profile.party, "customer");
  check_tax(faults, from);
  check_totals(faults, i);
  return std::move(faults.list);
}

bool fits_en16931(const core::Invoice& i) {
  const base::Currency* currency = base::find_currency(i.currency);
  if (!currency || currency->exponent <= 2) return currency != nullptr;
  if (currency->exponent > 3) return false;
  const auto fits = [](std::int64_t minor) { return minor % 10 == 0; };
  for (const core::InvoiceLine& l : i.lines)
    if (!fits(l.minor)) return false;
  return fits(i.covered_minor) && fits(i.tax_minor) && fits(i.prepaid_minor);
}

std::string_view unit_code(const core::InvoiceLine& line) {
  const std::string_view unit = line.unit;
  if (unit == "GPU-Hours" || unit == "vCPU-Hours" || unit == "GiB-Hours" || unit == "Hours")
    return "HUR";
  if (unit == "GB") return "E34";
  if (unit == "GiB") return "E62";
  if (unit == "TB") return "E35";
  if (unit == "Months") return "MON";
  if (unit == "Days") return "DAY";
  if (unit == "Minutes") return "MIN";
  if (unit == "Seconds") return "SEC";
  return "C62";
}

PricedQuantity priced_quantity(const core::InvoiceLine& line, Wide minor,
                               const base::Currency& currency) {
  const Wide amount = minor < 0 ? -minor : minor;
  const Wide count = line.quantity < 0 ? -static_cast<Wide>(line.quantity) : line.quantity;
  const Wide micro = rounded(count * quantity_scale, unit_size(line));
  // The signs must agree as they are stored: a credit note's lines are turned as a whole.
  const bool same_sign = (line.quantity < 0) == (line.minor < 0) || line.minor == 0;
  if (micro == 0 || !same_sign || micro > ten_to(17)) return one_piece(minor, currency);
  const Wide units_scale = ten_to(currency.exponent);
  const auto gives_amount = [&](Wide price) {  // micro × price, within a minor unit
    const Wide product = rounded(micro * price, quantity_scale);
    const Wide off = product - amount * (price_scale / units_scale);
    const Wide minor_unit = price_scale / units_scale;
    return off <= minor_unit && -off <= minor_unit;
  };
  Wide price = -1;
  if (line.price >= 0 && line.price < ten_to(15)) {
    price = rounded(unit_price_ticks(line) * price_scale, base::ticks_per_unit);
    if (price > ten_to(19) || !gives_amount(price)) price = -1;
  }
  if (price < 0) {
    price = rounded(amount * (price_scale / units_scale) * quantity_scale, micro);
    if (price > ten_to(19) || !gives_amount(price)) return one_piece(minor, currency);
  }
  return {decimal_text(minor < 0 || (minor == 0 && line.quantity < 0) ? -micro : micro,
                       quantity_scale, 0, quantity_places),
          unit_code(line), decimal_text(price, price_scale, 2, price_places), false};
}

std::string iban_in(std::string_view words) {
  // Any place where, blanks left out, 15 to 34 letters and digits with a right check sum begin.
  for (std::size_t from = 0; from + 15 <= words.size(); ++from) {
    if (from > 0 && words[from - 1] != ' ' && words[from - 1] != '\n' && words[from - 1] != ':')
      continue;
    std::string iban;
    for (std::size_t at = from; at < words.size() && iban.size() < 34; ++at) {
      const char c = words[at];
      if (c == ' ') continue;
      if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) break;
      iban += c;
    }
    if (iban.size() < 15 || !is_country(iban.substr(0, 2)) || iban[2] > '9' || iban[3] > '9')
      continue;
    for (; iban.size() >= 15; iban.pop_back()) {
      unsigned rest = 0;
      for (const char c : iban.substr(4) + iban.substr(0, 4))
        rest = c <= '9' ? (rest * 10 + static_cast<unsigned>(c - '0')) % 97
                        : (rest * 100 + static_cast<unsigned>(c - 'A' + 10)) % 97;
      if (rest == 1) return iban;
    }
  }
  return "";
}

}  // namespace ampacity::documents
