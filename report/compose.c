#include "report/compose.h"

#include "query/canonical.h"
#include "render/notices.h"
#include "render/people.h"
#include "report/ask.h"
#include "report/assertion.h"
#include "report/compose_parts.h"
#include "report/try.h"

#include <stdlib.h>
#include <string.h>

#ifndef VCUBE_VERSION
#define VCUBE_VERSION "0.1.0"
#endif

bool vc_compose_is_local(vc_status status)
{
    return status == VC_NOT_FOUND || status == VC_BAD_INPUT || status == VC_IMPOSSIBLE ||
           status == VC_LIMIT || status == VC_OVERFLOW || status == VC_CONFLICT;
}

vc_status vc_compose_put_problem(vc_composing *in, vc_problem_kind kind, vc_str section,
                                 const vc_error *error, vc_str query)
{
    char text[2048];
    vc_problem *problem = VC_LIST_NEW(&in->problems, in->arena, vc_problem);
    if (problem == NULL) return vc_no_memory(in->error);
    vc_error_format(error, text, sizeof text);
    *problem = (vc_problem){.kind = kind,
                            .section = section,
                            .message = vc_arena_str(in->arena, vc_str_of(text)),
                            .query = query};
    return vc_str_is_null(problem->message) ? vc_no_memory(in->error) : VC_OK;
}

/* ---- numbers in texts ---- */

void vc_compose_put_number(const vc_result_measure *measure, const vc_cell *cell, vc_str pattern,
                           vc_buffer *out)
{
    vc_number_format format;
    vc_buffer number = {0};
    if (vc_str_is_null(pattern)) pattern = measure->format;
    if (cell->is_null) {
        vc_buffer_put_text(out, "\xE2\x80\x93");
    } else if (pattern.size > 0 && vc_number_format_parse(pattern, &format)) {
        vc_put_number(&number, measure, cell);
        vc_number_format_put(&format, (vc_str){.data = number.data, .size = number.size}, out);
        out->failed |= number.failed;
    } else {
        vc_put_plain_number(out, measure, cell);
    }
    vc_buffer_release(&number);
}

static const vc_result_measure *find_measure(const vc_result *result, vc_str name, size_t *at_out)
{
    for (*at_out = 0; *at_out < result->nmeasures; ++*at_out)
        if (vc_str_equal(result->measures[*at_out].name, name)) return &result->measures[*at_out];
    return NULL;
}

/* "geo", "geo.country": the label of a row's member. */
static bool put_member(const vc_result *result, size_t row, vc_str name, vc_buffer *out)
{
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        uint32_t member = result->coords[row * result->naxes + a];
        for (size_t l = axis->nlevels; l-- > 0;) {
            bool is_it = vc_str_equal(axis->levels[l].key_name, name) ||
                         (l + 1 == axis->nlevels && vc_str_equal(axis->dimension, name));
            if (!is_it || member == VC_NONE) continue;
            vc_str label = axis->members[member].labels[l], key = axis->members[member].keys[l];
            vc_buffer_put_str(out, label.size > 0 ? label : key);
            return true;
        }
    }
    return false;
}

/* "pop" is the total of the answer, "2.pop" and "2.geo" are of its second row. */
static bool find_in_result(void *context, vc_str name, vc_str pattern, vc_buffer *out)
{
    const vc_result *result = context;
    int64_t row = 0;
    size_t m;
    vc_str rest = name, number = vc_str_split(&rest, '.');
    bool has_row = vc_parse_int(number, &row) == VC_PARSE_OK && !vc_str_is_null(rest);
    const vc_result_measure *measure = find_measure(result, has_row ? rest : name, &m);
    if (!has_row) {
        if (measure == NULL) return false;
        vc_compose_put_number(measure, &result->summary[m], pattern, out);
        return true;
    }
    if (row < 1 || result->nrows_before > 0) return false;
    if ((uint64_t)row > result->ndetail_rows) { /* fewer rows than the text speaks of */
        vc_buffer_put_text(out, "\xE2\x80\x93");
        return true;
    }
    if (measure == NULL) return put_member(result, (size_t)row - 1, rest, out);
    vc_compose_put_number(measure, &result->cells[((size_t)row - 1) * result->nmeasures + m],
                          pattern, out);
    return true;
}

