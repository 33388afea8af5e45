/* From a row of CSV to the columns of a dimension.
 *
 * A column of the dimension is a field of the row, a field of a looked-up table (snowflake: the row
 * refers to it by a key; a row that is not there gives nulls), or a part of the row's date. Look-up
 * tables are read whole, but only the fields that are needed.
 */
#include "base/nearest.h"
#include "cube/load_parts.h"
#include "cube/time_part.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct feed_origin {
    int lookup;   /* -1: the row itself */
    size_t field; /* of the row; of a look-up: which of its kept fields */
} feed_origin;

typedef struct feed_column {
    vc_str name;
    vc_str pointer; /* in the definition, where it is named first */
    vc_time_part part;
    feed_origin origin; /* of the date when it is a part */
} feed_column;

typedef struct feed_lookup {
    const vc_lookup_def *definition;
    vc_load_file file;  /* open while the columns are planned and read */
    feed_origin refers; /* the field that holds the key of the row looked up */
    size_t key_field;
    size_t *fields; /* [nfields] kept fields of its CSV */
    size_t nfields;
    vc_strmap keys; /* the number of a key is its row */
    vc_str *texts;  /* [rows * nfields] */
    size_t capacity;
    uint32_t current; /* row for the row being fed; VC_STRMAP_NONE when there is none */
} feed_lookup;

struct vc_feed {
    vc_arena arena;
    const vc_load_file *file;
    const vc_definition *definition;
    const vc_dimension_def *dimension;
    vc_str pointer;
    bool is_short; /* "levels" or "parent" is written, not "hierarchies" */
    vc_str date_column;
    feed_column *columns;
    unsigned ncolumns, capacity;
    feed_lookup *lookups;
    size_t nlookups;
    vc_dimension_spec spec;
    vc_str *texts; /* [ncolumns] of the row */
    bool has_date;
    feed_origin date;
    char keys[VC_TIME_DAY + 1][VC_TIME_KEY_BYTES];
};

/* ---- which columns ---- */

/* A part of the date is one column, whatever the levels that show it are called. */
static bool is_column(const feed_column *column, vc_str name, vc_time_part part)
{
    return column->part == part && (part != VC_TIME_NONE || vc_str_equal(column->name, name));
}

static vc_str name_part(vc_feed *feed, vc_time_part part)
{
    static const char *const names[] = {
        [VC_TIME_YEAR] = "year", [VC_TIME_QUARTER] = "quarter", [VC_TIME_MONTH] = "month",
        [VC_TIME_WEEK] = "week", [VC_TIME_DAY] = "day",
    };
    return vc_arena_printf(&feed->arena, "%.*s.%s", VC_FMT(feed->date_column), names[part]);
}

__attribute__((format(printf, 4, 5))) static vc_status add_column(vc_feed *feed, vc_str name,
                                                                  vc_time_part part,
                                                                  const char *format, ...)
{
    for (unsigned i = 0; i < feed->ncolumns; i++) {
        if (is_column(&feed->columns[i], name, part)) return VC_OK;
    }
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    feed_column *column = &feed->columns[feed->ncolumns];
    *column =
        (feed_column){.name = part == VC_TIME_NONE ? name : name_part(feed, part), .part = part};
    column->pointer = vc_arena_printf(&feed->arena, "%.*s%s", VC_FMT(feed->pointer), text);
    if (column->pointer.data == NULL || column->name.data == NULL) return VC_NO_MEMORY;
    feed->ncolumns++;
    return VC_OK;
}

static unsigned find_column(const vc_feed *feed, vc_str name, vc_time_part part)
{
    for (unsigned i = 0; i < feed->ncolumns; i++) {
        if (is_column(&feed->columns[i], name, part)) return i;
    }
    abort(); /* add_column was called for all of them */
}

/* Columns of a level: its key, or its part of the date, and what it names besides. */
static vc_status add_level(vc_feed *feed, size_t hierarchy, size_t number)
{
    const vc_level_def *level = &feed->dimension->hierarchies[hierarchy].levels[number];
    char at[64];
    if (feed->is_short)
        snprintf(at, sizeof at, "/levels/%zu", number);
    else
        snprintf(at, sizeof at, "/hierarchies/%zu/levels/%zu", hierarchy, number);
    vc_status status = level->part != VC_TIME_NONE
                           ? add_column(feed, (vc_str){0}, level->part, "%s", at)
                           : add_column(feed, level->key, VC_TIME_NONE, "%s/key", at);
    if (status == VC_OK && !vc_str_is_null(level->label_column))
        status = add_column(feed, level->label_column, VC_TIME_NONE, "%s/label", at);
    if (status == VC_OK && !vc_str_is_null(level->order_column))
        status = add_column(feed, level->order_column, VC_TIME_NONE, "%s/order", at);
    for (size_t i = 0; status == VC_OK && i < level->nattributes; i++)
        status = add_column(feed, level->attributes[i], VC_TIME_NONE, "%s/attributes/%zu", at, i);
    return status;
}

