#include "documents/invoice_rules.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <pugixml.hpp>
#include <set>

#include "documents/invoice_samples.h"
#include "documents/invoice_ubl.h"

// The official schematron could not be had where this was written (no package of Debian or npm
// carries it); its rules were read and are said again here, with decimals as integers.
namespace ampacity::documents {
namespace {

using pugi::xml_node;
using Wide = __int128;
constexpr Wide one = 1'000'000'000'000;  // 10^12

struct Number {
  Wide value = 0;
  int decimals = 0;
};

std::optional<Number> number_of(std::string_view text) {
  Number n;
  const bool minus = text.starts_with('-');
  if (minus) text.remove_prefix(1);
  bool point = false, digit = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      digit = true;
      n.value = n.value * 10 + (c - '0');
      n.decimals += point;
    } else {
      return std::nullopt;
    }
  }
  if (!digit || n.decimals > 12) return std::nullopt;
  for (int d = n.decimals; d < 12; ++d) n.value *= 10;
  if (minus) n.value = -n.value;
  return n;
}

struct Sequence {
  const char* parent;
  std::vector<std::string_view> children;
};

const std::vector<Sequence> sequences = {
    {"Invoice",
     {"cbc:CustomizationID",
      "cbc:ProfileID",
      "cbc:ID",
      "cbc:IssueDate",
      "cbc:DueDate",
      "cbc:InvoiceTypeCode",
      "cbc:Note",
      "cbc:TaxPointDate",
      "cbc:DocumentCurrencyCode",
      "cbc:BuyerReference",
      "cac:InvoicePeriod",
      "cac:OrderReference",
      "cac:BillingReference",
      "cac:AccountingSupplierParty",
      "cac:AccountingCustomerParty",
      "cac:Delivery",
      "cac:PaymentMeans",
      "cac:PaymentTerms",
      "cac:AllowanceCharge",
      "cac:TaxTotal",
      "cac:LegalMonetaryTotal",
      "cac:InvoiceLine"}},
    {"CreditNote",
     {"cbc:CustomizationID",
      "cbc:ProfileID",
      "cbc:ID",
      "cbc:IssueDate",
      "cbc:TaxPointDate",
      "cbc:CreditNoteTypeCode",
      "cbc:Note",
      "cbc:DocumentCurrencyCode",
      "cbc:BuyerReference",
      "cac:InvoicePeriod",
      "cac:OrderReference",
      "cac:BillingReference",
      "cac:AccountingSupplierParty",
      "cac:AccountingCustomerParty",
      "cac:Delivery",
      "cac:PaymentMeans",
      "cac:PaymentTerms",
      "cac:AllowanceCharge",
      "cac:TaxTotal",
      "cac:LegalMonetaryTotal",
      "cac:CreditNoteLine"}},
    {"cac:Party",
     {"cbc:EndpointID", "cac:PartyIdentification", "cac:PartyName", "cac:PostalAddress",
      "cac:PartyTaxScheme", "cac:PartyLegalEntity", "cac:Contact"}},
    {"cac:PostalAddress",
     {"cbc:StreetName", "cbc:AdditionalStreetName", "cbc:CityName", "cbc:PostalZone",
      "cbc:CountrySubentity", "cac:AddressLine", "cac:Country"}},
    {"cac:PaymentMeans", {"cbc:PaymentMeansCode", "cbc:PaymentID", "cac:PayeeFinancialAccount"}},
    {"cac:AllowanceCharge",
     {"cbc:ChargeIndicator", "cbc:AllowanceChargeReasonCode", "cbc:AllowanceChargeReason",
      "cbc:MultiplierFactorNumeric", "cbc:Amount", "cbc:BaseAmount", "cac:TaxCategory"}},
    {"cac:TaxTotal", {"cbc:TaxAmount", "cac:TaxSubtotal"}},
    {"cac:TaxSubtotal", {"cbc:TaxableAmount", "cbc:TaxAmount", "cac:TaxCategory"}},
    {"cac:TaxCategory",
     {"cbc:ID", "cbc:Percent", "cbc:TaxExemptionReasonCode", "cbc:TaxExemptionReason",
      "cac:TaxScheme"}},
    {"cac:ClassifiedTaxCategory", {"cbc:ID", "cbc:Percent", "cac:TaxScheme"}},
    {"cac:LegalMonetaryTotal",
     {"cbc:LineExtensionAmount", "cbc:TaxExclusiveAmount", "cbc:TaxInclusiveAmount",
      "cbc:AllowanceTotalAmount", "cbc:ChargeTotalAmount", "cbc:PrepaidAmount",
      "cbc:PayableRoundingAmount", "cbc:PayableAmount"}},
    {"cac:InvoiceLine",
     {"cbc:ID", "cbc:Note", "cbc:InvoicedQuantity", "cbc:LineExtensionAmount", "cbc:AccountingCost",
      "cac:InvoicePeriod", "cac:AllowanceCharge", "cac:Item", "cac:Price"}},
    {"cac:CreditNoteLine",
     {"cbc:ID", "cbc:Note", "cbc:CreditedQuantity", "cbc:LineExtensionAmount", "cbc:AccountingCost",
      "cac:InvoicePeriod", "cac:AllowanceCharge", "cac:Item", "cac:Price"}},
    {"cac:Item",
     {"cbc:Description", "cbc:Name", "cac:SellersItemIdentification", "cac:ClassifiedTaxCategory",
      "cac:AdditionalItemProperty"}},
    {"cac:Price", {"cbc:PriceAmount", "cbc:BaseQuantity"}},
};

