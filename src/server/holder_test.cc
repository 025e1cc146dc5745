#include "server/holder.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/threads.h"

namespace ampacity::server {

TEST_CASE("a holder is over when its process is gone, not when it is frozen") {
  const std::string own = holder_of_lease("me", getpid());
  const pid_t child = fork();
  if (child == 0)
    while (true) pause();
  const std::string other = holder_of_lease("other", child);
  CHECK_FALSE(is_over(other, own));
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  CHECK_FALSE(is_over(other, own));
  kill(child, SIGKILL);
  siginfo_t seen{};
  waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOWAIT);
  CHECK(is_over(other, own));  // nobody has asked for its exit code yet
  waitpid(child, &status, 0);
  CHECK(is_over(other, own));
}

TEST_CASE("an earlier life of this process is over; what the kernel does not know is not") {
  const std::string own = holder_of_lease("now", getpid());
  CHECK_FALSE(is_over(own, own));
  CHECK(is_over(holder_of_lease("before", getpid()), own));
  // Its number is another's since.
  const std::string parent = holder_of_lease("other", getppid());
  CHECK_FALSE(is_over(parent, own));
  std::string older = parent;
  const std::size_t at = older.find(' ', older.find(' ') + 1) + 1;
  older.replace(at, older.find(' ', at) - at, "1");
  CHECK(is_over(older, own));
  CHECK_FALSE(is_over(older + "9", own));  // elsewhere
  CHECK_FALSE(is_over("", own));
  CHECK_FALSE(is_over("06bx0000000000000000000000", own));
  CHECK_FALSE(is_over("other -1 5 " + own.substr(own.rfind(' ') + 1), own));
}

TEST_CASE("the lease of an earlier life is not waited for; that of the living is") {
  struct Row final : store::LeaseTable {
    base::Try<store::Lease> look() override { return row; }
    base::Try<bool> take(const store::Lease&, const std::string&, const std::string&,
                         base::Duration) override {
      return true;
    }
    base::Try<bool> renew(std::uint64_t, base::Duration) override { return true; }
    base::Try<void> give_back(std::uint64_t epoch) override {
      given_back = epoch;
      return {};
    }
    store::Lease row{7, "", "http://a", base::Duration::seconds(4)};
    std::uint64_t given_back = 0;
  };
  const std::string own = holder_of_lease("now", getpid());
  auto row = std::make_unique<Row>();
  Row& r = *row;
  const auto table = of_the_living(std::move(row), own);
  for (const std::string& lives : {own, holder_of_lease("other", getppid()), std::string()}) {
    r.row.holder = lives;
    CHECK(table->look()->left.us > 0);
    CHECK(r.given_back == 0);
  }
  r.row.holder = holder_of_lease("before", getpid());
  CHECK(table->look()->left.us == 0);
  CHECK(r.given_back == 7);
}

}  // namespace ampacity::server
