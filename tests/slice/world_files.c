/* The files of source cubes, dimensions and crosswalks. */
#include "tests/slice/world_files.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FILE *world_open_file(const char *folder, const char *name, const char *suffix)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        abort();
    }
    return file;
}

static void put_field(FILE *file, const char *text, bool is_first)
{
    if (!is_first) fputc(',', file);
    if (text != NULL) fprintf(file, strpbrk(text, ",; \"") != NULL ? "\"%s\"" : "%s", text);
}

/* How many levels have columns of their own? */
static unsigned count_key_columns(const struct world_dimension *dimension)
{
    return dimension->is_tree ? 0 : dimension->nlevels - dimension->is_keyed_below;
}

static void put_leaf(FILE *file, const struct world_dimension *dimension,
                     const struct world_leaf *leaf)
{
    if (dimension->is_tree) put_field(file, leaf->parent, false);
    for (unsigned l = 0; l < count_key_columns(dimension); l++)
        put_field(file, leaf->keys[l], false);
    if (dimension->has_code) put_field(file, leaf->code, false);
    if (dimension->has_top) put_field(file, leaf->top, false);
    if (dimension->has_days) put_field(file, leaf->days, false);
}

/* Columns of a dimension, in its table or in the facts; there the dimension's name is in front. */
static void put_leaf_header(FILE *file, const struct world_dimension *dimension)
{
    const char *prefix = dimension->has_table ? "" : dimension->name;
    const char *under = dimension->has_table ? "" : "_";
    if (dimension->is_tree) fputs(",boss", file);
    for (unsigned l = 0; l < count_key_columns(dimension); l++)
        fprintf(file, ",%s%sl%u", prefix, under, l);
    if (dimension->has_code) fprintf(file, ",%s%scode", prefix, under);
    if (dimension->has_top) fprintf(file, ",%s%stop", prefix, under);
    if (dimension->has_days) fputs(",days", file);
}

void world_write_table(const struct world_dimension *dimension, const char *folder, bool is_append)
{
    FILE *file = world_open_file(folder, dimension->name, "-table.csv");
    fputs("id", file);
    put_leaf_header(file, dimension);
    fputc('\n', file);
    size_t nleaves = is_append ? dimension->nleaves : dimension->nold;
    for (size_t i = 0; i < nleaves; i++) {
        put_field(file, dimension->leaves[i].key, true);
        put_leaf(file, dimension, &dimension->leaves[i]);
        fputc('\n', file);
    }
    fclose(file);
}

void world_put_path(FILE *file, const struct world_dimension *dimension,
                    const struct world_leaf *leaf, unsigned depth)
{
    const char *path[WORLD_LEVELS];
    world_path(dimension, leaf, dimension->nlevels, path);
    for (unsigned l = 0; l < depth; l++) {
        if (l > 0) fputc(',', file);
        for (const char *c = path[l]; c != NULL && *c != '\0'; c++) {
            if (strchr("|:;,-!@/#.", *c) != NULL) fputs("\\\\", file);
            fputc(*c, file);
        }
    }
}

/* The fields of a dimension behind its name. Without a table its columns stand in the facts beside
 * those of others, under its own name; indexes give its attributes their short names back. */
static void put_dimension(FILE *file, const struct world_dimension *dimension)
{
    const char *prefix = dimension->has_table ? "" : dimension->name;
    const char *under = dimension->has_table ? "" : "_";
    if (dimension->has_table)
        fprintf(file, ", \"table\": {\"csv\": \"%s-table.csv\"}, \"key\": \"id\"", dimension->name);
    if (dimension->is_tree) fputs(", \"parent\": \"boss\"", file);
    if (dimension->has_places) fputs(", \"several_parents\": true", file);
    if (dimension->has_default) {
        const struct world_leaf *leaf = &dimension->leaves[dimension->default_leaf];
        fputs(", \"default\": \"", file);
        world_put_path(file, dimension, leaf, dimension->default_depth);
        fputs("\"", file);
    }
    fputs(", \"levels\": [", file);
    for (unsigned l = 0; l < dimension->nlevels; l++) {
        static const char *const skips[] = {"", ", \"skip\": \"blank\"", ", \"skip\": \"parent\""};
        fprintf(file, "%s{\"name\": \"l%u\"", l > 0 ? ", " : "", l);
        if (dimension->is_keyed_below && l + 1 == dimension->nlevels)
            fputs(", \"key\": \"id\"", file);
        else if (!dimension->is_tree)
            fprintf(file, ", \"key\": \"%s%sl%u\"", prefix, under, l);
        fputs(skips[dimension->skips[l]], file);
        if (dimension->is_int[l]) fputs(", \"type\": \"int\"", file);
        if (l == 0 && dimension->has_top)
            fprintf(file, ", \"attributes\": [\"%s%stop\"]", prefix, under);
        fputs("}", file);
    }
    fputs("]", file);
    if (dimension->has_code || dimension->has_days) {
        fputs(", \"attributes\": [", file);
        if (dimension->has_code) fprintf(file, "\"%s%scode\"", prefix, under);
        fprintf(file, "%s%s]", dimension->has_code && dimension->has_days ? ", " : "",
                dimension->has_days ? "\"days\"" : "");
    }
    if (dimension->has_table) return;
    const char *comma = "";
    fputs(", \"indexes\": [", file);
    if (dimension->has_code)
        fprintf(file, "{\"name\": \"code\", \"attribute\": \"%s_code\"}", dimension->name),
            comma = ", ";
    if (dimension->has_top)
        fprintf(file, "%s{\"name\": \"top\", \"attribute\": \"%s_top\"}", comma, dimension->name);
    fputs("]", file);
}

