#include "dimensions/builder.h"

#include "base/memory.h"
#include "base/strmap.h"
#include "dimensions/build.h"
#include "dimensions/order.h"

#include <stdlib.h>
#include <string.h>

/* Rows are told apart by one text: the key, or the tuple of the columns that identify a leaf
 * (column.h). So a row that is there already costs one look into a hash map, and allocates nothing.
 *
 * Labels and order values identify nothing: where a second row differs in them alone, the first
 * value stands, and what is missing is filled in.
 *
 * Where a key may stand under several parents, its rows are told apart by the columns that lead to
 * it, too; in all others they must agree. */
struct vc_dimension_builder {
    const vc_dimension_spec *spec;
    const vc_dimension *older;
    vc_dimension_rows older_rows;
    vc_strmap rows; /* key or tuple -> row */
    vc_arena arena; /* tuples of rows that `rows` does not hold whole; the work of finish */
    vc_crew *crew;  /* whose threads share the work of finish; NULL: none */
    vc_arena *column_arenas; /* [ncolumns] of columns that several threads code; NULL: none */
    vc_build_roles roles;
    /* Where a key may stand in several rows: */
    vc_strmap keys;         /* key -> number */
    uint32_t *rows_of_keys; /* the first row of each */
    uint32_t *first_of_row; /* [nrows] the first row of the same key */
    uint32_t nolder_rows;
    vc_strmap clash_places; /* row and column -> number of its clash */
    vc_build_clash *clashes;
    uint32_t clash_capacity;
    vc_str *tuples; /* [nrows] */
    uint32_t nrows;
    uint32_t row_capacity;
    bool has_types;     /* some level is of type int or date */
    vc_key_type *types; /* [ncolumns] */
    vc_str *merged;     /* [ncolumns] a row that is made of two */
    vc_str *texts;      /* [ncolumns] the row being added, with integers in their shortest form */
    char (*numbers)[VC_NUMBER_TEXT]; /* [ncolumns] what texts of integers look at */
    char *scratch;                   /* its tuple */
    size_t scratch_capacity;
};

/* ---- life ---- */

static vc_status fail_changed(const vc_dimension_builder *builder, vc_str column, vc_error *error)
{
    return vc_fail(error, VC_BAD_INPUT, "definition_changed",
                   "dimension '%.*s' was loaded with other columns or another key than its "
                   "definition has now (see column '%.*s'); load it anew instead of appending",
                   VC_FMT(builder->spec->name), VC_FMT(column));
}

/* Which column of the older dimension is column c now: columns_out[c]. */
static vc_status match_columns(const vc_dimension_builder *builder, unsigned *columns_out,
                               vc_error *error)
{
    const vc_dimension_spec *spec = builder->spec;
    const vc_dimension *older = builder->older;
    const vc_dimension_rows *rows = &builder->older_rows;
    vc_str key_name = spec->key_column < 0 ? VC_STR("") : spec->column_names[spec->key_column];
    if (!vc_str_equal(key_name, older->key_name)) return fail_changed(builder, key_name, error);
    for (unsigned c = 0; c < spec->ncolumns; c++) {
        unsigned from = 0;
        while (from < rows->ncolumns &&
               !vc_str_equal(rows->columns[from].name, spec->column_names[c]))
            from++;
        if (from == rows->ncolumns) return fail_changed(builder, spec->column_names[c], error);
        columns_out[c] = from;
    }
    if (rows->ncolumns > spec->ncolumns)
        return fail_changed(builder, rows->columns[rows->ncolumns - 1].name, error);
    return VC_OK;
}

/* The rows of the older dimension are the first ones, in the order in which they were loaded; those
 * that trees made of them (places.c) came last, and are made again. */
