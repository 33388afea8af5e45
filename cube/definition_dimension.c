#include "base/nearest.h"
#include "cube/definition_parts.h"

#include <string.h>

/* Words that a derived time level may be called. */
static const vc_word part_words[] = {
    {"year", VC_TIME_YEAR, NULL},   {"quarter", VC_TIME_QUARTER, NULL},
    {"month", VC_TIME_MONTH, NULL}, {"week", VC_TIME_WEEK, NULL},
    {"day", VC_TIME_DAY, NULL},     {NULL, 0, NULL},
};

static bool is_derived(const vc_dimension_def *dimension)
{
    return dimension->is_time && !dimension->has_table && !vc_str_is_null(dimension->column);
}

/* ---- levels ---- */

static vc_time_part find_part(vc_str name)
{
    for (const vc_word *word = part_words; word->word != NULL; word++)
        if (vc_str_is(name, word->word)) return (vc_time_part)word->value;
    return VC_TIME_NONE;
}

static vc_status fail_part(const vc_node *node, vc_str name)
{
    vc_node_fail(node, "bad_value",
                 "the date column gives year, quarter, month, week and day; '%.*s' needs a 'part' "
                 "of these or a column of its own as its 'key'",
                 VC_FMT(name));
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (const vc_word *word = part_words; word->word != NULL; word++)
        vc_nearest_offer(&nearest, vc_str_of(word->word));
    vc_nearest_report(&nearest, node->reader->error);
    return VC_BAD_INPUT;
}

/* A level of a dimension with a date column is derived from it, unless it names its own key. */
static vc_status read_part(const vc_node *node, const vc_dimension_def *dimension,
                           vc_level_def *level)
{
    int part = VC_TIME_NONE;
    bool has_key = false;
    if (json_is_object(node->json)) {
        vc_node part_node = vc_node_field(node, "part");
        has_key = vc_node_has(node, "key");
        vc_status status = vc_field_choice(node, "part", part_words, &part);
        if (status != VC_OK) return status;
        if (part != VC_TIME_NONE && !is_derived(dimension))
            return vc_node_fail(&part_node, "bad_value",
                                "'part' goes with a dimension of type \"time\" that has a 'column' "
                                "of dates and no table");
        if (part != VC_TIME_NONE && has_key)
            return vc_node_fail(&part_node, "bad_value",
                                "a level has either a 'key' or a 'part' of the date");
    }
    if (!is_derived(dimension) || has_key) return VC_OK;
    level->part = part != VC_TIME_NONE ? (vc_time_part)part : find_part(level->name);
    return level->part == VC_TIME_NONE ? fail_part(node, level->name) : VC_OK;
}

static vc_status read_key_type(const vc_node *object, vc_level_def *level)
{
    static const vc_word words[] = {{"string", VC_KEY_TEXT, NULL},
                                    {"int", VC_KEY_INT, NULL},
                                    {"date", VC_KEY_DATE, NULL},
                                    {NULL, 0, NULL}};
    int type = VC_KEY_TEXT;
    vc_status status = vc_field_choice(object, "type", words, &type);
    if (status != VC_OK) return status;
    level->key_type = (vc_key_type)type;
    vc_node node = vc_node_field(object, "type");
    if (type == VC_KEY_INT && level->part > VC_TIME_YEAR)
        return vc_node_fail(&node, "bad_value", "keys such as 2020-01 are no integers");
    if (type == VC_KEY_DATE && level->part != VC_TIME_NONE && level->part != VC_TIME_DAY)
        return vc_node_fail(&node, "bad_value", "only the keys of days are dates");
    return VC_OK;
}

static vc_status read_skip(const vc_node *object, vc_level_def *level)
{
    static const vc_word words[] = {{"never", VC_SKIP_NEVER, NULL},
                                    {"blank", VC_SKIP_BLANK, NULL},
                                    {"parent", VC_SKIP_PARENT, NULL},
                                    {NULL, 0, NULL}};
    int skip = VC_SKIP_NEVER;
    vc_status status = vc_field_choice(object, "skip", words, &skip);
    level->skip = (vc_skip)skip;
    return status;
}