static const char *const column_types[] = {"int", "decimal(2)", "float"};

void world_put_formula(FILE *file, enum world_formula formula, const char *a, const char *b)
{
    switch (formula) {
    case FORMULA_SUM: fprintf(file, "\"expr\": \"%s + %s\"", a, b); break;
    case FORMULA_RATIO: fprintf(file, "\"expr\": \"%s / %s\"", a, b); break;
    case FORMULA_COALESCE: fprintf(file, "\"expr\": \"coalesce(%s, %s)\"", a, b); break;
    default: fprintf(file, "\"expr\": \"zn(%s) - %s\"", a, b); break;
    }
}

/* A cut, every byte of the key escaped that could mean something there. */
static void put_where(FILE *file, const struct world_cube *cube,
                      const struct world_measure *measure)
{
    fprintf(file, ", \"where\": \"%s%s.l0:", measure->is_negated ? "!" : "",
            cube->dimensions[measure->where_dimension]->name);
    for (const char *at = measure->where_key; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x80 && !isalnum((unsigned char)*at) && *at != ' ')
            fputs("\\\\", file);
        if (*at == '"') fputc('\\', file);
        fputc(*at, file);
    }
    fputc('"', file);
}

static void put_measure(FILE *file, const struct world_cube *cube,
                        const struct world_measure *measure)
{
    fprintf(file, "{\"name\": \"%s\", ", measure->name);
    if (measure->formula != FORMULA_NONE) {
        world_put_formula(file, measure->formula, cube->measures[measure->a].name,
                          cube->measures[measure->b].name);
        fputs("}", file);
        return;
    }
    fprintf(file, "\"aggregator\": \"%s\"", vc_aggregator_name(measure->aggregator));
    bool is_count =
        measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_COUNT_DISTINCT;
    if (!is_count) fprintf(file, ", \"type\": \"%s\"", column_types[measure->column]);
    if (measure->is_product)
        fputs(", \"value\": \"x0 * x1\"", file);
    else if (measure->column >= 0)
        fprintf(file, ", \"column\": \"x%d\"", measure->column);
    if (measure->aggregator == VC_AGG_QUANTILE)
        fprintf(file, ", \"quantile\": %.17g", measure->quantile);
    if (measure->weight_column >= 0) fprintf(file, ", \"weight\": \"x%d\"", measure->weight_column);
    if (measure->weight_column >= 0 && !measure->is_float_weight)
        fprintf(file, ", \"weight_type\": \"%s\"", column_types[measure->weight_column]);
    if (measure->has_where) put_where(file, cube, measure);
    if (measure->distinct_dimension >= 0)
        fprintf(file, ", \"dimension\": \"%s\"",
                cube->dimensions[measure->distinct_dimension]->name);
    if (measure->over != VC_OVER_NONE)
        fprintf(file, ", \"over\": {\"%s\": \"%s\"}",
                cube->dimensions[measure->over_dimension]->name, vc_over_name(measure->over));
    fputs("}", file);
}

/* Every byte of a key escaped that could mean something in a cut. */
static void put_escaped(FILE *file, const char *key)
{
    for (const char *at = key; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x80 && !isalnum((unsigned char)*at) && *at != ' ')
            fputs("\\\\", file);
        if (*at == '"') fputc('\\', file);
        fputc(*at, file);
    }
}

static void put_sets(const struct world *world, FILE *file)
{
    fputs(",\n \"sets\": [", file);
    for (unsigned i = 0; i < world->nsets; i++) {
        const struct world_set *set = &world->sets[i];
        fprintf(file,
                "%s{\"name\": \"%s\", \"dim\": \"%s\", \"cut\": \"%s%s.l%u:", i > 0 ? ", " : "",
                set->name, set->dimension->name, set->is_negated ? "!" : "", set->dimension->name,
                set->level);
        for (unsigned k = 0; k < set->nkeys; k++) {
            if (k > 0) fputc(';', file);
            put_escaped(file, set->keys[k]);
        }
        fputs("\"}", file);
    }
    fputs("]", file);
}