static vc_str name_in_result(void *context, size_t number)
{
    const vc_result *result = context;
    return number < result->nmeasures ? result->measures[number].name : (vc_str){0};
}

vc_status vc_compose_expand(vc_composing *in, const vc_spec_text *template, const vc_result *result,
                            vc_str *out, vc_error *error)
{
    *out = (vc_str){0};
    if (vc_str_is_null(template->text)) return VC_OK;
    if (result == NULL) result = in->whole;
    vc_variable_lookup more = {
        .find = find_in_result, .name = name_in_result, .context = (void *)result};
    vc_status status = vc_template_expand(template->text, in->variables,
                                          result != NULL ? &more : NULL, in->arena, out, error);
    if (status == VC_OK || status == VC_NO_MEMORY) return status;
    vc_error_at_pointer(error, "%s", template->pointer);
    return status;
}

/* ---- what readers must know ---- */

/* Is it seen for the first time? */
static vc_status is_first(vc_composing *in, bool *is_new_out, const char *format, vc_str a,
                          vc_str b)
{
    vc_str text = vc_arena_printf(in->arena, format, VC_FMT(a), VC_FMT(b));
    if (vc_str_is_null(text) || vc_strmap_put(&in->seen, text, is_new_out) == VC_STRMAP_NONE)
        return vc_no_memory(in->error);
    return VC_OK;
}

static vc_str shares_text(vc_arena *arena, const vc_result_coverage *item)
{
    vc_str text = {0};
    for (size_t s = 0; s < item->nshares; s++)
        if (item->shares[s].is_known)
            text = vc_arena_printf(
                arena, "%.*s%s%.1f%% of %.*s", VC_FMT(text), text.size > 0 ? ", " : "",
                100 * vc_share_shown(item->shares[s].share), VC_FMT(item->shares[s].measure));
    return text;
}

static vc_status note_coverage(vc_composing *in, const vc_result *result)
{
    for (size_t i = 0; i < result->ncoverage; i++) {
        const vc_result_coverage *item = &result->coverage[i];
        bool is_new;
        TRY(is_first(in, &is_new, "c%.*s\n%.*s", item->source, item->dimension));
        if (!is_new) continue;
        vc_document_coverage *out = VC_LIST_NEW(&in->coverage, in->arena, vc_document_coverage);
        if (out == NULL) return vc_no_memory(in->error);
        *out = (vc_document_coverage){.source = item->source,
                                      .dimension = item->dimension,
                                      .keys = item->counts.keys,
                                      .keys_matched = item->counts.keys_matched,
                                      .shares = shares_text(in->arena, item)};
    }
    return VC_OK;
}

static vc_status note_notices(vc_composing *in, const vc_result *result)
{
    for (size_t i = 0; i < result->nnotices; i++) {
        bool is_new;
        vc_buffer buffer = {0};
        vc_notice_put_text(&buffer, &result->notices[i]);
        vc_str text = buffer.failed ? (vc_str){0}
                                    : vc_arena_str(in->arena, vc_str_of(vc_buffer_text(&buffer)));
        vc_buffer_release(&buffer);
        if (vc_str_is_null(text)) return vc_no_memory(in->error);
        TRY(is_first(in, &is_new, "n%.*s%.*s", text, VC_STR("")));
        if (!is_new) continue;
        vc_str *out = VC_LIST_NEW(&in->notices, in->arena, vc_str);
        if (out == NULL) return vc_no_memory(in->error);
        *out = text;
    }
    return VC_OK;
}

static vc_status note_source(vc_composing *in, const vc_definition *definition)
{
    bool is_new;
    TRY(is_first(in, &is_new, "s%.*s%.*s", definition->name, VC_STR("")));
    if (!is_new) return VC_OK;
    vc_document_source *out = VC_LIST_NEW(&in->sources, in->arena, vc_document_source);
    if (out == NULL) return vc_no_memory(in->error);
    *out = (vc_document_source){.name = definition->name,
                                .label = definition->label,
                                .source = definition->info.source,
                                .licence = definition->info.licence};
    return VC_OK;
}

