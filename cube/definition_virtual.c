#include "cube/definition_parts.h"
#include "mapping/normalize.h"

#include <string.h>

static vc_status check_alias(const vc_node *node, vc_str alias, vc_names aliases)
{
    for (size_t i = 0; i < aliases.count; i++)
        if (vc_str_equal(aliases.names[i], alias)) return VC_OK;
    return vc_node_fail_unknown(node, "unknown_source", "source", alias, aliases);
}

/* ---- normalisation ---- */

/* Which crosswalks exist is not known here, so any name will do; the pipeline is only looked at. */
static vc_status open_any_crosswalk(void *context, vc_str name, const void **crosswalk_out,
                                    vc_error *error)
{
    (void)name;
    (void)error;
    *crosswalk_out = context;
    return VC_OK;
}

static size_t find_nothing(const void *crosswalk, vc_str key, const vc_crosswalk_target **targets)
{
    (void)crosswalk;
    (void)key;
    *targets = NULL;
    return 0;
}

static vc_status parse_steps(const vc_node *node, const json_t *steps,
                             vc_normalizer **normalizer_out)
{
    vc_crosswalk_source any = {
        .context = node->reader, .open = open_any_crosswalk, .find = find_nothing};
    vc_status status = vc_normalizer_parse(steps, &any, normalizer_out, node->reader->error);
    if (status == VC_OK) return VC_OK;
    vc_str pointer = vc_node_pointer(node);
    if (pointer.data != NULL) vc_error_prefix_pointer(node->reader->error, "%s", pointer.data);
    return status;
}

/* Each array by itself, where the error's place is known exactly. */
static vc_status check_steps(const vc_node *object, const char *key)
{
    vc_node node = vc_node_field(object, key);
    vc_normalizer *normalizer = NULL;
    if (node.json == NULL) return VC_OK;
    vc_status status = parse_steps(&node, node.json, &normalizer);
    vc_normalizer_free(normalizer);
    return status;
}

/* Could keys of the two sides ever be the same? */
static vc_status check_sides(const vc_node *node, const vc_on_def *on)
{
    vc_normalizer *from = NULL, *to = NULL;
    vc_status status = parse_steps(node, on->normalize_from, &from);
    if (status == VC_OK) status = parse_steps(node, on->normalize_to, &to);
    if (status == VC_OK) {
        status = vc_normalizer_check_sides(from, to, node->reader->error);
        if (status != VC_OK) vc_node_put_place(node);
    }
    vc_normalizer_free(from);
    vc_normalizer_free(to);
    return status;
}

/* One side's own steps and then those of "both". Only where there are both is a new array made;
 * the definition keeps it, because nobody else would release it. */
static vc_status join_steps(const vc_node *node, const char *side, const json_t **steps_out)
{
    const json_t *own = json_object_get(node->json, side);
    const json_t *both = json_object_get(node->json, "both");
    vc_definition *definition = node->reader->definition;
    *steps_out = own == NULL ? both : own;
    if (own == NULL || both == NULL) return VC_OK;
    if (definition->made_json == NULL) definition->made_json = json_array();
    json_t *joined = json_copy((json_t *)own);
    if (joined == NULL || json_array_extend(joined, (json_t *)both) != 0 ||
        json_array_append(definition->made_json, joined) != 0) {
        json_decref(joined);
        return vc_no_memory(node->reader->error);
    }
    json_decref(joined); /* the definition holds it now */
    *steps_out = joined;
    return VC_OK;
}

static vc_status read_normalize(const vc_node *object, vc_on_def *on)
{
    static const char *const known[] = {"from", "to", "both", NULL};
    vc_node node = vc_node_field(object, "normalize");
    vc_status status;
    if (node.json == NULL) return VC_OK;
    if ((status = vc_node_object(&node, known)) != VC_OK ||
        (status = check_steps(&node, "from")) != VC_OK ||
        (status = check_steps(&node, "to")) != VC_OK ||
        (status = check_steps(&node, "both")) != VC_OK ||
        (status = join_steps(&node, "from", &on->normalize_from)) != VC_OK ||
        (status = join_steps(&node, "to", &on->normalize_to)) != VC_OK)
        return status;
    return check_sides(&node, on);
}

