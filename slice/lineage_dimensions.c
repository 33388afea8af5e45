/* What a cut became in a source: selected members, through the mapping, policies and fixes. */
#include "slice/join_keys.h"
#include "slice/lineage_parts.h"
#include "slice/naming.h"

static const vc_pass *pass_of(const vc_tracing *in)
{
    return &in->plan->passes[in->plan->measures[in->measure].pass];
}

static const vc_cube_source *source_of(const vc_tracing *in)
{
    return &in->plan->cube->sources[pass_of(in)->source];
}

static const vc_table *table_of(const vc_tracing *in)
{
    return in->grain->tables[in->plan->measures[in->measure].pass];
}

/* ---- lists ---- */

static bool is_selected(const vc_selection *selection, uint32_t slot)
{
    return selection->slots == NULL || vc_bit_get(selection->slots, slot);
}

static vc_status list_selected(const vc_tracing *in, size_t dimension, vc_lineage_members *out,
                               vc_error *error)
{
    const vc_cube_dimension *outer = &in->plan->cube->dimensions[dimension];
    const vc_selection *selection = &in->plan->selections[dimension];
    vc_namer namer = vc_namer_of(outer->dimension);
    vc_telling_once once;
    vc_lineage_member *items = VC_ARENA_NEW(in->arena, vc_lineage_member, in->limit + 1);
    vc_status status = vc_telling_once_init(&namer, in->arena, &once, error);
    if (status != VC_OK || items == NULL) return vc_no_memory(error);
    for (uint32_t slot = 0; slot < outer->nslots; slot++) {
        if (!is_selected(selection, slot) || vc_telling_once_is_told(&once, slot)) continue;
        if (out->count++ < in->limit && selection->is_cut) {
            vc_lineage_member *item = &items[out->nitems++];
            item->key = vc_namer_slot(&namer, outer, slot, in->arena, &item->label);
        }
    }
    out->items = items;
    return VC_OK;
}

/* The name of a joined leaf, or of the leaves of a tuple. */
static vc_str name_joined(const vc_tracing *in, const vc_binding *binding, const vc_namer *namers,
                          uint32_t leaf, vc_str *label_out)
{
    vc_str text = {0};
    if (binding->tuples == NULL) return vc_namer_leaf(namers, leaf, in->arena, label_out);
    if (label_out != NULL) *label_out = (vc_str){0};
    for (size_t c = 0; c < binding->tuples->ncomponents; c++) {
        vc_str part =
            vc_namer_leaf(&namers[c], vc_tuples_leaf(binding->tuples, c, leaf), in->arena, NULL);
        text = c == 0 ? part : vc_arena_printf(in->arena, "%.*s, %.*s", VC_FMT(text), VC_FMT(part));
    }
    return text;
}

/* ---- mapped dimensions ---- */

struct mapping {
    const vc_tracing *in;
    size_t dimension;
    const vc_cube_dimension *outer;
    const vc_binding *binding;
    const vc_relation *relation;
    vc_namer outer_namer;
    vc_telling_once once;
    vc_namer *namers; /* of the joined dimension, or of each component */
    vc_join_keys keys;
    uint64_t *units; /* [nunits] bits: some leaf of it is selected */
};

static uint32_t unit_of(const struct mapping *in, uint32_t leaf)
{
    const vc_relation *relation = in->relation;
    if (relation->level < 0) return leaf;
    const vc_level *levels = in->outer->dimension->hierarchies[relation->hierarchy].levels;
    return vc_numbers_get(levels[relation->level].leaf_members, leaf);
}

static vc_status select_units(struct mapping *in, vc_error *error)
{
    const vc_selection *selection = &in->in->plan->selections[in->dimension];
    in->units = VC_ARENA_NEW(in->in->arena, uint64_t, vc_bits_words(in->relation->nunits) + 1);
    if (in->units == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < in->outer->dimension->nleaves; leaf++)
        if (is_selected(selection, leaf)) vc_bit_set(in->units, unit_of(in, leaf));
    return VC_OK;
}

