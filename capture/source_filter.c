#include "capture/source_filter.h"

#include "capture/base.h"
#include "capture/source.h"

#include <pcap/pcap.h>
#include <stdlib.h>

struct compiled {
	struct compiled *next;
	uint16_t link_type;
	bool good;
	struct bpf_program program;
};

struct source_filter {
	char *expression;
	struct compiled *compiled;	/* at most one for each interface of a source */
};

/* LINKTYPE_ numbers in files and DLT_ numbers in memory are the same but for these few old ones,
 * which differ between systems (pcap-linktype(7)). */
static int dlt_of(uint16_t link_type)
{
	switch (link_type) {
	case 100: return DLT_ATM_RFC1483;
	case 101: return DLT_RAW;
	case 102: return DLT_SLIP_BSDOS;
	case 103: return DLT_PPP_BSDOS;
	default: return link_type;
	}
}

static bool compile(const char *expression, uint16_t link_type, struct bpf_program *program_out,
		    char *error, size_t size)
{
	pcap_t *p = pcap_open_dead(dlt_of(link_type), SOURCE_CAPLEN_MAX);
	bool good = p != NULL &&
		    pcap_compile(p, program_out, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;

	if (!good && error != NULL)
		base_copy(error, size, p == NULL ? "libpcap gives no handle" : pcap_geterr(p));
	if (p != NULL)
		pcap_close(p);
	return good;
}

bool source_filter_valid(const char *expression, char *error, size_t size)
{
	struct bpf_program program;

	if (!compile(expression, DLT_EN10MB, &program, error, size))
		return false;
	pcap_freecode(&program);
	return true;
}

struct source_filter *source_filter_new(const char *expression)
{
	struct source_filter *f = base_alloc(sizeof(*f));

	f->expression = base_strdup(expression);
	return f;
}

void source_filter_free(struct source_filter **f)
{
	if (*f == NULL)
		return;
	while ((*f)->compiled != NULL) {
		struct compiled *c = (*f)->compiled;

		(*f)->compiled = c->next;
		if (c->good)
			pcap_freecode(&c->program);
		free(c);
	}
	free((*f)->expression);
	free(*f);
	*f = NULL;
}

const struct bpf_program *source_filter_program(struct source_filter *f, uint16_t link_type)
{
	struct compiled *c = f->compiled;

	while (c != NULL && c->link_type != link_type)
		c = c->next;
	if (c == NULL) {
		c = base_alloc(sizeof(*c));
		c->link_type = link_type;
		c->good = compile(f->expression, link_type, &c->program, NULL, 0);
		c->next = f->compiled;
		f->compiled = c;
	}
	return c->good ? &c->program : NULL;
}

bool source_filter_takes(const struct bpf_program *program, const struct frame *frame)
{
	const struct pcap_pkthdr header = { .caplen = frame->caplen, .len = frame->wire_len };

	return pcap_offline_filter(program, &header, frame->data) != 0;
}
