#include "tests/cube/definition_dump.h"

static void put_text(json_t *object, const char *key, vc_str text)
{
    if (!vc_str_is_null(text)) json_object_set_new(object, key, json_stringn(text.data, text.size));
}

static void put_texts(json_t *object, const char *key, const vc_str *texts, size_t count)
{
    if (count == 0) return;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_stringn(texts[i].data, texts[i].size));
    json_object_set_new(object, key, array);
}

static void put_true(json_t *object, const char *key, bool is_true)
{
    if (is_true) json_object_set_new(object, key, json_true());
}

/* The word of a number, unless it is the default, 0. */
static void put_word(json_t *object, const char *key, const char *const *words, int number)
{
    if (number != 0) json_object_set_new(object, key, json_string(words[number]));
}

static void put_char(json_t *object, const char *key, char byte, char usual)
{
    if (byte != usual) json_object_set_new(object, key, json_stringn(&byte, 1));
}

static void put_list(json_t *object, const char *key, json_t *array)
{
    if (json_array_size(array) > 0)
        json_object_set_new(object, key, array);
    else
        json_decref(array);
}

static json_t *dump_csv(const vc_csv_def *csv)
{
    json_t *object = json_object();
    put_text(object, "path", csv->path);
    put_true(object, "ndjson", csv->is_ndjson);
    put_char(object, "delimiter", csv->delimiter, ',');
    put_char(object, "quote", csv->quote, '"');
    put_char(object, "decimal", csv->decimal, '.');
    put_true(object, "headless", !csv->has_header);
    if (!vc_str_is(csv->encoding, "utf-8")) put_text(object, "encoding", csv->encoding);
    if (csv->nnulls != 1 || csv->nulls[0].size != 0) {
        json_object_set_new(object, "nulls", json_array());
        put_texts(object, "nulls", csv->nulls, csv->nnulls);
    }
    put_texts(object, "columns", csv->columns, csv->ncolumns);
    return object;
}

static json_t *dump_level(const vc_level_def *level)
{
    static const char *const types[] = {NULL, "int", "date"};
    static const char *const parts[] = {NULL, "year", "quarter", "month", "week", "day"};
    json_t *object = json_object();
    put_text(object, "name", level->name);
    put_text(object, "label", level->label);
    put_text(object, "key", level->key);
    put_text(object, "label_column", level->label_column);
    put_text(object, "order_column", level->order_column);
    put_word(object, "key_type", types, level->key_type);
    put_word(object, "part", parts, level->part);
    put_texts(object, "attributes", level->attributes, level->nattributes);
    return object;
}