/* Of a virtual cube, the primary, and those whose joins the answer depends on. */
static vc_status note_sources(vc_composing *in, const vc_result *result)
{
    const vc_cube *cube;
    bool is_new;
    TRY(vc_model_cube(in->model, result->cube, &cube, in->error));
    for (size_t s = 0; s < cube->nsources; s++) {
        bool is_used = s == 0; /* membership is its data, whatever the measures are */
        for (size_t i = 0; i < result->ncoverage; i++)
            is_used |= vc_str_equal(result->coverage[i].source, cube->sources[s].alias);
        if (is_used && !cube->sources[s].is_unseen)
            TRY(note_source(in, cube->sources[s].cube->definition));
    }
    TRY(is_first(in, &is_new, "d%.*s%.*s", result->definition_hash, VC_STR("")));
    if (!is_new) return VC_OK;
    vc_str *out = VC_LIST_NEW(&in->definitions, in->arena, vc_str);
    if (out == NULL) return vc_no_memory(in->error);
    *out = result->definition_hash;
    return VC_OK;
}

/* Figures ask the same for each of their measures: it is answered once. */
static const vc_result *find_answer(const vc_composing *in, vc_str cube, vc_str canonical)
{
    const vc_composed_query *queries = in->queries.items;
    const vc_result **answers = in->answers.items;
    for (size_t i = 0; i < in->answers.count; i++)
        if (answers[i] != NULL && vc_str_equal(queries[i].query, canonical) &&
            vc_str_equal(queries[i].cube, cube))
            return answers[i];
    return NULL;
}

/* "/sections/1/query: cut, byte 8" */
static vc_status place_error(vc_error *error, vc_status status, const char *pointer)
{
    if (status == VC_OK || error->pointer[0] == '/') return status;
    if (error->pointer[0] == '\0')
        vc_error_at_pointer(error, "%s", pointer);
    else
        vc_error_prefix_pointer(error, "%s: ", pointer);
    return status;
}

/* What is asked, for the manifest; known_out: its answer, where it was asked before. */
static vc_status note_query(vc_composing *in, vc_str section, const vc_query *query,
                            vc_composed_query **asked_out, const vc_result ***answer_out,
                            vc_error *error)
{
    vc_str canonical = vc_query_canonical(query, in->arena);
    if (vc_str_is_null(canonical)) return vc_no_memory(error);
    const vc_result *known = find_answer(in, query->cube, canonical);
    *asked_out = VC_LIST_NEW(&in->queries, in->arena, vc_composed_query);
    *answer_out = VC_LIST_NEW(&in->answers, in->arena, const vc_result *);
    if (*asked_out == NULL || *answer_out == NULL) return vc_no_memory(error);
    **asked_out = (vc_composed_query){.section = section, .cube = query->cube, .query = canonical};
    **answer_out = known;
    return VC_OK;
}

static vc_status note_answer(vc_composing *in, vc_composed_query *asked, const vc_result *result)
{
    asked->nrows = result->nrows_before + result->nrows;
    TRY(note_coverage(in, result));
    TRY(note_notices(in, result));
    return note_sources(in, result);
}

vc_status vc_compose_ask(vc_composing *in, vc_str section, const char *pointer,
                         const vc_query *query, const vc_result **result_out, vc_str *query_out,
                         vc_error *error)
{
    vc_composed_query *asked;
    const vc_result **answer;
    TRY(note_query(in, section, query, &asked, &answer, error));
    if (query_out != NULL) *query_out = asked->query;
    if (*answer != NULL) {
        *result_out = *answer;
        asked->nrows = (*answer)->nrows;
        return VC_OK;
    }
    TRY(place_error(error,
                    vc_engine_run(in->model, query, in->options, in->arena, result_out, error),
                    pointer));
    *answer = *result_out;
    return note_answer(in, asked, *result_out);
}