static vc_status read_level(const vc_node *node, const vc_dimension_def *dimension,
                            vc_level_def *level)
{
    static const char *const known[] = {"name", "caption", "key",        "label", "order",
                                        "type", "part",    "attributes", "skip",  NULL};
    vc_status status;
    if (json_is_string(node->json)) {
        status = vc_node_name(node, &level->name);
        level->label = level->key = level->name;
        return status == VC_OK ? read_part(node, dimension, level) : status;
    }
    if (!json_is_object(node->json)) return vc_node_fail_type(node, "a string or an object");
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_name(node, "name", &level->name)) != VC_OK)
        return status;
    level->label = level->key = level->name;
    if ((status = vc_field_label(node, "caption", &level->label)) != VC_OK ||
        (status = vc_field_text(node, "key", &level->key)) != VC_OK ||
        (status = vc_field_text(node, "label", &level->label_column)) != VC_OK ||
        (status = vc_field_text(node, "order", &level->order_column)) != VC_OK ||
        (status = read_part(node, dimension, level)) != VC_OK ||
        (status = read_key_type(node, level)) != VC_OK ||
        (status = read_skip(node, level)) != VC_OK)
        return status;
    return vc_field_texts(node, "attributes", &level->attributes, &level->nattributes);
}

static vc_status read_levels(const vc_node *array, const vc_dimension_def *dimension,
                             vc_hierarchy_def *hierarchy)
{
    size_t count;
    vc_status status = vc_node_array(array, 1, VC_MAX_NAMED_LEVELS, &count);
    if (status != VC_OK) return status;
    hierarchy->levels = VC_ARENA_NEW(array->reader->arena, vc_level_def, count);
    if (hierarchy->levels == NULL) return vc_no_memory(array->reader->error);
    vc_str names[VC_MAX_NAMED_LEVELS];
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        status = read_level(&node, dimension, &hierarchy->levels[i]);
        if (status != VC_OK) return status;
        names[i] = hierarchy->levels[i].name;
        if ((status = vc_node_check_new(&node, "level", names[i], names, i)) != VC_OK)
            return status;
    }
    hierarchy->nlevels = count;
    return VC_OK;
}

/* ---- hierarchies ---- */

/* The levels of a parent-child hierarchy are depths of one tree: they have the dimension's key, and
 * nothing that is found out by looking at other columns. */
static vc_status check_tree_level(const vc_node *node, const vc_dimension_def *dimension,
                                  vc_level_def *level)
{
    vc_node key = vc_node_field(node, "key"), skip = vc_node_field(node, "skip");
    vc_node attributes = vc_node_field(node, "attributes");
    if (!json_is_object(node->json) || key.json == NULL) level->key = dimension->key;
    if (!vc_str_equal(level->key, dimension->key))
        return vc_node_fail(&key, "bad_value",
                            "the members of a parent-child hierarchy are the rows of the table: "
                            "their key is '%.*s'",
                            VC_FMT(dimension->key));
    if (level->skip != VC_SKIP_NEVER)
        return vc_node_fail(&skip, "bad_value",
                            "'skip' goes with levels that have columns of their own, not with a "
                            "parent-child hierarchy");
    if (level->nattributes > 0)
        return vc_node_fail(&attributes, "bad_value",
                            "every member of a parent-child hierarchy is a row of the table: its "
                            "attributes are those of the dimension");
    return VC_OK;
}

/* "parent": the column that holds the key of the row above. object is the hierarchy, or the
 * dimension that is short for one. */
static vc_status read_tree(const vc_node *object, const vc_dimension_def *dimension,
                           vc_hierarchy_def *hierarchy)
{
    vc_node parent = vc_node_field(object, "parent"), levels = vc_node_field(object, "levels");
    vc_node level_column = vc_node_field(object, "level_column");
    vc_status status = vc_field_text(object, "parent", &hierarchy->parent_column);
    if (status == VC_OK) status = vc_field_text(object, "level_column", &hierarchy->level_column);
    if (status != VC_OK) return status;
    if (parent.json == NULL)
        return level_column.json == NULL
                   ? VC_OK
                   : vc_node_fail(&level_column, "bad_value",
                                  "'level_column' says of which level each row of a parent-child "
                                  "hierarchy is: it goes with 'parent'");
    if (!dimension->has_table)
        return vc_node_fail(&parent, "bad_value",
                            "a parent-child hierarchy needs a table with a key: each of its rows "
                            "is a member");
    if (level_column.json != NULL && levels.json == NULL)
        return vc_node_fail(&level_column, "bad_value",
                            "'level_column' needs 'levels': the names it may hold, from the top");
    for (size_t i = 0; i < hierarchy->nlevels; i++) {
        vc_node node = vc_node_element(&levels, i);
        status = check_tree_level(&node, dimension, &hierarchy->levels[i]);
        if (status != VC_OK) return status;
    }
    if (hierarchy->nlevels > 0) return VC_OK;
    hierarchy->levels = VC_ARENA_NEW(object->reader->arena, vc_level_def, 1);
    if (hierarchy->levels == NULL) return vc_no_memory(object->reader->error);
    hierarchy->nlevels = 1;
    hierarchy->levels[0].name = hierarchy->levels[0].label = VC_STR("level1");
    hierarchy->levels[0].key = dimension->key;
    return VC_OK;
}