/* What says where the rows of a parent-child hierarchy stand. */
static vc_status add_tree(vc_feed *feed, size_t number)
{
    const vc_hierarchy_def *hierarchy = &feed->dimension->hierarchies[number];
    char at[64] = "";
    if (vc_str_is_null(hierarchy->parent_column)) return VC_OK;
    if (!feed->is_short) snprintf(at, sizeof at, "/hierarchies/%zu", number);
    vc_status status = add_column(feed, hierarchy->parent_column, VC_TIME_NONE, "%s/parent", at);
    if (status == VC_OK && !vc_str_is_null(hierarchy->level_column))
        status = add_column(feed, hierarchy->level_column, VC_TIME_NONE, "%s/level_column", at);
    return status;
}

/* The definition's own JSON of the dimension, to tell its two spellings apart. */
static bool is_short(const vc_definition *definition, vc_str pointer)
{
    const json_t *json = definition->json;
    size_t number;
    if (pointer.size > 0 && sscanf(pointer.data, "/dimensions/%zu", &number) == 1)
        json = json_array_get(json_object_get(json, "dimensions"), number);
    return json_object_get(json, "hierarchies") == NULL;
}

static size_t count_columns(const vc_dimension_def *dimension)
{
    size_t count = 1 + dimension->nattributes;
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        count += 2;
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++)
            count += 3 + dimension->hierarchies[h].levels[l].nattributes;
    }
    return count;
}

static vc_status add_columns(vc_feed *feed, vc_error *error)
{
    const vc_dimension_def *dimension = feed->dimension;
    feed->columns = VC_ARENA_NEW(&feed->arena, feed_column, count_columns(dimension));
    if (feed->columns == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    if (!vc_str_is_null(dimension->key))
        status = add_column(feed, dimension->key, VC_TIME_NONE, "/key");
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; status == VC_OK && l < dimension->hierarchies[h].nlevels; l++)
            status = add_level(feed, h, l);
        if (status == VC_OK) status = add_tree(feed, h);
    }
    for (size_t i = 0; status == VC_OK && i < dimension->nattributes; i++)
        status = add_column(feed, dimension->attributes[i], VC_TIME_NONE, "/attributes/%zu", i);
    return status == VC_OK ? VC_OK : vc_no_memory(error);
}

/* ---- where they come from ---- */

static vc_status fail_unknown(const vc_feed *feed, size_t nlookups, vc_str name, vc_str pointer,
                              vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < vc_csv_ncolumns(feed->file->csv); i++)
        vc_nearest_offer(&nearest, vc_csv_column_name(feed->file->csv, i));
    for (size_t l = 0; l < nlookups; l++) {
        const vc_csv *csv = feed->lookups[l].file.csv;
        for (size_t i = 0; i < vc_csv_ncolumns(csv); i++)
            vc_nearest_offer(&nearest, vc_csv_column_name(csv, i));
    }
    vc_fail(error, VC_NOT_FOUND, "unknown_column",
            "no column named '%.*s' in %.*s or the tables looked up from it", VC_FMT(name),
            VC_FMT(feed->file->path));
    vc_nearest_report(&nearest, error);
    vc_loader_place(feed->definition, error, "%.*s", VC_FMT(pointer));
    return VC_NOT_FOUND;
}

/* Keep a field of a look-up; returns its number among the kept ones. */
static size_t keep_field(feed_lookup *lookup, size_t field)
{
    for (size_t i = 0; i < lookup->nfields; i++) {
        if (lookup->fields[i] == field) return i;
    }
    lookup->fields[lookup->nfields] = field;
    return lookup->nfields++;
}

