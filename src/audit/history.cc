#include "audit/history.h"

#include <algorithm>

#include "base/json.h"

namespace ampacity::audit {
namespace {

using base::Id;

struct Named {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name))
struct SkuDefined {
  Named sku;
};
BOOST_DESCRIBE_STRUCT(SkuDefined, (), (sku))
struct SiteAdded {
  Named site;
};
BOOST_DESCRIBE_STRUCT(SiteAdded, (), (site))
struct Node {
  std::uint32_t site = 0;
};
BOOST_DESCRIBE_STRUCT(Node, (), (site))
struct NodeJoined {
  Node node;
};
BOOST_DESCRIBE_STRUCT(NodeJoined, (), (node))
struct NodeChanged {
  std::uint32_t node = 0;
  Node now;
};
BOOST_DESCRIBE_STRUCT(NodeChanged, (), (node, now))
struct OrgCreated {
  Org org;
};
BOOST_DESCRIBE_STRUCT(OrgCreated, (), (org))
struct BillingSet {
  std::uint32_t org = 0;
  Tax profile;
};
BOOST_DESCRIBE_STRUCT(BillingSet, (), (org, profile))
struct Project {
  std::uint32_t org = 0;
};
BOOST_DESCRIBE_STRUCT(Project, (), (org))
struct ProjectCreated {
  Project project;
};
BOOST_DESCRIBE_STRUCT(ProjectCreated, (), (project))
struct PricesSet {
  Book book;
};
BOOST_DESCRIBE_STRUCT(PricesSet, (), (book))
struct ContractSigned {
  Contract contract;
};
BOOST_DESCRIBE_STRUCT(ContractSigned, (), (contract))
struct ContractEnded {
  Id contract;
  Instant ends;
};
BOOST_DESCRIBE_STRUCT(ContractEnded, (), (contract, ends))
struct Demand {
  Id reservation;
};
BOOST_DESCRIBE_STRUCT(Demand, (), (reservation))
struct Job {
  Id id;
  std::uint32_t project = 0;
  std::string job_class = "on_demand";
  Demand demand;
};
BOOST_DESCRIBE_STRUCT(Job, (), (id, project, job_class, demand))
struct JobSubmitted {
  Job job;
};
BOOST_DESCRIBE_STRUCT(JobSubmitted, (), (job))
struct Place {
  std::uint32_t node = 0;
};
BOOST_DESCRIBE_STRUCT(Place, (), (node))
struct LeaseFact {
  std::uint32_t sku = 0;
  std::vector<Place> places;
  Rates rates;
};
BOOST_DESCRIBE_STRUCT(LeaseFact, (), (sku, places, rates))
struct LeaseGranted {
  Id job;
  std::int64_t generation = 1;
  LeaseFact lease;
};
BOOST_DESCRIBE_STRUCT(LeaseGranted, (), (job, generation, lease))
struct RankStarted {
  Id job;
  Instant started_at;
};
BOOST_DESCRIBE_STRUCT(RankStarted, (), (job, started_at))
struct RankEnded {
  Id job;
  RankStarted end;
};
BOOST_DESCRIBE_STRUCT(RankEnded, (), (job, end))
struct Repricing {
  Id job;
  std::int64_t from_s = 0;
  Rates rates;
};
BOOST_DESCRIBE_STRUCT(Repricing, (), (job, from_s, rates))
struct SpotRepriced {
  std::vector<Repricing> entries;
};
BOOST_DESCRIBE_STRUCT(SpotRepriced, (), (entries))
struct Closed {
  Id job;
  bool requeue = false;
};
BOOST_DESCRIBE_STRUCT(Closed, (), (job, requeue))

struct LiveLease {
  std::int64_t generation = 1;
  LeaseFact lease;
  Instant started_at;
  std::vector<std::pair<std::int64_t, Rates>> before;  // until which second
};
struct LiveJob {
  Job job;
  std::optional<LiveLease> lease;
};

class Reading {
 public:
  Reading(const std::set<std::pair<std::uint64_t, std::uint32_t>>& moments, Tally& tally)
      : moments_(moments), next_(moments.begin()), tally_(tally) {}