static vc_status add_older(vc_dimension_builder *builder, vc_error *error)
{
    const vc_dimension *older = builder->older;
    unsigned ncolumns = builder->spec->ncolumns;
    unsigned *columns = VC_ARENA_NEW(&builder->arena, unsigned, ncolumns);
    vc_str *texts = VC_ARENA_NEW(&builder->arena, vc_str, ncolumns);
    if (columns == NULL || texts == NULL) return vc_no_memory(error);
    vc_dimension_rows *rows = &builder->older_rows;
    vc_status status = vc_dimension_read_rows(older, &builder->arena, rows, error);
    if (status == VC_OK) status = match_columns(builder, columns, error);
    for (uint32_t i = 0; status == VC_OK && i < older->nleaves; i++) {
        uint32_t leaf = rows->load_order[i], row = 0;
        for (unsigned c = 0; c < ncolumns; c++)
            texts[c] = vc_leaf_column_get(&rows->columns[columns[c]], leaf);
        status = vc_dimension_builder_add(builder, texts, &row, error);
        bool is_copy = leaf >= vc_dimension_count_leaves(older) && row < i;
        if (status == VC_OK && row != i && !is_copy)
            return fail_changed(builder, builder->spec->column_names[0], error);
    }
    builder->nolder_rows = builder->nrows;
    return status;
}

static bool make_row_memory(vc_dimension_builder *builder)
{
    const vc_dimension_spec *spec = builder->spec;
    vc_arena *arena = &builder->arena;
    builder->types = VC_ARENA_NEW(arena, vc_key_type, spec->ncolumns);
    builder->texts = VC_ARENA_NEW(arena, vc_str, spec->ncolumns);
    builder->numbers = vc_arena_calloc(arena, spec->ncolumns, sizeof *builder->numbers);
    builder->merged = VC_ARENA_NEW(arena, vc_str, spec->ncolumns);
    if (builder->types == NULL || builder->texts == NULL || builder->numbers == NULL ||
        builder->merged == NULL || !vc_build_find_roles(spec, arena, &builder->roles))
        return false;
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++) {
            const vc_level_spec *level = &spec->hierarchies[h].levels[l];
            if (level->key_type == VC_KEY_TEXT) continue;
            builder->types[level->key_column] = level->key_type;
            if (spec->hierarchies[h].is_parent_child) /* so that it is written like the key */
                builder->types[spec->hierarchies[h].parent_column] = level->key_type;
            builder->has_types = true;
        }
    return true;
}

vc_status vc_dimension_builder_new(const vc_dimension_spec *spec, const vc_dimension *older,
                                   vc_dimension_builder **builder_out, vc_error *error)
{
    vc_status status = vc_build_check_spec(spec, error);
    if (status != VC_OK) return status;
    vc_dimension_builder *builder = calloc(1, sizeof *builder);
    if (builder == NULL) return vc_no_memory(error);
    builder->spec = spec;
    builder->older = older;
    if (!make_row_memory(builder))
        status = vc_no_memory(error);
    else if (older != NULL)
        status = add_older(builder, error);
    if (status == VC_OK)
        *builder_out = builder;
    else
        vc_dimension_builder_free(builder);
    return status;
}

void vc_dimension_builder_free(vc_dimension_builder *builder)
{
    if (builder == NULL) return;
    vc_strmap_release(&builder->rows);
    vc_strmap_release(&builder->clash_places);
    vc_strmap_release(&builder->keys);
    free(builder->rows_of_keys);
    free(builder->first_of_row);
    for (unsigned c = 0; builder->column_arenas != NULL && c < builder->spec->ncolumns; c++)
        vc_arena_release(&builder->column_arenas[c]);
    vc_arena_release(&builder->arena);
    free(builder->clashes);
    free(builder->tuples);
    free(builder->scratch);
    free(builder);
}

uint32_t vc_dimension_builder_nrows(const vc_dimension_builder *builder)
{
    return builder->nrows;
}

/* ---- adding ---- */

/* Messages quote this much of a value. */
static vc_str shorten(vc_str text)
{
    return vc_text_shorten(text, 100);
}