/* ---- on ---- */

/* An index by its name, or a constant that stands for one: {"const": "GBP"}. */
static vc_status read_index(const vc_node *object, const char *key, vc_str *index, vc_str *constant)
{
    static const char *const known[] = {"const", NULL};
    vc_node node = vc_node_field(object, key);
    if (node.json == NULL || !json_is_object(node.json)) return vc_field_text(object, key, index);
    vc_status status = vc_node_object(&node, known);
    if (status == VC_OK) status = vc_field_need(&node, "const");
    return status == VC_OK ? vc_field_text(&node, "const", constant) : status;
}

/* The primary's side: an index, a level, which is an index too, or a constant. */
static vc_status read_from_index(const vc_node *object, vc_on_def *on)
{
    vc_node level = vc_node_field(object, "level");
    if (level.json != NULL && vc_node_has(object, "index"))
        return vc_node_fail(&level, "bad_value", "a pair has either an 'index' or a 'level'");
    vc_node constant = vc_node_field(object, "const");
    if (constant.json != NULL && (level.json != NULL || vc_node_has(object, "index")))
        return vc_node_fail(&constant, "bad_value",
                            "a pair has either a 'const' or an 'index' of the primary");
    on->index = VC_STR("key");
    vc_status status = vc_field_text(object, "level", &on->index);
    if (status == VC_OK) status = read_index(object, "index", &on->index, &on->constant);
    return status == VC_OK ? vc_field_text(object, "const", &on->constant) : status;
}

/* What a pair must name: the dimensions in which its indexes are. */
static vc_status check_pair(const vc_node *node, const vc_on_def *on)
{
    if (on->constant.data != NULL && on->to_constant.data != NULL)
        return vc_node_fail(node, "bad_value", "a pair of two constants says nothing");
    vc_status status = on->constant.data == NULL ? vc_field_need(node, "dim") : VC_OK;
    return status == VC_OK && on->to_constant.data == NULL ? vc_field_need(node, "to_dim") : status;
}

static vc_status read_on(const vc_node *node, vc_on_def *on)
{
    static const char *const known[] = {"dim",       "index", "level",    "to_dim", "to_index",
                                        "normalize", "finer", "allocate", "const",  NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK) return status;
    on->pointer = vc_node_pointer(node);
    if (on->pointer.data == NULL) return vc_no_memory(node->reader->error);
    on->to_index = VC_STR("key");
    if ((status = vc_field_text(node, "dim", &on->dim)) != VC_OK ||
        (status = vc_field_text(node, "to_dim", &on->to_dim)) != VC_OK ||
        (status = read_from_index(node, on)) != VC_OK ||
        (status = read_index(node, "to_index", &on->to_index, &on->to_constant)) != VC_OK ||
        (status = check_pair(node, on)) != VC_OK || (status = vc_read_finer(node, on)) != VC_OK)
        return status;
    return read_normalize(node, on);
}

static bool is_same_pair(const vc_on_def *a, const vc_on_def *b)
{
    return vc_str_equal(a->dim, b->dim) && vc_str_equal(a->index, b->index) &&
           vc_str_equal(a->to_dim, b->to_dim) && vc_str_equal(a->to_index, b->to_index) &&
           vc_str_equal(a->constant, b->constant) && vc_str_equal(a->to_constant, b->to_constant);
}

static bool has_constant(const vc_on_def *on)
{
    return on->constant.data != NULL || on->to_constant.data != NULL;
}

/* A constant is a component of a key, which needs others; of which, it need not say where there is
 * one key only. */
