#include "tests/slice/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
    const struct asking_cube *of;
    struct random *random;
    vc_arena *arena;
};

/* ---- cuts ---- */

static const struct world_leaf *any_leaf(struct making *in, const struct world_dimension *dimension)
{
    static const struct world_leaf nothing = {.keys = {"A", "B", "C"}};
    if (dimension->nleaves == 0) return &nothing;
    return &dimension->leaves[random_below(in->random, (unsigned)dimension->nleaves)];
}

/* An absent key is written as an empty one. */
static vc_str key_of(const char *key)
{
    return key == NULL ? VC_STR("") : vc_str_of(key);
}

static void make_path(struct making *in, const struct world_dimension *dimension, unsigned depth,
                      const vc_str **keys_out, size_t *nkeys_out)
{
    const char *path[WORLD_LEVELS] = {"nowhere"};
    unsigned nkeys = 0;
    for (int i = 0; i < 4 && nkeys == 0; i++)
        nkeys = world_path(dimension, any_leaf(in, dimension), dimension->nlevels, path);
    if (nkeys == 0) nkeys = 1;
    if (depth > nkeys) depth = nkeys;
    vc_str *keys = VC_ARENA_NEW(in->arena, vc_str, depth + 1);
    for (unsigned l = 0; l < depth; l++)
        keys[l] = key_of(path[l]);
    *keys_out = keys;
    *nkeys_out = depth;
}

/* One key: of some level, of a bucket, or one that is nowhere. */
static void make_single(struct making *in, unsigned d, const struct world_dimension *dimension,
                        vc_item *item)
{
    vc_str *key = VC_ARENA_NEW(in->arena, vc_str, 1);
    unsigned nsynthetic = in->of->nsynthetic[d], what = random_below(in->random, 100);
    item->keys = key;
    item->nkeys = 1;
    if (what < 25 && nsynthetic > 0)
        *key = vc_str_of(in->of->synthetic[d][random_below(in->random, nsynthetic)]);
    else if (what < 27)
        *key = VC_STR("nowhere");
    else
        *key = key_of(any_leaf(in, dimension)->keys[random_below(in->random, dimension->nlevels)]);
}

static void make_plain_item(struct making *in, unsigned d, const struct world_dimension *dimension,
                            vc_item *item)
{
    if (in->of->nsets[d] > 0 && random_chance(in->random, 25)) {
        vc_str *name = VC_ARENA_NEW(in->arena, vc_str, 1);
        *name = vc_str_of(in->of->sets[d][random_below(in->random, in->of->nsets[d])]);
        *item = (vc_item){.kind = VC_ITEM_MEMBER_SET, .keys = name, .nkeys = 1};
        return;
    }
    unsigned what = random_below(in->random, 100);
    if (what < 4) {
        item->kind = VC_ITEM_ALL;
    } else if (what < 30) {
        item->kind = VC_ITEM_PATH;
        make_single(in, d, dimension, item);
    } else if (what < 65) {
        item->kind = what < 55 ? VC_ITEM_PATH : what < 60 ? VC_ITEM_CHILDREN : VC_ITEM_DESCENDANTS;
        make_path(in, dimension, 1 + random_below(in->random, dimension->nlevels), &item->keys,
                  &item->nkeys);
        if (what < 55 && dimension->is_tree &&
            random_chance(in->random, 25)) { /* a row by itself */
            ((vc_str *)item->keys)[item->nkeys++] = VC_STR("(self)");
        } else if (what >= 62 && item->nkeys < dimension->nlevels) { /* a level below the member */
            static const char *const names[] = {"l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7"};
            unsigned below = dimension->nlevels - (unsigned)item->nkeys;
            item->level = vc_str_of(names[item->nkeys + random_below(in->random, below)]);
        }
    } else if (what < 68) {
        item->kind = VC_ITEM_CHILDREN; /* of All */
    } else {
        item->kind = VC_ITEM_RANGE;
        bool is_even = world_is_even(dimension);
        bool is_open = random_chance(in->random, 40), is_first = random_chance(in->random, 50);
        if (random_chance(in->random, is_even ? 40 : 100)) { /* keys alone, of any level */
            vc_item end = {0};
            if (!is_open || is_first) make_single(in, d, dimension, item);
            if (!is_open || !is_first) make_single(in, d, dimension, &end);
            item->end_keys = end.keys;
            item->nend_keys = end.nkeys;
            return;
        }
        if (!is_open || is_first)
            make_path(in, dimension, 1 + random_below(in->random, dimension->nlevels), &item->keys,
                      &item->nkeys);
        if (!is_open || !is_first)
            make_path(in, dimension, 1 + random_below(in->random, dimension->nlevels),
                      &item->end_keys, &item->nend_keys);
    }
}