/* Where the source stands at a level of which the cut leaves whole members: list those, and not the
 * many leaves in them. */
static vc_status list_units(const struct mapping *in, vc_lineage_members *out, vc_error *error)
{
    const vc_selection *selection = &in->in->plan->selections[in->dimension];
    uint32_t nleaves = in->outer->dimension->nleaves;
    if (in->relation->level < 0 || !selection->is_cut) return VC_OK;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        if (!is_selected(selection, leaf) && vc_bit_get(in->units, unit_of(in, leaf))) return VC_OK;
    vc_lineage_member *items = VC_ARENA_NEW(in->in->arena, vc_lineage_member, in->in->limit + 1);
    if (items == NULL) return vc_no_memory(error);
    *out = (vc_lineage_members){.items = items};
    for (uint32_t unit = 0; unit < in->relation->nunits; unit++) {
        if (!vc_bit_get(in->units, unit) || out->count++ >= in->in->limit) continue;
        vc_lineage_member *item = &items[out->nitems++];
        item->key =
            vc_namer_unit(&in->outer_namer, in->relation, unit, in->in->arena, &item->label);
    }
    for (uint32_t slot = nleaves; slot < in->outer->nslots; slot++) {
        if (!is_selected(selection, slot) || out->count++ >= in->in->limit) continue;
        vc_lineage_member *item = &items[out->nitems++];
        item->key = vc_namer_slot(&in->outer_namer, in->outer, slot, in->in->arena, &item->label);
    }
    return VC_OK;
}

/* Of tuples: do the other conditions leave it, as on the time by which its key is read? */
static bool is_left(const struct mapping *in, uint32_t leaf)
{
    const vc_table *table = table_of(in->in);
    if (table->classes != NULL) table = table->classes;
    const vc_tuples *tuples = in->binding->tuples;
    for (size_t c = 0; tuples != NULL && c < tuples->ncomponents; c++)
        for (size_t s = 0; s < table->nsteps; s++) {
            const vc_step *step = &table->steps[s];
            if (step->tuples == NULL && step->column == in->binding->components[c] &&
                !vc_step_passes(step, vc_tuples_leaf(tuples, c, leaf)))
                return false;
        }
    return true;
}

static void add_link(const struct mapping *in, uint32_t leaf, vc_str from, vc_str from_key,
                     double weight, vc_lineage_link *links, vc_lineage_dimension *out)
{
    if (out->nlinks++ >= in->in->limit) return;
    links[out->nlisted++] =
        (vc_lineage_link){.from = from,
                          .to = name_joined(in->in, in->binding, in->namers, leaf, NULL),
                          .from_key = from_key,
                          .to_key = vc_join_keys_of_leaf(&in->keys, leaf, in->in->arena),
                          .weight = weight};
}

/* The rows of the mapping that lead to one joined leaf; false: none does. */
static bool add_links(struct mapping *in, uint32_t leaf, vc_lineage_link *links,
                      vc_lineage_dimension *out)
{
    const vc_selection *selection = &in->in->plan->selections[in->dimension];
    const vc_relation *relation = in->relation;
    vc_arena *arena = in->in->arena;
    const uint32_t *units;
    bool has_any = false;
    size_t nunits = vc_relation_units(relation, leaf, &units);
    vc_telling_once_next(&in->once);
    for (size_t i = 0; i < nunits; i++) {
        if (!vc_bit_get(in->units, units[i])) continue;
        if (relation->level < 0 && vc_telling_once_is_told(&in->once, units[i])) continue;
        size_t place = relation->units != NULL ? leaf : relation->offsets[leaf] + i;
        bool is_listed = out->nlinks < in->in->limit;
        has_any = true;
        add_link(in, leaf,
                 is_listed ? vc_namer_unit(&in->outer_namer, relation, units[i], arena, NULL)
                           : (vc_str){0},
                 is_listed ? vc_join_keys_of_unit(&in->keys, units[i], arena) : (vc_str){0},
                 relation->weights == NULL ? 1 : relation->weights[place], links, out);
    }
    uint32_t slot =
        in->binding->synthetic_slots == NULL ? VC_NONE : in->binding->synthetic_slots[leaf];
    if (slot == VC_NONE || !is_selected(selection, slot)) return has_any;
    add_link(in, leaf, vc_namer_slot(&in->outer_namer, in->outer, slot, arena, NULL), (vc_str){0},
             1, links, out);
    return true;
}