static vc_status fail_type(const vc_dimension_builder *builder, unsigned column, vc_str text,
                           vc_error *error)
{
    bool is_int = builder->types[column] == VC_KEY_INT;
    return vc_fail(error, VC_BAD_INPUT, "bad_key",
                   "column '%.*s' has '%.*s', but a level of dimension '%.*s' with this key is of "
                   "type %s",
                   VC_FMT(builder->spec->column_names[column]), VC_FMT(shorten(text)),
                   VC_FMT(builder->spec->name),
                   is_int ? "int" : "date (YYYY-MM-DD, YYYY-MM, YYYY-Q1, YYYY-W01 or YYYY)");
}

/* The row with integers in their shortest form: the caller's, when there is no typed level. */
static vc_status canonical_row(vc_dimension_builder *builder, const vc_str *columns,
                               const vc_str **row_out, vc_error *error)
{
    *row_out = columns;
    if (!builder->has_types) return VC_OK;
    *row_out = builder->texts;
    for (unsigned c = 0; c < builder->spec->ncolumns; c++) {
        vc_str text = columns[c];
        builder->texts[c] = text;
        if (builder->types[c] != VC_KEY_INT || vc_str_is_null(text)) continue;
        builder->texts[c] = vc_key_canonical_int(text, builder->numbers[c]);
        if (vc_str_is_null(builder->texts[c])) return fail_type(builder, c, text, error);
    }
    return VC_OK;
}

static vc_status check_dates(const vc_dimension_builder *builder, const vc_str *columns,
                             vc_error *error)
{
    if (!builder->has_types) return VC_OK;
    for (unsigned c = 0; c < builder->spec->ncolumns; c++)
        if (builder->types[c] == VC_KEY_DATE && !vc_str_is_null(columns[c]) &&
            !vc_key_is_date(columns[c]))
            return fail_type(builder, c, columns[c], error);
    return VC_OK;
}

static bool reserve_scratch(vc_dimension_builder *builder, size_t size)
{
    if (size <= builder->scratch_capacity) return true;
    char *scratch = realloc(builder->scratch, size * 2);
    if (scratch == NULL) return false;
    builder->scratch = scratch;
    builder->scratch_capacity = size * 2;
    return true;
}

/* The tuple of a row, in the scratch memory.
 *
 * left_out  [ncolumns] columns that are as if they were null; NULL: none */
static vc_status encode(vc_dimension_builder *builder, const vc_str *columns, const bool *left_out,
                        vc_str *tuple_out, vc_error *error)
{
    unsigned ncolumns = builder->spec->ncolumns;
    size_t head = ncolumns * sizeof(uint32_t), size = head;
    for (unsigned c = 0; c < ncolumns; c++)
        size += columns[c].size; /* the whole row must fit */
    if (size >= VC_TUPLE_NULL)
        return vc_fail(error, VC_LIMIT, "limit_row", "a row of dimension '%.*s' has %zu bytes",
                       VC_FMT(builder->spec->name), size);
    if (!reserve_scratch(builder, size)) return vc_no_memory(error);
    uint32_t end = 0;
    for (unsigned c = 0; c < ncolumns; c++) {
        vc_str text = left_out != NULL && left_out[c] ? (vc_str){0} : columns[c];
        if (text.size > 0) memcpy(builder->scratch + head + end, text.data, text.size);
        end += (uint32_t)text.size;
        uint32_t marked = vc_str_is_null(text) ? end | VC_TUPLE_NULL : end;
        memcpy(builder->scratch + c * sizeof marked, &marked, sizeof marked);
    }
    *tuple_out = (vc_str){.data = builder->scratch, .size = head + end};
    return VC_OK;
}

/* The first column in which a row of the same key differs though it may not; ncolumns: none. */
static unsigned find_difference(const vc_dimension_builder *builder, uint32_t row,
                                const vc_str *columns)
{
    unsigned c = 0, ncolumns = builder->spec->ncolumns;
    while (c < ncolumns &&
           (builder->roles.is_free[c] ||
            vc_str_equal(vc_tuple_get(builder->tuples[row], ncolumns, c), columns[c])))
        c++;
    return c;
}