  History run(store::Database& db) {
    auto rows = db.query("SELECT first_sequence, facts FROM journal ORDER BY first_sequence");
    while (rows.next()) {
      const auto facts = base::parse_json(rows.bytes(1));
      if (!facts || !facts->is_array()) {
        tally_.wrong(fmt::format("the facts from {} on are not readable", rows.integer(0)));
        continue;
      }
      std::uint64_t sequence = rows.number(0);
      for (const auto& fact : facts->get_array()) {
        show_until(sequence);
        if (!one(fact, sequence)) tally_.wrong(fmt::format("fact {} is not readable", sequence));
        ++sequence;
      }
    }
    tally_.read_to_the_end(rows);
    show_until(UINT64_MAX);
    return std::move(h_);
  }

 private:
  template <typename T>
  bool read(const boost::json::value& body, T& to) {
    base::JsonReader reader;
    reader.allow_unknown = true;
    reader.defaults_for_missing = true;
    reader.read(body, to, "body");
    return reader.wrong.empty();
  }

  bool one(const boost::json::value& fact, std::uint64_t sequence) {
    const auto* o = fact.if_object();
    const auto* kind_value = o ? o->if_contains("kind") : nullptr;
    const auto* body = o ? o->if_contains("body") : nullptr;
    if (!body || !kind_value || !kind_value->is_string()) return false;
    const std::string_view kind(kind_value->get_string().data(), kind_value->get_string().size());
    return kind.starts_with("job_") || kind.starts_with("lease_") || kind.starts_with("rank_") ||
                   kind == "spot_repriced"
               ? of_jobs(kind, *body)
               : of_terms(kind, *body, sequence);
  }

  bool of_terms(std::string_view kind, const boost::json::value& body, std::uint64_t sequence) {
    if (kind == "sku_defined") {
      SkuDefined f;
      if (!read(body, f)) return false;
      h_.skus.push_back(f.sku.name);
    } else if (kind == "site_added") {
      SiteAdded f;
      if (!read(body, f)) return false;
      h_.sites.push_back(f.site.name);
    } else if (kind == "node_joined") {
      NodeJoined f;
      if (!read(body, f)) return false;
      nodes_.push_back(f.node);
    } else if (kind == "node_changed") {
      NodeChanged f;
      if (!read(body, f) || f.node >= nodes_.size()) return false;
      nodes_[f.node] = f.now;
    } else if (kind == "org_created") {
      OrgCreated f;
      if (!read(body, f)) return false;
      h_.orgs.push_back(f.org);
    } else if (kind == "billing_set") {
      BillingSet f;
      if (!read(body, f) || f.org >= h_.orgs.size()) return false;
      h_.orgs[f.org].taxed[sequence] = f.profile;
    } else if (kind == "project_created") {
      ProjectCreated f;
      if (!read(body, f)) return false;
      h_.org_of_project.push_back(f.project.org);
    } else if (kind == "prices_set") {
      PricesSet f;
      if (!read(body, f)) return false;
      f.book.sequence = sequence;
      h_.books.push_back(std::move(f.book));
    } else if (kind == "contract_signed") {
      ContractSigned f;
      if (!read(body, f)) return false;
      f.contract.sequence = sequence;
      h_.contracts.push_back(std::move(f.contract));
    } else if (kind == "contract_ended") {
      ContractEnded f;
      if (!read(body, f)) return false;
      for (Contract& c : h_.contracts)
        if (c.id == f.contract) c.ended[sequence] = f.ends;
    }
    return true;
  }