static vc_status place_constants(const vc_node *array, vc_join_def *join)
{
    vc_str only = {0};
    bool has_several = false;
    for (size_t i = 0; i < join->non; i++) {
        if (has_constant(&join->on[i])) continue;
        has_several |= only.data != NULL && !vc_str_equal(only, join->on[i].dim);
        only = join->on[i].dim;
    }
    for (size_t i = 0; i < join->non; i++) {
        vc_on_def *on = &join->on[i];
        vc_node node = vc_node_element(array, i);
        bool has_other = false;
        if (!has_constant(on)) continue;
        if (on->dim.data == NULL && !has_several) on->dim = only;
        if (on->dim.data == NULL && has_several)
            return vc_node_fail(&node, "missing_field",
                                "a constant must say by 'dim' of which key it is a part: the join "
                                "has several");
        for (size_t j = 0; j < join->non; j++)
            has_other |= !has_constant(&join->on[j]) && vc_str_equal(join->on[j].dim, on->dim);
        if (!has_other)
            return vc_node_fail(&node, "bad_value",
                                "a constant is a part of a key that has others: add a pair of "
                                "indexes of the same 'dim', or use 'fix'");
    }
    return VC_OK;
}

static vc_status read_pairs(const vc_node *array, vc_join_def *join)
{
    size_t count;
    vc_status status = vc_node_array(array, 1, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    join->on = VC_ARENA_NEW(array->reader->arena, vc_on_def, count);
    if (join->on == NULL) return vc_no_memory(array->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        if ((status = read_on(&node, &join->on[i])) != VC_OK) return status;
        for (size_t j = 0; j < i; j++)
            if (is_same_pair(&join->on[i], &join->on[j]))
                return vc_node_fail(&node, "duplicate_name", "the pair %zu is the same", j + 1);
    }
    join->non = count;
    return place_constants(array, join);
}

/* ---- join ---- */

static vc_status read_policies(const vc_node *object, vc_join_def *join)
{
    static const vc_word kinds[] = {{"left", VC_JOIN_LEFT, NULL},
                                    {"inner", VC_JOIN_INNER, NULL},
                                    {"right", VC_JOIN_RIGHT, NULL},
                                    {"full", VC_JOIN_FULL, NULL},
                                    {NULL, 0, NULL}};
    static const vc_word unmatched_words[] = {{"drop", VC_UNMATCHED_DROP, NULL},
                                              {"bucket", VC_UNMATCHED_BUCKET, NULL},
                                              {"members", VC_UNMATCHED_MEMBERS, NULL},
                                              {NULL, 0, NULL}};
    static const vc_word fanouts[] = {{"union", VC_FANOUT_UNION, NULL},
                                      {"error", VC_FANOUT_ERROR, NULL},
                                      {"weighted", VC_FANOUT_WEIGHTED, NULL},
                                      {NULL, 0, NULL}};
    static const vc_word cardinalities[] = {{"many", 0, NULL}, {"one", 1, NULL}, {NULL, 0, NULL}};
    int kind = VC_JOIN_LEFT, fanout = VC_FANOUT_UNION, is_one = 0;
    vc_status status = vc_field_choice(object, "kind", kinds, &kind);
    if (status != VC_OK) return status;
    int unmatched =
        kind == VC_JOIN_RIGHT || kind == VC_JOIN_FULL ? VC_UNMATCHED_BUCKET : VC_UNMATCHED_DROP;
    if ((status = vc_field_choice(object, "unmatched", unmatched_words, &unmatched)) != VC_OK ||
        (status = vc_field_choice(object, "on_fanout", fanouts, &fanout)) != VC_OK ||
        (status = vc_field_choice(object, "cardinality", cardinalities, &is_one)) != VC_OK)
        return status;
    join->kind = (vc_join_kind)kind;
    join->unmatched = (vc_unmatched)unmatched;
    join->on_fanout = (vc_fanout)fanout;
    join->is_cardinality_one = is_one != 0;
    return VC_OK;
}

static vc_status read_min_coverage(const vc_node *object, vc_join_def *join)
{
    vc_node node = vc_node_field(object, "min_coverage");
    if (node.json == NULL) return VC_OK;
    if (!json_is_number(node.json)) return vc_node_fail_type(&node, "a number from 0 to 1");
    double coverage = json_number_value(node.json);
    if (!(coverage >= 0 && coverage <= 1))
        return vc_node_fail(&node, "bad_value", "expected a share from 0 to 1, found %g", coverage);
    join->min_coverage = coverage;
    return VC_OK;
}

static vc_status read_join(const vc_node *node, vc_join_def *join)
{
    static const char *const known[] = {
        "kind",         "mode", "unmatched",   "on_fanout",       "on", "cardinality",
        "min_coverage", "pick", "reaggregate", "expose_as_level", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = read_policies(node, join)) != VC_OK ||
        (status = vc_read_mode(node, join)) != VC_OK ||
        (status = read_min_coverage(node, join)) != VC_OK ||
        (status = vc_field_need(node, "on")) != VC_OK)
        return status;
    vc_node on = vc_node_field(node, "on");
    status = read_pairs(&on, join);
    return status == VC_OK ? vc_read_expose(node, join) : status;
}

