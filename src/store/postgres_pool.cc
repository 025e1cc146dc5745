// Connections to read with, kept open between readers: a session of PostgreSQL's is a process.
#include <list>
#include <map>

#include "base/threads.h"
#include "store/postgres_connection.h"

namespace ampacity::store {
namespace {

constexpr std::size_t most_in_use = 24;  // of one store
constexpr std::size_t most_idle = 8;     // of all
constexpr base::Duration wait_at_most = base::Duration::seconds(5);

class Pool {
 public:
  Sql<Database> take(const StoreAt& at) {
    const std::string key = at.postgres + '\n' + at.password_file.string();
    std::unique_ptr<Database::Parts> parts;
    {
      base::Lock lock(mutex_);
      if (!given_back_.wait_for(lock, wait_at_most, [&] { return in_use_[key] < most_in_use; }))
        return std::unexpected(SqlFault{
            SqlFault::Kind::again, "postgres 53300",
            "all " + std::to_string(most_in_use) + " connections to " + at.name() + " are in use"});
      ++in_use_[key];
      for (auto i = idle_.begin(); i != idle_.end() && !parts;) {
        if (i->key != key) {
          ++i;
          continue;
        }
        parts = std::move(i->parts);
        i = idle_.erase(i);
        if (!parts->connection->make_idle()) parts.reset();
      }
    }
    if (!parts) {
      auto made = connect_postgres(at, PostgresUse::read);
      if (!made) {
        release(key);
        return std::unexpected(std::move(made.error()));
      }
      parts = std::make_unique<Database::Parts>(std::move(*made));
    }
    return Database(std::shared_ptr<Database::Parts>(
        parts.release(), [this, key](Database::Parts* p) { give_back(key, p); }));
  }

 private:
  struct Idle {
    std::string key;
    std::unique_ptr<Database::Parts> parts;
  };

  void release(const std::string& key) {
    const base::Guard guard(mutex_);
    if (--in_use_[key] == 0) in_use_.erase(key);
    given_back_.notify_all();
  }
  void give_back(const std::string& key, Database::Parts* p) {
    std::unique_ptr<Database::Parts> parts(p), oldest;
    if (!parts->connection->make_idle()) parts.reset();
    {
      const base::Guard guard(mutex_);
      if (parts) idle_.push_front({key, std::move(parts)});
      if (idle_.size() > most_idle) {
        oldest = std::move(idle_.back().parts);
        idle_.pop_back();
      }
    }
    release(key);
  }

  base::Mutex mutex_;
  base::Condition given_back_;
  std::list<Idle> idle_;  // the latest given back first
  std::map<std::string, std::size_t> in_use_;
};

}  // namespace

Sql<Database> take_from_pool(const StoreAt& at) {
  static Pool* const pool = new Pool;  // for ever: readers may outlive main()'s statics
  return pool->take(at);
}

}  // namespace ampacity::store
