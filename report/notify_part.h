/* notify_part.h - between the queue of the notifying process (notify.c) and the ways out of it */
#ifndef REPORT_NOTIFY_PART_H
#define REPORT_NOTIFY_PART_H

#include "report/notify.h"

#define NOTIFY_TEXT_MAX 2048	/* of a syslog message: what receivers should take (RFC 5424 section 6.1) */

/* One attempt. False with the reason. */
typedef bool notify_deliver(const struct policy_notify *to, const char *secret, const struct notify_news *news,
			    char *why, size_t why_size);
notify_deliver notify_syslog, notify_webhook;

/* Scheme and host of where it goes. The rest of a webhook's URL is often the secret by which it is known. */
#define NOTIFY_WHERE_SIZE 256
void notify_where(const char *to, char out[NOTIFY_WHERE_SIZE]);

/* The RFC 5424 message; its length. */
size_t notify_syslog_text(const struct notify_news *news, char out[NOTIFY_TEXT_MAX]);

#endif
