// Sessions: made, found again, and what became of a commit whose answer was lost.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "base/log.h"
#include "base/prng.h"
#include "base/threads.h"
#include "store/postgres_connection.h"

namespace ampacity::store {
namespace {

using Kind = SqlFault::Kind;

// One store, one writer: of this database.
constexpr std::int64_t writer_lock = 0x616d706163697479;  // "ampacity"
constexpr base::Duration first_pause = base::Duration::millis(20);
constexpr base::Duration longest_pause = base::Duration::millis(500);
constexpr base::Duration most_for_a_reader = base::Duration::seconds(5);
// A session whose process was killed is noticed by the server within this.
constexpr base::Duration lock_patience = base::Duration::seconds(3);

constexpr const char* session_settings =
    "SET statement_timeout = 0; SET lock_timeout = '10s'; SET standard_conforming_strings = on; "
    "SET default_transaction_isolation = 'read committed'; SET jit = off; "
    "SET client_min_messages = 'warning'";
// 'off' and 'local' would acknowledge what may still be lost; stronger ones stay.
constexpr const char* durable =
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')";

void log_notice(void*, const PGresult* r) {
  if (const char* m = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY))
    base::log_warn("postgres: {}", m);
}

std::string last_message(PGconn* pg) {
  std::string text = PQerrorMessage(pg);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

// Whether another try may find what this one did not. The server's SQLSTATE is not shown here.
bool may_pass(std::string_view message) {
  static constexpr std::array<std::string_view, 8> passing = {
      "too many clients", "reserved for",         "starting up",          "shutting down",
      "recovery",         "remaining connection", "too many connections", "is not accepting"};
  for (const std::string_view word : passing)
    if (message.find(word) != std::string_view::npos) return true;
  return false;
}

std::string advice(std::string_view message) {
  if (message.find("password") != std::string_view::npos ||
      message.find("authentication") != std::string_view::npos)
    return ": give the password by --store-password-file, PGPASSFILE or PGPASSWORD";
  if (message.find("does not exist") != std::string_view::npos)
    return ": make it first, for example with createdb";
  if (message.find("too many") != std::string_view::npos ||
      message.find("reserved for") != std::string_view::npos)
    return ": raise max_connections; ampacityd wants up to 26";
  return "";
}

base::Result<std::string> password_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line) || line.empty())
    return base::refuse_field("--store-password-file",
                              file.string() + " cannot be read, or its first line is empty");
  return line;
}

SqlFault unreachable(const StoreAt& at, const std::string& why) {
  return {Kind::lost, "postgres 08001", at.name() + " cannot be reached: " + why + advice(why)};
}

}  // namespace

PostgresConnection::~PostgresConnection() {
  begin_.reset();
  commit_.reset();
  roll_back_.reset();
  prove_.reset();
  if (pg_) PQfinish(pg_);
}

Sql<std::unique_ptr<Connection>> connect_postgres(const StoreAt& at, PostgresUse use) {
  auto connection = std::make_unique<PostgresConnection>(at, use);
  if (auto r = connection->open(); !r) return std::unexpected(std::move(r.error()));
  return connection;
}

