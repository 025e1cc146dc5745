#include "base/check.h"
#include "base/log.h"
#include "store/postgres_connection.h"

namespace ampacity::store {
namespace {

using Kind = SqlFault::Kind;

constexpr std::size_t most_unsynced = 2'000;       // statements whose answers nobody has read
constexpr std::size_t most_kept_bytes = 64 << 20;  // of one query that another overtakes

Kind kind_of(std::string_view state) {
  if (state == "53100") return Kind::full;
  if (state == "40001" || state == "40P01" || state == "55P03") return Kind::again;
  if (state == "AM001") return Kind::fenced;
  // Shutting down, crashing, taken over by a standby: this session is over or of no use.
  if (state.starts_with("08") || state.starts_with("57P") || state == "25006") return Kind::lost;
  return Kind::other;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

SqlFault PostgresConnection::fault_of(const PGresult* r) {
  const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
  std::string message = primary ? primary : trimmed(PQresultErrorMessage(r));
  if (!state || PQstatus(pg_) == CONNECTION_BAD) {
    mark_lost(message.empty() ? trimmed(PQerrorMessage(pg_)) : message);
    return lost_fault();
  }
  const Kind kind = kind_of(state);
  if (kind == Kind::lost) mark_lost(message);
  return {kind, std::string("postgres ") + state, std::move(message)};
}

void PostgresConnection::note(SqlFault fault) {
  if (!fault_) fault_ = std::move(fault);
}

void PostgresConnection::mark_lost(std::string why) {
  if (lost_) return;
  lost_ = true;
  why_lost_ = std::move(why);
  for (const Pending& p : pending_)
    if (p.what == Pending::What::rows && p.statement)
      p.statement->ahead_.push_back({{}, 0, lost_fault()});
  pending_.clear();
  unsynced_ = 0;
  rows_begun_ = false;
}

SqlFault PostgresConnection::lost_fault() const {
  return {Kind::lost, "postgres 08006",
          "the connection to " + at_.name() + " was lost: " + why_lost_};
}

// ---- sending ------------------------------------------------------------------------------------

Sql<void> PostgresConnection::send(PostgresStatement& s, Pending::What what) {
  if (lost_ && in_transaction_) return std::unexpected(lost_fault());
  // Nothing is due: what comes now is the server's farewell.
  if (!lost_ && !in_transaction_ && pending_.empty() && is_readable())
    mark_lost("the server has ended the session");
  if (auto r = reconnect(); !r) return r;
  const int n = s.parameters_;
  if (s.generation_ != generation_ || s.prepared_types_ != s.types_) {
    s.name_ = "s" + std::to_string(++names_given_);
    if (!PQsendPrepare(pg_, s.name_.c_str(), s.sql_.c_str(), n, s.types_.data())) {
      mark_lost(trimmed(PQerrorMessage(pg_)));
      return std::unexpected(lost_fault());
    }
    s.generation_ = generation_;
    s.prepared_types_ = s.types_;
    pending_.push_back({Pending::What::prepare, &s});
  }
  if (!PQsendQueryPrepared(pg_, s.name_.c_str(), n, s.values_.data(), s.lengths_.data(),
                           s.formats_.data(), 1)) {
    mark_lost(trimmed(PQerrorMessage(pg_)));
    return std::unexpected(lost_fault());
  }
  pending_.push_back({what, &s});
  ++unsynced_;
  return {};
}

bool PostgresConnection::sync() {
  if (lost_) return false;
  if (!PQpipelineSync(pg_)) {
    mark_lost(trimmed(PQerrorMessage(pg_)));
    return false;
  }
  pending_.push_back({Pending::What::sync, nullptr});
  unsynced_ = 0;
  return true;
}

Sql<void> PostgresConnection::run(PostgresStatement& s) {
  if (in_transaction_ && fault_) return std::unexpected(*fault_);
  if (auto sent = send(s, Pending::What::run); !sent) {
    if (in_transaction_) note(sent.error());
    return sent;
  }
  if (in_transaction_ && unsynced_ < most_unsynced) return {};
  if (!in_transaction_) fault_.reset();
  sync();
  settle_all();
  if (lost_ && !fault_) fault_ = lost_fault();
  if (fault_) return std::unexpected(*fault_);
  return {};
}

std::int64_t PostgresConnection::changes() {
  if (unsynced_ > 0) sync();
  settle_all();
  return touched_;
}

// ---- reading ------------------------------------------------------------------------------------

PostgresResult PostgresConnection::next_result() { return PostgresResult(PQgetResult(pg_)); }

void PostgresConnection::settle_front() {
  const Pending p = pending_.front();
  if (p.what == Pending::What::rows) {
    absorb(*p.statement);
    return;
  }
  for (;;) {
    const PostgresResult r = next_result();
    if (!r) break;
    const ExecStatusType status = PQresultStatus(r.get());
    if (p.what == Pending::What::sync && status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (p.what == Pending::What::run) touched_ = std::atoll(PQcmdTuples(r.get()));
      continue;
    }
    if (p.what == Pending::What::prepare && p.statement) p.statement->generation_ = 0;
    if (status != PGRES_PIPELINE_ABORTED) note(fault_of(r.get()));
    if (lost_) return;
  }
  pending_.pop_front();
}

void PostgresConnection::settle_all() {
  while (!pending_.empty()) settle_front();
}

Sql<bool> PostgresConnection::next(PostgresStatement& s) {
  if (unsynced_ > 0) sync();
  while (!pending_.empty() && !is_first(s)) settle_front();
  if (!lost_ && !pending_.empty()) return read_row(s);
  s.ahead_.clear();
  s.open_ = 0;
  return std::unexpected(lost_fault());
}

// One row of the first of pending_, which is a query of s; or its end.
Sql<bool> PostgresConnection::read_row(PostgresStatement& s) {
  // Refused only where an earlier statement failed: then there are no rows.
  if (!rows_begun_) (void)PQsetSingleRowMode(pg_);
  rows_begun_ = true;
  std::optional<SqlFault> fault;
  for (;;) {
    PostgresResult r = next_result();
    if (!r) break;
    const ExecStatusType status = PQresultStatus(r.get());
    if (status == PGRES_SINGLE_TUPLE || (status == PGRES_TUPLES_OK && PQntuples(r.get()) == 1)) {
      s.row_ = std::move(r);
      return true;
    }
    CHECK_THAT(PQntuples(r.get()) == 0, "rows come one by one");
    if (status == PGRES_PIPELINE_ABORTED)
      fault =
          fault_ ? *fault_ : SqlFault{Kind::other, "postgres 25P02", "an earlier statement failed"};
    else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      note(*(fault = fault_of(r.get())));
    if (lost_) {
      s.ahead_.clear();
      s.open_ = 0;
      return std::unexpected(*fault);
    }
  }
  pending_.pop_front();
  rows_begun_ = false;
  --s.open_;
  // The sync behind it, and nothing that somebody still wants to see.
  if (s.open_ == 0 && pending_.size() == 1 && pending_.front().what == Pending::What::sync)
    settle_front();
  if (fault) return std::unexpected(std::move(*fault));
  return false;
}

// Somebody wants something else of this connection: the rest of the rows is kept for later, but not
// more than fits. They were asked for one by one: each takes some 2 KiB.
void PostgresConnection::absorb(PostgresStatement& s) {
  PostgresStatement::Ahead rest;
  PostgresResult shown = std::move(s.row_);
  const std::size_t open = s.open_;
  for (;;) {
    const auto row = read_row(s);
    if (!row) rest.fault = row.error();
    if (!row || !*row) break;
    if (rest.bytes > most_kept_bytes) continue;
    rest.bytes += PQresultMemorySize(s.row_.get());
    rest.rows.push_back(std::move(s.row_));
  }
  if (rest.bytes > most_kept_bytes && !rest.fault) {
    rest.rows.clear();
    rest.fault = SqlFault{Kind::other, "postgres 53200",
                          "another query was asked while one with more than " +
                              std::to_string(most_kept_bytes >> 20) +
                              " MiB of rows to come was open: it must be read in pages"};
  }
  s.row_ = std::move(shown);
  s.open_ = open;
  if (lost_) s.ahead_.clear();
  s.ahead_.push_back(std::move(rest));
}

void PostgresConnection::give_up_rows(PostgresStatement& s) {
  while (s.open_ > 0)
    if (const auto row = s.next(); !row && lost_) break;
  s.row_.reset();
  s.ahead_.clear();
  s.open_ = 0;
}

void PostgresConnection::forget(PostgresStatement& s) {
  give_up_rows(s);
  for (Pending& p : pending_)
    if (p.statement == &s) p.statement = nullptr;
}

}  // namespace ampacity::store