const std::set<std::string_view> repeatable = {
    "cac:AllowanceCharge", "cac:InvoiceLine", "cac:CreditNoteLine",
    "cac:TaxSubtotal",     "cbc:Note",        "cac:AdditionalItemProperty"};

struct Rules {
  xml_node root;
  bool credit = false;
  std::vector<std::string> broken;

  void need(bool holds, const char* rule) {
    if (!holds && std::find(broken.begin(), broken.end(), rule) == broken.end())
      broken.emplace_back(rule);
  }
  static std::string text(xml_node at, const char* path) {
    const xml_node found = at.first_element_by_path(path);
    return found ? found.text().get() : "";
  }
  static bool has(xml_node at, const char* path) { return !text(at, path).empty(); }
  Wide amount(xml_node at, const char* path) {
    const auto n = number_of(text(at, path));
    if (!n) return 0;
    return n->value;
  }
  std::vector<xml_node> lines() const {
    std::vector<xml_node> all;
    for (xml_node l : root.children(credit ? "cac:CreditNoteLine" : "cac:InvoiceLine"))
      all.push_back(l);
    return all;
  }

  void walk(xml_node at);
  void document();
  void party(const char* role, bool seller);
  void allowances();
  void line(xml_node l);
  void totals();
  void tax();
  void category_rules(const std::string& id);
};

// Of every element: order, decimals, currency, codes.
void Rules::walk(xml_node at) {
  const std::string_view name = at.name();
  for (const Sequence& s : sequences) {
    if (name != s.parent) continue;
    std::size_t last = 0;
    for (xml_node child : at.children()) {
      const auto found = std::find(s.children.begin(), s.children.end(), child.name());
      const auto position = static_cast<std::size_t>(found - s.children.begin());
      const bool again = child.previous_sibling() &&
                         std::string_view(child.previous_sibling().name()) == child.name();
      need(found != s.children.end() && position >= last, "SEQ");
      need(!again || repeatable.contains(child.name()), "SEQ");
      last = position;
    }
  }
  if (name.ends_with("Amount")) {
    const auto n = number_of(at.text().get());
    need(n.has_value(), "DT-AMOUNT");
    need(name == "cbc:PriceAmount" || !n || n->decimals <= 2, "BR-DEC");
    need(at.attribute("currencyID").value() == text(root, "cbc:DocumentCurrencyCode"), "BR-CL-03");
  }
  if (name == "cbc:IdentificationCode")
    need(std::string_view(at.text().get()).size() == 2, "BR-CL-14");
  if (name == "cbc:EndpointID") need(!at.attribute("schemeID").empty(), "BR-62");
  const bool leaf = name.starts_with("cbc:");
  need(!leaf || !std::string_view(at.text().get()).empty(), "EMPTY");
  for (xml_node child : at.children())
    if (child.type() == pugi::node_element) walk(child);
}

