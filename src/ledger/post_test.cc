// The cases of TigerBeetle's state machine tests, told again as tables of our own (their names:
// create_accounts, linked accounts, create_transfers, 2-phase, expired, failed chains, balancing,
// closing, imported), and what is ours: signed amounts, expiry as a void. One table per theme.
#include "ledger/test_table.h"

using namespace ampacity::ledger;

namespace {

struct Theme {
  const char* name;
  const char* table;
};

const Theme themes[] = {
    {"accounts, by precedence", R"(
account A1 l:3 c:4 u:2                                  -> created
account A0 l:0 c:0 D<C C<D reserved =1,1,1,1 @1         -> timestamp_must_be_zero
account A0 l:0 c:0 D<C C<D reserved =1,1,1,1            -> reserved_flag
account A0 l:0 c:0 D<C C<D =1,1,1,1                     -> id_must_not_be_zero
account A- l:0 c:0 D<C C<D =1,1,1,1                     -> id_must_not_be_max
account A1 l:9 c:9 u:1 D<C                              -> exists_with_different_flags
account A1 l:9 c:9 u:1 C<D                              -> exists_with_different_flags
account A1 l:9 c:9 u:1                                  -> exists_with_different_user_data
account A1 l:9 c:9 u:2                                  -> exists_with_different_ledger
account A1 l:3 c:9 u:2                                  -> exists_with_different_code
account A1 l:3 c:4 u:2                                  -> exists
account A2 l:0 c:0 D<C C<D =1,1,1,1                     -> flags_are_mutually_exclusive
account A2 l:0 c:0 D<C =1,1,1,1                         -> debits_pending_must_be_zero
account A2 l:0 c:0 D<C =0,1,1,1                         -> debits_posted_must_be_zero
account A2 l:0 c:0 D<C =0,0,1,1                         -> credits_pending_must_be_zero
account A2 l:0 c:0 D<C =0,0,0,1                         -> credits_posted_must_be_zero
account A2 l:0 c:0 D<C                                  -> ledger_must_not_be_zero
account A2 c:0 D<C                                      -> code_must_not_be_zero
account A3 history                                      -> created
account A4 closed                                       -> created
commit
expect A1 0 0 0 0
expect A4 0 0 0 0 closed
)"},
    {"accounts in chains", R"(
account A7                -> created
account A1 linked         -> linked_event_failed
account A2 linked         -> linked_event_failed
account A1 linked         -> exists
account A3                -> linked_event_failed
account A1                -> created
account A1 c:2 linked     -> exists_with_different_flags
account A2                -> linked_event_failed
account A2                -> created
account A3 linked         -> linked_event_failed
account A1 l:2            -> exists_with_different_ledger
account A3 linked         -> created
account A4                -> created
commit
account A5 linked         -> linked_event_failed
account A7 linked         -> exists_with_different_flags
account A6 linked         -> linked_event_chain_open
commit
account A5 linked         -> linked_event_chain_open
commit
account A5                -> created   # nothing of it was left
account A6                -> created
commit
)"},
    {"a transfer, by precedence", R"(
account A1      -> created
account A2 l:2  -> created
account A3      -> created
account A4 D<C  -> created
account A5 C<D  -> created
commit
setup A1 100 200 0 0
setup A3 0 0 110 210
setup A4 20 max-700 0 max-500
setup A5 0 max-1000 10 max-1100
now max-3000000
transfer T0 A0 A0 9 p:T1 l:0 c:0 pending reserved @1  -> timestamp_must_be_zero
transfer T0 A0 A0 9 p:T1 l:0 c:0 pending reserved     -> reserved_flag
transfer T0 A0 A0 9 p:T1 l:0 c:0 pending expiry       -> reserved_flag
transfer T0 A0 A0 9 p:T1 l:0 c:0 pending              -> id_must_not_be_zero
transfer T- A0 A0 9 p:T1 l:0 c:0 pending              -> id_must_not_be_max
transfer T1 A0 A0 9 p:T1 l:0 c:0 pending              -> debit_account_must_not_be_zero
transfer T1 A- A0 9 p:T1 l:0 c:0 pending              -> debit_account_must_not_be_max
transfer T1 A8 A0 9 p:T1 l:0 c:0 pending              -> credit_account_must_not_be_zero
transfer T1 A8 A- 9 p:T1 l:0 c:0 pending              -> credit_account_must_not_be_max
transfer T1 A8 A8 9 p:T1 l:0 c:0 pending              -> accounts_must_be_different
transfer T1 A8 A9 9 p:T1 l:0 c:0 pending              -> pending_id_must_be_zero
transfer T1 A8 A9 -9 s:1 l:0 c:0 cdr -> timeout_reserved_for_pending_transfer
transfer T1 A8 A9 -9 l:0 c:0 cdr                      -> closing_transfer_must_be_pending
transfer T1 A8 A9 -9 l:0 c:0 ccr                      -> closing_transfer_must_be_pending
transfer T1 A8 A9 -9 l:0 c:0 pending                  -> amount_must_not_be_negative
transfer T1 A8 A9 9 l:0 c:0 pending                   -> ledger_must_not_be_zero
transfer T1 A8 A9 9 l:9 c:0 pending                   -> code_must_not_be_zero
transfer T1 A8 A9 9 l:9 pending                       -> debit_account_not_found
transfer T1 A1 A3 123                                 -> id_already_failed   # it was transient
transfer T2 A1 A9 9 l:9 pending                       -> credit_account_not_found
transfer T2 A1 A3 123                                 -> id_already_failed
commit
transfer T3 A1 A2 1 l:9 pending                       -> accounts_must_have_the_same_ledger
transfer T3 A1 A3 1 l:9 pending -> transfer_must_have_the_ledger_of_its_accounts
transfer T3 A1 A3 max-99 pending                      -> overflows_debits_pending
transfer T3 A1 A3 max-109 pending                     -> overflows_credits_pending
transfer T3 A1 A3 max-199 pending                     -> overflows_debits_posted
transfer T3 A1 A3 max-209 pending                     -> overflows_credits_posted
transfer T3 A1 A3 max-299 pending                     -> overflows_debits
transfer T3 A1 A3 max-319 pending                     -> overflows_credits
transfer T3 A4 A5 199 pending s:999                   -> overflows_timeout
transfer T3 A4 A5 199                                 -> exceeds_credits
transfer T3 A1 A3 123                                 -> id_already_failed
transfer T4 A4 A5 91                                  -> exceeds_debits
transfer T4 A1 A3 123                                 -> id_already_failed
transfer T5 A1 A3 123 pending s:1                     -> created
commit
transfer T5 A3 A1 max u:1 l:2 c:2 p:T9                -> exists_with_different_flags
transfer T5 A3 A1 max u:1 l:2 c:2 p:T9 pending        -> exists_with_different_pending_id
transfer T5 A3 A1 max u:1 l:2 c:2 pending s:2         -> exists_with_different_timeout
transfer T5 A3 A1 max u:1 l:2 c:2 pending s:1 -> exists_with_different_debit_account
transfer T5 A1 A4 max u:1 l:2 c:2 pending s:1 -> exists_with_different_credit_account
transfer T5 A1 A3 max u:1 l:2 c:2 pending s:1         -> exists_with_different_amount
transfer T5 A1 A3 123 u:1 l:2 c:2 pending s:1         -> exists_with_different_user_data
transfer T5 A1 A3 123 l:2 c:2 pending s:1             -> exists_with_different_ledger
transfer T5 A1 A3 123 c:2 pending s:1                 -> exists_with_different_code
transfer T5 A1 A3 123 pending s:1                     -> exists
transfer T6 A3 A1 7 c:2                               -> created
transfer T7 A1 A3 3 c:2                               -> created
transfer T8 A1 A3 0 c:2                               -> created
commit
expect A1 223 203 0 7
expect A3 0 7 233 213
missing T3
)"},
    {"two phases", R"(
account A1 -> created
account A2 -> created
commit
transfer T1 A1 A2 15                      -> created
transfer T2 A1 A2 15 pending s:1000       -> created
transfer T3 A1 A2 15 pending s:50         -> created
transfer T4 A1 A2 15 pending s:1          -> created
transfer T5 A1 A2 7 u:9 pending s:50      -> created
transfer T6 A1 A2 1 pending               -> created
transfer T7 A1 A2 1 pending               -> created
commit
expect A1 54 15 0 0
expect A2 0 0 54 15
tick 1
expire
transfer T101 A1 A2 13 p:T2 u:1 post                           -> created
transfer T0 A8 A9 16 p:T0 u:2 s:50 l:6 c:7 pending post void @1 -> timestamp_must_be_zero
transfer T0 A8 A9 16 p:T0 u:2 s:50 l:6 c:7 pending post void   -> id_must_not_be_zero
transfer T- A8 A9 16 p:T0 u:2 s:50 l:6 c:7 pending post void   -> id_must_not_be_max
transfer T101 A1 A2 15 p:T3 u:2 void                           -> exists_with_different_flags
transfer T101 A1 A2 13 p:T3 u:2 post                           -> exists_with_different_pending_id
transfer T101 A1 A2 13 p:T2 u:2 s:1 post                       -> exists_with_different_timeout
transfer T101 A2 A1 14 p:T2 u:2 post -> exists_with_different_debit_account
transfer T101 A1 A1 14 p:T2 u:2 post -> exists_with_different_credit_account
transfer T101 A1 A2 14 p:T2 u:1 post                           -> exists_with_different_amount
transfer T101 A1 A2 0 p:T2 u:1 post                            -> exists_with_different_amount
transfer T101 A1 A2 max p:T2 u:1 post                          -> exists_with_different_amount
transfer T101 A1 A2 13 p:T2 u:2 post                           -> exists_with_different_user_data
transfer T101 A1 A2 13 p:T2 post                               -> exists_with_different_user_data
transfer T101 A1 A2 13 p:T2 u:1 l:2 c:2 post                   -> exists_with_different_ledger
transfer T101 A1 A2 13 p:T2 u:1 c:2 post                       -> exists_with_different_code
transfer T101 A1 A2 13 p:T2 u:1 post                           -> exists
transfer T101 A0 A0 13 p:T2 u:1 l:0 c:0 post                   -> exists
transfer T102 A8 A9 16 s:50 l:6 c:7 pending post void          -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 post void                  -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 pending void               -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 pending post               -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 void bdr                   -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 post bcr                   -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 post cdr                   -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 void ccr                   -> flags_are_mutually_exclusive
transfer T102 A8 A9 16 s:50 l:6 c:7 void                       -> pending_id_must_not_be_zero
transfer T102 A8 A9 16 p:T- s:50 l:6 c:7 void                  -> pending_id_must_not_be_max
transfer T102 A8 A9 16 p:T102 s:50 l:6 c:7 void                -> pending_id_must_be_different
transfer T102 A8 A9 -6 p:T103 s:50 l:6 c:7 void -> timeout_reserved_for_pending_transfer
transfer T102 A8 A9 -6 p:T103 l:6 c:7 void                     -> amount_must_not_be_negative
commit
transfer T102 A8 A9 16 p:T103 l:6 c:7 void   -> pending_transfer_not_found
transfer T102 A1 A2 13                       -> id_already_failed
transfer T103 A8 A9 16 p:T1 l:6 c:7 void     -> pending_transfer_not_pending
transfer T103 A8 A9 16 p:T3 l:6 c:7 void     -> pending_transfer_has_different_debit_account
transfer T103 A1 A9 16 p:T3 l:6 c:7 void     -> pending_transfer_has_different_credit_account
transfer T103 A1 A2 16 p:T3 l:6 c:7 void     -> pending_transfer_has_different_ledger
transfer T103 A1 A2 16 p:T3 c:7 void         -> pending_transfer_has_different_code
transfer T103 A1 A2 16 p:T3 void             -> exceeds_pending_transfer_amount
transfer T103 A1 A2 14 p:T3 void             -> pending_transfer_has_different_amount
transfer T103 A1 A2 13 p:T2 post             -> pending_transfer_already_posted
transfer T103 A1 A2 15 p:T3 u:1 void         -> created
transfer T104 A1 A2 13 p:T3 post             -> pending_transfer_already_voided
transfer T104 A1 A2 15 p:T4 void             -> pending_transfer_expired
transfer T105 A0 A0 8 p:T5 l:0 c:0 post      -> exceeds_pending_transfer_amount
transfer T105 A0 A0 max p:T5 l:0 c:0 post    -> created
transfer T105 A0 A0 7 p:T5 post              -> exists
transfer T105 A0 A0 max p:T5 l:0 c:0 post    -> exists
transfer T105 A0 A0 7 p:T5 u:9 post          -> exists
transfer T105 A0 A0 8 p:T5 post              -> exists_with_different_amount
transfer T105 A0 A0 6 p:T5 post              -> exists_with_different_amount
transfer T106 A0 A0 max-1 p:T6 post          -> exceeds_pending_transfer_amount
transfer T106 A0 A0 max p:T6 post            -> created
transfer T106 A0 A0 1 p:T6 post              -> exists
transfer T107 A0 A0 0 p:T7 post              -> created
transfer T107 A0 A0 0 p:T7 post              -> exists
transfer T107 A0 A0 1 p:T7 post              -> exists_with_different_amount
transfer T108 A0 A0 0 p:T7 void              -> pending_transfer_already_posted
commit
expect A1 0 36 0 0
expect A2 0 0 0 36
amount T101 13
amount T105 7
amount T106 1
amount T107 0
)"},
    {"the whole of the largest", R"(
account A1 -> created
account A2 -> created
commit
transfer T1 A1 A2 max pending   -> created
transfer T2 A1 A2 max p:T1 post -> created
transfer T2 A1 A2 max p:T1 post -> exists
commit
expect A1 0 max 0 0
expect A2 0 0 0 max
)"},
    {"expiry", R"(
account A1 -> created
account A2 -> created
commit
transfer T1 A1 A2 10 pending     -> created   # never
transfer T2 A1 A2 11 pending s:1 -> created
transfer T3 A1 A2 12 pending s:2 -> created
transfer T4 A1 A2 13 pending s:3 -> created
commit
expect A1 46 0 0 0
tick 1
expire
expect A1 35 0 0 0
expect A2 0 0 35 0
amount T1000000 11
tick 1
expire
expect A1 23 0 0 0
tick 1
transfer T104 A1 A2 13 p:T4 post -> pending_transfer_expired   # late, though nobody said so yet
commit
expect A1 23 0 0 0
expire
expire
expect A1 10 0 0 0
transfer T101 A1 A2 10 p:T1 post -> created
transfer T102 A1 A2 11 p:T2 post -> pending_transfer_expired
transfer T103 A1 A2 12 p:T3 void -> pending_transfer_expired
commit
expect A1 0 10 0 0
expect A2 0 0 0 10
missing T102
)"},
    {"chains of transfers", R"(
account A1 D<C -> created
account A2     -> created
commit
setup A1 0 0 0 20
transfer T1 A1 A2 15 linked         -> linked_event_failed
transfer T2 A1 A2 5 l:0             -> ledger_must_not_be_zero
transfer T3 A1 A2 15 linked pending s:1 -> linked_event_failed
transfer T4 A1 A2 15 l:0            -> ledger_must_not_be_zero
commit
expect A1 0 0 0 20
expect A2 0 0 0 0
missing T1
missing T3
transfer T1 A1 A2 15 linked         -> linked_event_failed
transfer T2 A1 A2 5 l:0             -> ledger_must_not_be_zero
transfer T3 A1 A2 15                -> created     # sees nothing of the failed chain
commit
expect A1 0 15 0 20
transfer T4 A1 A2 1 linked pending  -> created
transfer T5 A0 A0 max p:T4 post     -> created
transfer T6 A1 A2 2 pending         -> created
transfer T7 A0 A0 max p:T6 linked post -> linked_event_failed
transfer T8 A1 A2 9                 -> exceeds_credits
commit
expect A1 2 16 0 20
transfer T9 A0 A0 max p:T6 post     -> created     # its reserve was opened again
transfer T8 A1 A2 1                 -> id_already_failed
transfer T10 A1 A2 1 linked         -> linked_event_failed
transfer T11 A1 A2 1 linked         -> linked_event_chain_open
commit
transfer T10 A1 A2 1                -> created     # an id of a failed chain is not burnt
transfer T12 A1 A2 1 linked         -> linked_event_chain_open
commit
transfer T13 A1 A2 0 linked         -> linked_event_failed
transfer T10 A1 A2 1                -> exists
commit
expect A1 0 19 0 20
expect A2 0 0 0 19
)"},
    {"balancing against bounds", R"(
account A1 D<C -> created
account A2 C<D -> created
account A3     -> created
commit
setup A1 1 0 0 10
setup A2 0 10 2 0
transfer T1 A1 A3 3 l:2 bdr -> transfer_must_have_the_ledger_of_its_accounts
transfer T1 A1 A3 3 bdr       -> created
transfer T2 A1 A3 13 bdr      -> created
transfer T3 A3 A2 3 bcr       -> created
transfer T4 A3 A2 13 bcr      -> created
transfer T5 A1 A3 1 bdr       -> created
transfer T6 A1 A3 1 bdr bcr   -> created
transfer T7 A3 A2 1 bcr       -> created
transfer T8 A1 A2 1 bdr bcr   -> created
transfer T1 A1 A3 2 bdr       -> exists_with_different_amount
transfer T1 A1 A3 0 bdr       -> exists_with_different_amount
transfer T1 A1 A3 3 bdr       -> exists
transfer T1 A1 A3 4 bdr       -> exists
transfer T2 A1 A3 6 bdr       -> exists
transfer T2 A1 A3 0 bdr       -> exists_with_different_amount
transfer T4 A3 A2 5 bcr       -> exists
transfer T4 A3 A2 4 bcr       -> exists_with_different_amount
commit
expect A1 1 9 0 10
expect A2 0 10 2 8
expect A3 0 8 0 9
amount T1 3
amount T2 6
amount T3 3
amount T4 5
amount T5 0
amount T8 0
)"},
    {"balancing one side, bounded on the other", R"(
account A1 D<C -> created
account A2     -> created
account A3 C<D -> created
account A4     -> created
commit
setup A1 0 0 0 4
setup A2 0 5 0 0
setup A3 0 4 0 0
setup A4 0 0 0 5
transfer T1 A1 A2 10 bcr -> exceeds_credits
transfer T2 A1 A2 10 bdr -> created
transfer T3 A4 A3 10 bdr -> exceeds_debits
transfer T4 A4 A3 10 bcr -> created
commit
expect A1 0 4 0 4
expect A3 0 4 0 4
amount T2 4
amount T4 4
missing T1
)"},
    {"balancing near the largest, pending, and both at once", R"(
account A1 D<C -> created
account A2 D<C -> created
account A3 C<D -> created
account A4 C<D -> created
account A5 D<C -> created
account A6 C<D -> created
commit
setup A1 0 0 0 max-1
setup A4 0 max-1 0 0
setup A5 0 0 0 10
setup A6 0 10 0 0
transfer T1 A1 A2 max bdr        -> created
transfer T2 A3 A4 max bcr        -> created
transfer T3 A5 A6 3 pending bdr  -> created
transfer T4 A5 A6 13 pending bdr -> created
transfer T5 A5 A6 1 pending bdr bcr -> created
transfer T6 A0 A0 max p:T3 post  -> created
transfer T7 A5 A6 5 p:T4 post    -> created
transfer T8 A5 A6 12 bdr bcr     -> created
commit
amount T1 max-1
amount T2 max-1
amount T4 7
amount T5 0
amount T6 3
amount T8 2
expect A5 0 10 0 10
expect A6 0 10 0 10
)"},
    {"from three purses through a control account", R"(
account A1 D<C -> created
account A2 D<C -> created
account A3 D<C -> created
account A4     -> created
account A5 D<C -> created
account A6     -> created
commit
setup A1 0 0 0 40
setup A2 0 0 0 40
setup A3 0 0 0 19
transfer T1 A4 A5 100 linked         -> linked_event_failed
transfer T2 A1 A4 100 linked bdr bcr -> linked_event_failed
transfer T3 A2 A4 100 linked bdr bcr -> linked_event_failed
transfer T4 A3 A4 100 linked bdr bcr -> linked_event_failed
transfer T5 A4 A6 100 linked         -> linked_event_failed
transfer T6 A5 A4 max bcr            -> exceeds_credits
commit
expect A1 0 0 0 40
expect A6 0 0 0 0
setup A3 0 0 0 21
transfer T1 A4 A5 100 linked         -> created
transfer T2 A1 A4 100 linked bdr bcr -> created
transfer T3 A2 A4 100 linked bdr bcr -> created
transfer T4 A3 A4 100 linked bdr bcr -> created
transfer T5 A4 A6 100 linked         -> created
transfer T7 A5 A4 max bcr            -> created
transfer T1 A4 A5 100 linked         -> exists      # the whole chain again
transfer T2 A1 A4 100 linked bdr bcr -> exists
transfer T3 A2 A4 100 linked bdr bcr -> exists
transfer T4 A3 A4 100 linked bdr bcr -> exists
transfer T5 A4 A6 100 linked         -> exists
transfer T7 A5 A4 max bcr            -> exists
transfer T1 A4 A5 100 linked         -> exists      # not the chain it was
transfer T8 A4 A5 0 linked           -> linked_event_failed
transfer T2 A1 A4 100 linked bdr bcr -> linked_event_failed
transfer T9 A4 A5 0                  -> linked_event_failed
transfer T1 A4 A5 100 linked         -> exists
transfer T9 A4 A5 0 l:0              -> ledger_must_not_be_zero
commit
missing T8
missing T9
expect A1 0 40 0 40
expect A2 0 40 0 40
expect A3 0 20 0 21
expect A4 0 200 0 200
expect A5 0 100 0 100
expect A6 0 0 0 100
)"},
    {"a bound for the length of a chain", R"(
account A1     -> created
account A2     -> created
account A3 C<D -> created
commit
setup A2 0 40 0 0
transfer T1 A1 A2 41 linked            -> linked_event_failed
transfer T2 A2 A3 1 linked pending bdr -> exceeds_debits
transfer T3 A2 A3 0 p:T2 void          -> linked_event_failed
commit
transfer T1 A1 A2 0 -> created
transfer T2 A2 A3 0 -> id_already_failed
transfer T3 A2 A3 0 -> created
commit
transfer T4 A1 A2 40 linked            -> created
transfer T5 A2 A3 1 linked pending bdr -> created
transfer T6 A2 A3 0 p:T5 void          -> created
commit
expect A1 0 40 0 0
expect A2 0 40 0 40
expect A3 0 0 0 0
)"},
    {"closing", R"(
account A1 -> created
account A2 -> created
account A3 -> created
commit
transfer T1 A1 A2 15                 -> created
transfer T2 A1 A2 0 cdr              -> closing_transfer_must_be_pending
transfer T2 A1 A2 0 pending cdr      -> created
transfer T2 A1 A2 0 pending cdr      -> exists
transfer T3 A1 A2 5                  -> debit_account_already_closed
transfer T3 A1 A2 5                  -> id_already_failed
transfer T4 A2 A1 5                  -> credit_account_already_closed
transfer T4 A2 A1 5                  -> id_already_failed
commit
expect A1 0 15 0 0 closed
expect A2 0 0 0 15
transfer T5 A1 A2 0 p:T2 post        -> debit_account_already_closed
transfer T5 A1 A2 0 p:T2 void        -> id_already_failed
transfer T6 A1 A2 0 p:T2 void        -> created     # opens it again
transfer T6 A1 A2 0 p:T2 void        -> exists
transfer T7 A1 A2 5                  -> created
transfer T8 A1 A2 10 pending s:1     -> created
transfer T9 A1 A2 10 pending         -> created
transfer T10 A1 A2 0 pending ccr s:2 -> created
transfer T11 A1 A2 10 p:T9 post      -> credit_account_already_closed
transfer T11 A1 A2 10 p:T9 void      -> id_already_failed
transfer T12 A1 A2 10 p:T9 void      -> created
commit
expect A1 10 20 0 0
expect A2 0 0 10 20 closed
tick 1
expire
expect A2 0 0 0 20 closed
tick 1
expire
expect A2 0 0 0 20
transfer T13 A1 A2 0 pending cdr ccr -> created
transfer T14 A1 A3 5                 -> debit_account_already_closed
transfer T15 A3 A2 5                 -> credit_account_already_closed
transfer T16 A1 A3 0 pending cdr     -> debit_account_already_closed
transfer T17 A3 A2 0 pending ccr     -> credit_account_already_closed
commit
expect A1 0 20 0 0 closed
expect A2 0 0 0 20 closed
transfer T18 A3 A1 0 linked          -> credit_account_already_closed
transfer T19 A0 A0 0 p:T13 linked void -> linked_event_failed
transfer T20 A1 A3 0 l:0             -> linked_event_failed
commit
)"},
    {"a chain that closes is undone", R"(
account A1 -> created
account A2 -> created
commit
transfer T1 A1 A2 0 linked pending cdr ccr -> linked_event_failed
transfer T2 A1 A2 1                        -> debit_account_already_closed
transfer T3 A1 A2 1                        -> created
commit
expect A1 0 1 0 0
expect A2 0 0 0 1
)"},
    {"imported batches", R"(
now 10
account A1 imported @1 -> created
account A2             -> imported_event_expected
account A2 imported @2 -> created
commit
account A3             -> created
account A4 imported @3 -> imported_event_not_expected
commit
transfer T1 A1 A2 3 imported @10 -> imported_event_timestamp_must_not_advance
commit
now 20
transfer T1 A1 A2 3 imported @10 -> created
transfer T2 A1 A2 3              -> imported_event_expected
commit
transfer T3 A1 A2 3              -> created
transfer T4 A1 A2 3 imported     -> imported_event_not_expected
commit
)"},
    {"imported timestamps", R"(
now 11
account A1 imported     -> imported_event_timestamp_out_of_range
account A1 imported @max -> imported_event_timestamp_out_of_range
account A1 imported @99 -> imported_event_timestamp_must_not_advance
account A1 imported @2  -> created
account A2 imported @1  -> imported_event_timestamp_must_not_regress
account A2 imported @3  -> created
account A3 imported @9  -> created
account A2 imported @99 -> imported_event_timestamp_must_not_advance
account A2 imported @4  -> exists
commit
transfer T1 A1 A2 3 imported     -> imported_event_timestamp_out_of_range
transfer T1 A1 A2 3 imported @max -> imported_event_timestamp_out_of_range
transfer T1 A1 A2 3 imported @99 -> imported_event_timestamp_must_not_advance
transfer T1 A1 A2 3 imported @2  -> imported_event_must_postdate_debit_account
transfer T1 A1 A2 3 imported @3  -> imported_event_must_postdate_credit_account
transfer T1 A3 A2 3 imported @4  -> imported_event_must_postdate_debit_account
transfer T1 A1 A3 3 imported @4  -> imported_event_must_postdate_credit_account
transfer T1 A1 A2 3 imported @4  -> created
transfer T2 A1 A2 3 imported @3  -> imported_event_timestamp_must_not_regress
transfer T2 A1 A2 3 imported @5  -> created
transfer T2 A1 A2 3 imported @99 -> imported_event_timestamp_must_not_advance
transfer T2 A1 A2 3 imported @4  -> exists
transfer T3 A1 A2 4 imported @6 pending s:1 -> imported_event_timeout_must_be_zero
transfer T3 A1 A2 4 imported @6 pending     -> created
transfer T4 A1 A2 4 p:T3 imported @7 post   -> created
transfer T5 A1 A2 1 linked imported @8      -> linked_event_failed
transfer T6 A1 A2 1 imported @8             -> imported_event_timestamp_must_not_regress
transfer T7 A1 A2 1 linked imported @8      -> created
transfer T8 A1 A2 1 imported @9             -> created
commit
expect A1 0 12 0 0
account A4 imported @9 -> imported_event_timestamp_must_not_regress
commit
)"},
};

}  // namespace

TEST_CASE("outcomes by theme") {
  for (const Theme& theme : themes) {
    CAPTURE(std::string(theme.name));
    Reached reached;
    Table(reached).run(theme.table);
  }
}

TEST_CASE("every outcome is reached by a row") {
  Reached reached;
  for (const Theme& theme : themes) Table(reached).run(theme.table);
  for (int i = 0; i < outcomes; ++i) {
    CAPTURE(name_of(static_cast<Outcome>(i)));
    CHECK(reached.transfers.contains(static_cast<Outcome>(i)));
  }
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<AccountOutcome>>([&](auto d) {
    CAPTURE(d.name);
    CHECK(reached.accounts.contains(d.value));
  });
}