/* A key that is there already, with another value in a column. */
static vc_status fail_duplicate(const vc_dimension_builder *builder, uint32_t row,
                                const vc_str *columns, unsigned c, vc_error *error)
{
    const vc_dimension_spec *spec = builder->spec;
    vc_str before = vc_tuple_get(builder->tuples[row], spec->ncolumns, c);
    vc_str now = shorten(columns[c]);
    const char *quote_before = vc_str_is_null(before) ? "" : "'";
    const char *quote_now = vc_str_is_null(now) ? "" : "'";
    const char *hint = spec->has_table && vc_build_leads_to_leaf(spec, c)
                           ? "; a hierarchy in which members may stand under several parents says "
                             "\"several_parents\": true"
                           : "";
    before = vc_str_is_null(before) ? VC_STR("null") : shorten(before);
    now = vc_str_is_null(now) ? VC_STR("null") : now;
    return vc_fail(error, VC_BAD_INPUT, "duplicate_key",
                   "dimension '%.*s' has the key '%.*s' already, with another '%.*s': %s%.*s%s "
                   "before, %s%.*s%s here%s",
                   VC_FMT(spec->name), VC_FMT(shorten(columns[spec->key_column])),
                   VC_FMT(spec->column_names[c]), quote_before, VC_FMT(before), quote_before,
                   quote_now, VC_FMT(now), quote_now, hint);
}

static bool reserve_row(vc_dimension_builder *builder)
{
    if (builder->nrows < builder->row_capacity) return true;
    uint32_t capacity = builder->row_capacity == 0 ? 64 : builder->row_capacity * 2;
    vc_str *tuples = realloc(builder->tuples, capacity * sizeof *tuples);
    if (tuples == NULL) return false;
    builder->tuples = tuples;
    if (builder->roles.has_places) {
        uint32_t *firsts = realloc(builder->first_of_row, capacity * sizeof *firsts);
        uint32_t *rows = realloc(builder->rows_of_keys, capacity * sizeof *rows);
        if (firsts != NULL) builder->first_of_row = firsts;
        if (rows != NULL) builder->rows_of_keys = rows;
        if (firsts == NULL || rows == NULL) return false;
    }
    builder->row_capacity = capacity;
    return true;
}

/* What tells the row apart: its key, or a tuple in the scratch memory. */
static vc_status identify(vc_dimension_builder *builder, const vc_str *columns,
                          vc_str *identity_out, vc_error *error)
{
    int key_column = builder->spec->key_column;
    const bool *left_out = builder->roles.has_riders ? builder->roles.is_rider : NULL;
    if (key_column < 0 || builder->roles.has_places)
        return encode(builder, columns, left_out, identity_out, error);
    *identity_out = columns[key_column];
    return VC_OK;
}

/* A copy of the row's tuple. */
static vc_status keep_tuple(vc_dimension_builder *builder, const vc_str *columns, vc_str *tuple_out,
                            vc_error *error)
{
    vc_str tuple;
    vc_status status = encode(builder, columns, NULL, &tuple, error);
    if (status != VC_OK) return status;
    *tuple_out = vc_arena_str(&builder->arena, tuple);
    return tuple_out->data == NULL ? vc_no_memory(error) : VC_OK;
}

/* A further row of a key must agree with the first in what belongs to the leaf. */
static vc_status check_place(const vc_dimension_builder *builder, const vc_str *columns,
                             vc_error *error)
{
    uint32_t key = vc_strmap_find(&builder->keys, columns[builder->spec->key_column]);
    if (key == VC_STRMAP_NONE) return VC_OK;
    uint32_t first = builder->rows_of_keys[key];
    unsigned column = find_difference(builder, first, columns);
    return column == builder->spec->ncolumns
               ? VC_OK
               : fail_duplicate(builder, first, columns, column, error);
}

