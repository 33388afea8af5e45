/* Which laws are asked of a cube, how often, and what is reported. */
#include "query/laws.h"

#include "query/laws_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *sentence;
    vc_law_case *ask;
} laws_list[VC_LAWS] = {
    {"primary", "measures of the primary answer the same in the virtual cube and by themselves",
     vc_law_primary},
    {"joined", "All of a full join is All of the joined source", vc_law_joined},
    {"conservation", "a left join and what is unmatched make the source", vc_law_conservation},
    {"no double count",
     "a member has at most the sum of its children, and exactly that where they share no fact",
     vc_law_children},
    {"order", "the order of joins, drilldowns and measures changes no number", vc_law_order},
    {"adding", "one measure more changes no other, and drops no row", vc_law_adding},
    {"split", "two cuts without a common member add up", vc_law_split},
    {"snapshot", "the same query on the same snapshot has the same body, byte by byte",
     vc_law_snapshot},
};

const char *vc_law_name(unsigned law)
{
    return laws_list[law - 1].name;
}

const char *vc_law_sentence(unsigned law)
{
    return laws_list[law - 1].sentence;
}

/* ---- notes ---- */

vc_status vc_law_note_put(vc_laws *laws, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    vc_law_note *notes = laws->notes.items;
    for (size_t i = 0; i < laws->notes.count; i++)
        if (vc_str_is(notes[i].text, text)) {
            notes[i].count++;
            return VC_OK;
        }
    vc_law_note *note = VC_LIST_NEW(&laws->notes, laws->arena, vc_law_note);
    if (note == NULL) return vc_no_memory(laws->error);
    *note = (vc_law_note){.text = vc_arena_str(laws->arena, vc_str_of(text)), .count = 1};
    return note->text.data == NULL ? vc_no_memory(laws->error) : VC_OK;
}

static int compare_notes(const void *a, const void *b)
{
    const vc_law_note *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return vc_str_compare(x->text, y->text);
}

/* ---- cases ---- */

/* Rounds that make no case are many where a law hardly applies. */
enum { TRIES_PER_CASE = 8 };

static vc_status ask_law(vc_laws *laws, unsigned law, vc_law_report *report)
{
    vc_status status = VC_OK;
    uint64_t seed = laws->options->seed * 0x9E3779B97F4A7C15u + law;
    for (size_t i = 0; i < laws->cube->name.size; i++)
        seed = (seed ^ (unsigned char)laws->cube->name.data[i]) * 0x100000001B3u;
    *report = (vc_law_report){.law = law};
    laws->report = report;
    laws->notes = (vc_list){0};
    uint64_t ntries = (uint64_t)laws->options->rounds * TRIES_PER_CASE;
    for (uint64_t i = 0; i < ntries && report->ncases < laws->options->rounds &&
                         report->breach == NULL && status == VC_OK;
         i++) {
        bool is_asked = false;
        laws->random = seed + i * 0xD1B54A32D192ED03u; /* a case does not depend on others */
        if (laws->options->progress != NULL)
            laws->options->progress(laws->options->context, law, (uint32_t)report->ncases);
        status = laws_list[law - 1].ask(laws, &is_asked);
        if (laws->is_ambiguous && status == VC_OK)
            status = vc_law_note_put(laws, "rows that cannot be told apart by their keys");
        report->ncases += is_asked && !laws->is_ambiguous;
        laws->is_ambiguous = false;
        vc_arena_clear(&laws->work);
    }
    if (laws->notes.count > 0)
        qsort(laws->notes.items, laws->notes.count, sizeof(vc_law_note), compare_notes);
    report->notes = laws->notes.items;
    report->nnotes = laws->notes.count;
    return status;
}

/* A second model of the same snapshot, for L8. */
static vc_status open_again(vc_laws *laws)
{
    const vc_cube *cube;
    vc_status status =
        vc_model_new(vc_model_snapshot(laws->model), false, &laws->again, laws->error);
    return status == VC_OK ? vc_model_cube(laws->again, laws->cube->name, &cube, laws->error)
                           : status;
}

vc_status vc_laws_check(vc_model *model, vc_str cube, const vc_laws_options *options,
                        vc_arena *arena, vc_law_report reports_out[VC_LAWS], vc_error *error)
{
    vc_laws laws = {.model = model, .options = options, .arena = arena, .error = error};
    vc_status status = vc_model_cube(model, cube, &laws.cube, error);
    if (status == VC_OK) status = vc_laws_learn(&laws);
    if (status == VC_OK) status = vc_laws_vary(&laws);
    if (status == VC_OK) status = open_again(&laws);
    for (unsigned law = 1; law <= VC_LAWS; law++) {
        bool is_wanted = options->laws == 0 || (options->laws >> (law - 1) & 1) != 0;
        reports_out[law - 1] = (vc_law_report){.law = law};
        if (status == VC_OK && is_wanted && laws.nmeasures > 0)
            status = ask_law(&laws, law, &reports_out[law - 1]);
    }
    vc_model_free(laws.again);
    vc_arena_release(&laws.work);
    return status;
}