/* A name is looked for in the row first, then in the look-ups in order. */
static vc_status find_origin(vc_feed *feed, size_t nlookups, vc_str name, vc_str pointer,
                             feed_origin *origin_out, vc_error *error)
{
    if (nlookups == 0) {
        origin_out->lookup = -1;
        return vc_load_file_column(feed->file, feed->definition, name, &origin_out->field, error,
                                   "%.*s", VC_FMT(pointer));
    }
    origin_out->lookup = -1;
    if (vc_csv_find_column(feed->file->csv, name, &origin_out->field, NULL) == VC_OK) return VC_OK;
    for (size_t l = 0; l < nlookups; l++) {
        size_t field;
        if (vc_csv_find_column(feed->lookups[l].file.csv, name, &field, NULL) != VC_OK) continue;
        *origin_out =
            (feed_origin){.lookup = (int)l, .field = keep_field(&feed->lookups[l], field)};
        return VC_OK;
    }
    return fail_unknown(feed, nlookups, name, pointer, error);
}

static vc_str lookup_pointer(vc_feed *feed, size_t number, const char *field)
{
    return vc_arena_printf(&feed->arena, "%.*s/lookups/%zu/%s", VC_FMT(feed->pointer), number,
                           field);
}

static vc_status open_lookup(vc_feed *feed, size_t number, vc_error *error)
{
    feed_lookup *lookup = &feed->lookups[number];
    const vc_lookup_def *definition = &feed->dimension->lookups[number];
    lookup->definition = definition;
    vc_load_csv csv = {.definition = feed->definition,
                       .csv = &definition->csv,
                       .pointer = lookup_pointer(feed, number, "csv")};
    vc_status status = vc_load_file_open(feed->file->loader, &csv, &lookup->file, error);
    if (status != VC_OK) return status;
    feed->nlookups++; /* from here on to be closed */
    lookup->fields = VC_ARENA_NEW(&feed->arena, size_t, vc_csv_ncolumns(lookup->file.csv) + 1);
    if (lookup->fields == NULL) return vc_no_memory(error);
    status =
        vc_load_file_column(&lookup->file, feed->definition, definition->key, &lookup->key_field,
                            error, "%.*s/lookups/%zu/key", VC_FMT(feed->pointer), number);
    if (status != VC_OK) return status;
    return find_origin(feed, number, definition->column, lookup_pointer(feed, number, "column"),
                       &lookup->refers, error);
}

static vc_status resolve_columns(vc_feed *feed, vc_error *error)
{
    vc_status status = VC_OK;
    for (unsigned i = 0; status == VC_OK && i < feed->ncolumns; i++) {
        feed_column *column = &feed->columns[i];
        bool is_part = column->part != VC_TIME_NONE;
        vc_str pointer = column->pointer;
        if (is_part) pointer = vc_arena_printf(&feed->arena, "%.*s/column", VC_FMT(feed->pointer));
        status = find_origin(feed, feed->nlookups, is_part ? feed->date_column : column->name,
                             pointer, &column->origin, error);
        if (status == VC_OK && is_part) {
            feed->has_date = true;
            feed->date = column->origin;
        }
    }
    return status;
}

/* ---- reading the look-ups ---- */

static vc_status grow_lookup(feed_lookup *lookup, vc_error *error)
{
    if ((lookup->keys.count + 1) * lookup->nfields <= lookup->capacity) return VC_OK;
    size_t capacity = lookup->capacity == 0 ? 64 * lookup->nfields : 2 * lookup->capacity;
    vc_str *texts = realloc(lookup->texts, capacity * sizeof *texts);
    if (texts == NULL) return vc_no_memory(error);
    lookup->texts = texts;
    lookup->capacity = capacity;
    return VC_OK;
}