void Rules::document() {
  need(text(root, "cbc:CustomizationID").starts_with("urn:cen.eu:en16931:2017"), "BR-01");
  need(has(root, "cbc:ID"), "BR-02");
  need(text(root, "cbc:IssueDate").size() == 10, "BR-03");
  need(text(root, credit ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode") ==
           (credit ? "381" : "380"),
       "BR-04");
  need(text(root, "cbc:DocumentCurrencyCode").size() == 3, "BR-05");
  need(!lines().empty(), "BR-16");
  const xml_node period = root.child("cac:InvoicePeriod");
  need(!period || text(period, "cbc:EndDate") >= text(period, "cbc:StartDate"), "BR-29");
  for (xml_node r : root.children("cac:BillingReference"))
    need(has(r, "cac:InvoiceDocumentReference/cbc:ID"), "BR-55");
  for (xml_node p : root.children("cac:PaymentMeans")) {
    const std::string code = text(p, "cbc:PaymentMeansCode");
    need(!code.empty(), "BR-49");
    need((code != "30" && code != "58") || has(p, "cac:PayeeFinancialAccount/cbc:ID"), "BR-61");
  }
}

void Rules::party(const char* role, bool seller) {
  const xml_node p = root.child(role).child("cac:Party");
  need(has(p, "cac:PartyLegalEntity/cbc:RegistrationName"), seller ? "BR-06" : "BR-07");
  need(!p.child("cac:PostalAddress").empty(), seller ? "BR-08" : "BR-10");
  need(has(p, "cac:PostalAddress/cac:Country/cbc:IdentificationCode"), seller ? "BR-09" : "BR-11");
  for (xml_node t : p.children("cac:PartyTaxScheme")) {
    if (text(t, "cac:TaxScheme/cbc:ID") != "VAT") continue;
    const std::string id = text(t, "cbc:CompanyID");
    need(id.size() > 2 && id[0] >= 'A' && id[0] <= 'Z' && id[1] >= 'A' && id[1] <= 'Z', "BR-CO-09");
  }
  if (seller)
    need(has(p, "cac:PartyTaxScheme/cbc:CompanyID") || has(p, "cac:PartyLegalEntity/cbc:CompanyID"),
         "BR-CO-26");
}

void Rules::allowances() {
  for (xml_node a : root.children("cac:AllowanceCharge")) {
    const bool charge = text(a, "cbc:ChargeIndicator") == "true";
    need(has(a, "cbc:Amount"), charge ? "BR-36" : "BR-31");
    need(has(a, "cac:TaxCategory/cbc:ID"), charge ? "BR-37" : "BR-32");
    need(has(a, "cbc:AllowanceChargeReason") || has(a, "cbc:AllowanceChargeReasonCode"),
         charge ? "BR-38" : "BR-33");
  }
}

void Rules::line(xml_node l) {
  const char* quantity = credit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity";
  need(has(l, "cbc:ID"), "BR-21");
  need(has(l, quantity), "BR-22");
  static const std::set<std::string_view> units = {"HUR", "C62", "E34", "E62", "E35",
                                                   "MON", "DAY", "MIN", "SEC"};
  const std::string_view unit = l.child(quantity).attribute("unitCode").value();
  need(!unit.empty(), "BR-23");
  need(units.contains(unit), "BR-CL-23");
  need(has(l, "cbc:LineExtensionAmount"), "BR-24");
  need(has(l, "cac:Item/cbc:Name"), "BR-25");
  need(has(l, "cac:Price/cbc:PriceAmount"), "BR-26");
  need(amount(l, "cac:Price/cbc:PriceAmount") >= 0, "BR-27");
  need(has(l, "cac:Item/cac:ClassifiedTaxCategory/cbc:ID"), "BR-CO-04");
  const xml_node period = l.child("cac:InvoicePeriod");
  need(!period || text(period, "cbc:EndDate") >= text(period, "cbc:StartDate"), "BR-30");
  for (xml_node p : l.child("cac:Item").children("cac:AdditionalItemProperty"))
    need(has(p, "cbc:Name") && has(p, "cbc:Value"), "BR-54");
  // Peppol's R120, with its slack of 0.02 and a currency's minor unit: quantity × price.
  const Wide q = amount(l, quantity), price = amount(l, "cac:Price/cbc:PriceAmount");
  const Wide product = q / 1'000'000 * (price / 100) / 10'000;  // six and ten decimals
  const Wide off = product - amount(l, "cbc:LineExtensionAmount");
  const bool whole = text(root, "cbc:DocumentCurrencyCode") == "JPY";
  need((off < 0 ? -off : off) <= (whole ? one : one / 50), "R120");
}

void Rules::totals() {
  const xml_node t = root.child("cac:LegalMonetaryTotal");
  need(has(t, "cbc:LineExtensionAmount"), "BR-12");
  need(has(t, "cbc:TaxExclusiveAmount"), "BR-13");
  need(has(t, "cbc:TaxInclusiveAmount"), "BR-14");
  need(has(t, "cbc:PayableAmount"), "BR-15");
  Wide lines_sum = 0, allowances_sum = 0, charges_sum = 0, taxes = 0;
  for (xml_node l : lines()) lines_sum += amount(l, "cbc:LineExtensionAmount");
  for (xml_node a : root.children("cac:AllowanceCharge"))
    (text(a, "cbc:ChargeIndicator") == "true" ? charges_sum : allowances_sum) +=
        amount(a, "cbc:Amount");
  for (xml_node s : root.child("cac:TaxTotal").children("cac:TaxSubtotal"))
    taxes += amount(s, "cbc:TaxAmount");
  const Wide net = amount(t, "cbc:TaxExclusiveAmount"), all = amount(t, "cbc:TaxInclusiveAmount");
  need(amount(t, "cbc:LineExtensionAmount") == lines_sum, "BR-CO-10");
  need(amount(t, "cbc:AllowanceTotalAmount") == allowances_sum, "BR-CO-11");
  need(amount(t, "cbc:ChargeTotalAmount") == charges_sum, "BR-CO-12");
  need(net == lines_sum - allowances_sum + charges_sum, "BR-CO-13");
  need(amount(root, "cac:TaxTotal/cbc:TaxAmount") == taxes, "BR-CO-14");
  need(all == net + amount(root, "cac:TaxTotal/cbc:TaxAmount"), "BR-CO-15");
  const Wide payable = amount(t, "cbc:PayableAmount");
  need(payable == all - amount(t, "cbc:PrepaidAmount"), "BR-CO-16");
  const bool when = has(root, "cbc:DueDate") || has(root, "cac:PaymentTerms/cbc:Note");
  need(credit || payable <= 0 || when, "BR-CO-25");
}

void Rules::tax() {
  std::set<std::string> used, summed;
  for (xml_node l : lines()) used.insert(text(l, "cac:Item/cac:ClassifiedTaxCategory/cbc:ID"));
  for (xml_node a : root.children("cac:AllowanceCharge"))
    used.insert(text(a, "cac:TaxCategory/cbc:ID"));
  for (xml_node s : root.child("cac:TaxTotal").children("cac:TaxSubtotal")) {
    summed.insert(text(s, "cac:TaxCategory/cbc:ID"));
    need(has(s, "cbc:TaxableAmount"), "BR-45");
    need(has(s, "cbc:TaxAmount"), "BR-46");
    need(has(s, "cac:TaxCategory/cbc:ID"), "BR-47");
    need(has(s, "cac:TaxCategory/cbc:Percent") || text(s, "cac:TaxCategory/cbc:ID") == "O",
         "BR-48");
    const Wide base = amount(s, "cbc:TaxableAmount"), tax = amount(s, "cbc:TaxAmount");
    const Wide exact = base / 100 * amount(s, "cac:TaxCategory/cbc:Percent") / one;
    const Wide off = tax > exact ? tax - exact : exact - tax;
    const bool whole = text(root, "cbc:DocumentCurrencyCode") == "JPY";
    need(off <= (whole ? one / 2 : one / 200), "BR-CO-17");
  }
  need(!summed.empty(), "BR-CO-18");
  need(used == summed, "BR-S-01");  // and BR-Z-01, BR-E-01, BR-AE-01, BR-O-01
  for (const std::string& id : used) category_rules(id);
  need(!used.contains("O") || used.size() == 1, "BR-O-12");
}

void Rules::category_rules(const std::string& id) {
  const auto vat_of = [&](const char* role) {
    const xml_node p = root.child(role).child("cac:Party");
    return has(p, "cac:PartyTaxScheme/cbc:CompanyID");
  };
  const bool seller = vat_of("cac:AccountingSupplierParty");
  const bool buyer = vat_of("cac:AccountingCustomerParty");
  const bool buyer_legal =
      has(root, "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:CompanyID");
  if (id == "S" || id == "Z" || id == "E") need(seller, "BR-S-02");
  if (id == "AE") need(seller && (buyer || buyer_legal), "BR-AE-02");
  if (id == "O") need(!seller && !buyer, "BR-O-02");
  static const std::set<std::string_view> known = {"S", "Z", "E", "AE", "O"};
  need(known.contains(id), "BR-CL-17");
  const auto rate_rule = [&](xml_node category) {
    const std::string percent = text(category, "cbc:Percent");
    const Wide value = amount(category, "cbc:Percent");
    if (id == "S") need(value > 0, "BR-S-05");
    if (id == "O") need(percent.empty(), "BR-O-05");
    if (id != "S" && id != "O") need(!percent.empty() && value == 0, "BR-E-05");
  };
  Wide base = 0;
  for (xml_node l : lines()) {
    const xml_node c = l.child("cac:Item").child("cac:ClassifiedTaxCategory");
    if (text(c, "cbc:ID") != id) continue;
    rate_rule(c);
    base += amount(l, "cbc:LineExtensionAmount");
  }
  for (xml_node a : root.children("cac:AllowanceCharge")) {
    if (text(a, "cac:TaxCategory/cbc:ID") != id) continue;
    rate_rule(a.child("cac:TaxCategory"));
    const Wide part = amount(a, "cbc:Amount");
    base += text(a, "cbc:ChargeIndicator") == "true" ? part : -part;
  }
  for (xml_node s : root.child("cac:TaxTotal").children("cac:TaxSubtotal")) {
    const xml_node c = s.child("cac:TaxCategory");
    if (text(c, "cbc:ID") != id) continue;
    need(amount(s, "cbc:TaxableAmount") == base, "BR-S-08");
    const bool reason = has(c, "cbc:TaxExemptionReason") || has(c, "cbc:TaxExemptionReasonCode");
    if (id == "S" || id == "Z") need(!reason, "BR-S-10");
    if (id == "E" || id == "AE" || id == "O") need(reason, "BR-E-10");
    if (id != "S") need(amount(s, "cbc:TaxAmount") == 0, "BR-E-09");
  }
}

std::string replaced(std::string xml, std::string_view what, std::string_view with) {
  const std::size_t at = xml.find(what);
  REQUIRE_MESSAGE(at != std::string::npos, std::string(what));
  return xml.replace(at, what.size(), with);
}

}  // namespace