static json_t *dump_hierarchies(const vc_dimension_def *dimension)
{
    json_t *array = json_array();
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        const vc_hierarchy_def *hierarchy = &dimension->hierarchies[h];
        json_t *object = json_object(), *levels = json_array();
        put_text(object, "name", hierarchy->name);
        put_text(object, "label", hierarchy->label);
        put_text(object, "parent", hierarchy->parent_column);
        put_text(object, "level_column", hierarchy->level_column);
        for (size_t l = 0; l < hierarchy->nlevels; l++)
            json_array_append_new(levels, dump_level(&hierarchy->levels[l]));
        json_object_set_new(object, "levels", levels);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *dump_indexes(const vc_dimension_def *dimension)
{
    json_t *array = json_array();
    for (size_t i = 0; i < dimension->nindexes; i++) {
        const vc_index_def *index = &dimension->indexes[i];
        json_t *object = json_object();
        put_text(object, "name", index->name);
        put_text(object, "attribute", index->attribute);
        put_true(object, "unique", index->is_unique);
        put_text(object, "where_attribute", index->where_attribute);
        put_texts(object, "where_values", index->where_values, index->nwhere_values);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *dump_dimension(const vc_dimension_def *dimension)
{
    json_t *object = json_object(), *lookups = json_array();
    put_text(object, "name", dimension->name);
    put_text(object, "label", dimension->label);
    put_true(object, "time", dimension->is_time);
    if (dimension->has_table) json_object_set_new(object, "table", dump_csv(&dimension->table));
    put_text(object, "key", dimension->key);
    put_text(object, "column", dimension->column);
    for (size_t i = 0; i < dimension->nlookups; i++) {
        json_t *lookup = json_object();
        json_object_set_new(lookup, "csv", dump_csv(&dimension->lookups[i].csv));
        put_text(lookup, "key", dimension->lookups[i].key);
        put_text(lookup, "column", dimension->lookups[i].column);
        json_array_append_new(lookups, lookup);
    }
    put_list(object, "lookups", lookups);
    put_list(object, "hierarchies", dump_hierarchies(dimension));
    put_texts(object, "attributes", dimension->attributes, dimension->nattributes);
    put_list(object, "indexes", dump_indexes(dimension));
    put_true(object, "not_aggregatable", dimension->is_not_aggregatable);
    return object;
}

static void put_fixes(json_t *object, const vc_fix_def *fixes, size_t nfixes)
{
    if (nfixes == 0) return;
    json_t *array = json_array();
    for (size_t i = 0; i < nfixes; i++) {
        json_t *fix = json_object();
        put_text(fix, "dimension", fixes[i].dimension);
        put_text(fix, "value", fixes[i].value);
        json_array_append_new(array, fix);
    }
    json_object_set_new(object, "fixes", array);
}

static const char *const unrelated_words[] = {NULL, "null", "repeat", "error", "fix"};
static const char *const reaggregates[] = {NULL, "none", "sum", "avg", "min", "max"};

static json_t *dump_measures(const vc_measure_def *measures, size_t nmeasures)
{
    static const char *const types[] = {"int", "decimal", "float"};
    json_t *array = json_array();
    for (size_t i = 0; i < nmeasures; i++) {
        const vc_measure_def *measure = &measures[i];
        json_t *object = json_object();
        put_text(object, "name", measure->name);
        put_text(object, "label", measure->label);
        put_text(object, "unit", measure->unit);
        put_text(object, "format", measure->format);
        put_text(object, "description", measure->description);
        json_object_set_new(object, "aggregator",
                            json_string(vc_aggregator_name(measure->aggregator)));
        json_object_set_new(object, "type", json_string(types[measure->type]));
        if (measure->scale != 0) json_object_set_new(object, "scale", json_integer(measure->scale));
        put_text(object, "column", measure->column);
        put_text(object, "dimension", measure->dimension);
        put_text(object, "expr", measure->expr);
        put_text(object, "over_dimension", measure->over_dimension);
        if (measure->over != VC_OVER_NONE)
            json_object_set_new(object, "over", json_string(vc_over_name(measure->over)));
        put_text(object, "value", measure->value);
        put_text(object, "where", measure->where);
        put_text(object, "weight", measure->weight);
        if (measure->weight.data != NULL) {
            json_object_set_new(object, "weight_type", json_string(types[measure->weight_type]));
            json_object_set_new(object, "weight_scale", json_integer(measure->weight_scale));
        }
        if (measure->aggregator == VC_AGG_QUANTILE)
            json_object_set_new(object, "quantile", json_real(measure->quantile));
        put_text(object, "source", measure->source);
        put_text(object, "measure", measure->measure);
        put_fixes(object, measure->fixes, measure->nfixes);
        put_word(object, "unrelated", unrelated_words, (int)measure->unrelated);
        for (size_t f = 0; f < measure->nstands; f++)
            put_text(object, "stands", measure->stands[f].dimension);
        put_true(object, "is_set", measure->mode == VC_MODE_SET);
        put_word(object, "reaggregate", reaggregates, (int)measure->reaggregate);
        put_text(object, "pointer", measure->pointer);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *dump_cube(const vc_cube_def *cube)
{
    json_t *object = json_object(), *uses = json_array();
    json_object_set_new(object, "data", dump_csv(&cube->data));
    for (size_t i = 0; i < cube->ndimensions; i++) {
        json_t *use = json_object();
        put_text(use, "name", cube->dimensions[i].name);
        put_text(use, "shared", cube->dimensions[i].shared);
        put_text(use, "column", cube->dimensions[i].column);
        if (cube->dimensions[i].own != NULL)
            json_object_set_new(use, "own", dump_dimension(cube->dimensions[i].own));
        json_array_append_new(uses, use);
    }
    json_object_set_new(object, "dimensions", uses);
    json_object_set_new(object, "measures", dump_measures(cube->measures, cube->nmeasures));
    if (cube->has_cluster) {
        json_t *cluster = json_array();
        for (size_t i = 0; i < cube->ncluster; i++) {
            json_t *item = json_object();
            json_object_set_new(item, "dimension",
                                json_integer((json_int_t)cube->cluster[i].dimension));
            put_text(item, "level", cube->cluster[i].level);
            json_array_append_new(cluster, item);
        }
        json_object_set_new(object, "cluster", cluster);
    }
    return object;
}

static json_t *dump_join(const vc_join_def *join)
{
    static const char *const unmatched[] = {"drop", "bucket", "members"};
    static const char *const modes[] = {NULL, NULL, "weighted", "lookup"};
    static const char *const finers[] = {NULL, "repeat", "allocate"};
    static const char *const picks[] = {NULL, "first_by", "max"};
    json_t *object = json_object(), *on = json_array();
    json_object_set_new(object, "kind", json_string(vc_join_kind_name(join->kind)));
    json_object_set_new(object, "unmatched", json_string(unmatched[join->unmatched]));
    put_true(object, "refuses_fanout", join->on_fanout == VC_FANOUT_ERROR);
    put_true(object, "weighs_fanout", join->on_fanout == VC_FANOUT_WEIGHTED);
    put_word(object, "mode", modes, (int)join->mode);
    put_word(object, "pick", picks, (int)join->pick);
    put_text(object, "pick_by", join->pick_by);
    put_word(object, "reaggregate", reaggregates, (int)join->reaggregate);
    put_true(object, "cardinality_one", join->is_cardinality_one);
    if (join->min_coverage != 0)
        json_object_set_new(object, "min_coverage", json_real(join->min_coverage));
    if (join->expose.is_asked) {
        json_t *expose = json_object();
        put_text(expose, "name", join->expose.name);
        put_text(expose, "label", join->expose.label);
        put_text(expose, "dim", join->expose.dim);
        put_word(expose, "finer", finers, (int)join->expose.finer);
        put_text(expose, "allocate_by", join->expose.allocate_by);
        put_text(expose, "pointer", join->expose.pointer);
        json_object_set_new(object, "expose", expose);
    }
    for (size_t i = 0; i < join->non; i++) {
        json_t *pair = json_object();
        put_text(pair, "dim", join->on[i].dim);
        put_text(pair, "index", join->on[i].index);
        put_text(pair, "to_dim", join->on[i].to_dim);
        put_text(pair, "to_index", join->on[i].to_index);
        if (join->on[i].normalize_from != NULL)
            json_object_set_new(pair, "from", json_deep_copy(join->on[i].normalize_from));
        if (join->on[i].normalize_to != NULL)
            json_object_set_new(pair, "to", json_deep_copy(join->on[i].normalize_to));
        put_word(pair, "finer", finers, (int)join->on[i].finer);
        put_text(pair, "allocate_by", join->on[i].allocate_by);
        put_text(pair, "pointer", join->on[i].pointer);
        json_array_append_new(on, pair);
    }
    json_object_set_new(object, "on", on);
    return object;
}

static json_t *dump_sources(const vc_virtual_def *cube)
{
    json_t *array = json_array();
    for (size_t i = 0; i < cube->nsources; i++) {
        const vc_source_def *source = &cube->sources[i];
        json_t *object = json_object(), *renames = json_array();
        put_text(object, "alias", source->alias);
        put_text(object, "cube", source->cube);
        if (source->has_join) json_object_set_new(object, "join", dump_join(&source->join));
        put_fixes(object, source->fixes, source->nfixes);
        for (size_t r = 0; r < source->nrenames; r++) {
            json_t *rename = json_object();
            put_text(rename, "from", source->renames[r].from);
            put_text(rename, "to", source->renames[r].to);
            json_array_append_new(renames, rename);
        }
        put_list(object, "renames", renames);
        put_text(object, "pointer", source->pointer);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *dump_commons(const vc_virtual_def *cube)
{
    json_t *array = json_array();
    for (size_t i = 0; i < cube->ncommons; i++) {
        json_t *object = json_object(), *of = json_array();
        put_text(object, "name", cube->commons[i].name);
        for (size_t j = 0; j < cube->commons[i].nof; j++) {
            json_t *one = json_object();
            put_text(one, "alias", cube->commons[i].of[j].alias);
            put_text(one, "dimension", cube->commons[i].of[j].dimension);
            json_array_append_new(of, one);
        }
        json_object_set_new(object, "of", of);
        put_text(object, "pointer", cube->commons[i].pointer);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *dump_virtual(const vc_virtual_def *cube)
{
    json_t *object = json_object(), *privates = json_array();
    put_text(object, "primary", cube->primary);
    json_object_set_new(object, "sources", dump_sources(cube));
    for (size_t i = 0; i < cube->nprivates; i++) {
        json_t *one = json_object();
        put_text(one, "alias", cube->privates[i].alias);
        put_text(one, "dimension", cube->privates[i].dimension);
        put_word(one, "others", unrelated_words, (int)cube->privates[i].others);
        put_text(one, "fix", cube->privates[i].fix);
        put_text(one, "pointer", cube->privates[i].pointer);
        json_array_append_new(privates, one);
    }
    put_list(object, "privates", privates);
    put_list(object, "commons", dump_commons(cube));
    put_list(object, "measures", dump_measures(cube->measures, cube->nmeasures));
    return object;
}

static json_t *dump_crosswalk(const vc_crosswalk_def *crosswalk)
{
    static const char *const sums[] = {NULL, "from", "to"};
    json_t *object = json_object();
    json_object_set_new(object, "data", dump_csv(&crosswalk->data));
    put_text(object, "from", crosswalk->from);
    put_text(object, "to", crosswalk->to);
    put_text(object, "weight", crosswalk->weight);
    put_text(object, "valid_from", crosswalk->valid_from);
    put_text(object, "valid_to", crosswalk->valid_to);
    put_text(object, "note", crosswalk->note);
    put_word(object, "weights_sum", sums, (int)crosswalk->weights_sum);
    return object;
}

json_t *definition_dump(const vc_definition *definition)
{
    json_t *object = json_object();
    put_text(object, "name", definition->name);
    put_text(object, "label", definition->label);
    put_text(object, "description", definition->description);
    put_text(object, "source", definition->info.source);
    put_text(object, "licence", definition->info.licence);
    switch (definition->kind) {
    case VC_DEFINITION_SOURCE:
        json_object_set_new(object, "cube", dump_cube(&definition->as.cube));
        break;
    case VC_DEFINITION_VIRTUAL:
        json_object_set_new(object, "virtual", dump_virtual(&definition->as.virtual_cube));
        break;
    case VC_DEFINITION_DIMENSION:
        json_object_set_new(object, "dimension", dump_dimension(&definition->as.dimension));
        break;
    case VC_DEFINITION_CROSSWALK:
        json_object_set_new(object, "crosswalk", dump_crosswalk(&definition->as.crosswalk));
        break;
    }
    return object;
}

json_t *definition_error_dump(const vc_error *error)
{
    json_t *object = json_object(), *candidates = json_array();
    for (unsigned i = 0; i < error->ncandidates; i++)
        json_array_append_new(candidates, json_string(error->candidates[i]));
    json_object_set_new(object, "code", json_string(error->code));
    json_object_set_new(object, "pointer", json_string(error->pointer));
    json_object_set_new(object, "line", json_integer(error->line));
    json_object_set_new(object, "column", json_integer(error->column));
    put_list(object, "candidates", candidates);
    return object;
}
