/* What reaches the disk when, while a case is written live. */
#include "report/store_sql.h"

#define SYNC_BUSY_MS "500"	/* how long to wait for another program's lock while packets wait */

bool store_sync(struct store *st)
{
	return !store_lasts(st) || store_exec(st, "PRAGMA synchronous = FULL; PRAGMA busy_timeout = " SYNC_BUSY_MS);
}

bool store_sync_later(struct store *st, bool on)
{
	return !store_lasts(st) || store_exec(st, on ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
}

bool store_in_memory(struct store *st, bool on)
{
	return store_exec(st, on ? "PRAGMA cache_spill = OFF; PRAGMA temp_store = MEMORY"
				 : "PRAGMA cache_spill = ON; PRAGMA temp_store = DEFAULT");
}
