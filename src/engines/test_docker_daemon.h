// For tests: a private dockerd in a temporary directory, without bridge and firewall rules of its
// own, whose containers survive it.
// Threads: the test's only.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "net/http_client.h"

namespace ampacity::engines {

class DockerDaemon {
 public:
  explicit DockerDaemon(std::filesystem::path root) : root_(std::move(root)) {
    std::filesystem::create_directories(root_);
    std::ofstream(root_ / "daemon.json") << "{}";
  }
  ~DockerDaemon() {
    end(SIGTERM);
    // What it may leave: names of network namespaces, and its own directory bound to itself.
    std::string undo = "grep -o ' " + root_.string() +
                       "[^ ]*' /proc/self/mounts | tac | xargs -r -n1 umount -l 2>/dev/null";
    (void)!std::system(undo.c_str());
  }

  std::string socket() const { return (root_ / "docker.sock").string(); }
  std::filesystem::path data() const { return root_ / "data"; }

  bool start() {
    if (pid_ > 0) return true;
    // What is missing without CAP_SYS_RESOURCE: raising limits.
    std::vector<std::string> words = {"dockerd",
                                      "--config-file=" + (root_ / "daemon.json").string(),
                                      "--data-root=" + data().string(),
                                      "--exec-root=" + (root_ / "exec").string(),
                                      "--pidfile=" + (root_ / "pid").string(),
                                      "--host=unix://" + socket(),
                                      "--bridge=none",
                                      "--iptables=false",
                                      "--ip-forward=false",
                                      "--ip-masq=false",
                                      "--live-restore",
                                      "--default-ulimit=nofile=1024:1024",
                                      "--default-ulimit=nproc=1024:1024"};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string log = (root_ / "log").string();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (freopen(log.c_str(), "a", stdout) == nullptr || dup2(1, 2) < 0) _exit(126);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    net::HttpClient client({"http://d", socket()});
    for (int i = 0; i < 300; i++) {
      auto answer = client.call({"GET", "/_ping", {}, {}});
      if (answer && answer->status == 200) return true;
      if (waitpid(pid_, nullptr, WNOHANG) != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    for (int i = 0; i < 300; i++) {
      if (waitpid(pid_, nullptr, WNOHANG) != 0) break;
      if (i == 299) ::kill(pid_, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    pid_ = 0;
    // The next dockerd would take a dying containerd for a living one.
    int containerd = 0;
    std::ifstream(root_ / "exec" / "containerd" / "containerd.pid") >> containerd;
    for (int i = 0; i < 300 && containerd > 1 && ::kill(containerd, 0) == 0; i++) {
      if (i == 100) ::kill(containerd, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  std::filesystem::path root_;
  pid_t pid_ = 0;
};

}  // namespace ampacity::engines
