# vcube. `make help` lists what there is to make.
LAYERS  = base storage dimensions mapping cube slice query render http report cli
BUILD  ?= build
CC     ?= cc
STD     = -std=c11 -D_GNU_SOURCE -I.
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
          -Wno-sign-conversion -Wvla $(WERROR)
HARDEN  = -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
ALL_CFLAGS = $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(SAN) -pthread
LIBS    = -lmicrohttpd -ljansson -llmdb -lxxhash -lutf8proc -lzstd -lz -lm -pthread
LINK    = -pie -Wl,-z,relro,-z,now $(SAN)

# One archive per folder. A folder's tests link its archive and those of the folders below it only.
sources  = $(wildcard $(1)/*.c)
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
archive  = $(BUILD)/lib$(1).a
below    = $(shell for l in $(LAYERS); do echo $$l; [ $$l = $(1) ] && break; done)
reverse  = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
libs_of  = $(foreach l,$(call reverse,$(call below,$(1))),$(if $(call sources,$(l)),$(call archive,$(l))))

USED     = $(foreach l,$(LAYERS),$(if $(call sources,$(l)),$(l)))
TESTED   = $(foreach l,$(LAYERS) house,$(if $(wildcard tests/$(l)/*.c),$(l)))

.DEFAULT_GOAL = all
all: $(BUILD)/vcube

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-missing-prototypes -MMD -MP -c $< -o $@

define layer_rules
$(call archive,$(1)): $(call objects,$(1))
	@rm -f $$@
	ar rcs $$@ $$^
$(BUILD)/tests/test_$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/$(1)/*.c)) $(call libs_of,$(1))
	$(CC) $(LINK) -o $$@ $$^ -lcriterion $(LIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(BUILD)/vcube: $(call libs_of,cli)
	$(CC) $(LINK) -o $@ $(call objects,cli) $(filter-out $(call archive,cli),$^) $(LIBS)

layers:
	@tools/check-layers $(LAYERS)

fmt:
	clang-format -i $$(git ls-files --cached --others --exclude-standard '*.c' '*.h')

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all layers fmt clean
