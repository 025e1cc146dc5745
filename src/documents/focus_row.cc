#include "documents/focus_row.h"

#include <boost/json.hpp>

namespace ampacity::documents {
namespace {

using enum FocusType;

// In the order of write() below.
constexpr FocusColumn focus_row_columns[] = {
    {"BilledCost", decimal},
    {"BillingAccountId"},
    {"BillingAccountName"},
    {"BillingAccountType"},
    {"BillingCurrency"},
    {"BillingPeriodEnd", date_time},
    {"BillingPeriodStart", date_time},
    {"CapacityReservationId"},
    {"CapacityReservationStatus"},
    {"ChargeCategory"},
    {"ChargeClass"},
    {"ChargeDescription"},
    {"ChargeFrequency"},
    {"ChargePeriodEnd", date_time},
    {"ChargePeriodStart", date_time},
    {"CommitmentDiscountCategory"},
    {"CommitmentDiscountId"},
    {"CommitmentDiscountName"},
    {"CommitmentDiscountQuantity", decimal},
    {"CommitmentDiscountStatus"},
    {"CommitmentDiscountType"},
    {"CommitmentDiscountUnit"},
    {"ConsumedQuantity", decimal},
    {"ConsumedUnit"},
    {"ContractedCost", decimal},
    {"ContractedUnitPrice", decimal},
    {"EffectiveCost", decimal},
    {"InvoiceId"},
    {"InvoiceIssuerName"},
    {"ListCost", decimal},
    {"ListUnitPrice", decimal},
    {"PricingCategory"},
    {"PricingQuantity", decimal},
    {"PricingUnit"},
    {"ProviderName"},
    {"PublisherName"},
    {"RegionId"},
    {"RegionName"},
    {"ResourceId"},
    {"ResourceName"},
    {"ResourceType"},
    {"ServiceCategory"},
    {"ServiceName"},
    {"ServiceSubcategory"},
    {"SkuId"},
    {"SkuMeter"},
    {"SkuPriceDetails", json},
    {"SkuPriceId"},
    {"SubAccountId"},
    {"SubAccountName"},
    {"SubAccountType"},
    {"Tags", json},
    {"x_Contract"},
    {"x_CostTicks", decimal},
    {"x_Emulated"},
    {"x_EventId"},
    {"x_Generation", decimal},
    {"x_InvoiceLine", decimal},
    {"x_JobClass"},
    {"x_PriceVersion", decimal},
};

void cell(Sheet& out, const Decimal& d) {
  append(out.held(), d);
  out.null();
}
void cell(Sheet& out, const std::optional<Decimal>& d) {
  if (d) append(out.held(), *d);
  out.null();
}
void cell(Sheet& out, const std::optional<std::int64_t>& n) { n ? out.number(*n) : out.null(); }

void commitment_cells(Sheet& out, const FocusRow& r) {
  out.plain(r.commitment_category);
  out.plain(r.commitment_id);
  out.text(r.commitment_name);
  cell(out, r.commitment_quantity);
  out.plain(r.commitment_status);
  out.text(r.commitment_type);
  out.text(r.commitment_unit);
}

void service_cells(Sheet& out, const FocusRow& r) {
  out.text(r.provider);
  out.text(r.publisher);
  out.text(r.region_id);
  out.text(r.region_name);
  out.text(r.resource_id);
  out.text(r.resource_name);
  out.text(r.resource_type);
  out.text(r.service_category);
  out.text(r.service);
  out.text(r.service_subcategory);
  out.text(r.sku_id);
  out.text(r.sku_meter);
  out.text(r.sku_details);
  out.text(r.sku_price_id);
  out.text(r.sub_account_id);
  out.text(r.sub_account_name);
  out.text(r.sub_account_type);
  out.text(r.tags);
}

void our_cells(Sheet& out, const FocusRow& r) {
  out.plain(r.contract);
  cell(out, r.cost_ticks);
  out.plain(!r.emulated ? "" : *r.emulated ? "true" : "false");
  out.text(r.event);
  cell(out, r.generation);
  cell(out, r.line);
  out.plain(r.job_class);
  cell(out, r.price_version);
}

}  // namespace

std::span<const FocusColumn> focus_columns() { return focus_row_columns; }

void write_focus_header(Sheet& out) {
  for (const FocusColumn& c : focus_row_columns) out.plain(c.name);
  out.end_row();
}

void write(Sheet& out, const FocusRow& r) {
  cell(out, r.billed);
  out.text(r.account_id);
  out.text(r.account_name);
  out.text(r.account_type);
  out.plain(r.currency);
  out.seconds(r.billing_until);
  out.seconds(r.billing_from);
  out.plain(r.capacity_id);
  out.plain(r.capacity_status);
  out.plain(r.category);
  out.plain(r.charge_class);
  out.text(r.description);
  out.plain(r.frequency);
  out.seconds(r.until);
  out.seconds(r.from);
  commitment_cells(out, r);
  cell(out, r.consumed);
  out.text(r.consumed_unit);
  cell(out, r.contracted_cost);
  cell(out, r.contracted_price);
  cell(out, r.effective);
  out.plain(r.invoice_id);
  out.text(r.issuer);
  cell(out, r.list_cost);
  cell(out, r.list_price);
  out.plain(r.pricing_category);
  cell(out, r.quantity);
  out.text(r.unit);
  service_cells(out, r);
  our_cells(out, r);
  out.end_row();
}

std::string focus_schema(base::Instant created) {
  boost::json::array described;
  for (const FocusColumn& c : focus_row_columns) {
    boost::json::object o{{"ColumnName", c.name}};
    switch (c.type) {
      case string:
      case json:
        o["DataType"] = c.type == json ? "JSON" : "STRING";
        o["StringEncoding"] = "UTF-8";
        o["StringMaxLength"] = c.type == json ? 4096 : 1024;
        break;
      case decimal:
        o["DataType"] = "DECIMAL";
        o["NumericPrecision"] = 38;
        o["NumberScale"] = c.name.ends_with("ListCost") || c.name == "ContractedCost" ? 24 : 12;
        break;
      case date_time:
        o["DataType"] = "DATETIME";
        break;
    }
    if (c.name == "Tags") o["ProviderTagPrefixes"] = boost::json::array{"ampacity:"};
    described.push_back(std::move(o));
  }
  return boost::json::serialize(boost::json::object{{"SchemaId", "ampacity-focus-1.2-1"},
                                                    {"FocusVersion", "1.2"},
                                                    {"CreationDate", base::format_instant(created)},
                                                    {"ColumnDefinition", std::move(described)}}) +
         "\n";
}

}  // namespace ampacity::documents
