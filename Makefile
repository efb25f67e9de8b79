# make            build/mailwitness
# make demo       installs what is missing, builds, judges a sample capture
# make test       installs what is missing, builds, lints, runs every test
# make check      all tests; SAN=address,undefined or SAN=thread to sanitize them
# make lint       order of the rooms, headers that stand alone, compiler warnings as errors
# make fuzz       the fuzz targets as libFuzzer programs (needs clang)
# make golden     writes the expected reports anew: review the diff like code
# make lab        watches real programs in network namespaces, with tcpdump beside it (root; 77: cannot)
# make bench      speed and memory beside ndpiReader and tcpdump; how often mirrored-upload is right; judging a case that grows
# make soak       watches a mixed load for MINUTES (30): nothing may grow (root); SAN= as above
# make asn-db     builds classify/asn.mmdb anew
# make install    DESTDIR=, PREFIX=/usr/local, SYSCONFDIR=/etc are yours to set
# make deb        Debian packages, source and binary, in build-deb
# make deb-check  installs, uses and removes them in a fresh Debian (root; needs lintian, debootstrap)
# CFLAGS, LDFLAGS are yours to set; what the program needs is kept apart below.
CFLAGS ?= $(if $(SAN),-O2,-O3) -g
CPPFLAGS ?=
LDFLAGS ?=
SAN ?=
JOBS := $(shell nproc)
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
DATADIR ?= $(CURDIR)/classify
VERSION := 0.1.0
comma := ,
OUT := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
PKGS := libcurl libmicrohttpd libpcap libarchive libndpi libmaxminddb libcrypto ldns libcyaml libpsl libseccomp sqlite3

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(PKGS))
NEED_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(OUT) -MMD -MP -pthread $(PKG_CFLAGS) \
	-Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
NEED_LIBS = $(PKG_LIBS) -pthread $(if $(SAN),-fsanitize=$(SAN))