static vc_status find_namers(struct mapping *in, vc_error *error)
{
    const vc_cube_source *source = source_of(in->in);
    size_t n = in->binding->tuples == NULL ? 1 : in->binding->tuples->ncomponents;
    in->namers = VC_ARENA_NEW(in->in->arena, vc_namer, n);
    if (in->namers == NULL) return vc_no_memory(error);
    for (size_t c = 0; c < n; c++)
        in->namers[c] = vc_namer_of_facts(
            source->cube->dimensions[in->binding->tuples == NULL ? in->binding->source_dimension
                                                                 : in->binding->components[c]]);
    return VC_OK;
}

static vc_status trace_mapped(const vc_tracing *tracing, size_t dimension,
                              vc_lineage_dimension *out, vc_error *error)
{
    const vc_cube_dimension *outer = &tracing->plan->cube->dimensions[dimension];
    struct mapping in = {.in = tracing,
                         .dimension = dimension,
                         .outer = outer,
                         .binding = &source_of(tracing)->bindings[dimension],
                         .outer_namer = vc_namer_of(outer->dimension)};
    in.relation = in.binding->relation;
    vc_lineage_link *links = VC_ARENA_NEW(tracing->arena, vc_lineage_link, tracing->limit + 1);
    vc_lineage_member *items = VC_ARENA_NEW(tracing->arena, vc_lineage_member, tracing->limit + 1);
    if (links == NULL || items == NULL) return vc_no_memory(error);
    vc_status status = find_namers(&in, error);
    if (status == VC_OK)
        status = vc_telling_once_init(&in.outer_namer, tracing->arena, &in.once, error);
    if (status == VC_OK) status = select_units(&in, error);
    if (status == VC_OK) status = list_units(&in, &out->selected, error);
    if (status == VC_OK)
        status = vc_join_keys_new(tracing->plan->cube, pass_of(tracing)->source, dimension,
                                  tracing->arena, &in.keys, error);
    if (status != VC_OK) return status;
    if (in.relation->level >= 0)
        out->level =
            outer->dimension->hierarchies[in.relation->hierarchy].levels[in.relation->level].name;
    out->through = vc_join_keys_text(&in.keys, tracing->arena);
    for (uint32_t leaf = 0; leaf < in.relation->nleaves; leaf++) {
        if (!is_left(&in, leaf) || !add_links(&in, leaf, links, out)) continue;
        if (out->translated.count++ < tracing->limit) {
            vc_lineage_member *item = &items[out->translated.nitems++];
            item->key = name_joined(tracing, in.binding, in.namers, leaf, &item->label);
        }
    }
    out->translated.items = items;
    out->links = links;
    return VC_OK;
}

/* ---- each dimension ---- */

static vc_status apply_policy(const vc_tracing *in, size_t dimension, vc_lineage_dimension *out,
                              vc_error *error)
{
    const vc_standing *standing;
    const vc_plan_measure *measure = &in->plan->measures[in->measure];
    vc_unrelated word = vc_cube_unrelated(in->plan->cube, measure->measure, dimension, &standing);
    bool has_all = true;
    out->how = "none";
    out->policy = vc_unrelated_name(word);
    if (standing != NULL) {
        vc_status status = vc_policy_covers(in->plan, standing, &has_all, error);
        if (status != VC_OK) return status;
        out->stands = standing->member;
    }
    if (out->is_cut && word == VC_UNRELATED_REPEAT) out->reason = VC_REASON_REPEATED;
    if (out->is_cut && (word == VC_UNRELATED_NULL || !has_all)) out->reason = VC_REASON_UNRELATED;
    return VC_OK;
}

