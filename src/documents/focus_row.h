// One row of a FOCUS 1.2 export: its columns in the order of the file, and the file that describes
// them. What is left out and why: docs of FocusWriter (documents/focus_writer.h).
// Threads: plain data.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "documents/focus_decimal.h"
#include "documents/sheet.h"

namespace ampacity::documents {

// Empty text is null. Views live as long as the row is being written.
struct FocusRow {
  Decimal billed;
  std::string_view account_id;
  std::string_view account_name;
  std::string_view account_type;
  std::string_view currency;
  base::Instant billing_until;
  base::Instant billing_from;
  std::string_view capacity_id;
  std::string_view capacity_status;
  std::string_view category;
  std::string_view charge_class;
  std::string_view description;
  std::string_view frequency;
  base::Instant until;
  base::Instant from;
  std::string_view commitment_category;
  std::string_view commitment_id;
  std::string_view commitment_name;
  std::optional<Decimal> commitment_quantity;
  std::string_view commitment_status;
  std::string_view commitment_type;
  std::string_view commitment_unit;
  std::optional<Decimal> consumed;
  std::string_view consumed_unit;
  Decimal contracted_cost;
  std::optional<Decimal> contracted_price;
  Decimal effective;
  std::string_view invoice_id;
  std::string_view issuer;
  Decimal list_cost;
  std::optional<Decimal> list_price;
  std::string_view pricing_category;
  std::optional<Decimal> quantity;
  std::string_view unit;
  std::string_view provider;
  std::string_view publisher;
  std::string_view region_id;
  std::string_view region_name;
  std::string_view resource_id;
  std::string_view resource_name;
  std::string_view resource_type;
  std::string_view service_category;
  std::string_view service;
  std::string_view service_subcategory;
  std::string_view sku_id;
  std::string_view sku_meter;
  std::string_view sku_details;
  std::string_view sku_price_id;
  std::string_view sub_account_id;
  std::string_view sub_account_name;
  std::string_view sub_account_type;
  std::string_view tags;
  // Ours, with x_ before them.
  std::string_view contract;
  std::optional<std::int64_t> cost_ticks;
  std::optional<bool> emulated;
  std::string_view event;
  std::optional<std::int64_t> generation;
  std::optional<std::int64_t> line;
  std::string_view job_class;
  std::optional<std::int64_t> price_version;
};

enum class FocusType { string, decimal, date_time, json };

struct FocusColumn {
  std::string_view name;
  FocusType type = FocusType::string;
};
std::span<const FocusColumn> focus_columns();

void write_focus_header(Sheet& out);
void write(Sheet& out, const FocusRow& row);

// The metadata that FOCUS asks to be published beside the file: version, columns, types, precision.
std::string focus_schema(base::Instant created);

}  // namespace ampacity::documents
