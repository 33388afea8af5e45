#include "render/collisions.h"

static void put_examples(vc_json_writer *json, const vc_collisions *collisions, const char *side)
{
    for (size_t i = 0; i < collisions->nlisted; i++) {
        const vc_collision *collision = &collisions->listed[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_text(json, "side", side);
        vc_json_put_str(json, "became", collision->key);
        vc_json_put_uint(json, "count", collision->nfound);
        vc_json_begin(json, "keys", '[');
        for (uint32_t k = 0; k < collision->nfound && k < VC_COLLISION_KEYS; k++)
            vc_json_put_str(json, NULL, collision->found[k]);
        vc_json_end(json, ']');
        vc_json_end(json, '}');
    }
}

void vc_collisions_put_json(vc_json_writer *json, const vc_relation *relation)
{
    vc_json_begin(json, "collisions", '{');
    vc_json_put_uint(json, "keys", relation->joined_collisions.count);
    vc_json_put_uint(json, "primary_keys", relation->primary_collisions.count);
    vc_json_begin(json, "examples", '[');
    put_examples(json, &relation->joined_collisions, "joined");
    put_examples(json, &relation->primary_collisions, "primary");
    vc_json_end(json, ']');
    vc_json_end(json, '}');
    vc_json_put_uint(json, "primary_duplicates", relation->primary_duplicates);
}
