// The Slurm engine against a real cluster of two nodes with eight emulated GPUs each, made in a
// folder by examples/slurm/cluster.sh: one life, gangs, ends, stops, slurmctld killed, MinJobAge.
#include <sys/stat.h>

#include <sstream>
#include <thread>

#include "engines/log_spool.h"
#include "engines/slurm_scontrol.h"
#include "engines/test_fake_slurm.h"

using namespace ampacity;
using namespace ampacity::engines;

namespace {

using State = core::RankSeen::State;
using Signalled = core::RankSeen::Signalled;
using Want = core::RankWork::Want;

class SlurmLab {
 public:
  static SlurmLab* open() {  // null: no Slurm here
    static std::unique_ptr<SlurmLab> lab = make();
    return lab.get();
  }
  ~SlurmLab() {
    script("down");
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }
  bool script(const std::string& verb, const std::string& more = "") const {
    const std::string line =
        fmt::format(AMPACITY_SOURCE_DIR "/examples/slurm/cluster.sh {} {}/c {} >{}/script.log 2>&1",
                    verb, root_.string(), more, root_.string());
    return std::system(line.c_str()) == 0;
  }
  SlurmOptions options() const {
    SlurmOptions o;
    o.cloud = "real";
    o.url = "unix:" + (root_ / "c/run/restd.socket").string();
    o.state = root_ / "state";
    o.shared = root_ / "c/shared";
    o.conf = root_ / "c/etc/slurm.conf";
    o.quiet = base::Duration::seconds(1);
    o.period = base::Duration::millis(300);
    o.settle = base::Duration::seconds(5);
    o.stuck = base::Duration::seconds(2);
    return o;
  }
  std::filesystem::path folder() const { return root_ / "c"; }
  // What the cluster says of itself, for whoever reads a failure.
  std::string story() const {
    (void)script("run",
                 "bash -c 'squeue -a -t all -o \"%i %j %T %r %N %S\"; sinfo -R -N -o \"%N %T %E\"; "
                 "scontrol -o show res; tail -n 40 " +
                     (folder() / "log/ctld.log").string() + "'");
    std::ostringstream text;
    text << std::ifstream(root_ / "script.log").rdbuf();
    return text.str();
  }
  base::SystemClock clock;

