// Every table of a store that says what its cloud is, in an order in which rows can be compared:
// digests, copies and the simulator's checks go through this list. A new table is added here (a
// test says so). Not in it: `migrations`, and PostgreSQL's `writer`, which are of the store alone.
#pragma once

#include <array>
#include <string>

#include "store/database.h"

namespace ampacity::store {

struct Table {
  std::string_view name;
  Literal rows;             // all of them, by key
  bool read_model = false;  // made from the facts: `rebuild` makes it anew
};

#define AMPACITY_ROWS(table, key) "SELECT * FROM " table " ORDER BY " key
inline constexpr std::array<Table, 19> tables = {{
    {"accounts", AMPACITY_ROWS("accounts", "ix"), true},
    {"names", AMPACITY_ROWS("names", "kind, ix"), true},
    {"jobs", AMPACITY_ROWS("jobs", "id"), true},
    {"usage", AMPACITY_ROWS("usage", "job, generation, step"), true},
    {"transfers", AMPACITY_ROWS("transfers", "timestamp"), true},
    {"burnt_transfers", AMPACITY_ROWS("burnt_transfers", "id"), true},
    {"ledger_heads", AMPACITY_ROWS("ledger_heads", "day"), true},
    {"invoices", AMPACITY_ROWS("invoices", "id"), true},
    {"invoice_lines", AMPACITY_ROWS("invoice_lines", "invoice, n"), true},
    {"payments", AMPACITY_ROWS("payments", "id"), true},
    {"journal", AMPACITY_ROWS("journal", "first_sequence")},
    {"remembered", AMPACITY_ROWS("remembered", "n")},
    {"sealed_env", AMPACITY_ROWS("sealed_env", "job")},
    {"snapshots", AMPACITY_ROWS("snapshots", "sequence")},
    {"meta", AMPACITY_ROWS("meta", "name")},
    {"meter_sources", AMPACITY_ROWS("meter_sources", "ix")},
    {"meter_events", AMPACITY_ROWS("meter_events", "sequence")},
    {"meter_commits", AMPACITY_ROWS("meter_commits", "first_sequence")},
    {"webhook_deliveries", AMPACITY_ROWS("webhook_deliveries", "webhook, sequence")},
}};
#undef AMPACITY_ROWS

// The digest over those rows is chained: one that is altered, missing or moved alters it.
Sql<void> digest_rows(Cursor rows, base::Digest& digest, std::uint64_t& count);
// Of the database, without the two that are not in the list.
Sql<std::vector<std::string>> tables_in(Database& db);

}  // namespace ampacity::store