/* A level or an index is named: one value, a range of them, null or not, parts of texts. */
static void make_value_item(struct making *in, const struct world_dimension *dimension,
                            unsigned index, vc_item *item)
{
    static const vc_item_kind kinds[] = {
        VC_ITEM_PATH, VC_ITEM_PATH,     VC_ITEM_PATH,     VC_ITEM_RANGE,       VC_ITEM_RANGE,
        VC_ITEM_NULL, VC_ITEM_NOT_NULL, VC_ITEM_CONTAINS, VC_ITEM_STARTS_WITH, VC_ITEM_ENDS_WITH};
    vc_str *keys = VC_ARENA_NEW(in->arena, vc_str, 2);
    item->kind = kinds[random_below(in->random, 10)];
    keys[0] = key_of(world_index_value(dimension, any_leaf(in, dimension), index));
    keys[1] = key_of(world_index_value(dimension, any_leaf(in, dimension), index));
    if (item->kind == VC_ITEM_NULL || item->kind == VC_ITEM_NOT_NULL) return;
    item->keys = &keys[0];
    item->nkeys = 1;
    if (item->kind != VC_ITEM_RANGE) return;
    unsigned open = random_below(in->random, 4);
    item->end_keys = &keys[1];
    item->nend_keys = open != 0;
    item->nkeys = open != 1;
    item->excludes_first = item->nkeys > 0 && random_chance(in->random, 25);
    item->excludes_end = item->nend_keys > 0 && random_chance(in->random, 25);
}

static unsigned any_target(struct making *in, const struct world_dimension *dimension)
{
    for (;;) {
        unsigned index = random_below(in->random, INDEX_LEVEL + dimension->nlevels);
        if ((index == INDEX_CODE && !dimension->has_code) ||
            (index == INDEX_TOP && !dimension->has_top) ||
            (index == INDEX_KEY && !dimension->has_table))
            continue;
        return index;
    }
}

static vc_condition *make_items(struct making *in, unsigned d)
{
    const struct world_dimension *dimension = in->of->dimensions[d];
    vc_condition *condition = VC_ARENA_NEW(in->arena, vc_condition, 1);
    condition->dimref.dimension = vc_str_of(in->of->names[d]);
    bool has_target = random_chance(in->random, 40);
    unsigned index = has_target ? any_target(in, dimension) : 0;
    if (has_target) condition->dimref.level = vc_str_of(world_index_name(index));
    size_t nitems = 1 + random_below(in->random, 3);
    vc_item *items = VC_ARENA_NEW(in->arena, vc_item, nitems);
    for (size_t i = 0; i < nitems; i++)
        if (has_target)
            make_value_item(in, dimension, index, &items[i]);
        else
            make_plain_item(in, d, dimension, &items[i]);
    condition->items = items;
    condition->nitems = nitems;
    return condition;
}

static vc_condition *make_condition(struct making *in, unsigned d)
{
    unsigned what = random_below(in->random, 100);
    if (what < 70) return make_items(in, d);
    vc_condition *condition = VC_ARENA_NEW(in->arena, vc_condition, 1);
    size_t nchildren = what < 90 ? 1 : 2;
    vc_condition **children = VC_ARENA_NEW(in->arena, vc_condition *, nchildren);
    for (size_t i = 0; i < nchildren; i++)
        children[i] = make_items(in, d);
    condition->kind = what < 90 ? VC_CONDITION_NOT : what < 95 ? VC_CONDITION_OR : VC_CONDITION_AND;
    condition->dimref = children[0]->dimref;
    condition->dimref.level = (vc_str){0};
    condition->children = children;
    condition->nchildren = nchildren;
    return condition;
}

/* ---- the rest ---- */