static vc_status add_key(vc_dimension_builder *builder, vc_str key, uint32_t row, vc_error *error)
{
    bool is_new;
    uint32_t number = vc_strmap_put(&builder->keys, key, &is_new);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (is_new) builder->rows_of_keys[number] = row;
    builder->first_of_row[row] = builder->rows_of_keys[number];
    return VC_OK;
}

static vc_status add_row(vc_dimension_builder *builder, const vc_str *columns, vc_str identity,
                         uint32_t *row_out, vc_error *error)
{
    int key_column = builder->spec->key_column;
    bool is_whole = key_column < 0 && !builder->roles.has_riders; /* the identity is the tuple */
    vc_str tuple = {0};
    vc_status status = check_dates(builder, columns, error);
    if (status == VC_OK && builder->roles.has_places) status = check_place(builder, columns, error);
    if (status == VC_OK && !reserve_row(builder)) status = vc_no_memory(error);
    if (status != VC_OK) return status;
    uint32_t row = vc_strmap_put(&builder->rows, identity, NULL);
    if (row == VC_STRMAP_NONE) return vc_no_memory(error);
    if (is_whole) tuple = builder->rows.keys[row];
    if (!is_whole) status = keep_tuple(builder, columns, &tuple, error);
    if (status == VC_OK && builder->roles.has_places)
        status = add_key(builder, columns[key_column], row, error);
    if (status != VC_OK) return status;
    builder->tuples[row] = tuple;
    builder->nrows = row + 1;
    *row_out = row;
    return VC_OK;
}

/* A second label, to be told about: the first such of a row and a column. */
static vc_status note_clash(vc_dimension_builder *builder, uint32_t row, unsigned column,
                            vc_str text, vc_error *error)
{
    uint32_t place[2] = {row, column};
    bool is_new;
    uint32_t number =
        vc_strmap_put(&builder->clash_places,
                      (vc_str){.data = (const char *)place, .size = sizeof place}, &is_new);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (!is_new) return VC_OK;
    if (number >= builder->clash_capacity) {
        uint32_t capacity = builder->clash_capacity * 2 + 64;
        vc_build_clash *clashes = realloc(builder->clashes, capacity * sizeof *clashes);
        if (clashes == NULL) return vc_no_memory(error);
        builder->clashes = clashes;
        builder->clash_capacity = capacity;
    }
    builder->clashes[number] =
        (vc_build_clash){.row = row, .column = column, .text = vc_arena_str(&builder->arena, text)};
    return builder->clashes[number].text.data == NULL ? vc_no_memory(error) : VC_OK;
}

/* A row that is there already, with labels or order values that may be others. */
static vc_status merge_riders(vc_dimension_builder *builder, uint32_t row, const vc_str *columns,
                              vc_error *error)
{
    unsigned ncolumns = builder->spec->ncolumns;
    vc_str tuple = builder->tuples[row];
    bool has_more = false;
    for (unsigned c = 0; c < ncolumns; c++) {
        bool may_differ = !builder->roles.has_places || builder->roles.is_free[c];
        if (!builder->roles.is_rider[c] || !may_differ || vc_str_is_null(columns[c])) continue;
        vc_str before = vc_tuple_get(tuple, ncolumns, c);
        has_more |= vc_str_is_null(before);
        if (vc_str_is_null(before) || vc_str_equal(before, columns[c])) continue;
        vc_status status = builder->roles.is_owned[c]
                               ? fail_duplicate(builder, row, columns, c, error)
                               : note_clash(builder, row, c, columns[c], error);
        if (status != VC_OK) return status;
    }
    if (!has_more) return VC_OK;
    vc_status status = check_dates(builder, columns, error);
    for (unsigned c = 0; c < ncolumns; c++) {
        vc_str before = vc_tuple_get(tuple, ncolumns, c);
        builder->merged[c] =
            builder->roles.is_rider[c] && vc_str_is_null(before) ? columns[c] : before;
    }
    if (status == VC_OK) status = keep_tuple(builder, builder->merged, &tuple, error);
    if (status == VC_OK) builder->tuples[row] = tuple;
    return status;
}

