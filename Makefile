# vcube. `make help` lists what there is to make.
LAYERS  = base storage dimensions mapping cube slice query render http report cli
BUILD  ?= build
# Relative however it was given: lists of headers name their targets as they were called.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
VERSION = 0.1.0
STD     = -std=c11 -D_GNU_SOURCE -I. -DVCUBE_VERSION='"$(VERSION)"'
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
          -Wno-sign-conversion -Wvla $(WERROR)
# Criterion's macros convert; names made in tests may be cut, of which gcc warns at -O1 only.
TEST_WARN = -Wno-conversion -Wno-missing-prototypes \
          $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
CFLAGS ?= -O2 -g
# Checked copies need an optimiser, and are in the way of the sanitizers; Intel alone marks where
# jumps may land.
HARDEN  = -fstack-protector-strong -fstack-clash-protection -fPIE \
          $(if $(findstring x86_64,$(MACHINE)),-fcf-protection) \
          $(if $(SAN)$(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ALL_CFLAGS = $(STD) $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS) $(SAN) -pthread
LIBS    = -lmicrohttpd -lgnutls -ljansson -llmdb -lxxhash -lsodium -lutf8proc -lzstd -lz -lm -pthread
LINK    = $(CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(SAN)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# One archive per folder. A folder's tests link its archive and those of the folders below it only
# (those of slice ask the laws, too, which are in query); the tests of the whole house link all but
# the command's main.
sources  = $(wildcard $(1)/*.c)
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
archive  = $(BUILD)/lib$(1).a
below    = $(shell for l in $(LAYERS); do echo $$l; [ $$l = $(1) ] && break; done)
reverse  = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
TEST_LIBS_slice = -lsqlite3
TEST_ALSO_slice = $(call archive,query)
libs_of  = $(foreach l,$(call reverse,$(call below,$(1))),$(if $(call sources,$(l)),$(call archive,$(l))))
tests_of = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/$(1)/*.c))

TESTED   = $(foreach l,$(LAYERS) house,$(if $(wildcard tests/$(l)/test_*.c),$(l)))
PROGRAMS = $(TESTED:%=$(BUILD)/tests/test_%)
BENCHES  = $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c bench/safety/*.c))

.DEFAULT_GOAL = all
all: setup
	@$(MAKE) --no-print-directory $(BUILD)/vcube

help:
	@sed -n 's/^## //p' Makefile
## make                the command, build/vcube
## make demo           load samples/world, ask it, serve it on 127.0.0.1:8080
## make demo-report    every sample of a report, from the sample cubes, into demo-reports
## make test           every test, in a few minutes
## make test-clients   real BI clients, unmodified, against a server; their packages come from npm and PyPI
## make test-reports   reports in a browser, in an office; their packages come from npm
## make check          the quick ones: unit tests, layers, form
## make asan           unit tests under the address and undefined behaviour sanitizers
## make coverage       how much of each layer the tests run (build-coverage/coverage.txt)
## make mutants        small faults put into mapping and slice: how many do the tests notice?
## make fuzz           fuzz every parser for FUZZ_SECONDS each (default 20)
## make bench          build the benches into build/bench
## make bench-ssb      the Star Schema Benchmark beside DuckDB (SF=1)
## make bench-virtual  questions through mappings beside the own cube and DuckDB
## make bench-load     loading CSV files beside DuckDB (SF=1)
## make bench-http     requests beside a bare handler, answers of 1 GB, the writers
## make bench-safety   overload, slow clients, changed requests, clients that leave, tokens and TLS
## make bench-soak     an hour of mixed load with loads and reloads
## make bench-report   reports a second, and a table of a million cells
## make fmt            put the code in form
## make install        program, manual, completion, service, samples to DESTDIR/PREFIX (default
##                     /usr/local); make uninstall takes them away
## make deb            a Debian package, build/deb/*.deb
## make test-package   that package: made twice, checked, installed, served, removed; and what
##                     else an operator gets

setup:
	@tools/setup

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# One function per width, all inlined: optimised and sanitized, gcc takes two minutes for one of
# these files, without optimising six seconds.
$(BUILD)/storage/packed_%.o: override CFLAGS := $(if $(SAN),-O0 -g,$(CFLAGS))

$(BUILD)/report/pdf.o $(BUILD)/report/pdf_%.o $(BUILD)/tests/report/test_pdf.o: override CPPFLAGS += \
    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags pangocairo))

# Loaded when it is needed (report/xlsx_library.h), in the version whose header was included.
XLSX_LIBRARY = $(shell objdump -p $$($(CC) -print-file-name=libxlsxwriter.so) | awk '/SONAME/ { print $$2 }')
$(BUILD)/report/xlsx_library.o: override CPPFLAGS += -DVC_XLSX_LIBRARY_FILE='"$(XLSX_LIBRARY)"'

# What an assembler includes is in no list of headers.
$(BUILD)/http/handle_openapi.o: http/openapi.json
$(BUILD)/http/handle_index.o: http/index.css
$(BUILD)/report/html.o: report/html.css

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(TEST_WARN) -MMD -MP -c $< -o $@

define layer_rules
$(call archive,$(1)): $(call objects,$(1))
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
$(BUILD)/tests/test_$(1): $(call tests_of,$(1)) $(TEST_ALSO_$(1)) $(call libs_of,$(1))
	$(Q)$(CC) $(LINK) -o $$@ $$^ -lcriterion $(TEST_LIBS_$(1)) $(LIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

# The documents that writers are tried with, as files.
$(BUILD)/tests/reports/write: $(BUILD)/tests/reports/write.o \
    $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(wildcard tests/report/fixture*.c) tests/report/making.c) \
    $(call libs_of,report)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS)

# Random worlds and what roles see of them are those of the tests of slice.
WORLD_TESTS = asking hiding oracle oracle_cells oracle_cuts oracle_members oracle_over oracle_reach \
              oracle_relate oracle_rows oracle_tally world world_files world_parts world_virtual
TEST_ALSO_house = $(WORLD_TESTS:%=$(BUILD)/tests/slice/%.o)
$(BUILD)/tests/test_house: $(call tests_of,house) $(TEST_ALSO_house) $(call libs_of,report)
	$(Q)$(CC) $(LINK) -o $@ $^ -lcriterion $(LIBS)

$(BUILD)/vcube: $(call objects,cli) $(call libs_of,report)
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS)

$(BUILD)/bench/%: bench/%.c bench/generate.h $(call libs_of,report)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -O3 $(LINK) -o $@ $(filter-out %.h,$^) $(LIBS)

# ---- tests ----

unit: $(BUILD)/vcube $(PROGRAMS)
	@VCUBE_BIN=$(BUILD)/vcube tools/run-tests $(BUILD)/logs $(LABEL) $(TOTALS) $(PROGRAMS)

test: setup
	@tools/test-all

check: setup
	@$(MAKE) --no-print-directory layers fmt-check
	@$(MAKE) --no-print-directory -s unit LABEL=gcc TOTALS=/dev/null

asan: setup
	@$(MAKE) --no-print-directory -s unit BUILD=build-asan SAN="$(SANITIZE)" CFLAGS="-O1 -g" \
	    LABEL=asan TOTALS=/dev/null

layers:
	@tools/check-layers $(LAYERS)

fmt-check:
	@clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')

fmt:
	clang-format -i $$(git ls-files --cached --others --exclude-standard '*.c' '*.h')

test-clients: setup
	@tools/setup tools/packages-clients.txt
	@$(MAKE) --no-print-directory -s $(BUILD)/vcube
	@tests/clients/run $(BUILD)/vcube $(BUILD)/clients $(CLIENTS)

test-reports: setup
	@tools/setup tools/packages-reports.txt
	@$(MAKE) --no-print-directory -s $(BUILD)/vcube $(BUILD)/tests/reports/write
	@tests/reports/run $(BUILD) $(REPORTS)

coverage: setup
	@tools/coverage

mutants: setup
	@tools/mutants $(MUTANTS)

fuzz: setup
	@tools/fuzz

bench: setup
	@$(MAKE) --no-print-directory $(BENCHES)

SF ?= 1
bench-ssb: setup
	@bench/ssb/run.py SF=$(SF) BUILD=$(BUILD) $(BENCH)

bench-virtual: setup
	@bench/virtual/run.py BUILD=$(BUILD) $(BENCH)

bench-load: setup
	@bench/load/run.py SF=$(SF) BUILD=$(BUILD) $(BENCH)

bench-http: setup
	@bench/http/run.py BUILD=$(BUILD) $(BENCH)

bench-safety: setup
	@bench/safety/run.py BUILD=$(BUILD) $(BENCH)

bench-soak: setup
	@bench/safety/soak.py BUILD=$(BUILD) $(BENCH)

bench-report: setup
	@bench/report/run.py BUILD=$(BUILD) $(BENCH)

demo: setup
	@$(MAKE) --no-print-directory -s $(BUILD)/vcube
	@tools/demo $(BUILD)/vcube

demo-report: setup
	@$(MAKE) --no-print-directory -s $(BUILD)/vcube
	@tools/demo-report $(BUILD)/vcube

PREFIX     ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR    ?= $(PREFIX)/lib/systemd/system
PAGES       = $(patsubst packaging/man/%.in,$(BUILD)/man/%,$(wildcard packaging/man/*.in))

man: $(BUILD)/vcube
	@$(MAKE) --no-print-directory -s $(PAGES)

# Anew each time: they name folders of PREFIX.
$(BUILD)/man/%: packaging/man/%.in FORCE
	@mkdir -p $(@D)
	@tools/make-man $(BUILD)/vcube $< $(PREFIX) $(SYSCONFDIR) >$@

install: $(BUILD)/vcube man
	@tools/install install $(BUILD) "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" "$(UNITDIR)"

uninstall:
	@tools/install uninstall $(BUILD) "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" "$(UNITDIR)"

deb: setup
	@tools/setup tools/packages-package.txt
	@tools/make-deb $(BUILD)/deb

test-package: setup
	@tools/setup tools/packages-package.txt
	@tests/package/run $(BUILD)

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all help setup unit test test-clients test-reports check asan layers fmt-check fmt coverage mutants fuzz bench bench-ssb bench-virtual bench-load bench-http bench-safety bench-soak bench-report demo demo-report man install uninstall deb test-package clean FORCE
