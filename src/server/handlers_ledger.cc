#include "api/bind_ledger.h"
#include "api/problem.h"
#include "core/desire.h"
#include "server/app.h"

namespace ampacity::server {

void App::post_transfers(Call& c, net::Reply& r) {
  auto body = base::from_json<api::TransfersRequest>(c.request.body);
  if (!body) return r.send(api::problem_response(body.error()));
  auto transfers = api::bind_transfers(*body);
  if (!transfers) return r.send(api::problem_response(transfers.error()));
  auto answer = std::make_shared<std::vector<ledger::Posted>>();
  Work work =
      work_of(c, r,
              core::PostTransfers{
                  std::move(*transfers), body->note.value_or("").substr(0, 500), {}, answer});
  work.respond = [answer, request = std::move(*body)](const core::World&, base::Instant) {
    return json_response(base::to_json(api::view_outcomes(request, *answer)));
  };
  loop_.push(std::move(work));
}

void App::show_transfer(Call& c, net::Reply& r) {
  const auto id = api::parse_hex_id(c.arguments.at(0));
  if (!id)
    return r.send(api::problem_response(
        {base::Code::invalid, "a transfer's id is 32 hex digits", {}, {}, {}}));
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  const auto row = (*reader)->transfer(*id);
  if (!row)
    return r.send(
        api::problem_response({base::Code::not_found, "there is no such transfer", {}, {}, {}}));
  api::LedgerTransferView v = api::view_transfer(row->transfer);
  v.reason = row->reason;
  v.sequence = row->sequence;
  if (!row->job.is_nil()) v.job = core::job_name(row->job);
  r.send(json_response(base::to_json(v)));
}

void App::ledger_heads(Call&, net::Reply& r) {
  auto reader = store::open_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  r.send(json_response(base::to_json(api::view_heads((*reader)->ledger_heads()))));
}

}  // namespace ampacity::server
