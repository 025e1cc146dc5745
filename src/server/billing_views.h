// How contracts and invoices read in the API. Threads: pure functions of the world and a draft.
#pragma once

#include "api/contract_billing.h"
#include "core/world.h"
#include "documents/focus_names.h"
#include "documents/invoice_source.h"
#include "documents/journal_hledger.h"
#include "server/invoicing.h"

namespace ampacity::server {

api::PartyView view_party(const core::Party& party);
api::BillingView view_billing(const core::World& w, core::OrgIx org);
// `use`: of the current month or term; nullopt: not known.
api::ContractView view_contract(const core::World& w, const core::Contract& contract,
                                const std::optional<ContractUse>& use, base::Instant now);
// A draft has no number. Lines only if it has them.
api::InvoiceView view_invoice(const core::World& w, const core::Invoice& invoice,
                              base::Instant now);

documents::InvoiceNames invoice_names(const core::World& w);
documents::FocusNames export_names(const core::World& w);
std::vector<documents::BookAccount> book_accounts(const core::World& w);

}  // namespace ampacity::server
