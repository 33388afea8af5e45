#include "render/suggest.h"
#include "render/coverage.h"

#include "base/json_writer.h"
#include "render/parts.h"

#include <math.h>

const char *vc_index_kind_name(vc_index_kind kind)
{
    static const char *const names[] = {
        [VC_INDEX_KEY] = "key", [VC_INDEX_LEVEL] = "level", [VC_INDEX_ATTRIBUTE] = "attribute"};
    return names[kind];
}

/* ---- why ---- */

static vc_str count_text(vc_arena *arena, uint64_t count)
{
    char text[VC_NUMBER_TEXT];
    size_t size = vc_format_count(text, count);
    return vc_arena_str(arena, (vc_str){.data = text, .size = size});
}

/* "all 244 keys of city.iso", "215 of 217 keys of ..." */
static vc_str some_keys(vc_arena *arena, const vc_suggest_side *side, vc_str dimension,
                        vc_str index)
{
    uint32_t whole = side->nkeys > side->nexcluded ? side->nkeys - side->nexcluded : 0;
    vc_str all = count_text(arena, whole), some = count_text(arena, side->nmatched);
    vc_str of = vc_arena_printf(arena, "%.*s.%.*s", VC_FMT(dimension), VC_FMT(index));
    if (side->nmatched >= whole)
        return vc_arena_printf(arena, "all %.*s keys of %.*s", VC_FMT(all), VC_FMT(of));
    return vc_arena_printf(arena, "%.*s of %.*s keys of %.*s", VC_FMT(some), VC_FMT(all),
                           VC_FMT(of));
}

static const char *cardinality_words(const vc_suggest_pair *pair)
{
    if (pair->has_many_from && pair->has_many_to)
        return "keys repeat on both sides: members that share one show the same facts";
    if (pair->has_many_from)
        return "members of the primary share keys: each shows the whole value, their parent once";
    if (pair->has_many_to) return "several joined members for one of the primary";
    return "one for one";
}

vc_str vc_suggest_why(const vc_suggest_pair *pair, vc_arena *arena)
{
    const vc_suggest_on *on = &pair->on;
    vc_str from = some_keys(arena, &pair->from, on->dim, on->index);
    vc_str to = some_keys(arena, &pair->to, on->to_dim, on->to_index);
    vc_str text = vc_arena_printf(arena, "%.*s and %.*s meet, compared %s; %s", VC_FMT(from),
                                  VC_FMT(to), pair->manner, cardinality_words(pair));
    if (pair->from.nexcluded + pair->to.nexcluded > 0)
        text =
            vc_arena_printf(arena, "%.*s; %u keys are aggregates, which the code list leaves out",
                            VC_FMT(text), pair->from.nexcluded + pair->to.nexcluded);
    if (pair->is_by_name)
        text = vc_arena_printf(arena, "%.*s; only the names speak for it, such keys meet by chance",
                               VC_FMT(text));
    if (pair->is_shared)
        text = vc_arena_printf(arena, "%.*s; the same shared dimension: common without a join",
                               VC_FMT(text));
    return text;
}

/* ---- JSON ---- */

static double rounded(double share)
{
    double shown = round(share * 10000) / 10000;
    return share < 1 && shown == 1 ? 0.9999 : shown; /* what is not all does not become it */
}

static double share_of(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : rounded((double)part / (double)whole);
}

