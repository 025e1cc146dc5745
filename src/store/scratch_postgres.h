// A PostgreSQL of this process's own, on a socket in a folder that is gone with it: for tests and
// benches. Not part of any program. It refuses to run as root, so there it runs as `postgres`.
// Threads: one. fsync is on: what it acknowledges is durable, as anywhere.
#pragma once

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/threads.h"

namespace ampacity::store {

class ScratchPostgres {
 public:
  // Started at the first call, ended with the process.
  static ScratchPostgres& get() {
    static ScratchPostgres one;
    return one;
  }
  // Whether Debian's package postgresql is there.
  static bool is_installed() { return !programs().empty(); }

  // A database nobody else has; `like`: one made before.
  std::string make_database(const std::string& like = "template0") {
    const std::string name = "t" + std::to_string(++made_);
    sql("CREATE DATABASE " + name + " TEMPLATE " + like);
    return name;
  }
  std::string url(const std::string& database) const {
    return "postgres:///" + database + "?host=" + folder_ + "&user=ampacity";
  }
  // As its superuser, in the database `postgres` or another.
  std::string sql(const std::string& text, const std::string& database = "postgres") {
    PGconn* pg = PQconnectdb(url(database).c_str());
    PGresult* r = PQexec(pg, text.c_str());
    const auto status = PQresultStatus(r);
    const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    const std::string said = done && PQntuples(r) > 0 ? PQgetvalue(r, 0, 0)
                             : done                   ? ""
                                                      : PQerrorMessage(pg);
    PQclear(r);
    PQfinish(pg);
    CHECK_THAT(done, said.c_str());
    return said;
  }
  const std::string& folder() const { return folder_; }

  void start() {
    // Here only processes crash: recovery need not sync a disk to which others write, too.
    std::ofstream(folder_ + "/data/postgresql.auto.conf") << "fsync = off\n";
    pid_ = spawn({programs() + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
                  "listen_addresses=", "-c", "max_wal_size=2GB", "-c", "shared_buffers=128MB"},
                 "/server.log");
    for (int i = 0; PQping(url("postgres").c_str()) != PQPING_OK; ++i) {
      CHECK_THAT(i < 9'000 && waitpid(pid_, nullptr, WNOHANG) == 0, log("/server.log").c_str());
      base::sleep_for(base::Duration::millis(20));
    }
    sql("ALTER SYSTEM SET fsync = on");
    sql("SELECT pg_reload_conf()");
    while (sql("SHOW fsync") != "on") base::sleep_for(base::Duration::millis(1));
  }
  void stop(int signal = SIGINT) {  // SIGINT: fast, SIGQUIT: as if it had crashed
    if (pid_ <= 0) return;
    kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  ScratchPostgres() {
    char pattern[] = "/tmp/ampacity-pg-XXXXXX";
    CHECK_THAT(mkdtemp(pattern), "no scratch folder");
    folder_ = pattern;
    CHECK_THAT(is_installed(), "PostgreSQL is not installed: ./dev setup");
    if (geteuid() == 0) {
      const passwd* user = getpwnam("postgres");
      CHECK_THAT(user && chown(pattern, user->pw_uid, user->pw_gid) == 0, "no user postgres");
    }
    const pid_t made = spawn({programs() + "/initdb", "-D", folder_ + "/data", "-A", "trust", "-U",
                              "ampacity", "-E", "UTF8", "--locale=C", "--no-sync"},
                             "/initdb.log");
    int status = 0;
    waitpid(made, &status, 0);
    CHECK_THAT(status == 0, log("/initdb.log").c_str());
    start();
  }
  ScratchPostgres(const ScratchPostgres&) = delete;
  ScratchPostgres& operator=(const ScratchPostgres&) = delete;
  ~ScratchPostgres() {
    stop(SIGQUIT);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static std::string programs() {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
      if (std::filesystem::exists(version.path() / "bin/initdb"))
        found.push_back(version.path() / "bin");
    return found.empty() ? "" : *std::max_element(found.begin(), found.end());
  }
  std::string log(const std::string& name) const {
    std::ifstream in(folder_ + name);
    return "PostgreSQL did not start: " + std::string(std::istreambuf_iterator<char>(in), {});
  }
  // It goes when this process goes, however that ends.
  pid_t spawn(std::vector<std::string> command, const std::string& log_name) const {
    if (geteuid() == 0)
      command.insert(command.begin(), {"setpriv", "--reuid=postgres", "--regid=postgres",
                                       "--init-groups", "--pdeathsig=QUIT"});
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string log_file = folder_ + log_name;
    const pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    setpgid(0, 0);  // a ^C at the terminal is for this process, which then stops it
    if (!freopen("/dev/null", "r", stdin) || !freopen(log_file.c_str(), "a", stdout)) _exit(126);
    dup2(1, 2);
    if (chdir("/") == 0) execvp(argv[0], argv.data());
    _exit(127);
  }

  std::string folder_;
  pid_t pid_ = 0;
  int made_ = 0;
};

}  // namespace ampacity::store
