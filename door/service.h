/* service.h - tells the service manager how it goes (sd_notify(3)'s datagrams, Type=notify and WatchdogSec=)
 *
 * Thread: begun and ended by one, told by any. Errors: none; nobody may be listening. */
#ifndef DOOR_SERVICE_H
#define DOOR_SERVICE_H

#include <stdint.h>

struct service;

/* NULL where no service manager asked for it. Connects to it, so before a sandbox. */
struct service *service_begin(void);
void service_end(struct service **s);

/* All take NULL. */
void service_ready(struct service *s, const char *status);
/* Alive, and how many packets were captured. */
void service_alive(struct service *s, uint64_t packets);
/* Ready is to follow. */
void service_reloading(struct service *s);
void service_stopping(struct service *s);

#endif