void world_write_cube(const struct world *world, const struct world_cube *cube, const char *folder)
{
    FILE *file = world_open_file(folder, cube->name, ".json");
    fprintf(file,
            "{\"name\": \"%s\", \"kind\": \"source\", \"data\": {\"csv\": \"%s.csv\"},\n"
            " \"dimensions\": [\n",
            cube->name, cube->name);
    for (unsigned d = 0; d < cube->ndimensions; d++) {
        const struct world_dimension *dimension = cube->dimensions[d];
        fprintf(file, "  {\"%s\": \"%s\"", dimension->is_shared ? "use" : "name", dimension->name);
        if (dimension->has_table) fprintf(file, ", \"column\": \"%s\"", dimension->name);
        if (!dimension->is_shared) put_dimension(file, dimension);
        fprintf(file, "}%s\n", d + 1 < cube->ndimensions ? "," : "],");
    }
    fputs(" \"measures\": [\n", file);
    for (unsigned m = 0; m < cube->nmeasures; m++) {
        fputs("  ", file);
        put_measure(file, cube, &cube->measures[m]);
        fputs(m + 1 < cube->nmeasures ? ",\n" : "]", file);
    }
    if (world->nsets > 0 && cube == &world->cubes[world->sources[0].cube]) put_sets(world, file);
    fputs("}\n", file);
    fclose(file);
}

static void put_value(FILE *file, const struct world_fact *fact, unsigned column)
{
    int64_t value = fact->values[column];
    fputc(',', file);
    if (fact->nulls >> column & 1) return;
    switch (column) {
    case COLUMN_INT: fprintf(file, "%" PRId64, value); break;
    case COLUMN_DECIMAL:
        fprintf(file, "%s%lld.%02lld", value < 0 ? "-" : "", llabs(value) / 100,
                llabs(value) % 100);
        break;
    case COLUMN_FLOAT: fprintf(file, "%.2f", (double)value / 4); break;
    default: fprintf(file, "t%" PRId64, value); break;
    }
}

void world_write_facts(const struct world_cube *cube, const char *folder, bool is_append)
{
    FILE *file = world_open_file(folder, cube->name, ".csv");
    fputs("row", file);
    for (unsigned d = 0; d < cube->ndimensions; d++) {
        if (cube->dimensions[d]->has_table)
            fprintf(file, ",%s", cube->dimensions[d]->name);
        else
            put_leaf_header(file, cube->dimensions[d]);
    }
    fputs(",x0,x1,x2,x3\n", file);
    size_t first = is_append ? cube->nold : 0, end = is_append ? cube->nfacts : cube->nold;
    for (size_t i = first; i < end; i++) {
        fprintf(file, "%zu", i);
        for (unsigned d = 0; d < cube->ndimensions; d++) {
            const struct world_leaf *leaf = &cube->dimensions[d]->leaves[cube->facts[i].leaves[d]];
            if (cube->dimensions[d]->has_table)
                put_field(file, leaf->key, false);
            else
                put_leaf(file, cube->dimensions[d], leaf);
        }
        for (unsigned c = 0; c < WORLD_COLUMNS; c++)
            put_value(file, &cube->facts[i], c);
        fputc('\n', file);
    }
    fclose(file);
}

void world_write_shared(const struct world_dimension *dimension, const char *folder)
{
    FILE *file = world_open_file(folder, dimension->name, ".json");
    fprintf(file, "{\"name\": \"%s\", \"kind\": \"dimension\"", dimension->name);
    put_dimension(file, dimension);
    fputs("}\n", file);
    fclose(file);
}

void world_write_crosswalk(const struct world_crosswalk *crosswalk, const char *folder)
{
    FILE *file = world_open_file(folder, crosswalk->name, ".json");
    fprintf(file,
            "{\"name\": \"%s\", \"kind\": \"crosswalk\", \"data\": {\"csv\": \"%s.csv\"}, "
            "\"from\": \"from\", \"to\": \"to\", \"weight\": \"weight\"}\n",
            crosswalk->name, crosswalk->name);
    fclose(file);
    file = world_open_file(folder, crosswalk->name, ".csv");
    fputs("from,to,weight\n", file);
    for (unsigned i = 0; i < crosswalk->nrows; i++) {
        put_field(file, crosswalk->rows[i].from, true);
        put_field(file, crosswalk->rows[i].to, false);
        fprintf(file, ",%g\n", crosswalk->rows[i].quarters / 4.0);
    }
    fclose(file);
}