static char reason_of(const vc_reach *reach)
{
    if (!vc_bit_get(reach->mapped, 0))
        return reach->is_relation ? VC_REASON_UNMATCHED : VC_REASON_EMPTY;
    if (reach->repeated != NULL && vc_bit_get(reach->repeated, 0)) return VC_REASON_REPEATED;
    return vc_bit_get(reach->coarse, 0) ? VC_REASON_GRAIN : VC_REASON_NONE;
}

static vc_status trace_dimension(const vc_tracing *in, size_t dimension, vc_lineage_dimension *out,
                                 vc_error *error)
{
    const vc_cube_source *source = source_of(in);
    const vc_binding *binding = &source->bindings[dimension];
    out->name = in->plan->cube->dimensions[dimension].name;
    out->is_cut = in->plan->selections[dimension].is_cut;
    vc_status status = list_selected(in, dimension, &out->selected, error);
    if (status != VC_OK) return status;
    if (binding->kind == VC_BIND_NONE) return apply_policy(in, dimension, out, error);
    bool is_mapped = binding->kind == VC_BIND_RELATION;
    out->how = is_mapped ? "mapped" : "own";
    out->to_name = binding->tuples != NULL
                       ? binding->to_name
                       : source->cube->dimension_names[binding->source_dimension];
    out->reason = reason_of(&table_of(in)->reaches[dimension]);
    return is_mapped ? trace_mapped(in, dimension, out, error) : VC_OK;
}

/* ---- fixes ---- */

static vc_status trace_fix(const vc_tracing *in, const vc_cube_fix *fix, vc_lineage_fix *out,
                           vc_error *error)
{
    const vc_source_cube *cube = source_of(in)->cube;
    const vc_dimension *dimension = cube->dimensions[fix->source_dimension];
    vc_namer namer = vc_namer_of_facts(dimension);
    vc_lineage_member *items = VC_ARENA_NEW(in->arena, vc_lineage_member, in->limit + 1);
    if (items == NULL) return vc_no_memory(error);
    out->name = cube->dimension_names[fix->source_dimension];
    out->members.items = items;
    for (uint32_t leaf = 0; leaf < vc_dimension_count_leaves(dimension); leaf++)
        if (vc_bit_get(fix->leaves, leaf) && out->members.count++ < in->limit) {
            vc_lineage_member *item = &items[out->members.nitems++];
            item->key = vc_namer_leaf(&namer, leaf, in->arena, &item->label);
        }
    return VC_OK;
}

/* Those of the measure, and those of the source that it does not replace. */
static vc_status trace_fixes(const vc_tracing *in, vc_lineage_source *out, vc_error *error)
{
    const vc_cube_source *source = source_of(in);
    const vc_pass *pass = pass_of(in);
    vc_lineage_fix *fixes =
        VC_ARENA_NEW(in->arena, vc_lineage_fix, source->nfixes + pass->nfixes + 1);
    vc_status status = fixes == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < pass->nfixes && status == VC_OK; i++)
        status = trace_fix(in, &pass->fixes[i], &fixes[out->nfixes++], error);
    for (size_t i = 0; i < source->nfixes && status == VC_OK; i++) {
        bool is_replaced = false;
        for (size_t j = 0; j < pass->nfixes; j++)
            is_replaced |= pass->fixes[j].source_dimension == source->fixes[i].source_dimension;
        if (!is_replaced) status = trace_fix(in, &source->fixes[i], &fixes[out->nfixes++], error);
    }
    out->fixes = fixes;
    return status;
}

vc_status vc_trace_dimensions(const vc_tracing *in, vc_lineage_source *out, vc_error *error)
{
    size_t ndimensions = in->plan->cube->ndimensions;
    vc_lineage_dimension *dimensions =
        VC_ARENA_NEW(in->arena, vc_lineage_dimension, ndimensions + 1);
    vc_status status = dimensions == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t d = 0; d < ndimensions && status == VC_OK; d++)
        status = trace_dimension(in, d, &dimensions[d], error);
    out->dimensions = dimensions;
    out->ndimensions = ndimensions;
    return status == VC_OK ? trace_fixes(in, out, error) : status;
}