static vc_status check_duplicate(const feed_lookup *lookup, const vc_csv_row *row, uint32_t number,
                                 vc_error *error)
{
    for (size_t i = 0; i < lookup->nfields; i++) {
        size_t field = lookup->fields[i];
        vc_str before = lookup->texts[number * lookup->nfields + i];
        if (vc_str_equal(before, row->fields[field])) continue;
        vc_str name = vc_csv_column_name(lookup->file.csv, field);
        vc_fail(error, VC_BAD_INPUT, "duplicate_key",
                "key '%.*s' stands twice: column '%.*s' is '%.*s' here and '%.*s' above",
                VC_FMT(row->fields[lookup->key_field]), VC_FMT(name), VC_FMT(row->fields[field]),
                VC_FMT(before));
        vc_load_file_at(&lookup->file, row, lookup->key_field, error);
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

static vc_status add_lookup_row(vc_feed *feed, feed_lookup *lookup, const vc_csv_row *row,
                                vc_error *error)
{
    bool is_new;
    vc_status status = grow_lookup(lookup, error);
    if (status != VC_OK) return status;
    uint32_t number = vc_strmap_put(&lookup->keys, row->fields[lookup->key_field], &is_new);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (!is_new) return check_duplicate(lookup, row, number, error);
    for (size_t i = 0; i < lookup->nfields; i++) {
        vc_str text = row->fields[lookup->fields[i]];
        vc_str copy = vc_arena_str(&feed->arena, text);
        if (copy.data == NULL && text.data != NULL) return vc_no_memory(error);
        lookup->texts[number * lookup->nfields + i] = copy;
    }
    return VC_OK;
}

static vc_status read_lookup(vc_feed *feed, feed_lookup *lookup, vc_error *error)
{
    for (;;) {
        vc_csv_row row;
        bool is_end;
        vc_status status = vc_load_file_next(&lookup->file, &row, &is_end, error);
        if (status != VC_OK || is_end) return status;
        vc_str key = row.fields[lookup->key_field];
        if (vc_str_is_null(key) || key.size == 0) {
            vc_error *reason = &lookup->file.reason;
            vc_fail(reason, VC_BAD_INPUT, "empty_key", "the key '%.*s' is empty",
                    VC_FMT(lookup->definition->key));
            vc_load_file_at(&lookup->file, &row, lookup->key_field, reason);
            status = vc_load_file_reject(&lookup->file, &row, reason, error);
        } else {
            status = add_lookup_row(feed, lookup, &row, error);
        }
        if (status != VC_OK) return status;
    }
}

/* ---- the builder's specification ---- */

static int find_optional(const vc_feed *feed, vc_str name)
{
    return vc_str_is_null(name) ? -1 : (int)find_column(feed, name, VC_TIME_NONE);
}

static bool make_hierarchies(vc_feed *feed)
{
    const vc_dimension_def *dimension = feed->dimension;
    vc_hierarchy_spec *hierarchies =
        VC_ARENA_NEW(&feed->arena, vc_hierarchy_spec, dimension->nhierarchies);
    if (hierarchies == NULL) return false;
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        const vc_hierarchy_def *definition = &dimension->hierarchies[h];
        vc_level_spec *levels = VC_ARENA_NEW(&feed->arena, vc_level_spec, definition->nlevels);
        if (levels == NULL) return false;
        for (size_t l = 0; l < definition->nlevels; l++) {
            const vc_level_def *level = &definition->levels[l];
            levels[l] = (vc_level_spec){.name = level->name,
                                        .label = level->label,
                                        .key_column = find_column(feed, level->key, level->part),
                                        .label_column = find_optional(feed, level->label_column),
                                        .order_column = find_optional(feed, level->order_column),
                                        .key_type = level->key_type,
                                        .skip = level->skip};
        }
        hierarchies[h] =
            (vc_hierarchy_spec){.name = definition->name,
                                .label = definition->label,
                                .nlevels = (unsigned)definition->nlevels,
                                .levels = levels,
                                .has_several_parents = definition->has_several_parents,
                                .is_parent_child = !vc_str_is_null(definition->parent_column)};
        if (!hierarchies[h].is_parent_child) continue;
        hierarchies[h].parent_column = find_column(feed, definition->parent_column, VC_TIME_NONE);
        hierarchies[h].level_column = find_optional(feed, definition->level_column);
    }
    feed->spec.nhierarchies = (unsigned)dimension->nhierarchies;
    feed->spec.hierarchies = hierarchies;
    return true;
}

static bool make_attributes(vc_feed *feed)
{
    const vc_dimension_def *dimension = feed->dimension;
    vc_attribute_spec *attributes =
        VC_ARENA_NEW(&feed->arena, vc_attribute_spec, count_columns(dimension));
    if (attributes == NULL) return false;
    unsigned count = 0;
    for (size_t i = 0; i < dimension->nattributes; i++) {
        vc_str name = dimension->attributes[i];
        attributes[count++] = (vc_attribute_spec){.name = name,
                                                  .column = find_column(feed, name, VC_TIME_NONE),
                                                  .hierarchy = -1,
                                                  .level = -1};
    }
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            const vc_level_def *level = &dimension->hierarchies[h].levels[l];
            for (size_t i = 0; i < level->nattributes; i++)
                attributes[count++] = (vc_attribute_spec){
                    .name = level->attributes[i],
                    .column = find_column(feed, level->attributes[i], VC_TIME_NONE),
                    .hierarchy = (int)h,
                    .level = (int)l};
        }
    }
    feed->spec.nattributes = count;
    feed->spec.attributes = attributes;
    return true;
}

