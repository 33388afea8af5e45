/* The shape of a generated code list table; only codelist.c and the generated files include it. */
#ifndef MAPPING_CODELIST_TABLE_H
#define MAPPING_CODELIST_TABLE_H

#include "mapping/codelist.h"

/* One key of an index. Keys ascend by bytes; one key may stand in several entries. */
typedef struct vc_code_entry {
    const char *key;
    uint16_t code; /* number of the row */
} vc_code_entry;

typedef struct vc_code_index {
    const vc_code_entry *entries;
    size_t count;
} vc_code_index;

typedef struct vc_code_alias {
    const char *key; /* ascending, unique */
    uint16_t code;
    uint16_t alias_set;
} vc_code_alias;

struct vc_codelist {
    const char *name;
    const vc_code *codes;
    size_t ncodes;
    vc_code_index alpha2, alpha3, numeric;
    vc_code_index other; /* codes of no regular form: alpha-4, aggregates */
    vc_code_index names; /* folded as vc_codelist_find describes */
    const vc_code_alias *aliases;
    size_t naliases;
    const char *const *alias_sets;
};

extern const vc_codelist vc_codelist_iso3166;

/* The longest folded name, in bytes, that a table may hold. */
enum { VC_CODE_NAME_BYTES = 160 };

#endif