/* ---- sources ---- */

/* "dimensions": {"geo": "geo2"}: the source's dimension under another name. */
static vc_status read_renames(const vc_node *object, vc_source_def *source)
{
    vc_node node = vc_node_field(object, "dimensions");
    if (node.json == NULL) return VC_OK;
    if (!json_is_object(node.json))
        return vc_node_fail_type(&node, "an object {DIMENSION: NEW NAME}");
    size_t count = json_object_size(node.json), i = 0;
    if (count > VC_DIMENSIONS_MAX)
        return vc_node_fail(&node, "bad_value", "at most %d dimensions, found %zu",
                            VC_DIMENSIONS_MAX, count);
    vc_rename_def *renames = VC_ARENA_NEW(node.reader->arena, vc_rename_def, count);
    vc_str *names = VC_ARENA_NEW(node.reader->arena, vc_str, count);
    if (renames == NULL || names == NULL) return vc_no_memory(node.reader->error);
    const char *key;
    json_t *json;
    json_object_foreach((json_t *)node.json, key, json)
    {
        vc_node to = vc_node_field(&node, key);
        vc_status status = vc_node_name(&to, &names[i]);
        if (status != VC_OK ||
            (status = vc_node_check_new(&to, "dimension", names[i], names, i)) != VC_OK)
            return status;
        renames[i].to = names[i];
        renames[i].from = vc_arena_str(node.reader->arena, vc_str_of(key));
        if (renames[i].from.data == NULL) return vc_no_memory(node.reader->error);
        i++;
    }
    source->renames = renames;
    source->nrenames = count;
    return VC_OK;
}

static vc_status read_source(const vc_node *node, vc_source_def *source)
{
    static const char *const known[] = {"alias", "cube", "join", "fix", "dimensions", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "cube")) != VC_OK ||
        (status = vc_field_name(node, "cube", &source->cube)) != VC_OK)
        return status;
    source->alias = source->cube;
    source->pointer = vc_node_pointer(node);
    if (source->pointer.data == NULL) return vc_no_memory(node->reader->error);
    if ((status = vc_field_name(node, "alias", &source->alias)) != VC_OK ||
        (status = vc_read_fixes(node, &source->fixes, &source->nfixes)) != VC_OK ||
        (status = read_renames(node, source)) != VC_OK)
        return status;
    vc_node join = vc_node_field(node, "join");
    source->has_join = join.json != NULL;
    return source->has_join ? read_join(&join, &source->join) : VC_OK;
}

/* The primary goes first; the others keep their order. */
static vc_status put_primary_first(const vc_node *root, vc_virtual_def *cube, vc_names aliases)
{
    vc_node node = vc_node_field(root, "primary");
    vc_node sources = vc_node_field(root, "sources");
    vc_status status = check_alias(&node, cube->primary, aliases);
    if (status != VC_OK) return status;
    size_t at = 0;
    while (!vc_str_equal(cube->sources[at].alias, cube->primary))
        at++;
    vc_source_def primary = cube->sources[at];
    if (primary.has_join) {
        vc_node source = vc_node_element(&sources, at);
        vc_node join = vc_node_field(&source, "join");
        return vc_node_fail(&join, "bad_value",
                            "the primary has no join: the others are joined to it");
    }
    memmove(cube->sources + 1, cube->sources, at * sizeof *cube->sources);
    cube->sources[0] = primary;
    return VC_OK;
}

