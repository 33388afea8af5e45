/* Conditions -> selections: which slots of each dimension the query asks for. */
#include "cube/meeting.h"
#include "slice/calculated.h"

/* meetings [ndimensions], of what several conditions leave */
static vc_status add_condition(vc_plan *plan, const vc_condition *condition, vc_meeting *meetings,
                               vc_error *error)
{
    size_t number;
    vc_status status =
        vc_cube_find_dimension(plan->cube, condition->dimref.dimension, &number, error);
    if (status != VC_OK) return vc_error_at_place(error, status, condition->dimref.place);
    const vc_cube_dimension *outer = &plan->cube->dimensions[number];
    uint64_t *bits, *calculated;
    const vc_condition *rest;
    vc_selection *selection = &plan->selections[number];
    status =
        vc_calculated_split(plan, number, condition, &rest, &calculated, &selection->named, error);
    if (status != VC_OK) return status;
    status = vc_condition_evaluate(plan->cube, outer, rest, plan->arena, &bits, error);
    if (status != VC_OK || !vc_condition_restricts(condition)) return status;
    for (size_t w = 0; selection->calculated != NULL && w < vc_bits_words(plan->ncalculated); w++)
        calculated[w] &= selection->calculated[w];
    selection->calculated = calculated;
    selection->is_cut = true;
    meetings[number].dimension = outer->dimension;
    meetings[number].nwords = vc_bits_words(outer->nslots);
    meetings[number].arena = plan->arena;
    return vc_meeting_add(&meetings[number], bits, error);
}

/* What the conditions leave of what the cube has. */
static vc_status meet_conditions(vc_plan *plan, size_t dimension, const vc_meeting *meeting,
                                 vc_error *error)
{
    const uint64_t *visible = plan->cube->dimensions[dimension].visible;
    uint64_t *bits;
    if (meeting->all == NULL) return VC_OK;
    vc_status status = vc_meeting_end(meeting, &bits, error);
    for (size_t w = 0; status == VC_OK && visible != NULL && w < meeting->nwords; w++)
        bits[w] &= visible[w];
    plan->selections[dimension].slots = bits;
    return status;
}

/* Most selections are one range of leaves, because a member is one: that is worth knowing. */
void vc_selection_measure(const vc_cube_dimension *outer, vc_selection *selection)
{
    uint32_t nleaves = outer->dimension->nleaves;
    const uint64_t *bits = selection->slots;
    selection->end = nleaves;
    if (bits != NULL) {
        selection->first = (uint32_t)vc_bits_first(bits, nleaves);
        selection->end = (uint32_t)vc_bits_end(bits, nleaves);
        if (selection->first > selection->end) selection->first = selection->end = 0;
    }
    selection->is_range = bits == NULL || vc_bits_all(bits, selection->first, selection->end);
    for (uint32_t slot = nleaves; slot < outer->nslots; slot++)
        selection->has_synthetic |= bits == NULL || vc_bit_get(bits, slot);
}

/* Does the query cut or drill the dimension? "()" does, too: it asks for All. */
static bool is_mentioned(const vc_plan *plan, size_t dimension)
{
    vc_str name = plan->cube->dimensions[dimension].name;
    for (size_t i = 0; i < plan->query->nconditions; i++)
        if (vc_str_equal(plan->query->conditions[i]->dimref.dimension, name)) return true;
    for (size_t i = 0; i < plan->query->naxes; i++)
        if (vc_str_equal(plan->query->axes[i].dimref.dimension, name)) return true;
    return false;
}

/* A default member is no cut: it triggers no policy. */
static vc_status take_default(vc_plan *plan, size_t dimension, vc_error *error)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[dimension];
    vc_selection *selection = &plan->selections[dimension];
    size_t nwords = vc_bits_words(outer->nslots);
    if (outer->default_slots == NULL || is_mentioned(plan, dimension)) return VC_OK;
    vc_selection *whole = VC_ARENA_NEW(plan->arena, vc_selection, 1);
    uint64_t *slots = VC_ARENA_NEW(plan->arena, uint64_t, nwords + 1);
    if (whole == NULL || slots == NULL) return vc_no_memory(error);
    *whole = *selection;
    vc_selection_measure(outer, whole);
    for (size_t w = 0; w < nwords; w++)
        slots[w] =
            outer->default_slots[w] & (selection->slots == NULL ? UINT64_MAX : selection->slots[w]);
    *selection = (vc_selection){.is_default = true, .slots = slots, .whole = whole};
    return VC_OK;
}

/* Is a selection one of calculated members alone? */
static void find_calculated(const vc_plan *plan, size_t dimension)
{
    vc_selection *selection = &plan->selections[dimension];
    bool has_some = false, has_others = false;
    if (selection->calculated == NULL) return;
    for (size_t w = 0; w < vc_bits_words(plan->ncalculated); w++)
        has_some |= selection->calculated[w] != 0;
    for (size_t w = 0; w < vc_bits_words(plan->cube->dimensions[dimension].nslots); w++)
        has_others |= selection->slots[w] != 0;
    selection->is_calculated = has_some && !has_others;
}

vc_status vc_plan_select(vc_plan *plan, vc_error *error)
{
    plan->selections = VC_ARENA_NEW(plan->arena, vc_selection, plan->cube->ndimensions + 1);
    vc_meeting *meetings = VC_ARENA_NEW(plan->arena, vc_meeting, plan->cube->ndimensions + 1);
    if (plan->selections == NULL || meetings == NULL) return vc_no_memory(error);
    for (size_t d = 0; d < plan->cube->ndimensions; d++)
        plan->selections[d].slots = plan->cube->dimensions[d].visible;
    for (size_t i = 0; i < plan->query->nconditions; i++) {
        vc_status status = add_condition(plan, plan->query->conditions[i], meetings, error);
        if (status != VC_OK) return status;
    }
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        vc_status status = meet_conditions(plan, d, &meetings[d], error);
        if (status == VC_OK) status = take_default(plan, d, error);
        if (status != VC_OK) return status;
    }
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        vc_selection_measure(&plan->cube->dimensions[d], &plan->selections[d]);
        find_calculated(plan, d);
    }
    return VC_OK;
}