static void make_axes(struct making *in, unsigned max_groups, vc_query *query)
{
    unsigned ndimensions = in->of->ndimensions, wanted = random_below(in->random, 4);
    vc_axis_ref *axes = VC_ARENA_NEW(in->arena, vc_axis_ref, 4);
    size_t room = max_groups;
    if (in->of->has_aim && in->of->dimensions[in->of->aim_dimension]->nleaves <= room) {
        room /= in->of->dimensions[in->of->aim_dimension]->nleaves + 1;
        axes[query->naxes++].dimref =
            (vc_dimref){.dimension = vc_str_of(in->of->names[in->of->aim_dimension]),
                        .level = vc_str_of(world_index_name(INDEX_LEVEL + in->of->aim_level))};
        if (wanted > 2) wanted = 2;
    }
    for (unsigned i = 0; i < wanted; i++) {
        unsigned d = random_below(in->random, ndimensions);
        vc_str name = vc_str_of(in->of->names[d]);
        const struct world_dimension *dimension = in->of->dimensions[d];
        bool is_new = true;
        for (size_t j = 0; j < query->naxes; j++)
            is_new &= !vc_str_equal(axes[j].dimref.dimension, name);
        if (!is_new || dimension->nleaves > room) continue;
        room /= dimension->nleaves + 1;
        axes[query->naxes].dimref.dimension = name;
        if (random_chance(in->random, 75))
            axes[query->naxes].dimref.level = vc_str_of(
                world_index_name(INDEX_LEVEL + random_below(in->random, dimension->nlevels)));
        query->naxes++;
    }
    query->axes = axes;
}

static void make_measures(struct making *in, vc_query *query)
{
    unsigned nmeasures = in->of->nmeasures;
    if (random_chance(in->random, 30)) return; /* all */
    vc_measure_ref *measures = VC_ARENA_NEW(in->arena, vc_measure_ref, nmeasures);
    for (unsigned m = 0; m < nmeasures; m++)
        if (random_chance(in->random, 40) || (in->of->has_aim && in->of->aim_measure == m))
            measures[query->nmeasures++].name = vc_str_of(in->of->measures[m]);
    query->measures = measures;
}

static vc_str any_measure(struct making *in)
{
    return vc_str_of(in->of->measures[random_below(in->random, in->of->nmeasures)]);
}

static void make_havings(struct making *in, vc_query *query)
{
    static const vc_operator operators[] = {VC_OP_GT, VC_OP_GE, VC_OP_LT,  VC_OP_LE,
                                            VC_OP_EQ, VC_OP_NE, VC_OP_SET, VC_OP_NOT_SET};
    unsigned count = random_chance(in->random, 20) + random_chance(in->random, 5);
    vc_having *havings = VC_ARENA_NEW(in->arena, vc_having, 2);
    for (unsigned i = 0; i < count; i++) {
        double *values = VC_ARENA_NEW(in->arena, double, 2);
        values[0] = (double)random_below(in->random, 50);
        values[1] = (double)random_below(in->random, 500) + 0.5;
        havings[i] = (vc_having){.measure = any_measure(in),
                                 .op = operators[random_below(in->random, 8)],
                                 .values = values};
        havings[i].nvalues = havings[i].op == VC_OP_SET || havings[i].op == VC_OP_NOT_SET ? 0
                             : havings[i].op == VC_OP_EQ || havings[i].op == VC_OP_NE     ? 2
                                                                                          : 1;
    }
    query->havings = havings;
    query->nhavings = count;
}

static void make_totals(struct making *in, vc_query *query)
{
    unsigned count = random_chance(in->random, 40) ? 1 + random_below(in->random, 2) : 0;
    vc_total *totals = VC_ARENA_NEW(in->arena, vc_total, 2);
    for (unsigned i = 0; i < count; i++) {
        vc_str *names = VC_ARENA_NEW(in->arena, vc_str, 4);
        totals[i].dimensions = names;
        for (size_t a = 0; a < query->naxes; a++)
            if (random_chance(in->random, 40))
                names[totals[i].ndimensions++] = query->axes[a].dimref.dimension;
    }
    query->totals = totals;
    query->ntotals = count;
}

