// decide: may refuse; chooses; pure. step: decide, fold, and start whatever can start now.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/commands.h"
#include "core/facts.h"
#include "core/world.h"

namespace ampacity::core {

inline constexpr std::size_t most_live_jobs = 1'000'000;
inline constexpr std::size_t most_queued_jobs = 100'000;
inline constexpr std::size_t most_queued_jobs_of_project = 20'000;
inline constexpr std::size_t most_sites = 256;
inline constexpr std::size_t most_webhooks = 1'000;
inline constexpr std::size_t most_webhooks_of_project = 20;
inline constexpr std::size_t most_sessions = 10'000;
inline constexpr std::size_t most_sessions_of_key = 64;
inline constexpr std::size_t most_granted_keys = 10'000;  // by rules of signing in, alive

using Decision = base::Result<std::vector<FactBody>>;

Decision decide(const World& world, const Command& command, Instant now);

// The parts of decide, by room for change.
Decision decide_fleet(const World& world, const RegisterSite& c);
Decision decide_fleet(const World& world, const SetNodeState& c);
Decision decide_sites(const World& world, const AddSite& c);
Decision decide_sites(const World& world, const SetSite& c);
Decision decide_sites(const World& world, const RemoveSite& c);
Decision decide_sites(const World& world, const SeeSite& c, Instant now);
Decision decide_sites(const World& world, const ForgetVolume& c);
Decision decide_customers(const World& world, const CreateOrg& c, Instant now);
Decision decide_customers(const World& world, const CreateProject& c, Instant now);
Decision decide_customers(const World& world, const CreateUser& c, Instant now);
Decision decide_customers(const World& world, const CreateKey& c, Instant now);
Decision decide_customers(const World& world, const RevokeKey& c);
Decision decide_sessions(const World& world, const OpenSession& c, Instant now);
Decision decide_sessions(const World& world, const CloseSession& c);
Decision decide_sessions(const World& world, const SignIn& c, Instant now);
Decision decide_customers(const World& world, const AddCredit& c);
Decision decide_policy(const World& world, const SetQuota& c);
Decision decide_policy(const World& world, const SetWeight& c);
Decision decide_policy(const World& world, const SetPolicy& c);
// "lab" or a region: every site it names; refused under that field's name.
base::Result<std::vector<SiteIx>> sites_of(const World& world,
                                           const std::vector<std::string>& named,
                                           const char* field);
Decision decide_windows(const World& world, const Reserve& c, Instant now);
Decision decide_windows(const World& world, const Maintain& c, Instant now);
Decision decide_windows(const World& world, const EndWindow& c);
Decision decide_billing(const World& world, const SetIssuer& c);
Decision decide_billing(const World& world, const SetBilling& c);
Decision decide_billing(const World& world, const SetCreditLine& c);
Decision decide_billing(const World& world, const SignContract& c, Instant now);
Decision decide_billing(const World& world, const EndContract& c, Instant now);
Decision decide_billing(const World& world, const AddLine& c);
Decision decide_billing(const World& world, const IssueInvoice& c, Instant now);
Decision decide_billing(const World& world, const VoidInvoice& c, Instant now);
Decision decide_billing(const World& world, const RecordPayment& c, Instant now);
Decision decide_billing(const World& world, const SealPeriod& c, Instant now);
Decision decide_budget(const World& world, const SetBudget& c, Instant now);
Decision decide_budget(const World& world, const RemoveBudget& c);
Decision decide_webhook(const World& world, const AddWebhook& c, Instant now);
Decision decide_webhook(const World& world, const RemoveWebhook& c);
Decision decide_webhook(const World& world, const SwitchWebhook& c);
Decision decide_ledger(const World& world, const PostTransfers& c, Instant now);
// Voids of the reserves that lapsed by `now`; nullopt: none did.
class Drafter;
std::optional<ReservesExpired> expired_reserves(const World& world, Drafter& drafter, Instant now);
Decision decide_submit(const World& world, const SubmitJob& c, Instant now);
Decision decide_stop(const World& world, const StopJob& c);
Decision decide_observe(const World& world, const Observe& c, Instant now);
Decision decide_tick(const World& world, Instant now);
Decision decide_checkpoint(const World& world, const NoteCheckpoint& c);

// What is due to be given up at sites that cannot be reached (World::fence_at).
std::vector<FactBody> give_up_lost(const World& world, Instant now);
// May it stand where its volumes live and where it names; may it move?
base::Result<void> check_sites(const World& world, const Job& job);
// The job as it would be submitted, not yet in the world: for quotes, too.
base::Result<Job> drafted(const World& world, const SubmitJob& c, Instant now);
// What windows ask for at `now`: notice to those who yield, ends, unused hours given back.
void tick_windows(const World& world, Instant now, std::vector<FactBody>& facts);

// Facts that close a job's lease whose ranks have all ended. Shared by observe and stop.
LeaseClosed close_of(const World& world, const Job& job, std::vector<Rank> ranks, std::string why,
                     bool lost, RankSeen::Signalled signalled = RankSeen::Signalled::no);
// The same beside other transfers of one decision.
LeaseClosed close_of(Drafter& drafter, const World& world, const Job& job, std::vector<Rank> ranks,
                     std::string why, bool lost, RankSeen::Signalled signalled);

}  // namespace ampacity::core
