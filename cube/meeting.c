#include "cube/meeting.h"

#include <assert.h>
#include <string.h>

static uint64_t *copy_bits(const vc_meeting *meeting, const uint64_t *bits)
{
    uint64_t *copy = VC_ARENA_NEW(meeting->arena, uint64_t, meeting->nwords + 1);
    if (copy != NULL) memcpy(copy, bits, meeting->nwords * sizeof *copy);
    return copy;
}

static vc_status add_places(vc_meeting *meeting, const uint64_t *bits, vc_error *error)
{
    uint32_t nleaves = meeting->dimension->nleaves;
    uint64_t *leaves = copy_bits(meeting, bits);
    if (meeting->counts == NULL)
        meeting->counts = VC_ARENA_NEW(meeting->arena, uint32_t, (size_t)nleaves + 1);
    if (leaves == NULL || meeting->counts == NULL) return vc_no_memory(error);
    vc_dimension_mark_places(meeting->dimension, leaves);
    for (size_t w = 0; meeting->leaves != NULL && w < meeting->nwords; w++)
        leaves[w] &= meeting->leaves[w];
    meeting->leaves = leaves;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        meeting->counts[leaf] += vc_bit_get(bits, leaf);
    return VC_OK;
}

vc_status vc_meeting_add(vc_meeting *meeting, const uint64_t *bits, vc_error *error)
{
    if (meeting->all == NULL) {
        meeting->all = copy_bits(meeting, bits);
        if (meeting->all == NULL) return vc_no_memory(error);
    } else {
        for (size_t w = 0; w < meeting->nwords; w++)
            meeting->all[w] &= bits[w];
    }
    return meeting->dimension->ndoubles == 0 ? VC_OK : add_places(meeting, bits, error);
}

vc_status vc_meeting_end(const vc_meeting *meeting, uint64_t **bits_out, vc_error *error)
{
    const vc_dimension *dimension = meeting->dimension;
    uint64_t *bits = meeting->all;
    assert(bits != NULL);
    *bits_out = bits;
    if (dimension->ndoubles == 0) return VC_OK;
    uint32_t *most = VC_ARENA_NEW(meeting->arena, uint32_t, (size_t)dimension->nleaves + 1);
    if (most == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++) {
        uint32_t first = vc_leaf_first(dimension, leaf);
        if (meeting->counts[leaf] > most[first]) most[first] = meeting->counts[leaf];
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (vc_bit_get(meeting->leaves, leaf) &&
            meeting->counts[leaf] == most[vc_leaf_first(dimension, leaf)])
            vc_bit_set(bits, leaf);
    return VC_OK;
}