static void put_side(vc_json_writer *json, const char *name, const vc_suggest_side *side)
{
    vc_json_begin(json, name, '{');
    vc_json_put_text(json, "kind", vc_index_kind_name(side->kind));
    vc_json_put_bool(json, "declared", side->is_declared);
    vc_json_put_bool(json, "unique", side->is_unique);
    vc_json_put_uint(json, "keys", side->nkeys);
    vc_json_put_uint(json, "matched", side->nmatched);
    if (side->nexcluded > 0) vc_json_put_uint(json, "aggregates", side->nexcluded);
    vc_json_put_double(json, "share", share_of(side->nmatched, side->nkeys - side->nexcluded));
    if (side->has_facts)
        vc_json_put_double(json, "fact_share", share_of(side->nfacts_matched, side->nfacts));
    vc_json_begin(json, "unmatched", '[');
    for (size_t i = 0; i < side->nunmatched; i++)
        vc_json_put_str(json, NULL, side->unmatched[i]);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

static void put_matches(vc_json_writer *json, const vc_suggest_pair *pair)
{
    vc_json_begin(json, "matched", '[');
    for (size_t i = 0; i < pair->nmatches; i++) {
        vc_json_begin(json, NULL, '[');
        vc_json_put_str(json, NULL, pair->matches[i].from);
        vc_json_put_str(json, NULL, pair->matches[i].to);
        vc_json_end(json, ']');
    }
    vc_json_end(json, ']');
}

static void put_coverage(vc_json_writer *json, const vc_result_coverage *coverage)
{
    vc_json_begin(json, "coverage", '{');
    vc_coverage_put_json(json, coverage);
    vc_json_end(json, '}');
}

static void put_on_fields(vc_json_writer *json, const vc_suggest_on *on)
{
    vc_json_put_str(json, "dim", on->dim);
    vc_json_put_str(json, "index", on->index);
    vc_json_put_str(json, "to_dim", on->to_dim);
    vc_json_put_str(json, "to_index", on->to_index);
}

static void put_on(vc_json_writer *json, const vc_suggest_on *on)
{
    vc_json_begin(json, NULL, '{');
    put_on_fields(json, on);
    if (on->normalize.size > 0) {
        vc_json_put_key(json, "normalize");
        vc_buffer_put_str(json->out, on->normalize);
        json->has_before = true;
    }
    vc_json_end(json, '}');
}

static void put_join(vc_json_writer *json, const vc_suggest_on *on, size_t non)
{
    vc_json_begin(json, "join", '{');
    vc_json_put_text(json, "kind", "left");
    vc_json_begin(json, "on", '[');
    for (size_t i = 0; i < non; i++)
        put_on(json, &on[i]);
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

static void put_pair(vc_json_writer *json, const vc_suggest_pair *pair, vc_arena *arena)
{
    vc_json_begin(json, NULL, '{');
    put_on_fields(json, &pair->on);
    vc_json_put_double(json, "score", rounded(pair->score));
    vc_json_put_text(json, "cardinality", vc_suggest_cardinality(pair));
    vc_json_put_bool(json, "time", pair->is_time);
    vc_json_put_bool(json, "shared", pair->is_shared);
    vc_json_put_bool(json, "chosen", pair->is_chosen);
    vc_json_put_text(json, "compared", pair->manner);
    vc_json_put_str(json, "why", vc_suggest_why(pair, arena));
    put_side(json, "from", &pair->from);
    put_side(json, "to", &pair->to);
    put_matches(json, pair);
    put_coverage(json, &pair->coverage);
    put_join(json, &pair->on, 1);
    vc_json_end(json, '}');
}

/* ---- the definition ---- */

static void put_renames(vc_json_writer *json, const vc_suggest *suggest)
{
    if (suggest->nrenames == 0) return;
    vc_json_begin(json, "dimensions", '{');
    for (size_t i = 0; i < suggest->nrenames; i++) {
        if (json->has_before) vc_buffer_put_char(json->out, ',');
        vc_buffer_put_json(json->out, suggest->renames[i].from);
        vc_buffer_put_char(json->out, ':');
        vc_buffer_put_json(json->out, suggest->renames[i].to);
        json->has_before = true;
    }
    vc_json_end(json, '}');
}

static void put_definition(vc_json_writer *json, const char *key, const vc_suggest *suggest)
{
    vc_buffer name = {0};
    vc_buffer_printf(&name, "%.*s_%.*s", VC_FMT(suggest->primary->name), VC_FMT(suggest->alias));
    vc_json_begin(json, key, '{');
    vc_json_put_text(json, "name", vc_buffer_text(&name));
    vc_json_put_text(json, "kind", "virtual");
    vc_json_put_str(json, "primary", suggest->primary->name);
    vc_json_begin(json, "sources", '[');
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "alias", suggest->primary->name);
    vc_json_put_str(json, "cube", suggest->primary->name);
    vc_json_end(json, '}');
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "alias", suggest->alias);
    vc_json_put_str(json, "cube", suggest->joined->name);
    put_renames(json, suggest);
    if (suggest->non > 0) put_join(json, suggest->on, suggest->non);
    vc_json_end(json, '}');
    vc_json_end(json, ']');
    vc_json_end(json, '}');
    vc_buffer_release(&name);
}

void vc_suggest_put_definition(vc_buffer *out, const vc_suggest *suggest)
{
    vc_json_writer json = {.out = out};
    if (!suggest->has_definition) return;
    put_definition(&json, NULL, suggest);
    vc_buffer_put_char(out, '\n');
}

/* ---- documents ---- */