SRCS := $(wildcard capture/*.c classify/*.c report/*.c)
DOOR := $(patsubst %.c,$(OUT)/%.o,mailwitness.c $(wildcard door/*.c))
EMBEDDED := $(OUT)/report/sql.o $(OUT)/report/html_style.o $(OUT)/report/serve_script.o
QUERIES := $(wildcard report/rules/*.sql report/records/*.sql)
LIB := $(OUT)/libmailwitness.a
TESTS := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/test_*.c))
FUZZ := $(patsubst tests/%.c,$(OUT)/tests/%,$(filter-out tests/fuzz_replay.c,$(wildcard tests/fuzz_*.c)))
# Where one thread runs there are no races to be found.
ifeq ($(SAN),thread)
TESTS := $(patsubst tests/%.c,$(OUT)/tests/%,$(shell grep -l '^.include <pthread.h>' tests/test_*.c))
FUZZ :=
endif

all: $(OUT)/mailwitness
lib: $(LIB)

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(NEED_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The schema, rules, records and the style of pages stand in the program as text; each is found by its file.
$(OUT)/report/sql.c: report/embed.sh report/schema.sql $(QUERIES) report/rules report/records
	@mkdir -p $(@D)
	sh report/embed.sh report > $@

$(OUT)/report/html_style.c: report/html_style.css report/embed.sh
	@mkdir -p $(@D)
	sh report/embed.sh --text html_style $< > $@

$(OUT)/report/serve_script.c: report/serve_script.js report/embed.sh
	@mkdir -p $(@D)
	sh report/embed.sh --text serve_script $< > $@

$(EMBEDDED): %.o: %.c
	$(CC) $(NEED_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# What is compiled for another place is compiled anew.
$(OUT)/datadir: always
	@mkdir -p $(@D)
	@echo '$(DATADIR)' | cmp -s - $@ || echo '$(DATADIR)' > $@
$(DOOR): $(OUT)/datadir
$(DOOR): NEED_CFLAGS += -DDATADIR='"$(DATADIR)"' -DVERSION='"$(VERSION)"'

$(LIB): $(SRCS:%.c=$(OUT)/%.o) $(EMBEDDED)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/mailwitness: $(DOOR) $(LIB)
	$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(NEED_LIBS)

$(OUT)/tests/test_%: $(OUT)/tests/test_%.o $(LIB)
	$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(NEED_LIBS) -lcmocka $(TEST_LINK)
$(OUT)/tests/test_store: TEST_LINK = -Wl,--wrap=sqlite3_step
$(OUT)/tests/test_private_names: $(OUT)/door/private_names.o
$(OUT)/tests/test_watch_tls: TEST_LINK = $(shell pkg-config --libs libssl)

$(OUT)/tests/fuzz_%: $(OUT)/tests/fuzz_%.o $(OUT)/tests/fuzz_replay.o $(LIB)
	$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(NEED_LIBS)

# The same targets as libFuzzer programs: make fuzz, then build-fuzz/fuzz_NAME -max_total_time=600 DIR
fuzz:
	$(MAKE) --no-print-directory CC=clang OUT=build-fuzz SAN=fuzzer-no-link,address,undefined \
		$(FUZZ:$(OUT)/tests/%=build-fuzz/%)

build-fuzz/fuzz_%: build-fuzz/tests/fuzz_%.o build-fuzz/libmailwitness.a
	$(CC) $(LDFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(PKG_LIBS) -pthread

build: $(TESTS) $(FUZZ) $(OUT)/mailwitness

check: build
	tests/check.sh $(OUT)

lint:
	tests/lint.sh

golden: $(OUT)/mailwitness
	tests/golden.sh --write $(OUT)/mailwitness

demo:
	tests/need.sh build
	$(MAKE) --no-print-directory -j$(JOBS) all
	tests/demo.sh $(OUT)/mailwitness

test:
	tests/need.sh test
	$(MAKE) --no-print-directory -j$(JOBS) CFLAGS='$(CFLAGS) -Werror' build
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory -j$(JOBS) SAN=address,undefined build
	$(MAKE) --no-print-directory SAN=address,undefined check
	$(MAKE) --no-print-directory -j$(JOBS) SAN=thread build
	$(MAKE) --no-print-directory SAN=thread check

lab: $(OUT)/mailwitness
	tests/lab/run $(OUT)/mailwitness

browser: $(OUT)/mailwitness
	tests/browser $(OUT)/mailwitness
	tests/visit $(OUT)/mailwitness build/browser

bench: $(OUT)/mailwitness $(OUT)/tests/bench/load $(OUT)/tests/bench/send $(OUT)/tests/bench/mirror \
		$(OUT)/tests/bench/grow
	$(OUT)/tests/bench/mirror
	$(OUT)/tests/bench/grow
	tests/bench/run.sh $(OUT)/mailwitness $(OUT)/tests/bench/load
	tests/bench/live.sh $(OUT)/mailwitness $(OUT)/tests/bench/load $(OUT)/tests/bench/send
	tests/bench/serve.sh $(OUT)/mailwitness $(OUT)/tests/bench/load $(OUT)/tests/bench/send
	tests/property $(OUT)/mailwitness 5

$(OUT)/tests/bench/load: tests/bench/load.c
	@mkdir -p $(@D)
	$(CC) -O2 -D_GNU_SOURCE -o $@ $< -lpcap

$(OUT)/tests/bench/send: tests/bench/send.c
	@mkdir -p $(@D)
	$(CC) -O2 -D_GNU_SOURCE -o $@ $<

$(OUT)/tests/bench/mirror $(OUT)/tests/bench/grow: %: %.o $(LIB)
	$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(NEED_LIBS) -lcmocka -lm

# Tables so small that all are full after minutes; in a directory of its own.
SMALL := -DWORKER_SHARD_FLOWS=48 -DWORKER_SHARD_BYTES=262144 -DWORKER_SHARD_NAMES=64 \
	-DFRAGMENT_DATAGRAMS=32 -DFRAGMENT_BYTES=262144
MINUTES ?= 30
soak: $(OUT)/tests/bench/load $(OUT)/tests/bench/send
	$(MAKE) --no-print-directory OUT=$(OUT)-small CPPFLAGS='$(CPPFLAGS) $(SMALL)' $(OUT)-small/mailwitness
	tests/soak $(OUT)-small/mailwitness $^ $(MINUTES)

asn-db:
	rm -rf build/asn && mkdir -p build/asn
	cd build/asn && npm pack --silent @ip-location-db/asn && tar xzf *.tgz
	classify/asn-db.pl build/asn/package classify/asn.mmdb

install:
	$(MAKE) --no-print-directory DATADIR='$(PREFIX)/share/mailwitness' all
	packaging/install.sh '$(OUT)/mailwitness' '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)'

deb:
	packaging/deb.sh $(VERSION) build-deb

deb-check: deb
	tests/package.sh build-deb/root
	tests/systemd.sh build-deb/root

clean:
	rm -rf build build-*

.PHONY: all always lib build check lint golden demo test lab browser bench soak fuzz install deb deb-check clean asn-db
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
