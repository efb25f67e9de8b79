/* notify.h - tells syslog servers and webhooks of findings while a watch runs
 *
 * A process of its own does it, started before there are threads and before a privilege is given up: it alone
 * talks to the network, and never sees a packet. Who tells it does not wait: what it cannot take at once is
 * dropped and counted. What cannot be delivered is tried again for a minute.
 *
 * Thread: started and ended by one, told by one. Errors: a line on standard error. */
#ifndef REPORT_NOTIFY_H
#define REPORT_NOTIFY_H

#include "report/policy.h"

struct notify;

/* One thing to tell. All texts are borrowed; owner and account may be NULL. */
struct notify_news {
	const char *event;		/* "finding", "finding_withdrawn" */
	const char *key;		/* the same finding has the same one */
	const char *kind, *class, *strength, *client, *owner, *account, *sentence;
	int64_t time_ns;
};

/* NULL with error "" where the policy names nobody to tell; NULL with a line where it cannot be done. The
 * policy is not needed any more afterwards. */
struct notify *notify_start(const struct policy *policy, char *error, size_t error_size);
/* n may be NULL: nobody is to be told. */
void notify_tell(struct notify *n, const struct notify_news *news);
/* Waits until all is told, up to 20 seconds. */
void notify_end(struct notify **n);

#endif
