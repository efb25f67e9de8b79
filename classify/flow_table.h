/* flow_table.h - the flows of one shard
 *
 * Thread: a table belongs to one worker; nothing in it locks.
 * Time: packet time only, so a file gives the same flows on every run and every machine.
 * Memory: grows with the flows up to max_flows, and with what reading them takes, which is summed here
 * for who keeps it under a limit. A flood costs accuracy (the idlest flow is described early and
 * counted), never memory.
 * Errors: none. */
#ifndef CLASSIFY_FLOW_TABLE_H
#define CLASSIFY_FLOW_TABLE_H

#include "classify/flow.h"

#include <stddef.h>

struct flow_table;

/* Whoever uses a table gives every key with its flow_key_hash, always by the same struct flow_hash. */
struct flow_table *flow_table_new(size_t max_flows);
/* Flows still in it are forgotten; what they own must have been let go. */
void flow_table_free(struct flow_table **t);

/* The flow of this key, or NULL. */
struct flow *flow_table_find(struct flow_table *t, const struct flow_key *key, uint64_t hash);

/* Memory is slow and what comes next is known: call these for a key that will be looked up soon, the first
 * some packets before the second. They change nothing. */
void flow_table_soon(const struct flow_table *t, uint64_t hash);
void flow_table_next(const struct flow_table *t, uint64_t hash);

/* A new, zeroed flow with this key, in no list yet: touch it next. NULL when the table is full: remove
 * flow_table_idlest and ask again. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint64_t hash);

/* Makes f the least idle flow of pace `pace`. */
void flow_table_touch(struct flow_table *t, struct flow *f, enum flow_pace pace);

/* A flow that has been silent for longer than its pace allows, or NULL. Remove it and ask again. */
struct flow *flow_table_timed_out(struct flow_table *t, int64_t now_ns);

/* The flow whose end costs least: the longest silent one that is closed, else half open, else datagrams,
 * else established. NULL when the table is empty. */
struct flow *flow_table_idlest(struct flow_table *t);

/* The flows that had a packet at since_ns or later, one after the other: the first after NULL, then the one
 * after each. Packets must come in the order of their times, or nearly: what is older than its neighbours may be
 * passed over. */
struct flow *flow_table_changed(const struct flow_table *t, const struct flow *after, int64_t since_ns);

void flow_table_remove(struct flow_table *t, struct flow *f);

/* How many flows are in it. */
size_t flow_table_count(const struct flow_table *t);

/* Says how many bytes reading f takes by now; 0 before the first time. */
void flow_table_note_memory(struct flow_table *t, struct flow *f, size_t bytes);
/* The sum over all flows in the table. */
size_t flow_table_memory(const struct flow_table *t);

#endif
