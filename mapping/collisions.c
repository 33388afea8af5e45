#include "mapping/collisions.h"

bool vc_collisions_note(vc_collisions *collisions, vc_str first, vc_str later, vc_str key,
                        vc_arena *arena)
{
    size_t at = 0;
    collisions->count++;
    while (at < collisions->nlisted && !vc_str_equal(collisions->listed[at].found[0], first))
        at++;
    if (at == VC_COLLISIONS_LISTED) return true;
    vc_collision *collision = &collisions->listed[at];
    if (at == collisions->nlisted) {
        *collision = (vc_collision){.key = vc_arena_str(arena, key), .found = {first}, .nfound = 1};
        if (vc_str_is_null(collision->key)) return false;
        collisions->nlisted++;
    }
    if (collision->nfound < VC_COLLISION_KEYS) collision->found[collision->nfound] = later;
    collision->nfound++;
    return true;
}

bool vc_collisions_copy(const vc_collisions *from, vc_arena *arena, vc_collisions *out)
{
    *out = *from;
    for (size_t i = 0; i < out->nlisted; i++) {
        out->listed[i].key = vc_arena_str(arena, from->listed[i].key);
        if (vc_str_is_null(out->listed[i].key)) return false;
    }
    return true;
}

vc_str vc_collisions_text(const vc_collisions *collisions, vc_arena *arena)
{
    vc_str text = VC_STR("");
    uint64_t nshown = 0;
    for (size_t i = 0; i < collisions->nlisted; i++) {
        const vc_collision *collision = &collisions->listed[i];
        text = vc_arena_printf(arena, "%.*s%s", VC_FMT(text), i > 0 ? ", " : "");
        for (uint32_t k = 0; k < collision->nfound && k < VC_COLLISION_KEYS; k++)
            text = vc_arena_printf(arena, "%.*s%s'%.*s'", VC_FMT(text), k > 0 ? " and " : "",
                                   VC_FMT(collision->found[k]));
        if (collision->nfound > VC_COLLISION_KEYS)
            text = vc_arena_printf(arena, "%.*s and %u more", VC_FMT(text),
                                   collision->nfound - VC_COLLISION_KEYS);
        text = vc_arena_printf(arena, "%.*s (%.*s)", VC_FMT(text), VC_FMT(collision->key));
        nshown += collision->nfound - 1;
    }
    return nshown < collisions->count ? vc_arena_printf(arena, "%.*s, ...", VC_FMT(text)) : text;
}
