/* judge_vantage.h - at which vantage point a flow was seen
 *
 * Files of one vantage point are parts of one capture. Of two the clocks are not trusted to agree, and one
 * address may be two hosts.
 *
 * Memory: a byte for each source; freed by vantages_free. */
#ifndef REPORT_JUDGE_VANTAGE_H
#define REPORT_JUDGE_VANTAGE_H

#include "report/store_sql.h"

struct vantages;

/* NULL with store_error when the store cannot. */
struct vantages *vantages_read(struct store *st);
void vantages_free(struct vantages **v);

unsigned vantages_count(const struct vantages *v);
/* Of a flow, numbered from 0 in order of sources. */
unsigned vantages_of(const struct vantages *v, int64_t flow);
/* Borrowed. */
const char *vantages_name(const struct vantages *v, unsigned vantage);

#endif