static void put_passed(vc_json_writer *json, const vc_suggest *suggest)
{
    vc_json_begin(json, "passed_over", '[');
    for (size_t i = 0; i < suggest->npassed; i++) {
        const vc_suggest_passed *passed = &suggest->passed[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_text(json, "why", passed->why);
        vc_json_put_uint(json, "count", passed->count);
        vc_json_begin(json, "examples", '[');
        for (unsigned e = 0; e < passed->nexamples; e++)
            vc_json_put_str(json, NULL, passed->examples[e]);
        vc_json_end(json, ']');
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
}

static void put_needs_fix(vc_json_writer *json, const vc_suggest *suggest)
{
    if (suggest->nno_alls == 0) return;
    vc_json_begin(json, "needs_fix", '[');
    for (size_t i = 0; i < suggest->nno_alls; i++)
        vc_json_put_str(json, NULL, suggest->no_alls[i]);
    vc_json_end(json, ']');
}

void vc_suggest_put_json(vc_buffer *out, vc_str snapshot, const vc_suggest *suggest)
{
    vc_arena arena = {0};
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", suggest->primary->name);
    vc_json_put_str(&json, "with", suggest->joined->name);
    vc_json_put_str(&json, "snapshot", snapshot);
    vc_json_put_uint(&json, "indexes", suggest->nindexes);
    vc_json_put_uint(&json, "pairs_tried", suggest->ntried);
    vc_json_put_uint(&json, "total", suggest->nall);
    vc_json_begin(&json, "suggestions", '[');
    for (size_t i = 0; i < suggest->npairs; i++)
        put_pair(&json, &suggest->pairs[i], &arena);
    vc_json_end(&json, ']');
    put_passed(&json, suggest);
    put_needs_fix(&json, suggest);
    if (suggest->has_definition)
        put_definition(&json, "definition", suggest);
    else
        vc_json_put_null(&json, "definition");
    vc_json_end(&json, '}');
    vc_arena_release(&arena);
}

void vc_suggest_put_ndjson(vc_buffer *out, const vc_suggest *suggest)
{
    vc_arena arena = {0};
    for (size_t i = 0; i < suggest->npairs; i++) {
        vc_json_writer json = {.out = out};
        put_pair(&json, &suggest->pairs[i], &arena);
        vc_buffer_put_char(out, '\n');
    }
    vc_buffer_printf(out, "{\"end\":true,\"rows\":%zu}\n", suggest->npairs);
    vc_arena_release(&arena);
}

static void put_csv_side(vc_buffer *out, const vc_suggest_side *side, vc_str dimension,
                         vc_str index)
{
    vc_buffer_put_char(out, ',');
    vc_put_csv_text(out, dimension, false);
    vc_buffer_put_char(out, ',');
    vc_put_csv_text(out, index, false);
    vc_buffer_printf(out, ",%s,%s,%u,%u,%u,", vc_index_kind_name(side->kind),
                     side->is_unique ? "true" : "false", side->nkeys, side->nmatched,
                     side->nexcluded);
    vc_buffer_put_double(out, share_of(side->nmatched, side->nkeys - side->nexcluded));
    vc_buffer_put_char(out, ',');
    if (side->has_facts) vc_buffer_put_double(out, share_of(side->nfacts_matched, side->nfacts));
}

void vc_suggest_put_csv(vc_buffer *out, const vc_suggest *suggest)
{
    vc_arena arena = {0};
    vc_buffer_put_text(out, "score,cardinality,time,shared,chosen,"
                            "dim,index,kind,unique,keys,matched,aggregates,share,fact_share,"
                            "to_dim,to_index,to_kind,to_unique,to_keys,to_matched,to_aggregates,"
                            "to_share,to_fact_share,normalize,why\r\n");
    for (size_t i = 0; i < suggest->npairs; i++) {
        const vc_suggest_pair *pair = &suggest->pairs[i];
        vc_buffer_put_double(out, rounded(pair->score));
        vc_buffer_printf(out, ",%s,%s,%s,%s", vc_suggest_cardinality(pair),
                         pair->is_time ? "true" : "false", pair->is_shared ? "true" : "false",
                         pair->is_chosen ? "true" : "false");
        put_csv_side(out, &pair->from, pair->on.dim, pair->on.index);
        put_csv_side(out, &pair->to, pair->on.to_dim, pair->on.to_index);
        vc_buffer_put_char(out, ',');
        vc_put_csv_text(out, pair->on.normalize, false);
        vc_buffer_put_char(out, ',');
        vc_put_csv_text(out, vc_suggest_why(pair, &arena), false);
        vc_buffer_put_text(out, "\r\n");
    }
    vc_arena_release(&arena);
}