/* A row that is there already: what does not identify it must agree. */
static vc_status meet_row(vc_dimension_builder *builder, uint32_t row, const vc_str *columns,
                          vc_error *error)
{
    unsigned ncolumns = builder->spec->ncolumns, column = ncolumns;
    if (builder->spec->key_column >= 0) column = find_difference(builder, row, columns);
    if (column < ncolumns) return fail_duplicate(builder, row, columns, column, error);
    return builder->roles.has_riders ? merge_riders(builder, row, columns, error) : VC_OK;
}

vc_status vc_dimension_builder_add(vc_dimension_builder *builder, const vc_str *columns,
                                   uint32_t *row_out, vc_error *error)
{
    int key_column = builder->spec->key_column;
    if (key_column >= 0 && columns[key_column].size == 0)
        return vc_fail(error, VC_BAD_INPUT, "empty_key",
                       "a row of dimension '%.*s' has no key in its column '%.*s'",
                       VC_FMT(builder->spec->name),
                       VC_FMT(builder->spec->column_names[key_column]));
    vc_str identity;
    vc_status status = canonical_row(builder, columns, &columns, error);
    if (status == VC_OK) status = identify(builder, columns, &identity, error);
    if (status != VC_OK) return status;
    uint32_t row = vc_strmap_find(&builder->rows, identity);
    if (row == VC_STRMAP_NONE) return add_row(builder, columns, identity, row_out, error);
    *row_out = row;
    return meet_row(builder, row, columns, error);
}

uint32_t vc_dimension_builder_find(const vc_dimension_builder *builder, vc_str key)
{
    int key_column = builder->spec->key_column;
    if (key_column < 0 || key.size == 0) return VC_NONE;
    char number[VC_NUMBER_TEXT];
    if (builder->types[key_column] == VC_KEY_INT) key = vc_key_canonical_int(key, number);
    if (!builder->roles.has_places) return vc_strmap_find(&builder->rows, key);
    uint32_t known = vc_strmap_find(&builder->keys, key);
    return known == VC_STRMAP_NONE ? VC_NONE : builder->rows_of_keys[known];
}

/* ---- coding columns ---- */

static vc_status code_column(const vc_dimension_builder *builder, unsigned c, vc_arena *arena,
                             vc_build_column *column, vc_error *error)
{
    const vc_dimension_spec *spec = builder->spec;
    bool is_key = (int)c == spec->key_column && !builder->roles.has_places;
    return vc_build_column_make(builder->tuples, builder->nrows, spec->ncolumns, c, is_key, arena,
                                column, error);
}