vc_status vc_compose_collect(vc_composing *in, vc_str section, const char *pointer,
                             const vc_query *query, const vc_pivot_plan *plan, bool has_totals,
                             vc_pivot **pivot_out, const vc_result **result_out, vc_str *query_out,
                             vc_error *error)
{
    vc_composed_query *asked;
    const vc_result **answer;
    TRY(note_query(in, section, query, &asked, &answer, error));
    *query_out = asked->query;
    TRY(place_error(error,
                    vc_collect(in->model, query, in->options, plan, has_totals, in->arena,
                               pivot_out, result_out, error),
                    pointer));
    return note_answer(in, asked, *result_out);
}

/* ---- assertions ---- */

vc_status vc_compose_assert(vc_composing *in, const vc_spec_text *assertions, size_t nassertions,
                            const vc_result *result, vc_str section, vc_str query)
{
    for (size_t i = 0; i < nassertions; i++) {
        vc_error error = {0};
        vc_str text, why = {0};
        bool holds = false;
        vc_status status =
            vc_template_expand(assertions[i].text, in->variables, NULL, in->arena, &text, &error);
        if (status == VC_OK)
            status = vc_assertion_check(text, result, in->arena, &holds, &why, &error);
        if (status == VC_OK && holds) continue;
        if (status == VC_OK)
            vc_fail(&error, VC_IMPOSSIBLE, "assertion_failed", "%.*s", VC_FMT(why));
        else if (!vc_compose_is_local(status))
            return status;
        vc_error_at_pointer(&error, "%s", assertions[i].pointer);
        TRY(vc_compose_put_problem(in, VC_PROBLEM_ASSERTION, section, &error, query));
    }
    return VC_OK;
}

static vc_status check_coverage(vc_composing *in)
{
    const vc_document_coverage *items = in->coverage.items;
    for (size_t i = 0; i < in->coverage.count; i++) {
        vc_error error = {0};
        double share =
            items[i].keys == 0 ? 1 : (double)items[i].keys_matched / (double)items[i].keys;
        if (share >= in->spec->min_coverage) continue;
        vc_fail(&error, VC_IMPOSSIBLE, "low_coverage",
                "%.1f%% of the keys of '%.*s' match along '%.*s', expected at least %g%%",
                100 * vc_share_shown(share), VC_FMT(items[i].source), VC_FMT(items[i].dimension),
                100 * in->spec->min_coverage);
        vc_error_at_pointer(&error, "/min_coverage");
        TRY(vc_compose_put_problem(in, VC_PROBLEM_ASSERTION, (vc_str){0}, &error, (vc_str){0}));
    }
    return VC_OK;
}

/* ---- the whole ---- */

/* What is wrong here is told in the report's place: it has no section of its own. */
static vc_status note_problem(vc_composing *in, vc_status status, vc_problem_kind kind,
                              const vc_error *error, vc_str query)
{
    if (status == VC_OK) return VC_OK;
    if (!vc_compose_is_local(status)) {
        if (in->error != NULL) *in->error = *error;
        return status;
    }
    return vc_compose_put_problem(in, kind, (vc_str){0}, error, query);
}

static vc_status ask_whole(vc_composing *in)
{
    vc_error error = {0};
    vc_query query;
    vc_str canonical = {0};
    const vc_spec *spec = in->spec;
    bool is_asked = spec->query.body != NULL || spec->nassertions > 0;
    if (!is_asked) return VC_OK;
    json_t *none = json_object(); /* assertions without a query are of the whole cube */
    vc_spec_query all = {.body = none, .pointer = "/assert"};
    vc_status status = none == NULL ? vc_no_memory(&error) : VC_OK;
    if (status == VC_OK)
        status = vc_report_query(spec, spec->query.body != NULL ? &spec->query : &all,
                                 in->variables, in->arena, &query, &error);
    json_decref(none);
    if (status == VC_OK)
        status = vc_compose_ask(in, (vc_str){0}, spec->query.body != NULL ? "/query" : "/assert",
                                &query, &in->whole, &canonical, &error);
    TRY(note_problem(in, status, spec->nassertions > 0 ? VC_PROBLEM_ASSERTION : VC_PROBLEM_SECTION,
                     &error, canonical));
    if (in->whole == NULL) return VC_OK;
    return vc_compose_assert(in, spec->assertions, spec->nassertions, in->whole, (vc_str){0},
                             canonical);
}

