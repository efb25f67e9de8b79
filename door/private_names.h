/* private_names.h - name look-ups of a private network go through its door
 *
 * Else a service of the host would look names up outside, unseen, or a resolver on the host's loopback would not be
 * reached at all. */
#ifndef DOOR_PRIVATE_NAMES_H
#define DOOR_PRIVATE_NAMES_H

#include <stdbool.h>

/* What is asked here, on UDP port 53, pasta may hand to the host's first resolver of the same IP version. */
#define PRIVATE_NAMES_IPV4 "169.254.53.53"
#define PRIVATE_NAMES_IPV6 "fd53:6d77:6974::53"

struct private_names {
	char *resolvers;		/* resolv.conf(5) as it has to be inside */
	bool ipv4, ipv6;		/* whether it has that address: in place of a resolver on a loopback */
};

/* By the text of the host's resolv.conf. Where the first resolver is none on a loopback, all are asked as they are: pasta would
 * give its answers that address also if it was asked by its own. */
struct private_names private_names_of(const char *text);
struct private_names private_names_read(void);
void private_names_free(struct private_names *names);

/* In a mount namespace of this process's own; false: errno. */
bool private_names_through_the_door(const struct private_names *names);

#endif