static void make_orders(struct making *in, vc_query *query)
{
    unsigned count = random_chance(in->random, 40) ? 1 + random_below(in->random, 2) : 0;
    vc_order *orders = VC_ARENA_NEW(in->arena, vc_order, 2);
    for (unsigned i = 0; i < count; i++) {
        orders[i].is_descending = random_chance(in->random, 50);
        orders[i].name =
            query->naxes > 0 && random_chance(in->random, 40)
                ? query->axes[random_below(in->random, (unsigned)query->naxes)].dimref.dimension
                : any_measure(in);
    }
    query->orders = orders;
    query->norders = count;
}

static void make_tops(struct making *in, vc_query *query)
{
    unsigned count = random_chance(in->random, 20) + random_chance(in->random, 5);
    if (query->naxes == 0) return;
    vc_top *tops = VC_ARENA_NEW(in->arena, vc_top, 2);
    vc_name_ref *nonempty = VC_ARENA_NEW(in->arena, vc_name_ref, 4);
    for (unsigned i = 0; i < count; i++)
        tops[i] = (vc_top){
            .count = random_below(in->random, 4),
            .measure = any_measure(in),
            .is_ascending = random_chance(in->random, 30),
            .dimension =
                query->axes[random_below(in->random, (unsigned)query->naxes)].dimref.dimension};
    query->tops = tops;
    query->ntops = count;
    query->nonempty = nonempty;
    for (size_t a = 0; a < query->naxes && !query->is_sparse; a++)
        if (random_chance(in->random, 40))
            nonempty[query->nnonempty++].name = query->axes[a].dimref.dimension;
}

vc_query asking_make_of(const struct asking_cube *of, const char *cube, struct random *random,
                        unsigned max_groups, vc_arena *arena)
{
    struct making in = {.of = of, .random = random, .arena = arena};
    vc_query query = vc_query_default();
    query.cube = vc_arena_str(arena, vc_str_of(cube));
    make_axes(&in, max_groups, &query);
    make_measures(&in, &query);
    unsigned ncuts = random_below(random, 3) + random_chance(random, 20);
    vc_condition **conditions = VC_ARENA_NEW(arena, vc_condition *, ncuts + 1);
    for (unsigned i = 0; i < ncuts; i++)
        conditions[i] = make_condition(&in, random_below(random, of->ndimensions));
    query.conditions = conditions;
    query.nconditions = ncuts;
    make_havings(&in, &query);
    make_totals(&in, &query);
    make_orders(&in, &query);
    query.is_sparse = random_chance(random, 75);
    query.has_parents = random_chance(random, 50);
    make_tops(&in, &query);
    if (random_chance(random, 15)) query.limit = random_below(random, 6);
    if (random_chance(random, 10)) query.offset = random_below(random, 4);
    return query;
}

vc_query asking_make(const struct oracle *oracle, const char *cube, struct random *random,
                     unsigned max_groups, vc_arena *arena)
{
    struct asking_cube of = {.ndimensions = oracle_ndimensions(oracle),
                             .nmeasures = oracle_nmeasures(oracle)};
    for (unsigned d = 0; d < of.ndimensions; d++) {
        of.dimensions[d] = oracle_dimension(oracle, d);
        of.names[d] = oracle_dimension_name(oracle, d);
        for (unsigned i = 0; i < ASKING_SYNTHETIC; i++)
            if ((of.synthetic[d][i] = oracle_synthetic_key(oracle, d, i)) != NULL)
                of.nsynthetic[d]++;
            else
                break;
    }
    for (unsigned d = 0; d < of.ndimensions; d++)
        of.nsets[d] = oracle_list_sets(oracle, d, of.sets[d]);
    for (unsigned m = 0; m < of.nmeasures; m++)
        of.measures[m] = oracle_measure_name(oracle, m);
    return asking_make_of(&of, cube, random, max_groups, arena);
}

/* ---- as text ---- */

static void put_escaped(vc_buffer *out, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (strchr("|:;,-!@/#.\\", text.data[i]) != NULL) vc_buffer_put_char(out, '\\');
        vc_buffer_put_char(out, text.data[i]);
    }
}

static void put_path(vc_buffer *out, const vc_str *keys, size_t nkeys)
{
    for (size_t k = 0; k < nkeys; k++) {
        if (k > 0) vc_buffer_put_char(out, ',');
        put_escaped(out, keys[k]);
    }
}