  bool of_jobs(std::string_view kind, const boost::json::value& body) {
    if (kind == "job_submitted") {
      JobSubmitted f;
      if (!read(body, f)) return false;
      jobs_[f.job.id] = {f.job, {}};
    } else if (kind == "lease_granted") {
      LeaseGranted f;
      if (!read(body, f) || f.lease.places.empty()) return false;
      jobs_[f.job].lease = LiveLease{f.generation, std::move(f.lease), {}, {}};
    } else if (kind == "rank_started") {
      RankStarted f;
      if (!read(body, f)) return false;
      started(f.job, f.started_at);
    } else if (kind == "rank_ended") {
      RankEnded f;
      if (!read(body, f)) return false;
      started(f.job, f.end.started_at);
    } else if (kind == "spot_repriced") {
      SpotRepriced f;
      if (!read(body, f)) return false;
      for (const Repricing& e : f.entries) {
        const auto at = jobs_.find(e.job);
        if (at == jobs_.end() || !at->second.lease) return false;
        LiveLease& l = *at->second.lease;
        if (e.from_s > 0) l.before.emplace_back(e.from_s, l.lease.rates);
        l.lease.rates = e.rates;
      }
    } else if (kind == "lease_closed" || kind == "job_ended") {
      Closed f;
      if (!read(body, f)) return false;
      if (f.requeue)
        jobs_[f.job].lease.reset();
      else
        jobs_.erase(f.job);
    }
    return true;
  }

  // Of several ranks the first to start begins the lease.
  void started(Id job, Instant at) {
    const auto found = jobs_.find(job);
    if (found == jobs_.end() || !found->second.lease || at.us == 0) return;
    Instant& first = found->second.lease->started_at;
    if (first.us == 0 || at < first) first = at;
  }

  // Moments before the fact `sequence` see what is there now.
  void show_until(std::uint64_t sequence) {
    for (; next_ != moments_.end() && next_->first < sequence; ++next_) {
      auto& out = h_.running[*next_];
      for (const auto& [id, job] : jobs_) show(job, next_->second, out);
      std::sort(out.begin(), out.end(),
                [](const Stint& a, const Stint& b) { return a.place() < b.place(); });
    }
  }

  void show(const LiveJob& job, std::uint32_t org, std::vector<Stint>& out) const {
    if (!job.lease || job.lease->started_at.us == 0) return;
    if (job.job.project >= h_.org_of_project.size()) return;
    if (h_.org_of_project[job.job.project] != org) return;
    const LiveLease& l = *job.lease;
    const std::uint32_t node = l.lease.places[0].node;
    Stint s;
    s.job = job.job.id;
    s.generation = l.generation;
    s.project = job.job.project;
    s.sku = l.lease.sku;
    s.site = node < nodes_.size() ? nodes_[node].site : nobody;
    s.job_class = job.job.job_class;
    s.reservation = job.job.demand.reservation;
    std::int64_t from_s = 0;
    for (const auto& [until_s, rates] : l.before) {
      Stint& past = out.emplace_back(s);
      past.rates = rates;
      past.started_at = l.started_at + base::Duration::seconds(from_s);
      past.ended = true;
      past.ended_at = l.started_at + base::Duration::seconds(until_s);
      past.billed_s = until_s - from_s;
      from_s = until_s;
    }
    s.started_at = l.started_at + base::Duration::seconds(from_s);
    s.rates = l.lease.rates;
    out.push_back(std::move(s));
  }

  const std::set<std::pair<std::uint64_t, std::uint32_t>>& moments_;
  std::set<std::pair<std::uint64_t, std::uint32_t>>::const_iterator next_;
  Tally& tally_;
  History h_;
  std::vector<Node> nodes_;
  std::map<Id, LiveJob> jobs_;
};

}  // namespace

Tax History::tax_of(std::uint32_t org, std::uint64_t known) const {
  if (org >= orgs.size()) return {};
  Tax tax = orgs[org].billing;
  for (const auto& [sequence, later] : orgs[org].taxed)
    if (sequence <= known) tax = later;
  return tax;
}

History read_history(store::Database& db,
                     const std::set<std::pair<std::uint64_t, std::uint32_t>>& moments,
                     Tally& tally) {
  return Reading(moments, tally).run(db);
}

}  // namespace ampacity::audit