static bool make_indexes(vc_feed *feed)
{
    const vc_dimension_def *dimension = feed->dimension;
    vc_index_spec *indexes = VC_ARENA_NEW(&feed->arena, vc_index_spec, dimension->nindexes);
    if (indexes == NULL) return false;
    for (size_t i = 0; i < dimension->nindexes; i++) {
        const vc_index_def *index = &dimension->indexes[i];
        indexes[i] = (vc_index_spec){.name = index->name,
                                     .attribute = index->attribute,
                                     .is_unique = index->is_unique,
                                     .has_where = !vc_str_is_null(index->where_attribute),
                                     .where_attribute = index->where_attribute,
                                     .where_values = index->where_values,
                                     .nwhere_values = index->nwhere_values};
    }
    feed->spec.nindexes = (unsigned)dimension->nindexes;
    feed->spec.indexes = indexes;
    return true;
}

static vc_status make_spec(vc_feed *feed, vc_str name, vc_error *error)
{
    const vc_dimension_def *dimension = feed->dimension;
    vc_str *names = VC_ARENA_NEW(&feed->arena, vc_str, feed->ncolumns);
    feed->texts = VC_ARENA_NEW(&feed->arena, vc_str, feed->ncolumns);
    if (names == NULL || feed->texts == NULL) return vc_no_memory(error);
    for (unsigned i = 0; i < feed->ncolumns; i++)
        names[i] = feed->columns[i].name;
    feed->spec = (vc_dimension_spec){.name = name,
                                     .label = dimension->label,
                                     .is_time = dimension->is_time,
                                     .has_table = dimension->has_table,
                                     .ncolumns = feed->ncolumns,
                                     .column_names = names,
                                     .key_column = find_optional(feed, dimension->key)};
    if (!make_hierarchies(feed) || !make_attributes(feed) || !make_indexes(feed))
        return vc_no_memory(error);
    return VC_OK;
}

/* ---- new, free, ask ---- */

static vc_status start_feed(const vc_definition *definition, const vc_dimension_def *dimension,
                            vc_str pointer, vc_str column, vc_feed **feed_out, vc_error *error)
{
    vc_feed *feed = *feed_out = calloc(1, sizeof *feed);
    if (feed == NULL) return vc_no_memory(error);
    feed->definition = definition;
    feed->dimension = dimension;
    feed->pointer = pointer;
    feed->is_short = is_short(definition, pointer);
    feed->date_column = vc_str_is_null(column) ? dimension->column : column;
    return add_columns(feed, error);
}

vc_status vc_feed_plan(const vc_definition *definition, const vc_dimension_def *dimension,
                       vc_str pointer, vc_str column, vc_feed **feed_out, vc_error *error)
{
    vc_status status = start_feed(definition, dimension, pointer, column, feed_out, error);
    if (status == VC_OK) status = make_spec(*feed_out, dimension->name, error);
    if (status != VC_OK) vc_feed_free(*feed_out);
    return status;
}

vc_status vc_feed_new(const vc_load_file *file, const vc_definition *definition,
                      const vc_dimension_def *dimension, vc_str pointer, vc_str column,
                      vc_feed **feed_out, vc_error *error)
{
    vc_feed *feed;
    vc_status status = start_feed(definition, dimension, pointer, column, &feed, error);
    if (feed == NULL) return status;
    feed->file = file;
    feed->lookups = VC_ARENA_NEW(&feed->arena, feed_lookup, dimension->nlookups);
    if (status == VC_OK && feed->lookups == NULL) status = vc_no_memory(error);
    for (size_t l = 0; status == VC_OK && l < dimension->nlookups; l++)
        status = open_lookup(feed, l, error);
    if (status == VC_OK) status = resolve_columns(feed, error);
    for (size_t l = 0; status == VC_OK && l < feed->nlookups; l++) {
        status = read_lookup(feed, &feed->lookups[l], error);
        vc_load_file_close(&feed->lookups[l].file);
    }
    if (status == VC_OK) status = make_spec(feed, dimension->name, error);
    if (status != VC_OK) {
        vc_feed_free(feed);
        return status;
    }
    *feed_out = feed;
    return VC_OK;
}

