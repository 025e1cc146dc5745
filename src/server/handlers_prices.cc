// Price books: what is in force for the caller, what was and will be, and setting one.
#include <charconv>

#include "api/price_file.h"
#include "api/problem.h"
#include "api/view_prices.h"
#include "core/price_book.h"
#include "server/app.h"

namespace ampacity::server {
namespace {

// Whose own books the caller sees beside the public ones; nobody: none.
base::Result<core::OrgIx> org_of(const Call& c, const core::World& w) {
  const std::string asked(c.target.param("org"));
  if (!c.caller.is_owner()) return w.state().projects[c.caller.project].org;
  if (asked.empty()) return core::nobody;
  if (const auto org = w.find_org(asked)) return *org;
  return base::refuse_field("org", "there is no org '" + asked + "'");
}

base::Result<api::PriceBookList> books_for(const Call& c, const core::World& w, base::Instant now) {
  const auto org = org_of(c, w);
  if (!org) return std::unexpected(org.error());
  const auto& books = w.state().books;
  const bool all = c.caller.is_owner() && c.target.param("org").empty();
  const auto may_see = [&](const core::PriceBook& b) {
    return all || b.org == core::nobody || b.org == *org;
  };
  api::PriceBookList list;
  const std::string wanted(c.target.param("version"));
  if (!wanted.empty()) {
    std::uint32_t version = 0;
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), version);
    for (const core::PriceBook& b : books)
      if (b.version == version && may_see(b)) list.items.push_back(api::view_book(w, b, now, true));
    if (list.items.empty())
      return base::refuse(base::Code::not_found, "there is no price book " + wanted);
    return list;
  }
  const bool history = c.target.param("history") == "1";
  for (const core::PriceBook& b : books) {
    if (!may_see(b)) continue;
    auto view = api::view_book(w, b, now, !history);
    if (history || view.state == api::BookState::in_force) list.items.push_back(std::move(view));
  }
  return list;
}

}  // namespace

void App::list_prices(Call& c, net::Reply& r) {
  const auto list = loop_.ask([&](const core::World& w) { return books_for(c, w, clock_.now()); });
  if (!list) return r.send(api::problem_response(list.error()));
  r.send(json_response(base::to_json(*list)));
}

void App::set_prices(Call& c, net::Reply& r) {
  const auto body = base::from_json<api::PriceBookRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto set = api::parse_price_file(body->book);
  if (!set) return r.send(api::problem_response(set.error()));
  if (body->effective_from) set->book.effective_from = *body->effective_from;
  Work work = work_of(c, r, std::move(*set));
  work.respond = [](const core::World& w, base::Instant now) {
    return json_response(base::to_json(api::view_book(w, w.state().books.back(), now, true)), 201);
  };
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