std::vector<std::string> en16931_faults(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {"not well-formed"};
  Rules rules;
  rules.root = document.document_element();
  rules.credit = std::string_view(rules.root.name()) == "CreditNote";
  rules.walk(rules.root);
  rules.document();
  rules.party("cac:AccountingSupplierParty", true);
  rules.party("cac:AccountingCustomerParty", false);
  rules.allowances();
  for (xml_node l : rules.lines()) rules.line(l);
  rules.totals();
  rules.tax();
  return std::move(rules.broken);
}

TEST_CASE("The checker of EN 16931 finds what is planted") {
  const auto xml = invoice_ubl(showcase().source());
  REQUIRE(xml);
  REQUIRE(en16931_faults(*xml).empty());
  struct Plant {
    const char* what;
    const char* with;
    const char* rule;
  };
  const Plant plants[] = {
      {"urn:cen.eu:en16931:2017", "urn:else", "BR-01"},
      {"<cbc:InvoiceTypeCode>380", "<cbc:InvoiceTypeCode>381", "BR-04"},
      {">28450.56<", ">28450.57<", "BR-CO-10"},
      {">28450.56<", ">28450.561<", "BR-DEC"},
      {"<cbc:AllowanceTotalAmount currencyID=\"USD\">500.00",
       "<cbc:AllowanceTotalAmount currencyID=\"USD\">500.01", "BR-CO-11"},
      {"<cbc:TaxExclusiveAmount currencyID=\"USD\">36007.60",
       "<cbc:TaxExclusiveAmount currencyID=\"USD\">36007.61", "BR-CO-13"},
      {"<cbc:TaxAmount currencyID=\"USD\">6841.44", "<cbc:TaxAmount currencyID=\"USD\">6841.45",
       "BR-CO-14"},
      {"<cbc:TaxInclusiveAmount currencyID=\"USD\">42849.04",
       "<cbc:TaxInclusiveAmount currencyID=\"USD\">42849.05", "BR-CO-15"},
      {"<cbc:PayableAmount currencyID=\"USD\">41849.04",
       "<cbc:PayableAmount currencyID=\"USD\">41849.05", "BR-CO-16"},
      {"<cbc:TaxableAmount currencyID=\"USD\">36007.60",
       "<cbc:TaxableAmount currencyID=\"USD\">36007.10", "BR-S-08"},
      {"<cbc:TaxableAmount currencyID=\"USD\">36007.60",
       "<cbc:TaxableAmount currencyID=\"USD\">36007.10", "BR-CO-17"},
      {"<cbc:Percent>19<", "<cbc:Percent>0<", "BR-S-05"},
      {"unitCode=\"HUR\"", "unitCode=\"HOUR\"", "BR-CL-23"},
      {"currencyID=\"USD\">", "currencyID=\"EUR\">", "BR-CL-03"},
      {"<cbc:DueDate>2026-12-17</cbc:DueDate>", "", "OK"},  // terms say when: BR-CO-25 holds
      {"<cbc:PriceAmount currencyID=\"USD\">4.78", "<cbc:PriceAmount currencyID=\"USD\">-4.78",
       "BR-27"},
      {"<cbc:PriceAmount currencyID=\"USD\">4.78", "<cbc:PriceAmount currencyID=\"USD\">4.79",
       "R120"},
      {"<cbc:CompanyID>DE123456788", "<cbc:CompanyID>123456788", "BR-CO-09"},
      {"<cbc:AllowanceChargeReason>Prepaid credit applied</cbc:AllowanceChargeReason>", "",
       "BR-33"},
      {"<cbc:ID>2026-000042</cbc:ID>", "", "BR-02"},
      {"<cbc:IssueDate>2026-12-02</cbc:IssueDate>\n  <cbc:DueDate>2026-12-17</cbc:DueDate>",
       "<cbc:DueDate>2026-12-17</cbc:DueDate><cbc:IssueDate>2026-12-02</cbc:IssueDate>", "SEQ"},
      {"</Invoice>", "", "not well-formed"},
  };
  for (const Plant& p : plants) {
    CAPTURE(p.what);
    CAPTURE(p.rule);
    const auto broken = en16931_faults(replaced(*xml, p.what, p.with));
    if (std::string_view(p.rule) == "OK")
      CHECK(broken.empty());
    else
      CHECK(std::find(broken.begin(), broken.end(), p.rule) != broken.end());
  }
}

}  // namespace ampacity::documents