/* "several_parents": a member may stand in several rows of the table, under a parent each. object
 * is the hierarchy, or the dimension that is short for one. */
static vc_status read_several(const vc_node *object, const vc_dimension_def *dimension,
                              vc_hierarchy_def *hierarchy)
{
    vc_node node = vc_node_field(object, "several_parents");
    vc_status status = vc_field_bool(object, "several_parents", &hierarchy->has_several_parents);
    if (status != VC_OK || !hierarchy->has_several_parents || dimension->has_table) return status;
    return vc_node_fail(&node, "bad_value",
                        "members under several parents need a table with a key, by which their "
                        "rows are known to be of one member");
}

static vc_status read_hierarchy(const vc_node *node, const vc_dimension_def *dimension,
                                vc_hierarchy_def *hierarchy)
{
    static const char *const known[] = {"name",         "label",           "levels", "parent",
                                        "level_column", "several_parents", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_name(node, "name", &hierarchy->name)) != VC_OK)
        return status;
    hierarchy->label = hierarchy->name;
    if ((status = vc_field_label(node, "label", &hierarchy->label)) != VC_OK) return status;
    vc_node levels = vc_node_field(node, "levels");
    if (!vc_node_has(node, "parent") && (status = vc_field_need(node, "levels")) != VC_OK)
        return status;
    if (levels.json != NULL && (status = read_levels(&levels, dimension, hierarchy)) != VC_OK)
        return status;
    if ((status = read_tree(node, dimension, hierarchy)) != VC_OK) return status;
    return read_several(node, dimension, hierarchy);
}

static vc_status read_hierarchy_list(const vc_node *array, vc_dimension_def *dimension)
{
    size_t count;
    vc_status status = vc_node_array(array, 1, VC_MAX_HIERARCHIES, &count);
    if (status != VC_OK) return status;
    dimension->hierarchies = VC_ARENA_NEW(array->reader->arena, vc_hierarchy_def, count);
    if (dimension->hierarchies == NULL) return vc_no_memory(array->reader->error);
    vc_str names[VC_MAX_HIERARCHIES];
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        status = read_hierarchy(&node, dimension, &dimension->hierarchies[i]);
        if (status != VC_OK) return status;
        names[i] = dimension->hierarchies[i].name;
        if ((status = vc_node_check_new(&node, "hierarchy", names[i], names, i)) != VC_OK)
            return status;
    }
    dimension->nhierarchies = count;
    return VC_OK;
}

/* "hierarchies", or "levels" for short: one hierarchy, called std. */
static vc_status read_hierarchies(const vc_node *object, vc_dimension_def *dimension)
{
    vc_node hierarchies = vc_node_field(object, "hierarchies");
    vc_node levels = vc_node_field(object, "levels"), parent = vc_node_field(object, "parent");
    vc_node several = vc_node_field(object, "several_parents");
    if (hierarchies.json != NULL && levels.json != NULL)
        return vc_node_fail(&levels, "bad_value",
                            "'levels' is short for one hierarchy: it does not go with "
                            "'hierarchies'");
    if (hierarchies.json != NULL && parent.json != NULL)
        return vc_node_fail(&parent, "bad_value",
                            "'parent' beside 'hierarchies' says of none of them that it is a "
                            "parent-child one: write it in the hierarchy");
    if (hierarchies.json != NULL && several.json != NULL)
        return vc_node_fail(&several, "bad_value",
                            "'several_parents' beside 'hierarchies' does not say in which of them: "
                            "write it in the hierarchy");
    if (hierarchies.json != NULL) return read_hierarchy_list(&hierarchies, dimension);
    if (levels.json == NULL && parent.json == NULL) return vc_node_fail_missing(object, "levels");
    dimension->hierarchies = VC_ARENA_NEW(object->reader->arena, vc_hierarchy_def, 1);
    if (dimension->hierarchies == NULL) return vc_no_memory(object->reader->error);
    dimension->nhierarchies = 1;
    dimension->hierarchies[0].name = dimension->hierarchies[0].label = VC_STR("std");
    vc_status status =
        levels.json == NULL ? VC_OK : read_levels(&levels, dimension, &dimension->hierarchies[0]);
    if (status == VC_OK) status = read_tree(object, dimension, &dimension->hierarchies[0]);
    return status == VC_OK ? read_several(object, dimension, &dimension->hierarchies[0]) : status;
}