static void put_cut(vc_buffer *out, const vc_condition *condition, bool is_not)
{
    vc_buffer_printf(out, "%s%.*s", is_not ? "!" : "", VC_FMT(condition->dimref.dimension));
    if (condition->dimref.level.data != NULL)
        vc_buffer_printf(out, ".%.*s", VC_FMT(condition->dimref.level));
    vc_buffer_put_char(out, ':');
    for (size_t i = 0; i < condition->nitems; i++) {
        const vc_item *item = &condition->items[i];
        if (i > 0) vc_buffer_put_char(out, ';');
        if (item->kind == VC_ITEM_MEMBER_SET) vc_buffer_put_char(out, '#');
        if (item->kind == VC_ITEM_ALL || (item->kind != VC_ITEM_RANGE && item->nkeys == 0))
            vc_buffer_put_text(out, "()");
        put_path(out, item->keys, item->nkeys);
        if (item->kind == VC_ITEM_RANGE) vc_buffer_put_char(out, '-');
        put_path(out, item->end_keys, item->nend_keys);
        if (item->kind == VC_ITEM_CHILDREN) vc_buffer_put_text(out, "/children");
        if (item->kind == VC_ITEM_DESCENDANTS) vc_buffer_put_text(out, "/descendants");
        if (item->level.data != NULL) vc_buffer_printf(out, ":%.*s", VC_FMT(item->level));
    }
}

/* Can it be written as a cut? Otherwise it is one of the filters of a body. */
static bool is_cut(const vc_condition *condition)
{
    if (condition->kind == VC_CONDITION_NOT) return is_cut(condition->children[0]);
    if (condition->kind != VC_CONDITION_ITEMS) return false;
    for (size_t i = 0; i < condition->nitems; i++)
        if (condition->items[i].kind >= VC_ITEM_NULL || condition->items[i].excludes_first ||
            condition->items[i].excludes_end)
            return false;
    return true;
}

/* In words, where neither says it: a person reads this. */
static void put_condition(vc_buffer *out, const vc_condition *condition)
{
    static const char *const kinds[] = {"ITEMS", "AND", "OR", "NOT"};
    static const char *const items[] = {"all",    "path", "range",    "children",
                                        "below",  "null", "not null", "contains",
                                        "starts", "ends", "set"};
    if (is_cut(condition)) {
        bool is_not = condition->kind == VC_CONDITION_NOT;
        put_cut(out, is_not ? condition->children[0] : condition, is_not);
        return;
    }
    vc_buffer_printf(out, "%s(", kinds[condition->kind]);
    for (size_t c = 0; c < condition->nchildren; c++) {
        if (c > 0) vc_buffer_put_text(out, ", ");
        put_condition(out, condition->children[c]);
    }
    for (size_t i = 0; i < condition->nitems; i++) {
        const vc_item *item = &condition->items[i];
        vc_buffer_printf(out, "%s%.*s.%.*s %s%s%s ", i > 0 ? " or " : "",
                         VC_FMT(condition->dimref.dimension), VC_FMT(condition->dimref.level),
                         items[item->kind], item->excludes_first ? " gt" : "",
                         item->excludes_end ? " lt" : "");
        put_path(out, item->keys, item->nkeys);
        vc_buffer_put_text(out, " .. ");
        put_path(out, item->end_keys, item->nend_keys);
    }
    vc_buffer_put_char(out, ')');
}

static void put_name(vc_buffer *out, vc_str name, size_t number)
{
    vc_buffer_put_text(out, number > 0 ? ", " : "");
    vc_buffer_put_json(out, name);
}

