#include "render/unmatched.h"

#include "base/json_writer.h"
#include "render/parts.h"

static void put_values(vc_json_writer *json, const vc_missed *missed, const vc_cell *values)
{
    vc_json_begin(json, "value", '{');
    for (size_t m = 0; m < missed->nmeasures; m++) {
        vc_result_measure measure = {.type = missed->measures[m].type,
                                     .scale = missed->measures[m].scale};
        if (json->has_before) vc_buffer_put_char(json->out, ',');
        json->has_before = true;
        vc_buffer_put_json(json->out, missed->measures[m].name);
        vc_buffer_put_char(json->out, ':');
        if (values[m].is_null)
            vc_buffer_put_text(json->out, "null");
        else
            vc_put_number(json->out, &measure, &values[m]);
    }
    vc_json_end(json, '}');
}

static void put_key(vc_json_writer *json, const vc_missed *missed, const vc_missed_key *key)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "key", key->key->key);
    vc_json_put_uint(json, "members", key->key->nleaves);
    vc_json_put_text(json, "why", key->key->why);
    if (key->key->is_excluded) vc_json_put_bool(json, "excluded", true);
    put_values(json, missed, key->values);
    vc_json_begin(json, "suggestions", '[');
    for (size_t i = 0; i < key->nsuggestions; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "key", key->suggestions[i].key);
        vc_json_put_text(json, "why", key->suggestions[i].why);
        if (key->suggestions[i].step != NULL)
            vc_json_put_text(json, "normalize", key->suggestions[i].step);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

void vc_missed_put_json(vc_buffer *out, vc_str cube, vc_str snapshot, const vc_missed_query *query,
                        const vc_missed *missed, size_t nmissed)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", cube);
    vc_json_put_str(&json, "snapshot", snapshot);
    vc_json_put_uint(&json, "offset", query->offset);
    vc_json_put_uint(&json, "limit", query->limit);
    vc_json_begin(&json, "unmatched", '[');
    for (size_t i = 0; i < nmissed; i++) {
        vc_json_begin(&json, NULL, '{');
        vc_json_put_str(&json, "source", missed[i].source);
        vc_json_put_str(&json, "dim", missed[i].dimension);
        vc_json_put_str(&json, "to_dim", missed[i].to_name);
        vc_json_put_given(&json, "through", missed[i].through);
        vc_json_put_uint(&json, "total", missed[i].nall);
        put_values(&json, &missed[i], missed[i].values);
        vc_json_begin(&json, "keys", '[');
        for (size_t k = 0; k < missed[i].nkeys; k++)
            put_key(&json, &missed[i], &missed[i].keys[k]);
        vc_json_end(&json, ']');
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
}