/* ---- attributes and indexes ---- */

static bool is_known(vc_names names, vc_str name)
{
    for (size_t i = 0; i < names.count; i++)
        if (vc_str_equal(names.names[i], name)) return true;
    return false;
}

/* What an index may stand on: leaf attributes, levels' attributes, levels by their names or their
 * key columns, the key column. The room is for all of them; nattributes_out counts the attributes,
 * which come first. */
static vc_status list_indexable(const vc_node *object, const vc_dimension_def *dimension,
                                vc_names *names_out, size_t *nattributes_out)
{
    size_t room = dimension->nattributes + 1;
    for (size_t h = 0; h < dimension->nhierarchies; h++)
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++)
            room += 2 + dimension->hierarchies[h].levels[l].nattributes;
    vc_str *names = VC_ARENA_NEW(object->reader->arena, vc_str, room);
    if (names == NULL) return vc_no_memory(object->reader->error);
    size_t count = 0;
    for (size_t i = 0; i < dimension->nattributes; i++)
        names[count++] = dimension->attributes[i];
    for (size_t h = 0; h < dimension->nhierarchies; h++)
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            const vc_level_def *level = &dimension->hierarchies[h].levels[l];
            for (size_t i = 0; i < level->nattributes; i++)
                names[count++] = level->attributes[i];
        }
    *nattributes_out = count;
    for (size_t h = 0; h < dimension->nhierarchies; h++)
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++)
            names[count++] = dimension->hierarchies[h].levels[l].name;
    for (size_t h = 0; h < dimension->nhierarchies; h++)
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            vc_str key = dimension->hierarchies[h].levels[l].key;
            if (!vc_str_is_null(key) && !is_known((vc_names){.names = names, .count = count}, key))
                names[count++] = key;
        }
    if (!vc_str_is_null(dimension->key) &&
        !is_known((vc_names){.names = names, .count = count}, dimension->key))
        names[count++] = dimension->key;
    *names_out = (vc_names){.names = names, .count = count};
    return VC_OK;
}

