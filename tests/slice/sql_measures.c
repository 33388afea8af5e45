/* What is known of the measures of a question as SQL, before any is computed. */
#include "tests/slice/sql_parts.h"

unsigned sql_find_node(const struct sql *sql, vc_str name)
{
    unsigned m = 0;
    while (!vc_str_is(name, sql->nodes[m].name))
        m++;
    return m;
}

static bool is_additive(vc_aggregator aggregator)
{
    return aggregator == VC_AGG_SUM || aggregator == VC_AGG_COUNT || aggregator == VC_AGG_AVG ||
           aggregator == VC_AGG_WEIGHTED_AVG;
}

/* Must a base measure be refused: what does not add up, where facts count in parts; a measure
 * `over` what is repeated or shared out? */
static bool is_refused(const struct sql *sql, const struct sql_node *node)
{
    const struct world_measure *stored = node->stored;
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        const struct sql_place *place = &sql->sources[node->source].places[d];
        if (!place->is_there || !place->is_relation) continue;
        bool is_weighted =
            sql_form_of(sql, node, d) == FORM_MODE && place->mode == VC_MODE_WEIGHTED;
        bool is_over = stored->over != VC_OVER_NONE && stored->over_dimension == place->of;
        if (is_weighted && !is_additive(stored->aggregator)) return true;
        if (is_over && (is_weighted || place->finer != VC_FINER_NULL)) return true;
    }
    return false;
}

/* Is a measure, or what it is computed from, shared out below a grain? */
static bool allocates(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula != FORMULA_NONE) return allocates(sql, node->a) || allocates(sql, node->b);
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        const struct sql_place *place = &sql->sources[node->source].places[d];
        if (place->is_there && place->finer == VC_FINER_ALLOCATE) return true;
    }
    return false;
}

bool sql_is_refused(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula == FORMULA_NONE) return is_refused(sql, node);
    return sql_is_refused(sql, node->a) || sql_is_refused(sql, node->b);
}

/* The same of what would be, if rows split what is allocated. */
static bool may_not_add(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula != FORMULA_NONE)
        return may_not_add(sql, node->a) || may_not_add(sql, node->b);
    return is_refused(sql, node) || (allocates(sql, m) && !is_additive(node->stored->aggregator));
}

/* Parts that are no exact doubles, and what is computed from them. */
static bool is_rough(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula == FORMULA_CALL)
        return (node->call.function != VC_MEMBER_PARENT &&
                node->call.function != VC_MEMBER_PREVIOUS &&
                node->call.function != VC_MEMBER_RANK) ||
               is_rough(sql, node->a);
    if (node->formula != FORMULA_NONE) return is_rough(sql, node->a) || is_rough(sql, node->b);
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        const struct sql_place *place = &sql->sources[node->source].places[d];
        if (place->is_there && place->is_rough && sql_form_of(sql, node, d) != FORM_SET)
            return true;
    }
    return false;
}

bool sql_may_allocate(const struct sql_question *in, size_t number)
{
    return allocates(in->sql, in->asked[number]);
}

bool sql_may_refuse(const struct sql_question *in)
{
    for (unsigned m = 0; m < in->sql->nnodes; m++)
        if (in->is_wanted[m] && may_not_add(in->sql, m)) return true;
    return false;
}

bool sql_may_not_add(const struct sql *sql, vc_str measure)
{
    return may_not_add(sql, sql_find_node(sql, measure));
}

bool sql_is_rough(const struct sql *sql, vc_str measure)
{
    return is_rough(sql, sql_find_node(sql, measure));
}

const char *const sql_feature_names[] = {
    "crosswalk",      "weighted",   "equal parts",    "whole facts",     "lookup",      "pick",
    "repeat",         "allocate",   "visible totals", "others of a top", "member sets", "nested",
    "joined through", "united",     "parent",         "share",           "previous",    "growth",
    "running",        "moving_avg", "rank",           "agg_over"};

