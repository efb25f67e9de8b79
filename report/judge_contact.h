/* judge_contact.h - what a flow is to its client, and what rules ask for it as
 *
 * Pure: nothing is read or written. */
#ifndef REPORT_JUDGE_CONTACT_H
#define REPORT_JUDGE_CONTACT_H

#include "capture/flow_key.h"
#include "report/judge_endpoint.h"
#include "report/judge_flow.h"
#include "report/judge_ledger.h"

#define CONTACT_CLASSES 12

/* A flow, seen from its client. Pointers are borrowed from the flow. */
struct contact {
	const struct judge_flow *flow;
	struct endpoint endpoint;
	const uint8_t *near;
	struct ledger_flow sums;
	const char *transport;		/* of mail; else NULL */
};

/* From the flow, the endpoint, which end is the client and the bytes: transport and kind, state and unnamed
 * of its sums. */
void contact_describe(struct contact *c);

/* Table contact_class of a contact that was described: a bit for each of its classes. */
unsigned contact_classes(const struct contact *c, const struct policy *policy);
/* Of bit `class`, up to CONTACT_CLASSES - 1. */
const char *contact_class_name(unsigned class);

/* What the server in it is called; NULL where nothing names it. Borrowed from the contact, or from `address_out`. */
const char *contact_called(const struct contact *c, char address_out[HOST_TEXT_SIZE]);

#endif
