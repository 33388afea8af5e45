/* What the files that compose a document share; only compose*.c include it.
 */
#ifndef REPORT_COMPOSE_PARTS_H
#define REPORT_COMPOSE_PARTS_H

#include "base/list.h"
#include "base/strmap.h"
#include "report/collect.h"
#include "report/compose.h"

typedef struct vc_composing {
    const vc_spec *spec;
    const vc_variables *variables;
    vc_model *model;
    const vc_engine_options *options;
    vc_arena *arena;
    vc_composed *composed;
    const vc_result *whole; /* the answer of the report's own query; NULL: none */
    vc_list problems;       /* vc_problem */
    vc_list queries;        /* vc_composed_query */
    vc_list answers;        /* const vc_result *, of each query; NULL: it failed */
    vc_list coverage;       /* vc_document_coverage */
    vc_list notices;        /* vc_str */
    vc_list sources;        /* vc_document_source */
    vc_list definitions;    /* vc_str */
    vc_strmap seen;         /* of coverage, notices, sources, definitions */
    vc_error *error;
} vc_composing;

/* Is it a failure of this one section, not of the run? */
bool vc_compose_is_local(vc_status status);

/* A problem of what is at hand, with the sentence of the error and its place. */
vc_status vc_compose_put_problem(vc_composing *in, vc_problem_kind kind, vc_str section,
                                 const vc_error *error, vc_str query);

/* Ask, and note what was asked and what its reader must know.
 *
 * pointer    of the query in the specification, for errors whose place is in a text as of a URL
 * query_out  canonical; may be NULL */
vc_status vc_compose_ask(vc_composing *in, vc_str section, const char *pointer,
                         const vc_query *query, const vc_result **result_out, vc_str *query_out,
                         vc_error *error);

/* The same for a question whose answer becomes a grid, whole rows of which nobody names: the pivot
 * has its rows, and the caller frees it. */
vc_status vc_compose_collect(vc_composing *in, vc_str section, const char *pointer,
                             const vc_query *query, const vc_pivot_plan *plan, bool has_totals,
                             vc_pivot **pivot_out, const vc_result **result_out, vc_str *query_out,
                             vc_error *error);

/* Put values into a template: variables, then numbers of the answer (NULL: the whole's). */
vc_status vc_compose_expand(vc_composing *in, const vc_spec_text *template, const vc_result *result,
                            vc_str *out, vc_error *error);

/* Check assertions against an answer. */
vc_status vc_compose_assert(vc_composing *in, const vc_spec_text *assertions, size_t nassertions,
                            const vc_result *result, vc_str section, vc_str query);

/* The query of a section, laid out: totals added, and which dimensions go where. (compose_query.c)
 */
vc_status vc_compose_query(const vc_spec *spec, const vc_spec_section *section,
                           const vc_variables *variables, bool has_totals, vc_arena *arena,
                           vc_query *query_out, vc_error *error);

/* The queries for subtotals at the levels above those asked, where `parents` shows them: of Europe,
 * beside its countries. `query` is that of the section, `result` its answer. (compose_query.c) */
vc_status vc_compose_upper_queries(const vc_spec_section *section, const vc_query *query,
                                   const vc_result *result, vc_arena *arena,
                                   const vc_query **queries_out, size_t *nqueries_out,
                                   vc_error *error);

/* The query for one of the totals of `query`, as a question of its own: with the axes that stay,
 * none of which is left out. (compose_query.c) */
vc_status vc_compose_total_query(const vc_query *query, const vc_total *total, vc_arena *arena,
                                 vc_query *out, vc_error *error);

/* One section, failed or not. (compose_section.c) */
vc_status vc_compose_one(vc_composing *in, const vc_spec_section *spec, vc_section *out);

/* A number of an answer in a format (absent: the measure's), with no reason. */
void vc_compose_put_number(const vc_result_measure *measure, const vc_cell *cell, vc_str pattern,
                           vc_buffer *out);

#endif