/* An attribute belongs to the leaf or to one level. */
static vc_status check_attributes(const vc_node *object, vc_names attributes)
{
    vc_node node = vc_node_field(object, "attributes");
    const vc_node *place = node.json != NULL ? &node : object;
    if (attributes.count > VC_LIST_MAX)
        return vc_node_fail(place, "bad_value", "at most %d attributes, found %zu", VC_LIST_MAX,
                            attributes.count);
    for (size_t i = 1; i < attributes.count; i++) {
        vc_status status =
            vc_node_check_new(place, "attribute", attributes.names[i], attributes.names, i);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* Cut *rest behind the first `separator` that has no backslash before it, and take the backslashes
 * out of the part. Without a separator the part is everything and *rest becomes absent. */
static vc_str take_escaped(vc_str *rest, char separator, char *text)
{
    size_t at = 0, size = 0;
    while (at < rest->size && rest->data[at] != separator) {
        if (rest->data[at] == '\\' && at + 1 < rest->size) at++;
        text[size++] = rest->data[at++];
    }
    if (at < rest->size)
        *rest = (vc_str){.data = rest->data + at + 1, .size = rest->size - at - 1};
    else
        *rest = (vc_str){0};
    return (vc_str){.data = text, .size = size};
}

/* "feature:A;B": attribute, then the values that are in the index. */
static vc_status read_where(const vc_node *object, vc_names indexable, vc_index_def *index)
{
    vc_node node = vc_node_field(object, "where");
    vc_arena *arena = node.reader->arena;
    vc_str rest = {0};
    vc_status status = vc_field_text(object, "where", &rest);
    if (status != VC_OK || node.json == NULL) return status;
    size_t capacity = rest.size + 1, nvalues = 1;
    char *text = vc_arena_alloc(arena, capacity);
    if (text == NULL) return vc_no_memory(node.reader->error);
    index->where_attribute = take_escaped(&rest, ':', text);
    if (vc_str_is_null(rest))
        return vc_node_fail(&node, "bad_value", "expected ATTRIBUTE:VALUE[;VALUE...], found '%.*s'",
                            VC_FMT(index->where_attribute));
    if (!is_known(indexable, index->where_attribute))
        return vc_node_fail_unknown(&node, "unknown_attribute", "attribute, level or key column",
                                    index->where_attribute, indexable);
    for (size_t i = 0; i < rest.size; i++)
        nvalues += rest.data[i] == ';';
    index->where_values = VC_ARENA_NEW(arena, vc_str, nvalues);
    if (index->where_values == NULL) return vc_no_memory(node.reader->error);
    text += index->where_attribute.size;
    while (!vc_str_is_null(rest)) {
        vc_str value = take_escaped(&rest, ';', text);
        if (value.size == 0) return vc_node_fail(&node, "bad_value", "a value is empty");
        text += value.size;
        index->where_values[index->nwhere_values++] = value;
    }
    return VC_OK;
}

static vc_status read_index(const vc_node *node, vc_names indexable, vc_index_def *index)
{
    static const char *const known[] = {"name", "attribute", "unique", "where", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_name(node, "name", &index->name)) != VC_OK)
        return status;
    vc_node name = vc_node_field(node, "name");
    vc_node attribute = vc_node_field(node, "attribute");
    if (vc_str_is(index->name, "key"))
        return vc_node_fail(&name, "bad_value",
                            "'key' is the index of the leaves' keys that every dimension has");
    index->attribute = index->name;
    if ((status = vc_field_text(node, "attribute", &index->attribute)) != VC_OK) return status;
    if (!is_known(indexable, index->attribute))
        return vc_node_fail_unknown(attribute.json != NULL ? &attribute : &name,
                                    "unknown_attribute", "attribute, level or key column",
                                    index->attribute, indexable);
    if ((status = vc_field_bool(node, "unique", &index->is_unique)) != VC_OK) return status;
    return read_where(node, indexable, index);
}

static vc_status read_indexes(const vc_node *object, vc_names indexable,
                              vc_dimension_def *dimension)
{
    vc_node array = vc_node_field(object, "indexes");
    size_t count;
    if (array.json == NULL) return VC_OK;
    vc_status status = vc_node_array(&array, 0, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    dimension->indexes = VC_ARENA_NEW(array.reader->arena, vc_index_def, count);
    vc_str *names = VC_ARENA_NEW(array.reader->arena, vc_str, count);
    if (dimension->indexes == NULL || names == NULL) return vc_no_memory(array.reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i);
        if ((status = read_index(&node, indexable, &dimension->indexes[i])) != VC_OK) return status;
        names[i] = dimension->indexes[i].name;
        if ((status = vc_node_check_new(&node, "index", names[i], names, i)) != VC_OK)
            return status;
    }
    dimension->nindexes = count;
    return VC_OK;
}

static vc_status read_attributes(const vc_node *object, vc_dimension_def *dimension)
{
    vc_names indexable = {0};
    size_t nattributes = 0;
    vc_status status =
        vc_field_texts(object, "attributes", &dimension->attributes, &dimension->nattributes);
    if (status != VC_OK ||
        (status = list_indexable(object, dimension, &indexable, &nattributes)) != VC_OK)
        return status;
    vc_names attributes = {.names = indexable.names, .count = nattributes};
    status = check_attributes(object, attributes);
    return status == VC_OK ? read_indexes(object, indexable, dimension) : status;
}

/* ---- table, key, column, lookups ---- */

static vc_status read_lookup(const vc_node *node, vc_lookup_def *lookup)
{
    static const char *const known[] = {VC_CSV_FIELDS, "key", "column", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_read_csv_fields(node, &lookup->csv)) != VC_OK ||
        (status = vc_field_need(node, "key")) != VC_OK ||
        (status = vc_field_text(node, "key", &lookup->key)) != VC_OK)
        return status;
    lookup->column = lookup->key;
    return vc_field_text(node, "column", &lookup->column);
}

static vc_status read_lookups(const vc_node *object, vc_dimension_def *dimension)
{
    vc_node array = vc_node_field(object, "lookups");
    size_t count;
    if (array.json == NULL) return VC_OK;
    if (!dimension->has_table)
        return vc_node_fail(&array, "bad_value",
                            "lookups add columns to the dimension's table, and it has none");
    vc_status status = vc_node_array(&array, 0, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    dimension->lookups = VC_ARENA_NEW(array.reader->arena, vc_lookup_def, count);
    if (dimension->lookups == NULL) return vc_no_memory(array.reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i);
        if ((status = read_lookup(&node, &dimension->lookups[i])) != VC_OK) return status;
    }
    dimension->nlookups = count;
    return VC_OK;
}