static vc_status code_columns(const vc_dimension_builder *builder, vc_build *build, vc_error *error)
{
    vc_build_column *columns = VC_ARENA_NEW(build->arena, vc_build_column, builder->spec->ncolumns);
    if (columns == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (unsigned c = 0; status == VC_OK && c < builder->spec->ncolumns; c++)
        status = code_column(builder, c, build->arena, &columns[c], error);
    build->columns = columns;
    return status;
}

/* ---- coding columns by several threads, each in an arena of its own ---- */

void vc_dimension_builder_share(vc_dimension_builder *builder, vc_crew *crew)
{
    builder->crew = crew;
}

typedef struct coding {
    const vc_dimension_builder *builder;
    vc_build_column *columns;
    bool *has_failed; /* [ncolumns] memory is all that a column can want */
} coding;

static void run_coding(void *context, size_t number, unsigned thread)
{
    const coding *work = context;
    (void)thread;
    work->has_failed[number] =
        code_column(work->builder, (unsigned)number, &work->builder->column_arenas[number],
                    &work->columns[number], NULL) != VC_OK;
}

/* Of so many rows memory is what is short: what the threads have freed is given back, and the image
 * is written by one thread. */
enum { MANY_ROWS = 1 << 19 };

static vc_status code_by_crew(vc_dimension_builder *builder, vc_build *build, vc_error *error)
{
    unsigned ncolumns = builder->spec->ncolumns;
    coding work = {.builder = builder,
                   .columns = VC_ARENA_NEW(build->arena, vc_build_column, ncolumns),
                   .has_failed = VC_ARENA_NEW(build->arena, bool, ncolumns)};
    builder->column_arenas = VC_ARENA_NEW(build->arena, vc_arena, ncolumns);
    if (work.columns == NULL || work.has_failed == NULL || builder->column_arenas == NULL)
        return vc_no_memory(error);
    vc_crew_run(builder->crew, ncolumns, run_coding, &work);
    if (builder->nrows >= MANY_ROWS) vc_memory_give_back();
    for (unsigned c = 0; c < ncolumns; c++)
        if (work.has_failed[c]) return vc_no_memory(error);
    build->columns = work.columns;
    return VC_OK;
}

/* ---- finishing ---- */

vc_status vc_dimension_builder_rank(const vc_dimension_builder *builder, unsigned hierarchy,
                                    int level, vc_arena *arena, const uint32_t **ranks_out,
                                    uint32_t *nranks_out, vc_error *error)
{
    vc_dimension_report report = {0};
    vc_build build = {.spec = builder->spec,
                      .older = builder->older,
                      .older_rows = &builder->older_rows,
                      .nolder_rows = builder->nolder_rows,
                      .first_of_row = builder->first_of_row,
                      .arena = arena,
                      .nrows = builder->nrows,
                      .clashes = builder->clashes,
                      .nclashes = builder->clash_places.count,
                      .report = &report};
    vc_status status = code_columns(builder, &build, error);
    if (status == VC_OK) status = vc_build_make_places(&build, error);
    if (status == VC_OK) status = vc_build_make_even(&build, error);
    if (status == VC_OK) status = vc_build_number_levels(&build, error);
    if (status == VC_OK && level < 0) status = vc_build_number_leaves(&build, error);
    if (status != VC_OK) return status;
    *ranks_out = level < 0 ? build.leaf_of_row : build.levels[hierarchy][level].member_of_row;
    *nranks_out = level < 0 ? builder->nrows : build.levels[hierarchy][level].nmembers;
    return VC_OK;
}

vc_status vc_dimension_builder_finish(vc_dimension_builder *builder, vc_buffer *image,
                                      const uint32_t **leaf_of_row_out,
                                      vc_dimension_report *report_out, vc_error *error)
{
    *report_out = (vc_dimension_report){0};
    vc_build build = {.spec = builder->spec,
                      .older = builder->older,
                      .older_rows = &builder->older_rows,
                      .nolder_rows = builder->nolder_rows,
                      .first_of_row = builder->first_of_row,
                      .arena = &builder->arena,
                      .nrows = builder->nrows,
                      .clashes = builder->clashes,
                      .nclashes = builder->clash_places.count,
                      .report = report_out};
    vc_status status = builder->crew == NULL ? code_columns(builder, &build, error)
                                             : code_by_crew(builder, &build, error);
    if (status == VC_OK) status = vc_build_make_places(&build, error);
    if (status == VC_OK) status = vc_build_make_even(&build, error);
    if (status == VC_OK) status = vc_build_number_levels(&build, error);
    if (status == VC_OK) status = vc_build_number_leaves(&build, error);
    if (status == VC_OK) status = vc_build_assemble(&build, error);
    if (status == VC_OK) status = vc_build_indexes(&build, error);
    vc_crew *writers = builder->nrows < MANY_ROWS ? builder->crew : NULL;
    if (status == VC_OK)
        status = vc_dimension_write(build.dimension, &build.rows, writers, image, error);
    if (status == VC_OK) *leaf_of_row_out = build.leaf_of_row;
    return status;
}