Sql<void> PostgresConnection::connect() {
  if (pg_) PQfinish(std::exchange(pg_, nullptr));
  std::string password;
  if (!at_.password_file.empty()) {
    auto read = password_of(at_.password_file);
    if (!read)
      return std::unexpected(SqlFault{Kind::other, "postgres 28P01", read.error().message});
    password = std::move(*read);
  }
  // What stands before dbname is a default, what stands behind it holds.
  std::vector<const char*> names = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                    "keepalives_count", "tcp_user_timeout", "target_session_attrs",
                                    "dbname",           "application_name", "client_encoding"};
  std::vector<const char*> values = {"5",
                                     "5",
                                     "2",
                                     "3",
                                     "15000",
                                     "read-write",  // a replica lags behind what was answered
                                     at_.postgres.c_str(),
                                     session_name_.c_str(),
                                     "UTF8"};
  if (!password.empty()) {
    names.push_back("password");
    values.push_back(password.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  pg_ = PQconnectdbParams(names.data(), values.data(), 1);
  if (PQstatus(pg_) != CONNECTION_OK) return std::unexpected(unreachable(at_, last_message(pg_)));
  PQsetNoticeReceiver(pg_, log_notice, nullptr);
  ++generation_;
  pending_.clear();
  unsynced_ = 0;
  rows_begun_ = false;
  in_transaction_ = false;
  fault_.reset();
  lost_ = false;
  std::string first = session_settings;
  if (use_ == PostgresUse::read) first += "; SET default_transaction_read_only = on";
  if (use_ == PostgresUse::write) first += std::string("; ") + durable;
  if (auto r = ask(first); !r) return std::unexpected(std::move(r.error()));
  return {};
}

Sql<std::vector<std::string>> PostgresConnection::ask(const std::string& sql) {
  const PostgresResult r(PQexec(pg_, sql.c_str()));
  const ExecStatusType status = PQresultStatus(r.get());
  std::vector<std::string> out;
  if (status == PGRES_TUPLES_OK && PQntuples(r.get()) > 0)
    for (int i = 0; i < PQnfields(r.get()); ++i) out.emplace_back(PQgetvalue(r.get(), 0, i));
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return std::unexpected(fault_of(r.get()));
  return out;
}

Sql<void> PostgresConnection::open() {
  base::SystemPrng prng;
  const std::uint64_t unique = prng.next();
  session_name_ = "ampacityd " + std::to_string(getpid()) + " " + std::to_string(unique);
  const base::Duration began = base::elapsed();
  for (base::Duration pause = first_pause;; pause = std::min(longest_pause, pause * 2)) {
    auto r = connect();
    if (r && use_ == PostgresUse::write) r = take_lock();
    if (r && !PQenterPipelineMode(pg_)) r = std::unexpected(unreachable(at_, last_message(pg_)));
    if (r || !may_pass(r.error().message)) return r;
    if (base::elapsed() > began + patience()) return r;
    base::sleep_for(pause);
  }
}

base::Duration PostgresConnection::patience() const {
  return use_ == PostgresUse::write ? at_.patience : std::min(at_.patience, most_for_a_reader);
}

// ---- the one writer -----------------------------------------------------------------------------

std::string PostgresConnection::holder_of_lock() {
  auto row = ask(
      "SELECT a.pid::text, a.application_name, coalesce(host(a.client_addr), 'this host') "
      "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND "
      "l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
      "AND (l.classid::bigint << 32 | l.objid::bigint) = " +
      std::to_string(writer_lock));
  if (!row || row->size() < 3) return "?";
  // Our own earlier session, which the server has not given up yet, or that of whom we succeeded by
  // a lease: nothing of it is wanted.
  const std::string end = "SELECT pg_terminate_backend(" + (*row)[0] + ")";
  if ((*row)[1] == session_name_)
    (void)ask(end);
  else if (at_.epoch)
    (void)ask(end + " FROM writer WHERE one = 1 AND epoch = " + std::to_string(at_.epoch));
  return (*row)[1] + " on " + (*row)[2];
}

// Held, no earlier session of this store's writer can commit any more.
Sql<void> PostgresConnection::take_lock() {
  const base::Duration began = base::elapsed();
  for (base::Duration pause = first_pause;; pause = std::min(longest_pause, pause * 2)) {
    auto got = ask("SELECT pg_try_advisory_lock(" + std::to_string(writer_lock) + ")");
    if (!got) return std::unexpected(std::move(got.error()));
    if (!got->empty() && got->front() == "t") return {};
    const std::string holder = holder_of_lock();
    const bool ours = holder.starts_with(session_name_ + " ");
    if (base::elapsed() > began + (ours ? patience() : lock_patience))
      return std::unexpected(
          SqlFault{epoch_ > 0 ? Kind::fenced : Kind::other, "postgres 55006",
                   at_.name() + " is in use by another ampacityd (" + holder + "): stop it first"});
    base::sleep_for(pause);
  }
}

Sql<void> PostgresConnection::claim() {
  if (unsynced_ > 0) sync();
  settle_all();
  PQexitPipelineMode(pg_);
  auto row =
      ask(at_.epoch ? "SELECT epoch, commits FROM writer WHERE one = 1 AND epoch = " +
                          std::to_string(at_.epoch)
                    : "UPDATE writer SET epoch = epoch + 1, holder = '', url = '', lease = 0, "
                      "expires = 0 WHERE one = 1 RETURNING epoch, commits");
  PQenterPipelineMode(pg_);
  if (!row) return std::unexpected(std::move(row.error()));
  if (row->size() < 2)
    return std::unexpected(
        at_.epoch ? SqlFault{Kind::fenced, "postgres AM001", "another ampacityd leads"}
                  : SqlFault{Kind::other, "postgres 02000", "the table writer has no row"});
  epoch_ = std::atoll((*row)[0].c_str());
  commits_ = std::atoll((*row)[1].c_str());
  return {};
}

Sql<void> PostgresConnection::reconnect() {
  if (!lost_) return {};
  const base::Duration began = base::elapsed();
  base::log_warn("store: {}", lost_fault().message);
  Sql<void> r;
  for (base::Duration pause = first_pause;; pause = std::min(longest_pause, pause * 2)) {
    r = connect();
    if (r && use_ == PostgresUse::write) r = take_lock();
    if (r && epoch_ > 0) {
      auto row = ask("SELECT epoch, commits FROM writer WHERE one = 1");
      if (!row)
        r = std::unexpected(std::move(row.error()));
      else if (row->size() < 2 || std::atoll((*row)[0].c_str()) != epoch_)
        r = std::unexpected(SqlFault{Kind::fenced, "postgres AM001",
                                     "another ampacityd has become the writer of " + at_.name()});
      else if (const std::int64_t found = std::atoll((*row)[1].c_str());
               found != commits_ && !(in_doubt_ && found == commits_ + 1))
        r = std::unexpected(SqlFault{
            Kind::unknown, "postgres AM002",
            at_.name() + " is at commit " + (*row)[1] + ", and " + std::to_string(commits_) +
                " was acknowledged: it is another copy, or a standby that lagged behind"});
      else
        found_ = found;
    }
    if (r && PQenterPipelineMode(pg_)) {
      base::log_warn("store: connected again to {}", at_.name());
      return r;
    }
    lost_ = true;
    if (!r && r.error().kind != Kind::lost) return r;
    if (base::elapsed() > began + patience()) break;
    base::sleep_for(pause);
  }
  if (r) r = std::unexpected(lost_fault());
  return r;
}

// ---- transactions -------------------------------------------------------------------------------

Sql<void> PostgresConnection::once(std::unique_ptr<Statement>& s, std::string_view sql) {
  if (!s) s = std::make_unique<PostgresStatement>(*this, sql);
  return send(static_cast<PostgresStatement&>(*s), Pending::What::run);
}

Sql<void> PostgresConnection::begin() {
  if (lost_)
    if (auto r = reconnect(); !r) return r;
  fault_.reset();
  if (auto r = once(begin_, "BEGIN"); !r) return r;
  in_transaction_ = true;
  if (epoch_ == 0) return {};
  if (!prove_) prove_ = std::make_unique<PostgresStatement>(*this, "SELECT still_writer(?, ?)");
  prove_->bind(1, epoch_);
  prove_->bind(2, commits_ + 1);
  return send(static_cast<PostgresStatement&>(*prove_), Pending::What::run);
}

Sql<void> PostgresConnection::commit() {
  if (fault_) return std::unexpected(*fault_);
  if (lost_) return std::unexpected(lost_fault());
  (void)once(commit_, "COMMIT");  // where that fails it may have left all the same
  sync();
  settle_all();
  if (lost_) return resolve_commit();
  if (fault_) return std::unexpected(*fault_);
  in_transaction_ = false;
  if (epoch_ > 0) ++commits_;
  return {};
}

// COMMIT was sent and its answer did not come.
Sql<void> PostgresConnection::resolve_commit() {
  // A statement before it had failed already: then it cannot have.
  if (fault_ && fault_->kind != Kind::lost) return std::unexpected(*fault_);
  const SqlFault was = lost_fault();
  if (epoch_ == 0) return std::unexpected(was);
  in_doubt_ = true;
  auto r = reconnect();
  in_doubt_ = false;
  if (!r) {
    if (r.error().kind == Kind::lost)
      r.error() = {Kind::unknown, "postgres 08007",
                   was.message + "; whether the last commit took place could not be learnt: " +
                       r.error().message};
    return r;
  }
  if (found_ == commits_) {
    base::log_warn("store: the commit whose answer was lost did not take place");
    return std::unexpected(was);
  }
  base::log_warn("store: the commit whose answer was lost did take place");
  commits_ = found_;
  return {};
}

void PostgresConnection::roll_back() {
  if (!in_transaction_) return;
  if (!lost_) {
    sync();
    settle_all();
  }
  if (!lost_ && once(roll_back_, "ROLLBACK")) {
    sync();
    settle_all();
  }
  in_transaction_ = false;
  fault_.reset();
}

// ---- the rest -----------------------------------------------------------------------------------

Sql<std::unique_ptr<Statement>> PostgresConnection::prepare(std::string_view sql) {
  return std::make_unique<PostgresStatement>(*this, sql);
}

Sql<void> PostgresConnection::exec(const std::string& sql) {
  if (fault_ && in_transaction_) return std::unexpected(*fault_);
  if (unsynced_ > 0) sync();
  settle_all();
  if (lost_) return std::unexpected(lost_fault());
  if (fault_ && in_transaction_) return std::unexpected(*fault_);
  PQexitPipelineMode(pg_);
  auto r = ask(sql);
  if (!lost_) PQenterPipelineMode(pg_);
  if (r) return {};
  if (in_transaction_) note(r.error());
  return std::unexpected(std::move(r.error()));
}

Sql<void> PostgresConnection::insert_all(const std::string& table,
                                         std::span<const std::string> columns, Cursor& rows) {
  std::string sql = "COPY " + table + " (";
  for (const std::string& c : columns) sql += (&c == columns.data() ? "" : ", ") + c;
  if (unsynced_ > 0) sync();
  settle_all();
  if (fault_) return std::unexpected(*fault_);
  if (lost_) return std::unexpected(lost_fault());
  PQexitPipelineMode(pg_);
  const PostgresResult begun(PQexec(pg_, (sql + ") FROM STDIN (FORMAT binary)").c_str()));
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN) return std::unexpected(fault_of(begun.get()));
  std::string buffer("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  const auto put = [&](std::size_t most) {
    if (buffer.size() <= most) return true;
    const bool sent = PQputCopyData(pg_, buffer.data(), static_cast<int>(buffer.size())) == 1;
    buffer.clear();
    return sent;
  };
  bool sent = true;
  while (sent && rows.next()) {
    postgres::put_big_endian(buffer, static_cast<std::uint64_t>(rows.columns()), 2);
    for (int i = 0; i < rows.columns(); ++i) {
      const Statement::Type type = rows.type(i);
      if (type == Statement::Type::null) {
        postgres::put_big_endian(buffer, 0xffffffff, 4);
      } else if (type == Statement::Type::integer) {
        postgres::put_big_endian(buffer, 8, 4);
        postgres::put_big_endian(buffer, rows.number(i), 8);
      } else {
        postgres::put_big_endian(buffer, rows.bytes(i).size(), 4);
        buffer += rows.bytes(i);
      }
    }
    sent = put(1 << 16);
  }
  postgres::put_big_endian(buffer, 0xffff, 2);
  sent = sent && put(0);
  PQputCopyEnd(pg_, rows.fault() ? "the source could not be read" : nullptr);
  Sql<void> done;
  while (const PostgresResult r{PQgetResult(pg_)})
    if (PQresultStatus(r.get()) != PGRES_COMMAND_OK) done = std::unexpected(fault_of(r.get()));
  if (!lost_) PQenterPipelineMode(pg_);
  if (rows.fault()) return std::unexpected(*rows.fault());
  if (!done && in_transaction_) note(done.error());
  return done;
}

bool PostgresConnection::make_idle() {
  if (lost_) return false;
  if (unsynced_ > 0) sync();
  settle_all();
  if (lost_ || PQtransactionStatus(pg_) != PQTRANS_IDLE) return false;
  return !in_transaction_ && !is_readable();
}

bool PostgresConnection::is_readable() const {
  pollfd socket{PQsocket(pg_), POLLIN, 0};
  return ::poll(&socket, 1, 0) != 0;
}

}  // namespace ampacity::store