/* `column` says two things: with a table, which column of the facts holds its key; without one, in
 * a time dimension, which column holds the dates. */
static vc_status read_column(const vc_node *object, bool is_shared, vc_dimension_def *dimension,
                             vc_str *column_out)
{
    vc_node node = vc_node_field(object, "column");
    vc_str column = {0};
    vc_status status = vc_field_text(object, "column", &column);
    if (status != VC_OK) return status;
    if (dimension->has_table) {
        if (is_shared && node.json != NULL)
            return vc_node_fail(&node, "bad_value",
                                "a shared dimension with a table has no column of facts: each cube "
                                "names its own, {\"use\": \"%.*s\", \"column\": ...}",
                                VC_FMT(node.reader->definition->name));
        if (!is_shared) *column_out = node.json != NULL ? column : dimension->key;
        return VC_OK;
    }
    if (node.json != NULL && !dimension->is_time)
        return vc_node_fail(&node, "bad_value",
                            "'column' goes with a table or with \"type\": \"time\"; otherwise the "
                            "levels and attributes are columns of the facts by their own names");
    dimension->column = column;
    return VC_OK;
}

static vc_status read_table(const vc_node *object, vc_dimension_def *dimension)
{
    vc_node table = vc_node_field(object, "table");
    vc_status status;
    if (table.json != NULL) {
        dimension->has_table = true;
        if ((status = vc_read_csv(&table, &dimension->table)) != VC_OK ||
            (status = vc_field_need(object, "key")) != VC_OK)
            return status;
    }
    return vc_field_text(object, "key", &dimension->key);
}

/* ---- the whole ---- */

#define DIMENSION_FIELDS                                                                           \
    "type", "table", "key", "column", "lookups", "hierarchies", "levels", "attributes", "indexes", \
        "aggregatable", "parent", "level_column", "several_parents", "default"

static vc_status read_names(const vc_node *object, vc_dimension_def *dimension)
{
    static const char *const known[] = {"name", "label", DIMENSION_FIELDS, NULL};
    vc_status status;
    if ((status = vc_node_object(object, known)) != VC_OK ||
        (status = vc_field_need(object, "name")) != VC_OK ||
        (status = vc_field_name(object, "name", &dimension->name)) != VC_OK)
        return status;
    dimension->label = dimension->name;
    return vc_field_label(object, "label", &dimension->label);
}

vc_status vc_read_dimension(const vc_node *object, bool is_shared, vc_dimension_def *dimension,
                            vc_str *column_out)
{
    static const vc_word types[] = {{"standard", 0, NULL}, {"time", 1, NULL}, {NULL, 0, NULL}};
    vc_status status;
    if (!is_shared && (status = read_names(object, dimension)) != VC_OK) return status;
    int is_time = 0;
    bool is_aggregatable = true;
    if ((status = vc_field_choice(object, "type", types, &is_time)) != VC_OK) return status;
    dimension->is_time = is_time != 0;
    if ((status = read_table(object, dimension)) != VC_OK ||
        (status = read_column(object, is_shared, dimension, column_out)) != VC_OK ||
        (status = read_lookups(object, dimension)) != VC_OK ||
        (status = read_hierarchies(object, dimension)) != VC_OK ||
        (status = read_attributes(object, dimension)) != VC_OK ||
        (status = vc_field_text(object, "default", &dimension->default_member)) != VC_OK ||
        (status = vc_field_bool(object, "aggregatable", &is_aggregatable)) != VC_OK)
        return status;
    dimension->is_not_aggregatable = !is_aggregatable;
    for (size_t h = 0; h < dimension->nhierarchies && !is_aggregatable; h++)
        if (dimension->hierarchies[h].has_several_parents) {
            vc_node node = vc_node_field(object, "aggregatable");
            return vc_node_fail(&node, "bad_value",
                                "a dimension without an All whose members may stand under several "
                                "parents: which facts are one member's could not be said");
        }
    return VC_OK;
}

vc_status vc_read_shared_dimension(const vc_node *root, vc_dimension_def *dimension)
{
    static const char *const known[] = {VC_DEFINITION_FIELDS, DIMENSION_FIELDS, NULL};
    vc_status status = vc_node_object(root, known);
    if (status != VC_OK) return status;
    dimension->name = root->reader->definition->name;
    dimension->label = root->reader->definition->label;
    vc_str column = {0};
    return vc_read_dimension(root, true, dimension, &column);
}
