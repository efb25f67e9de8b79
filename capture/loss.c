#include "capture/loss.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[LOSS_REASONS] = {
	[LOSS_KERNEL] = "kernel",
	[LOSS_INTERFACE] = "interface",
	[LOSS_RECORDED_BY_TOOL] = "recorded-by-tool",
	[LOSS_QUEUE] = "queue",
	[LOSS_EVICTED] = "evicted",
	[LOSS_SNAPLEN] = "snaplen",
	[LOSS_FRAGMENT] = "fragment",
	[LOSS_GAP] = "gap",
	[LOSS_ONE_DIRECTION] = "one-direction",
	[LOSS_UNDECODABLE] = "undecodable",
	[LOSS_HALF_READ] = "half-read",
	[LOSS_NOT_WATCHED] = "not-watched",
	[LOSS_NOT_STORED] = "not-stored",
	[LOSS_DELETED] = "deleted",
};

const char *loss_reason_name(enum loss_reason reason)
{
	assert((unsigned)reason < LOSS_REASONS && names[reason] != NULL);
	return names[reason];
}