 private:
  static std::unique_ptr<SlurmLab> make() {
    if (std::system("PATH=$PATH:/usr/sbin command -v slurmctld >/dev/null 2>&1") != 0)
      return nullptr;
    auto lab = std::make_unique<SlurmLab>();
    char name[] = "/tmp/amp-slurm-XXXXXX";
    lab->root_ = mkdtemp(name);
    chmod(lab->root_.c_str(), 0755);
    if (!lab->script("up", "--nodes 2 --gpus 8 --min-job-age 2")) return nullptr;
    return lab;
  }
  std::filesystem::path root_;
};

struct Real {
  explicit Real(SlurmLab& l, SlurmOptions o) : lab(l), watch(make_slurm_engine(o, l.clock)) {}
  explicit Real(SlurmLab& l) : Real(l, l.options()) {}
  SlurmLab& lab;
  SlurmWatch watch;
  std::string log(const core::RankWork& work) {
    std::string out;
    const auto lines = LogSpool(log_directory(lab.options())).read(work.container_name(), 0);
    REQUIRE(lines);
    for (const auto& line : *lines) out += line.text + "\n";
    return out;
  }
};

std::uint64_t next_job = 100;
core::RankWork rank(const std::string& script, int gpus = 1) {
  return slurm_rank(++next_job, script, gpus);
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

#define SLURM_OR_SKIP                                                   \
  SlurmLab* lab = SlurmLab::open();                                     \
  if (lab == nullptr) {                                                 \
    MESSAGE("SKIPPED: Slurm is not installed here, or does not start"); \
    return;                                                             \
  }                                                                     \
  INFO(lab->story());

TEST_CASE("real slurm: nodes, ends, signals, output, the environment") {
  SLURM_OR_SKIP
  Real real(*lab);
  auto& w = real.watch;
  const SiteSeen site = w.site();
  REQUIRE(site.nodes.size() == 2);
  CHECK(site.nodes[0].node.gpus.size() == 8);
  CHECK(site.nodes[0].node.emulated);
  CHECK(site.nodes[0].node.leaf == "leaf-1");
  CHECK(contains(w.engine->health().version, "v0.0.38"));
  w.engine->desire_whole({});

  auto fine = rank("echo \"it is $AMPACITY_GPUS, cards $CUDA_VISIBLE_DEVICES\"; printf tail"),
       three = rank("echo err >&2; exit 3"), killed = rank("kill -9 $$"),
       gone = rank("exec no-such-program");
  w.engine->desire_also({fine, three, killed, gone});
  for (auto* one : {&fine, &three, &killed, &gone}) REQUIRE(w.reaches(*one, State::ended, 40));
  CHECK(w.last(fine).exit_code == 0);
  CHECK(contains(real.log(fine), "it is n1-gpu"));
  CHECK(contains(real.log(fine), "tail"));
  CHECK(w.last(three).exit_code == 3);
  CHECK(real.log(three) == "err\n");
  CHECK(w.last(killed).exit_code == 137);
  CHECK(w.last(gone).exit_code == 127);
  CHECK(w.last(fine).ended_at >= w.last(fine).started_at);
  for (auto* one : {&fine, &three, &killed, &gone}) w.done(*one);
}

TEST_CASE("real slurm: a gang of 2 x 8 emulated GPUs; stop with its grace; KILL after it") {
  SLURM_OR_SKIP
  Real real(*lab);
  auto& w = real.watch;
  w.engine->desire_whole({});
  auto first = rank("echo rank $SLURM_PROCID of $SLURM_NTASKS on $SLURM_JOB_NODELIST", 8);
  first.size = 2;
  first.whole_node = true;
  auto second = first;
  second.rank = 1;
  second.node = "n2";
  w.engine->desire_also({first, second});
  REQUIRE(w.reaches(first, State::ended, 40));
  REQUIRE(w.reaches(second, State::ended, 40));
  CHECK(real.log(first) == "rank 0 of 2 on n1,n2\n");
  CHECK(real.log(second) == "rank 1 of 2 on n1,n2\n");

  auto kind = rank("trap 'sleep 1; echo saved; exit 9' TERM; while :; do sleep 0.1; done"),
       deaf = rank("trap '' TERM; while :; do sleep 0.1; done"), waiting = rank("true");
  waiting.cpu_milli = 127'500;  // more than is free
  w.engine->desire_also({kind, deaf});
  REQUIRE(w.reaches(kind, State::running, 40));
  REQUIRE(w.reaches(deaf, State::running, 40));
  w.engine->desire_also({waiting});
  kind.want = deaf.want = waiting.want = Want::stop;
  deaf.grace_s = 2;
  w.engine->desire_also({kind, deaf, waiting});
  REQUIRE(w.reaches(kind, State::ended, 30));
  CHECK(w.last(kind).exit_code == 9);
  CHECK(w.last(kind).signalled == Signalled::yes);
  CHECK(contains(real.log(kind), "saved"));
  REQUIRE(w.reaches(deaf, State::ended, 30));
  CHECK(w.last(deaf).exit_code == 137);
  REQUIRE(w.reaches(waiting, State::failed_to_start, 30));
}

TEST_CASE("real slurm: slurmctld killed and back; an outage longer than MinJobAge; strays") {
  SLURM_OR_SKIP
  auto runs_on = rank("while [ ! -e stop ]; do sleep 0.1; done; exit 4"),
       ends = rank("while [ ! -e end ]; do sleep 0.1; done; exit 6");
  const auto say = [&](const char* word) {
    std::ofstream(lab->folder() / "shared/home/p1" / word) << "now\n";
  };
  {
    Real real(*lab);
    auto& w = real.watch;
    w.engine->desire_whole({});
    w.engine->desire_also({runs_on, ends});
    REQUIRE(w.reaches(runs_on, State::running, 40));
    REQUIRE(w.reaches(ends, State::running, 40));
    REQUIRE(lab->script("saved"));
    REQUIRE(lab->script("kill", "ctld"));
    REQUIRE(w.until([&] { return !w.engine->health().reachable; }, 40));
    say("end");
    REQUIRE(w.reaches(ends, State::ended, 30));  // told with slurmctld dead
    CHECK(w.last(ends).exit_code == 6);
    REQUIRE(lab->script("start", "ctld"));
    REQUIRE(w.until([&] { return w.engine->health().reachable; }, 40));
    CHECK(w.two_lists());
    CHECK(w.last(runs_on).state == State::running);
  }
  // The engine is away; the rank ends; Slurm forgets it.
  say("stop");
  const auto forgotten = [&] {
    return lab->script("run", fmt::format("bash -c '! squeue -h -t all -n {} | grep -q .'",
                                          runs_on.container_name()));
  };
  for (int i = 0; i < 400 && !forgotten(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  REQUIRE(forgotten());
  Real real(*lab);
  auto& w = real.watch;
  runs_on.confirmed = true;
  w.engine->desire_whole({runs_on});
  REQUIRE(w.reaches(runs_on, State::ended, 30));
  CHECK(w.last(runs_on).exit_code == 4);

  // Nobody wants it: a job with our mark.
  REQUIRE(lab->script("run",
                      "sbatch -J job-stray-1-0 --comment ampacity:real --reservation "
                      "ampacity-real -o /dev/null --wrap 'sleep 99'"));
  REQUIRE(w.until(
      [&] { return lab->script("run", "bash -c '! squeue -h -n job-stray-1-0 | grep -q .'"); },
      30));

  // Others' jobs stay off our nodes: they wait.
  REQUIRE(lab->script("run", "sbatch -J theirs -o /dev/null --wrap 'sleep 99'"));
  const auto ours = rank("true");
  w.engine->desire_also({ours});
  REQUIRE(w.reaches(ours, State::ended, 40));
  CHECK(lab->script("run", "bash -c 'squeue -h -n theirs -o %T | grep -qx PENDING'"));
  REQUIRE(lab->script("run", "scancel -n theirs"));
}

TEST_CASE(
    "real slurm: what is held back is drained there; who waits for a node that is away goes") {
  SLURM_OR_SKIP
  Real real(*lab);
  auto& w = real.watch;
  w.engine->desire_whole({});
  const auto node = [&] {
    (void)lab->script("run", "sinfo -h -N -n n2 -o '%T %E'");
    std::ifstream in(lab->folder() / "../script.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto held_back = [&] {
    const SiteSeen site = w.site();
    return site.nodes.at(1).node.state == core::NodeState::cordoned;
  };
  w.engine->hold_back({"n2"});
  REQUIRE(w.until([&] { return node() == "drained held back by ampacity:real\n"; }, 40));
  w.engine->hold_back({});
  REQUIRE(w.until([&] { return !contains(node(), "drain"); }, 40));
  REQUIRE(lab->script("run", "scontrol update NodeName=n2 State=DRAIN Reason=fan"));
  auto sent = rank("true");
  sent.node = "n2";
  w.engine->desire_also({sent});
  REQUIRE(w.reaches(sent, State::failed_to_start, 40));
  CHECK(w.last(sent).signalled == Signalled::yes);
  CHECK(held_back());
  w.engine->hold_back({"n1"});
  w.engine->hold_back({});
  CHECK(w.two_lists());
  CHECK(node() == "drained fan\n");
  REQUIRE(lab->script("run", "scontrol update NodeName=n2 State=RESUME"));
}

TEST_CASE("real slurm: over TCP with a token minted from the key; a wrong key is told") {
  SLURM_OR_SKIP
  SlurmOptions o = lab->options();
  int port = 0;
  std::ifstream(lab->folder() / "run/jwtd.port") >> port;
  struct stat about {};
  REQUIRE(stat(lab->folder().c_str(), &about) == 0);
  o.url = fmt::format("http://127.0.0.1:{}", port);
  o.jwt_key_file = lab->folder() / "etc/jwt.key";
  const std::string who =
      about.st_uid == geteuid() ? getenv("USER") ? getenv("USER") : "root" : "slurm";
  o.user = who;
  o.state = o.state.string() + "-jwt";
  {
    Real real(*lab, o);
    real.watch.engine->desire_whole({});
    const auto work = rank("true");
    real.watch.engine->desire_also({work});
    REQUIRE(real.watch.reaches(work, State::ended, 40));
    CHECK(real.watch.last(work).exit_code == 0);
    CHECK(real.watch.engine->health().reachable);
  }
  o.jwt_key_file = lab->folder() / "etc/munge.key";
  Real wrong(*lab, o);
  CHECK_FALSE(wrong.watch.engine->health().reachable);
  CHECK_FALSE(wrong.watch.engine->health().note.empty());
}
