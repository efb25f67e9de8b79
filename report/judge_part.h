/* judge_part.h - the steps of judge, in the order they run; each reads what those before it wrote
 *
 * All of them run inside one transaction. Errors: false, store_error says why. */
#ifndef REPORT_JUDGE_PART_H
#define REPORT_JUDGE_PART_H

#include "report/judge.h"
#include "report/judge_vantage.h"
#include "report/store_sql.h"

/* The owner of the user's own mail servers (policy). */
#define JUDGE_OWN_SERVER "own-mail-server"
/* Of the networks that the user expects (policy). */
#define JUDGE_EXPECTED "expected-by-policy"

struct judge_part {
	struct store *st;
	const struct policy *policy;
	const struct owner_book *book;
	const struct vantages *vantages;
	bool only_due;			/* what flows give is written of the others already; see judge_due.h */
	bool no_pids;			/* the capturing tool said of no flow whose it is */
	int64_t new_names;		/* what may not be judged by yet: DNS answers of this id and higher ones */
};

/* In SQL, behind a flow's id. */
#define JUDGE_IS_DUE " IN (SELECT flow FROM temp.due)"

/* Writes flow_process. */
bool judge_process(const struct judge_part *part);
/* Writes client_provider, provider_contact and expected. */
bool judge_provider(const struct judge_part *part);
/* Writes mirror. */
bool judge_mirror(const struct judge_part *part);
/* Writes client_loss. */
bool judge_loss(const struct judge_part *part);
/* Writes by which names mail servers were meant, and what TLSA records and MTA-STS policies say of them:
 * server_name, tlsa_answer, tlsa_asked, dane, sts_policy, sts_mx, mx_answer and sts_delivery. */
bool judge_server(const struct judge_part *part);
/* Writes address_name, clear_session and starttls_offer; refines states of contact and client_state. */
bool judge_path(const struct judge_part *part);
/* Runs the rules: writes finding, finding_flow and evidence. */
bool judge_finding(const struct judge_part *part);
/* Writes canary and joint; changes findings of cloud-relay and vendor-pull that confirm each other. */
bool judge_joint(const struct judge_part *part);
/* Adds to evidence what shows any finding's flows, and bounds it: evidence_cut. */
bool judge_evidence(const struct judge_part *part);
/* Once it is known who is judged: writes destination and client_balance. */
bool judge_balance(const struct judge_part *part);
/* Writes reason, verdict and the verdicts in client. */
bool judge_verdict(const struct judge_part *part);
/* Writes account_verdict and shared_finding. */
bool judge_account(const struct judge_part *part);

#endif