void vc_feed_free(vc_feed *feed)
{
    if (feed == NULL) return;
    for (size_t l = 0; l < feed->nlookups; l++) {
        vc_load_file_close(&feed->lookups[l].file);
        vc_strmap_release(&feed->lookups[l].keys);
        free(feed->lookups[l].texts);
    }
    vc_arena_release(&feed->arena);
    free(feed);
}

const vc_dimension_spec *vc_feed_spec(const vc_feed *feed)
{
    return &feed->spec;
}

size_t vc_feed_only_field(const vc_feed *feed)
{
    for (unsigned i = 0; i < feed->ncolumns; i++) {
        if (feed->columns[i].origin.lookup >= 0 ||
            feed->columns[i].origin.field != feed->columns[0].origin.field)
            return SIZE_MAX;
    }
    return feed->ncolumns == 0 ? SIZE_MAX : feed->columns[0].origin.field;
}

static void add_field(const feed_origin *origin, size_t *fields, size_t *nfields)
{
    if (origin->lookup >= 0) return; /* it follows from the field that refers to its row */
    for (size_t i = 0; i < *nfields; i++) {
        if (fields[i] == origin->field) return;
    }
    fields[(*nfields)++] = origin->field;
}

size_t vc_feed_fields(vc_feed *feed, const size_t **fields_out)
{
    size_t nfields = 0;
    size_t *fields = VC_ARENA_NEW(&feed->arena, size_t, feed->ncolumns + feed->nlookups + 1);
    *fields_out = fields;
    if (fields == NULL) return 0;
    for (unsigned i = 0; i < feed->ncolumns; i++)
        add_field(&feed->columns[i].origin, fields, &nfields);
    for (size_t l = 0; l < feed->nlookups; l++)
        add_field(&feed->lookups[l].refers, fields, &nfields);
    return nfields;
}

size_t vc_feed_key_field(const vc_feed *feed)
{
    if (feed->spec.key_column < 0) return SIZE_MAX;
    const feed_origin *origin = &feed->columns[feed->spec.key_column].origin;
    return origin->lookup < 0 ? origin->field : SIZE_MAX;
}

/* ---- a row ---- */

static vc_str get_text(const vc_feed *feed, const vc_csv_row *row, const feed_origin *origin)
{
    if (origin->lookup < 0) return row->fields[origin->field];
    const feed_lookup *lookup = &feed->lookups[origin->lookup];
    if (lookup->current == VC_STRMAP_NONE) return (vc_str){0};
    return lookup->texts[lookup->current * lookup->nfields + origin->field];
}

static vc_status read_date(const vc_feed *feed, const vc_csv_row *row, vc_date *date_out,
                           bool *has_date_out, vc_error *error)
{
    vc_str text = get_text(feed, row, &feed->date);
    *has_date_out = !vc_str_is_null(text) && text.size > 0;
    if (!*has_date_out || vc_date_parse(text, date_out)) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_date",
            "'%.*s' is no date of the form 2020-01-31, which column '%.*s' must hold", VC_FMT(text),
            VC_FMT(feed->date_column));
    vc_load_file_at(feed->file, row, feed->date.lookup < 0 ? feed->date.field : SIZE_MAX, error);
    return VC_BAD_INPUT;
}

vc_status vc_feed_row(vc_feed *feed, const vc_csv_row *row, const vc_str **columns_out,
                      vc_error *error)
{
    vc_date date = {0};
    bool has_date = false;
    for (size_t l = 0; l < feed->nlookups; l++) {
        feed_lookup *lookup = &feed->lookups[l];
        vc_str key = get_text(feed, row, &lookup->refers);
        lookup->current = vc_str_is_null(key) ? VC_STRMAP_NONE : vc_strmap_find(&lookup->keys, key);
    }
    if (feed->has_date) {
        vc_status status = read_date(feed, row, &date, &has_date, error);
        if (status != VC_OK) return status;
    }
    for (unsigned i = 0; i < feed->ncolumns; i++) {
        const feed_column *column = &feed->columns[i];
        if (column->part == VC_TIME_NONE) {
            feed->texts[i] = get_text(feed, row, &column->origin);
        } else if (has_date) {
            char *text = feed->keys[column->part];
            feed->texts[i] = (vc_str){text, vc_date_key(&date, column->part, text)};
        } else {
            feed->texts[i] = (vc_str){0};
        }
    }
    *columns_out = feed->texts;
    return VC_OK;
}
