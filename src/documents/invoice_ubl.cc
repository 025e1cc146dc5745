#include "documents/invoice_ubl.h"

#include <fmt/core.h>

#include <pugixml.hpp>

#include "base/currency.h"
#include "documents/invoice_ubl_check.h"
#include "documents/invoice_words.h"

namespace ampacity::documents {
namespace {

using pugi::xml_node;

struct Writer {
  const InvoiceSource& from;
  const base::Currency& currency;
  std::int64_t sign;
  bool claims;  // EN 16931
  std::string category;
  std::int64_t rate_bp;

  const core::Invoice& invoice() const { return from.invoice; }
  bool is_credit() const { return invoice().kind == core::InvoiceKind::credit_note; }
};

xml_node add(xml_node to, const char* name) { return to.append_child(name); }

void add(xml_node to, const char* name, std::string_view text) {
  const std::string clean = clean_text(text);
  if (!clean.empty()) to.append_child(name).text().set(clean.c_str());
}

// Two decimals of an amount that has three, where the document keeps to EN 16931.
std::string amount_text(const Writer& w, Wide minor) {
  Wide shown = minor;
  int decimals = w.currency.exponent;
  if (w.claims && decimals == 3) {
    shown /= 10;
    decimals = 2;
  }
  Wide scale = 1;
  for (int d = 0; d < decimals; ++d) scale *= 10;
  return decimal_text(shown, scale, decimals, decimals);
}

void add_amount(xml_node to, const char* name, const Writer& w, Wide minor) {
  xml_node at = to.append_child(name);
  at.append_attribute("currencyID").set_value(std::string(w.currency.code).c_str());
  at.text().set(amount_text(w, minor).c_str());
}

void add_scheme(xml_node to, const char* id) { add(add(to, "cac:TaxScheme"), "cbc:ID", id); }

// cac:TaxCategory and cac:ClassifiedTaxCategory.
xml_node add_category(xml_node to, const char* name, const Writer& w, bool with_reason) {
  xml_node c = add(to, name);
  add(c, "cbc:ID", w.category);
  if (w.category != "O") add(c, "cbc:Percent", percent_text(w.rate_bp));
  if (with_reason) {
    if (w.category == "AE") add(c, "cbc:TaxExemptionReasonCode", "VATEX-EU-AE");
    if (w.category == "O") add(c, "cbc:TaxExemptionReasonCode", "VATEX-EU-O");
    add(c, "cbc:TaxExemptionReason", tax_reason(w.category, w.from.profile.tax_note));
  }
  add_scheme(c, "VAT");
  return c;
}

void add_period(xml_node to, Instant from, Instant until) {
  xml_node p = add(to, "cac:InvoicePeriod");
  add(p, "cbc:StartDate", base::format_day(from));
  add(p, "cbc:EndDate", base::format_day(last_day(from, until)));
}

// With category O nobody is named by a VAT number (BR-O-02): a number is then that of registration.
void add_party(xml_node root, const char* role, const core::Party& party, const Writer& w) {
  xml_node p = add(add(root, role), "cac:Party");
  if (!party.email.empty()) {
    add(p, "cbc:EndpointID", party.email);
    p.child("cbc:EndpointID").append_attribute("schemeID").set_value("EM");
  }
  add(add(p, "cac:PartyName"), "cbc:Name", party.name);
  xml_node a = add(p, "cac:PostalAddress");
  add(a, "cbc:StreetName", party.street);
  add(a, "cbc:CityName", party.city);
  add(a, "cbc:PostalZone", party.postal_code);
  add(add(a, "cac:Country"), "cbc:IdentificationCode", party.country);
  const bool seller = std::string_view(role) == "cac:AccountingSupplierParty";
  const bool vat = w.category != "O" && is_vat_number(party.tax_id);
  if (vat || (seller && w.category != "O" && !party.tax_id.empty())) {
    xml_node t = add(p, "cac:PartyTaxScheme");
    add(t, "cbc:CompanyID", party.tax_id);
    add_scheme(t, vat ? "VAT" : "TAX");
  }
  xml_node legal = add(p, "cac:PartyLegalEntity");
  add(legal, "cbc:RegistrationName", party.name);
  if (!vat) add(legal, "cbc:CompanyID", party.tax_id);
  if (!party.email.empty()) add(add(p, "cac:Contact"), "cbc:ElectronicMail", party.email);
}

void add_payment(xml_node root, const Writer& w) {
  const core::Invoice& i = w.invoice();
  if (w.is_credit() || i.payable_minor <= 0) return;
  xml_node p = add(root, "cac:PaymentMeans");
  const std::string iban = iban_in(w.from.issuer.bank);
  add(p, "cbc:PaymentMeansCode", iban.empty() ? "1" : "30");
  add(p, "cbc:PaymentID", i.number);
  if (!iban.empty()) add(add(p, "cac:PayeeFinancialAccount"), "cbc:ID", iban);
  std::string terms = "Due on " + base::format_day(i.due_at) + ", reference " + i.number;
  if (!w.from.issuer.bank.empty()) terms += ", to: " + w.from.issuer.bank;
  add(add(root, "cac:PaymentTerms"), "cbc:Note", terms);
}

// What bought credit paid: an allowance; what it got back: a charge (BG-20, BG-21).
void add_allowance(xml_node root, const Writer& w) {
  const Wide covered = static_cast<Wide>(w.invoice().covered_minor) * w.sign;
  if (covered == 0) return;
  xml_node a = add(root, "cac:AllowanceCharge");
  add(a, "cbc:ChargeIndicator", covered < 0 ? "true" : "false");
  add(a, "cbc:AllowanceChargeReason",
      covered < 0 ? "Prepaid credit given back" : "Prepaid credit applied");
  add_amount(a, "cbc:Amount", w, covered < 0 ? -covered : covered);
  add_category(a, "cac:TaxCategory", w, false);
}

void add_totals(xml_node root, const Writer& w) {
  const core::Invoice& i = w.invoice();
  const Wide sign = w.sign;
  xml_node tax = add(root, "cac:TaxTotal");
  add_amount(tax, "cbc:TaxAmount", w, sign * i.tax_minor);
  xml_node part = add(tax, "cac:TaxSubtotal");
  add_amount(part, "cbc:TaxableAmount", w, sign * i.net_minor);
  add_amount(part, "cbc:TaxAmount", w, sign * i.tax_minor);
  add_category(part, "cac:TaxCategory", w, true);
  xml_node t = add(root, "cac:LegalMonetaryTotal");
  const Wide covered = sign * i.covered_minor;
  add_amount(t, "cbc:LineExtensionAmount", w, sign * i.lines_minor);
  add_amount(t, "cbc:TaxExclusiveAmount", w, sign * i.net_minor);
  add_amount(t, "cbc:TaxInclusiveAmount", w, sign * i.total_minor);
  if (covered > 0) add_amount(t, "cbc:AllowanceTotalAmount", w, covered);
  if (covered < 0) add_amount(t, "cbc:ChargeTotalAmount", w, -covered);
  if (i.prepaid_minor != 0) add_amount(t, "cbc:PrepaidAmount", w, sign * i.prepaid_minor);
  add_amount(t, "cbc:PayableAmount", w, sign * i.payable_minor);
}

void add_property(xml_node item, const char* name, std::string_view value) {
  if (value.empty()) return;
  xml_node p = add(item, "cac:AdditionalItemProperty");
  add(p, "cbc:Name", name);
  add(p, "cbc:Value", value);
}

void add_line(xml_node root, const Writer& w, std::size_t number, const core::InvoiceLine& line) {
  xml_node l = add(root, w.is_credit() ? "cac:CreditNoteLine" : "cac:InvoiceLine");
  add(l, "cbc:ID", std::to_string(number));
  const std::string_view project = name_at(w.from.names.projects, line.project);
  const Wide minor = static_cast<Wide>(line.minor) * w.sign;
  const PricedQuantity q = priced_quantity(line, minor, w.currency);
  xml_node quantity = add(l, w.is_credit() ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity");
  quantity.append_attribute("unitCode").set_value(std::string(q.unit_code).c_str());
  quantity.text().set(q.quantity.c_str());
  add_amount(l, "cbc:LineExtensionAmount", w, minor);
  add(l, "cbc:AccountingCost", project);
  if (line.until > line.from) add_period(l, line.from, line.until);
  xml_node item = add(l, "cac:Item");
  add(item, "cbc:Description", line_detail(line, w.from.names));
  std::string name = line_title(line, w.from.names);
  add(item, "cbc:Name", name.find_first_not_of(' ') == std::string::npos ? "Charge" : name);
  const std::string_view sku = name_at(w.from.names.skus, line.sku);
  if (!sku.empty()) add(add(item, "cac:SellersItemIdentification"), "cbc:ID", sku);
  add_category(item, "cac:ClassifiedTaxCategory", w, false);
  add_property(item, "unit", q.whole_line ? "" : std::string_view(line.unit));
  if (line.correction) add_property(item, "corrects", base::format_day(line.month).substr(0, 7));
  if (is_emulated(w.from.names, line)) add_property(item, "emulated", "true");
  xml_node price = add(l, "cac:Price");
  xml_node amount = add(price, "cbc:PriceAmount");
  amount.append_attribute("currencyID").set_value(std::string(w.currency.code).c_str());
  amount.text().set(q.price.c_str());
}

xml_node add_root(pugi::xml_document& document, const Writer& w) {
  const char* name = w.is_credit() ? "CreditNote" : "Invoice";
  xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  xml_node root = document.append_child(name);
  const std::string space = "urn:oasis:names:specification:ubl:schema:xsd:";
  root.append_attribute("xmlns").set_value((space + name + "-2").c_str());
  root.append_attribute("xmlns:cac").set_value((space + "CommonAggregateComponents-2").c_str());
  root.append_attribute("xmlns:cbc").set_value((space + "CommonBasicComponents-2").c_str());
  return root;
}

void add_head(xml_node root, const Writer& w) {
  const core::Invoice& i = w.invoice();
  if (w.claims) add(root, "cbc:CustomizationID", en16931);
  add(root, "cbc:ID", i.number);
  add(root, "cbc:IssueDate", base::format_day(i.issued_at));
  if (!w.is_credit()) add(root, "cbc:DueDate", base::format_day(i.due_at));
  add(root, w.is_credit() ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode",
      w.is_credit() ? "381" : "380");
  std::string note = "Rated from inputs with SHA-256 " + i.inputs_hash;
  for (const core::InvoiceLine& line : i.lines)
    if (is_emulated(w.from.names, line)) {
      note = "EMULATED: this document bills usage of emulated GPUs. " + note;
      break;
    }
  if (!i.note.empty()) note = i.note + ". " + note;
  add(root, "cbc:Note", note);
  add(root, "cbc:DocumentCurrencyCode", w.currency.code);
  if (i.until > i.from) add_period(root, i.from, i.until);
  if (!w.from.corrects_number.empty()) {
    xml_node r = add(add(root, "cac:BillingReference"), "cac:InvoiceDocumentReference");
    add(r, "cbc:ID", w.from.corrects_number);
    if (w.from.corrects_issued_at.us != 0)
      add(r, "cbc:IssueDate", base::format_day(w.from.corrects_issued_at));
  }
}

struct ToString final : pugi::xml_writer {
  std::string out;
  void write(const void* data, std::size_t size) override {
    out.append(static_cast<const char*>(data), size);
  }
};

}  // namespace

base::Result<std::string> invoice_ubl(const InvoiceSource& source) {
  if (auto wrong = ubl_faults(source); !wrong.empty()) {
    base::Refusal refusal;
    refusal.message =
        "cannot be written as UBL: " + wrong.front().field + " " + wrong.front().message;
    refusal.wrong = std::move(wrong);
    return std::unexpected(std::move(refusal));
  }
  const core::Invoice& i = source.invoice;
  const Writer w{source,
                 *base::find_currency(i.currency),
                 i.kind == core::InvoiceKind::credit_note ? -1 : 1,
                 fits_en16931(i),
                 i.taxes.front().category,
                 i.taxes.front().rate_bp};
  pugi::xml_document document;
  xml_node root = add_root(document, w);
  add_head(root, w);
  add_party(root, "cac:AccountingSupplierParty", source.issuer, w);
  add_party(root, "cac:AccountingCustomerParty", source.profile.party, w);
  add_payment(root, w);
  add_allowance(root, w);
  add_totals(root, w);
  for (std::size_t l = 0; l < i.lines.size(); ++l) add_line(root, w, l + 1, i.lines[l]);
  ToString text;
  document.save(text, "  ", pugi::format_indent, pugi::encoding_utf8);
  return std::move(text.out);
}

}  // namespace ampacity::documents