/* A title that cannot be filled in is shown as it is written, and said. */
static vc_status expand_title(vc_composing *in, const vc_spec_text *template, vc_str *out)
{
    vc_error error = {0};
    vc_status status = vc_compose_expand(in, template, NULL, out, &error);
    if (status != VC_OK) *out = template->text;
    return note_problem(in, status, VC_PROBLEM_SECTION, &error, (vc_str){0});
}

static int compare_texts(const void *a, const void *b)
{
    return vc_str_compare(*(const vc_str *)a, *(const vc_str *)b);
}

static vc_status join_definitions(vc_composing *in, vc_str *out)
{
    vc_str *items = in->definitions.items;
    if (in->definitions.count > 0)
        qsort(items, in->definitions.count, sizeof *items, compare_texts);
    *out = VC_STR("");
    for (size_t i = 0; i < in->definitions.count; i++) {
        *out = vc_arena_printf(in->arena, "%.*s%s%.*s", VC_FMT(*out), i > 0 ? " " : "",
                               VC_FMT(items[i]));
        if (vc_str_is_null(*out)) return vc_no_memory(in->error);
    }
    return VC_OK;
}

static vc_status compose(vc_composing *in)
{
    const vc_spec *spec = in->spec;
    vc_document *document = &in->composed->document;
    vc_section *sections = VC_ARENA_NEW(in->arena, vc_section, spec->nsections);
    if (sections == NULL) return vc_no_memory(in->error);
    TRY(ask_whole(in));
    TRY(expand_title(in, &spec->title, &document->title));
    TRY(expand_title(in, &spec->subtitle, &document->subtitle));
    TRY(expand_title(in, &spec->description, &document->description));
    for (size_t i = 0; i < spec->nsections; i++)
        TRY(vc_compose_one(in, &spec->sections[i], &sections[i]));
    TRY(check_coverage(in));
    document->sections = sections;
    document->nsections = spec->nsections;
    return join_definitions(in, &in->composed->definitions);
}

vc_status vc_compose(const vc_spec *spec, const vc_sweep_item *item, vc_model *model,
                     const vc_engine_options *options, vc_arena *arena, vc_composed *composed_out,
                     vc_error *error)
{
    vc_composing in = {.spec = spec,
                       .variables = &item->variables,
                       .model = model,
                       .options = options,
                       .arena = arena,
                       .composed = composed_out,
                       .error = error};
    *composed_out = (vc_composed){.document = {.language = spec->language,
                                               .generator = VC_STR("vcube " VCUBE_VERSION),
                                               .has_notes = spec->has_notes}};
    vc_status status = compose(&in);
    vc_strmap_release(&in.seen);
    vc_document *document = &composed_out->document;
    document->coverage = in.coverage.items;
    document->ncoverage = in.coverage.count;
    document->notices = in.notices.items;
    document->nnotices = in.notices.count;
    document->sources = in.sources.items;
    document->nsources = in.sources.count;
    document->definition = composed_out->definitions;
    if (spec->shows_snapshot)
        document->snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(model)));
    composed_out->problems = in.problems.items;
    composed_out->nproblems = in.problems.count;
    composed_out->queries = in.queries.items;
    composed_out->nqueries = in.queries.count;
    return status;
}

vc_status vc_compose_section(const vc_spec *spec, const vc_sweep_item *item, vc_str section,
                             vc_render_format format, vc_model *model,
                             const vc_engine_options *options, vc_render_sink sink, vc_error *error)
{
    vc_arena arena = {0};
    vc_query query;
    const vc_result *result;
    const vc_spec_section *found = NULL;
    for (size_t i = 0; i < spec->nsections; i++)
        if (vc_str_equal(spec->sections[i].id, section)) found = &spec->sections[i];
    if (found == NULL)
        return vc_fail(error, VC_NOT_FOUND, "unknown_section", "there is no section '%.*s'",
                       VC_FMT(section));
    vc_status status =
        vc_compose_query(spec, found, &item->variables, false, &arena, &query, error);
    if (status == VC_OK) status = vc_engine_run(model, &query, options, &arena, &result, error);
    if (status == VC_OK) status = vc_render(result, format, NULL, sink, error);
    vc_arena_release(&arena);
    return status;
}