static vc_status read_sources(const vc_node *root, vc_virtual_def *cube, vc_names *aliases_out)
{
    vc_node array = vc_node_field(root, "sources");
    size_t count;
    vc_status status = vc_node_array(&array, 1, VC_SOURCES_MAX, &count);
    if (status != VC_OK) return status;
    cube->sources = VC_ARENA_NEW(array.reader->arena, vc_source_def, count);
    vc_str *aliases = VC_ARENA_NEW(array.reader->arena, vc_str, count);
    if (cube->sources == NULL || aliases == NULL) return vc_no_memory(array.reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i);
        if ((status = read_source(&node, &cube->sources[i])) != VC_OK) return status;
        vc_node name = vc_node_field(&node, vc_node_has(&node, "alias") ? "alias" : "cube");
        aliases[i] = cube->sources[i].alias;
        if ((status = vc_node_check_new(&name, "source", aliases[i], aliases, i)) != VC_OK)
            return status;
    }
    cube->nsources = count;
    *aliases_out = (vc_names){.names = aliases, .count = count};
    return VC_OK;
}

/* ---- private ---- */

static vc_status read_private(const vc_node *node, vc_str alias, vc_private_def *private)
{
    static const char *const known[] = {"others", "fix", NULL};
    vc_status status;
    private->alias = alias;
    private->dimension = vc_arena_str(node->reader->arena, vc_str_of(node->key));
    private->pointer = vc_node_pointer(node);
    if (private->dimension.data == NULL || private->pointer.data == NULL)
        return vc_no_memory(node->reader->error);
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "others")) != VC_OK)
        return status;
    return vc_read_others(node, private);
}

/* {"stats": {"sex": {"others": "null"}}}: by source, then by dimension. */
static vc_status read_privates(const vc_node *root, vc_names aliases, vc_virtual_def *cube)
{
    vc_node node = vc_node_field(root, "private");
    if (node.json == NULL) return VC_OK;
    if (!json_is_object(node.json)) return vc_node_fail_type(&node, "an object of sources");
    const char *key, *dimension;
    json_t *json, *inner;
    size_t room = 0;
    json_object_foreach((json_t *)node.json, key, json) room += json_object_size(json);
    cube->privates = VC_ARENA_NEW(node.reader->arena, vc_private_def, room);
    if (cube->privates == NULL) return vc_no_memory(node.reader->error);
    json_object_foreach((json_t *)node.json, key, json)
    {
        vc_node source = vc_node_field(&node, key);
        vc_status status = check_alias(&source, vc_str_of(key), aliases);
        if (status != VC_OK) return status;
        if (!json_is_object(json)) return vc_node_fail_type(&source, "an object of dimensions");
        vc_str alias = vc_arena_str(node.reader->arena, vc_str_of(key));
        if (alias.data == NULL) return vc_no_memory(node.reader->error);
        json_object_foreach(json, dimension, inner)
        {
            vc_node policy = vc_node_field(&source, dimension);
            status = read_private(&policy, alias, &cube->privates[cube->nprivates]);
            if (status != VC_OK) return status;
            cube->nprivates++;
        }
    }
    return VC_OK;
}

/* ---- common ---- */

static bool is_taken(const vc_virtual_def *cube, vc_common_of of)
{
    for (size_t i = 0; i < cube->ncommons; i++)
        for (size_t j = 0; j < cube->commons[i].nof; j++)
            if (vc_str_equal(cube->commons[i].of[j].alias, of.alias) &&
                vc_str_equal(cube->commons[i].of[j].dimension, of.dimension))
                return true;
    return false;
}

