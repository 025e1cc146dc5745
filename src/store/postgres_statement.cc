#include "base/utf8.h"
#include "store/postgres_connection.h"

namespace ampacity::store {

namespace {

std::string translated(std::string_view sql, int& parameters) {
  return postgres::with_dollars(sql, parameters);
}

}  // namespace

PostgresStatement::PostgresStatement(PostgresConnection& c, std::string_view sql)
    : c_(c), sql_(translated(sql, parameters_)) {
  const auto n = static_cast<std::size_t>(parameters_);
  types_.resize(n);
  values_.resize(n);
  lengths_.resize(n);
  formats_.assign(n, 1);
  small_.resize(n);
}

void PostgresStatement::set(int i, unsigned type, std::string_view v) {
  const auto at = static_cast<std::size_t>(i - 1);
  if (at >= values_.size()) return;  // the statement has no such parameter: the server will say so
  types_[at] = type;
  values_[at] = v.data() ? v.data() : "";
  lengths_[at] = static_cast<int>(v.size());
}

void PostgresStatement::bind(int i, std::int64_t v) {
  const auto at = static_cast<std::size_t>(i - 1);
  if (at >= values_.size()) return;
  for (int k = 0; k < 8; ++k)
    small_[at][static_cast<std::size_t>(k)] =
        static_cast<char>(static_cast<std::uint64_t>(v) >> (56 - 8 * k));
  set(i, postgres::int8, {small_[at].data(), 8});
}

// PostgreSQL refuses what is not UTF-8, and NUL; a header or a file may bring either.
void PostgresStatement::bind(int i, std::string_view v, Lifetime) {
  const bool sound =
      v.find('\0') == std::string_view::npos && base::find_bad_utf8(v) == std::string_view::npos;
  if (sound) return set(i, postgres::text, v);
  mended_.resize(values_.size());
  const auto at = static_cast<std::size_t>(i - 1);
  if (at < mended_.size()) set(i, postgres::text, mended_[at] = base::mended_utf8(v));
}

void PostgresStatement::bind(int i, const base::Id& v) {
  const auto at = static_cast<std::size_t>(i - 1);
  if (at >= values_.size()) return;
  for (std::size_t k = 0; k < 8; ++k) {
    small_[at][k] = static_cast<char>(v.high >> (56 - 8 * k));
    small_[at][8 + k] = static_cast<char>(v.low >> (56 - 8 * k));
  }
  set(i, postgres::bytea, {small_[at].data(), 16});
  if (v.is_nil()) values_[at] = nullptr;  // NULL
}

Sql<void> PostgresStatement::start() {
  auto sent = c_.send(*this, PostgresConnection::Pending::What::rows);
  if (sent) ++open_;
  return sent;
}

Sql<bool> PostgresStatement::next() {
  row_.reset();
  if (open_ == 0) return false;
  if (ahead_.empty()) return c_.next(*this);
  Ahead& first = ahead_.front();
  if (!first.rows.empty()) {
    row_ = std::move(first.rows.front());
    first.rows.pop_front();
    return true;
  }
  const auto fault = std::move(first.fault);
  ahead_.pop_front();
  --open_;
  if (fault) return std::unexpected(*fault);
  return false;
}

std::int64_t PostgresStatement::integer(int column) const {
  if (PQgetisnull(row_.get(), 0, column)) return 0;
  return postgres::integer_of(PQftype(row_.get(), column), raw(column));
}

std::string_view PostgresStatement::bytes(int column) const {
  if (type(column) != Type::integer) return raw(column);
  as_text_.resize(static_cast<std::size_t>(columns()));
  return as_text_[static_cast<std::size_t>(column)] = std::to_string(integer(column));
}

}  // namespace ampacity::store
