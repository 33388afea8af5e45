/* The same cube with other joins: every join left and what is unmatched dropped, or one of them
 * full, or the sources in another order. A variant lives in the model only. */
#include "query/laws_parts.h"

#include <stdlib.h>

/* The source of an alias in the JSON of a definition; an alias may be left out. */
static json_t *find_source(json_t *sources, vc_str alias)
{
    size_t i;
    json_t *source;
    json_array_foreach(sources, i, source)
    {
        const char *name = json_string_value(json_object_get(source, "alias"));
        if (name == NULL) name = json_string_value(json_object_get(source, "cube"));
        if (vc_str_equal(vc_str_of(name), alias)) return source;
    }
    return NULL;
}

static void set_join(json_t *source, const char *kind, const char *unmatched)
{
    json_t *join = json_object_get(source, "join");
    if (join == NULL) return;
    json_object_set_new(join, "kind", json_string(kind));
    json_object_set_new(join, "unmatched", json_string(unmatched));
}

/* Open a variant; *variant_out keeps its NULLs when it cannot be. Takes over `json`. */
static vc_status open_variant(vc_laws *laws, json_t *json, vc_str suffix,
                              vc_law_variant *variant_out)
{
    vc_error error = {0};
    const vc_cube *cube = NULL;
    vc_str name =
        vc_arena_printf(&laws->work, "%.*s~%.*s", VC_FMT(laws->cube->name), VC_FMT(suffix));
    json_object_set_new(json, "name", json_stringn(name.data, name.size));
    char *text = json_dumps(json, 0);
    json_decref(json);
    if (text == NULL) return vc_no_memory(laws->error);
    vc_status status = vc_model_add(laws->model, vc_str_of(text), &cube, &error);
    free(text);
    if (status == VC_OK)
        *variant_out = (vc_law_variant){.cube = cube, .definition = cube->definition};
    else if (status != VC_NO_MEMORY && status != VC_STORAGE && status != VC_CORRUPT)
        return VC_OK; /* a join that cannot be of this kind */
    else if (laws->error != NULL)
        *laws->error = error;
    return status;
}

/* ---- other kinds ---- */

static bool is_left(const vc_join_def *join)
{
    return join->kind == VC_JOIN_LEFT && join->unmatched == VC_UNMATCHED_DROP;
}

static vc_status make_kind(vc_laws *laws, size_t full, vc_law_variant *variant_out)
{
    json_t *json = json_deep_copy(laws->cube->definition->json);
    json_t *sources = json_object_get(json, "sources");
    vc_str suffix = VC_STR("left");
    if (json == NULL) return vc_no_memory(laws->error);
    for (size_t i = 1; i < laws->nparts; i++)
        set_join(find_source(sources, laws->parts[i].definition->alias), "left", "drop");
    if (full < laws->nparts) {
        set_join(find_source(sources, laws->parts[full].definition->alias), "full", "bucket");
        suffix =
            vc_arena_printf(&laws->work, "full-%.*s", VC_FMT(laws->parts[full].definition->alias));
    }
    return open_variant(laws, json, suffix, variant_out);
}

static vc_status make_kinds(vc_laws *laws)
{
    bool is_all_left = true;
    vc_status status = VC_OK;
    laws->full = VC_ARENA_NEW(laws->arena, vc_law_variant, laws->nparts);
    if (laws->full == NULL) return vc_no_memory(laws->error);
    for (size_t i = 1; i < laws->nparts; i++)
        is_all_left &= is_left(&laws->parts[i].definition->join);
    if (is_all_left)
        laws->left.cube = laws->cube;
    else
        status = make_kind(laws, SIZE_MAX, &laws->left);
    for (size_t i = 1; i < laws->nparts && status == VC_OK; i++)
        if (laws->parts[i].definition->join.non > 0) status = make_kind(laws, i, &laws->full[i]);
    return status;
}

/* ---- other orders ---- */

/* Sources that `common` names keep their order: what they say differently of a member, the first
 * one says. */
static bool is_common(const vc_laws *laws, size_t part)
{
    const vc_virtual_def *definition = &laws->cube->definition->as.virtual_cube;
    for (size_t c = 0; c < definition->ncommons; c++)
        for (size_t o = 0; o < definition->commons[c].nof; o++)
            if (vc_str_equal(definition->commons[c].of[o].alias,
                             laws->parts[part].definition->alias))
                return true;
    return false;
}

/* The first order is the reverse, others are random. */
static vc_status make_order(vc_laws *laws, size_t number)
{
    size_t n = laws->nparts, nfree = 0;
    size_t *order = VC_ARENA_NEW(&laws->work, size_t, n);
    size_t *free_places = VC_ARENA_NEW(&laws->work, size_t, n);
    if (order == NULL || free_places == NULL) return vc_no_memory(laws->error);
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
        if (!is_common(laws, i)) free_places[nfree++] = i;
    }
    bool is_changed = false;
    for (size_t i = 0; i + 1 < nfree; i++) {
        size_t other = number == 0 ? nfree - 1 - i : i + vc_law_below(laws, nfree - i);
        if (number == 0 && other <= i) break;
        size_t swap = order[free_places[i]];
        order[free_places[i]] = order[free_places[other]];
        order[free_places[other]] = swap;
        is_changed |= other != i;
    }
    if (!is_changed) return VC_OK;
    json_t *json = json_deep_copy(laws->cube->definition->json);
    json_t *old = json_object_get(json, "sources"), *sources = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(sources, find_source(old, laws->parts[order[i]].definition->alias));
    json_object_set_new(json, "sources", sources);
    return open_variant(laws, json, vc_arena_printf(&laws->work, "order-%zu", number + 1),
                        &laws->orders[laws->norders]);
}

vc_status vc_laws_vary(vc_laws *laws)
{
    if (laws->nparts == 0) return VC_OK;
    vc_status status = make_kinds(laws);
    for (size_t i = 0; i < VC_LAW_ORDERS && laws->nparts > 2 && status == VC_OK; i++) {
        status = make_order(laws, i);
        laws->norders += laws->orders[laws->norders].cube != NULL;
    }
    return status;
}
