/* private_names.h - name look-ups of a private network go through its door
 *
 * Else a service of the host would look names up outside, unseen, or a resolver on the host's loopback would not be
 * reached at all. */
#ifndef DOOR_PRIVATE_NAMES_H
#define DOOR_PRIVATE_NAMES_H

#include <stdbool.h>

/* What is asked here, on UDP port 53, pasta hands to the host's first resolver of the same IP version. */
#define PRIVATE_NAMES_IPV4 "169.254.53.53"
#define PRIVATE_NAMES_IPV6 "fd53:6d77:6974::53"

/* In a mount namespace of this process's own; false: errno. */
bool private_names_through_the_door(void);

/* The text of a resolv.conf(5) with those addresses in place of resolvers on a loopback, to be freed. */
char *private_names_resolvers(const char *text);

#endif