static vc_status read_common_of(const vc_node *node, vc_names aliases, const vc_virtual_def *cube,
                                vc_common_def *common)
{
    if (!json_is_object(node->json))
        return vc_node_fail_type(node, "an object {SOURCE: DIMENSION}");
    size_t count = json_object_size(node->json);
    if (count < 2)
        return vc_node_fail(node, "bad_value",
                            "a common dimension is made of two sources' at least, found %zu",
                            count);
    common->of = VC_ARENA_NEW(node->reader->arena, vc_common_of, count);
    if (common->of == NULL) return vc_no_memory(node->reader->error);
    const char *key;
    json_t *json;
    json_object_foreach((json_t *)node->json, key, json)
    {
        vc_node dimension = vc_node_field(node, key);
        vc_common_of *of = &common->of[common->nof];
        of->alias = vc_arena_str(node->reader->arena, vc_str_of(key));
        if (of->alias.data == NULL) return vc_no_memory(node->reader->error);
        vc_status status = check_alias(&dimension, of->alias, aliases);
        if (status != VC_OK || (status = vc_node_text(&dimension, &of->dimension)) != VC_OK)
            return status;
        if (vc_str_equal(of->alias, cube->primary))
            return vc_node_fail(&dimension, "bad_value",
                                "'common' puts dimensions of joined sources together; with the "
                                "primary's they are joined by 'on'");
        if (is_taken(cube, *of))
            return vc_node_fail(&dimension, "duplicate_name",
                                "the dimension '%.*s' is in another common one already",
                                VC_FMT(of->dimension));
        common->nof++;
    }
    return VC_OK;
}

static vc_status read_commons(const vc_node *root, vc_names aliases, vc_virtual_def *cube)
{
    static const char *const known[] = {"name", "of", NULL};
    vc_node array = vc_node_field(root, "common");
    size_t count;
    if (array.json == NULL) return VC_OK;
    vc_status status = vc_node_array(&array, 0, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    cube->commons = VC_ARENA_NEW(array.reader->arena, vc_common_def, count);
    vc_str *names = VC_ARENA_NEW(array.reader->arena, vc_str, count);
    if (cube->commons == NULL || names == NULL) return vc_no_memory(array.reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i);
        vc_node name = vc_node_field(&node, "name"), of = vc_node_field(&node, "of");
        vc_common_def *common = &cube->commons[i];
        if ((status = vc_node_object(&node, known)) != VC_OK ||
            (status = vc_field_need(&node, "name")) != VC_OK ||
            (status = vc_field_need(&node, "of")) != VC_OK ||
            (status = vc_node_name(&name, &common->name)) != VC_OK ||
            (status = vc_node_check_new(&name, "common dimension", common->name, names, i)) !=
                VC_OK ||
            (status = read_common_of(&of, aliases, cube, common)) != VC_OK)
            return status;
        names[i] = common->name;
        common->pointer = vc_node_pointer(&node);
        if (common->pointer.data == NULL) return vc_no_memory(node.reader->error);
        cube->ncommons++;
    }
    return VC_OK;
}

/* ---- the whole ---- */

vc_status vc_read_virtual(const vc_node *root, vc_virtual_def *cube)
{
    static const char *const known[] = {
        VC_DEFINITION_FIELDS, "primary", "sources", "private", "common", "measures", "sets",
        "calculated_members", NULL};
    vc_node measures = vc_node_field(root, "measures");
    vc_names aliases, no_dimensions = {0};
    vc_status status;
    if ((status = vc_node_object(root, known)) != VC_OK ||
        (status = vc_field_need(root, "primary")) != VC_OK ||
        (status = vc_field_need(root, "sources")) != VC_OK ||
        (status = vc_field_name(root, "primary", &cube->primary)) != VC_OK ||
        (status = read_sources(root, cube, &aliases)) != VC_OK ||
        (status = put_primary_first(root, cube, aliases)) != VC_OK ||
        (status = read_privates(root, aliases, cube)) != VC_OK ||
        (status = read_commons(root, aliases, cube)) != VC_OK ||
        (status = vc_read_sets(root, no_dimensions)) != VC_OK ||
        (status = vc_read_calculated(root, no_dimensions)) != VC_OK)
        return status;
    if (measures.json == NULL) return VC_OK; /* then all measures of all sources are in it */
    return vc_read_measures(&measures, true, no_dimensions, aliases, &cube->measures,
                            &cube->nmeasures);
}