static uint32_t features_of(const struct sql *sql, unsigned m)
{
    const struct sql_node *node = &sql->nodes[m];
    const struct sql_source *source = &sql->sources[node->source];
    uint32_t features = sql->ninner > 0 ? 1u << FEATURE_NESTED : 0;
    if (sql->first > 0 && node->source > 0) features |= 1u << FEATURE_OUTER;
    if (node->formula == FORMULA_CALL)
        return features_of(sql, node->a) | 1u << (FEATURE_CALL + node->call.function);
    if (node->formula != FORMULA_NONE) return features_of(sql, node->a) | features_of(sql, node->b);
    for (unsigned d = 0; d < sql->ndimensions; d++) {
        const struct sql_place *place = &source->places[d];
        enum sql_form form = sql_form_of(sql, node, d);
        if (!place->is_there || !place->is_relation) continue;
        for (unsigned i = 0; i < source->definition->npairs && sql->first == 0; i++)
            if (source->definition->pairs[i].nmaps[0] + source->definition->pairs[i].nmaps[1] > 0)
                features |= 1u << FEATURE_CROSSWALK;
        if (place->mode == VC_MODE_WEIGHTED)
            features |= form != FORM_MODE ? 1u << FEATURE_WHOLE
                        : place->is_equal ? 1u << FEATURE_EQUAL_PARTS
                                          : 1u << FEATURE_WEIGHTED;
        if (place->mode == VC_MODE_LOOKUP && form == FORM_MODE)
            features |= 1u << FEATURE_LOOKUP | (source->definition->pick != VC_PICK_ERROR)
                                                   << FEATURE_PICK;
        if (form != FORM_SET && place->finer != VC_FINER_NULL)
            features |= 1u << (place->finer == VC_FINER_REPEAT ? FEATURE_REPEAT : FEATURE_ALLOCATE);
    }
    return features;
}

uint32_t sql_features(const struct sql_question *in, size_t number)
{
    return features_of(in->sql, in->asked[number]);
}

vc_value_type sql_type(const struct sql_question *in, size_t number)
{
    const struct world_measure *stored = in->sql->nodes[in->asked[number]].stored;
    if (stored == NULL || stored->aggregator == VC_AGG_AVG || stored->over == VC_OVER_AVG ||
        stored->aggregator > VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_FLOAT;
    const struct sql_node *node = &in->sql->nodes[in->asked[number]];
    for (unsigned d = 0; d < in->sql->ndimensions; d++) {
        const struct sql_place *place = &in->sql->sources[node->source].places[d];
        if (!place->is_there || !place->is_relation) continue;
        bool is_weighted =
            sql_form_of(in->sql, node, d) == FORM_MODE && place->mode == VC_MODE_WEIGHTED;
        bool is_average = place->mode == VC_MODE_LOOKUP && node->reaggregate == VC_REAGGREGATE_AVG;
        if (is_weighted || is_average) return VC_VALUE_FLOAT;
    }
    if (stored->aggregator == VC_AGG_COUNT || stored->aggregator == VC_AGG_COUNT_DISTINCT)
        return VC_VALUE_INT;
    return stored->column == COLUMN_INT       ? VC_VALUE_INT
           : stored->column == COLUMN_DECIMAL ? VC_VALUE_DECIMAL
                                              : VC_VALUE_FLOAT;
}

static bool lacks(const struct sql *sql, unsigned m, unsigned d)
{
    const struct sql_node *node = &sql->nodes[m];
    if (node->formula != FORMULA_NONE) return lacks(sql, node->a, d) || lacks(sql, node->b, d);
    return !sql->sources[node->source].places[d].is_there;
}

bool sql_drills_more(const struct sql_question *in)
{
    for (unsigned m = 0; m < in->sql->nnodes; m++) {
        const struct sql_node *node = &in->sql->nodes[m];
        if (in->is_wanted[m] && node->formula == FORMULA_CALL &&
            lacks(in->sql, node->a, node->call_dimension))
            return true;
    }
    return false;
}
