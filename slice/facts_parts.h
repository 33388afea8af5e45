/* Drill-through in two files: facts.c finds the facts, facts_fields.c says what is told of one.
 * Private to slice/.
 */
#ifndef SLICE_FACTS_PARTS_H
#define SLICE_FACTS_PARTS_H

#include "base/nearest.h"
#include "slice/facts.h"
#include "slice/naming.h"
#include "slice/scan.h"

typedef struct vc_fact_teller vc_fact_teller;

/* Look up the fields of one source. None of them need be there; `is_known` [nfields of the query]
 * gets true for those that are. */
vc_status vc_fact_teller_new(const vc_plan *plan, size_t source, const vc_facts_query *query,
                             bool *is_known, vc_arena *arena, vc_fact_teller **teller_out,
                             vc_error *error);

const vc_fact_field *vc_fact_teller_fields(const vc_fact_teller *teller, size_t *nfields_out);

/* Read one fact: cells [nfields]. row  of its segment */
vc_status vc_fact_teller_tell(vc_fact_teller *teller, uint32_t segment, uint32_t row,
                              vc_fact_cell *cells, vc_error *error);

/* A row of a chunk of integers. */
int64_t vc_fact_int(const vc_chunk *chunk, uint32_t row);

/* What else a field might have been: for "did you mean". */
void vc_fact_fields_offer(const vc_cube *cube, size_t source, vc_arena *arena, vc_nearest *nearest);

#endif