static void put_lists(const vc_query *query, vc_buffer *out)
{
    static const char *const operators[] = {"equals", "notEquals", "gt",  "gte",
                                            "lt",     "lte",       "set", "notSet"};
    if (query->nmeasures > 0) vc_buffer_put_text(out, ", \"measures\": [");
    for (size_t i = 0; i < query->nmeasures; i++)
        put_name(out, query->measures[i].name, i);
    if (query->nmeasures > 0) vc_buffer_put_text(out, "]");
    vc_buffer_put_text(out, query->nhavings > 0 ? ",\n \"having\": [" : "");
    for (size_t i = 0; i < query->nhavings; i++) {
        const vc_having *having = &query->havings[i];
        vc_buffer_printf(out, "%s{\"member\": \"%.*s\", \"operator\": \"%s\", \"values\": [",
                         i > 0 ? ", " : "", VC_FMT(having->measure), operators[having->op]);
        for (size_t v = 0; v < having->nvalues; v++) {
            vc_buffer_put_text(out, v > 0 ? ", " : "");
            vc_buffer_put_double(out, having->values[v]);
        }
        vc_buffer_put_text(out, "]}");
    }
    vc_buffer_put_text(out, query->nhavings > 0 ? "]" : "");
    vc_buffer_put_text(out, query->ntotals > 0 ? ",\n \"totals\": [" : "");
    for (size_t i = 0; i < query->ntotals; i++) {
        vc_buffer_put_text(out, i > 0 ? ", [" : "[");
        for (size_t j = 0; j < query->totals[i].ndimensions; j++)
            put_name(out, query->totals[i].dimensions[j], j);
        vc_buffer_put_text(out, "]");
    }
    vc_buffer_put_text(out, query->ntotals > 0 ? "]" : "");
    if (query->totals_visible) vc_buffer_put_text(out, ", \"totals_scope\": \"visible\"");
    vc_buffer_put_text(out, query->norders > 0 ? ",\n \"order\": [" : "");
    for (size_t i = 0; i < query->norders; i++)
        vc_buffer_printf(out, "%s[\"%.*s\", \"%s\"]", i > 0 ? ", " : "",
                         VC_FMT(query->orders[i].name),
                         query->orders[i].is_descending ? "desc" : "asc");
    vc_buffer_put_text(out, query->norders > 0 ? "]" : "");
    for (size_t i = 0; i < query->ntops; i++)
        vc_buffer_printf(
            out, "%s%llu:%.*s:%.*s:%s%s%s", i > 0 ? "|" : ",\n \"top\": \"",
            (unsigned long long)query->tops[i].count, VC_FMT(query->tops[i].dimension),
            VC_FMT(query->tops[i].measure), query->tops[i].is_ascending ? "asc" : "desc",
            query->tops[i].has_other ? ":other" : "", i + 1 == query->ntops ? "\"" : "");
    for (size_t i = 0; i < query->nnonempty; i++)
        vc_buffer_printf(out, "%s\"%.*s\"%s", i > 0 ? ", " : ",\n \"nonempty\": [",
                         VC_FMT(query->nonempty[i].name), i + 1 == query->nnonempty ? "]" : "");
}

void asking_print(const vc_query *query, vc_buffer *out)
{
    vc_buffer text = {0};
    vc_buffer_printf(out, "{\"cube\": \"%.*s\"", VC_FMT(query->cube));
    for (size_t a = 0; a < query->naxes; a++) {
        vc_buffer_printf(&text, "%s%.*s", a > 0 ? "|" : "",
                         VC_FMT(query->axes[a].dimref.dimension));
        if (query->axes[a].dimref.level.data != NULL)
            vc_buffer_printf(&text, ":%.*s", VC_FMT(query->axes[a].dimref.level));
    }
    if (text.size > 0) vc_buffer_printf(out, ", \"drilldown\": \"%s\"", vc_buffer_text(&text));
    vc_buffer_clear(&text);
    for (size_t i = 0; i < query->nconditions; i++) {
        if (i > 0) vc_buffer_put_char(&text, '|');
        put_condition(&text, query->conditions[i]);
    }
    if (text.size > 0) {
        vc_buffer_put_text(out, ",\n \"cut\": ");
        vc_buffer_put_json(out, (vc_str){text.data, text.size});
    }
    put_lists(query, out);
    vc_buffer_printf(out, ",\n \"sparse\": %s, \"parents\": %s",
                     query->is_sparse ? "true" : "false", query->has_parents ? "true" : "false");
    if (query->limit != UINT64_MAX)
        vc_buffer_printf(out, ", \"limit\": %llu", (unsigned long long)query->limit);
    if (query->offset > 0)
        vc_buffer_printf(out, ", \"offset\": %llu", (unsigned long long)query->offset);
    vc_buffer_put_text(out, "}\n");
    vc_buffer_release(&text);
}
