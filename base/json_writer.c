#include "base/json_writer.h"

void vc_json_put_key(vc_json_writer *json, const char *key)
{
    if (json->has_before) vc_buffer_put_char(json->out, ',');
    json->has_before = true;
    if (key == NULL) return;
    vc_buffer_put_char(json->out, '"');
    vc_buffer_put_text(json->out, key);
    vc_buffer_put_text(json->out, "\":");
}

void vc_json_begin(vc_json_writer *json, const char *key, char bracket)
{
    vc_json_put_key(json, key);
    vc_buffer_put_char(json->out, bracket);
    json->has_before = false;
}

void vc_json_end(vc_json_writer *json, char bracket)
{
    vc_buffer_put_char(json->out, bracket);
    json->has_before = true;
}

void vc_json_put_str(vc_json_writer *json, const char *key, vc_str text)
{
    vc_json_put_key(json, key);
    vc_buffer_put_json(json->out, text);
}

void vc_json_put_text(vc_json_writer *json, const char *key, const char *text)
{
    vc_json_put_str(json, key, vc_str_of(text));
}

void vc_json_put_uint(vc_json_writer *json, const char *key, uint64_t value)
{
    vc_json_put_key(json, key);
    vc_buffer_printf(json->out, "%llu", (unsigned long long)value);
}

void vc_json_put_bool(vc_json_writer *json, const char *key, bool value)
{
    vc_json_put_key(json, key);
    vc_buffer_put_text(json->out, value ? "true" : "false");
}

void vc_json_put_double(vc_json_writer *json, const char *key, double value)
{
    vc_json_put_key(json, key);
    vc_buffer_put_double(json->out, value);
}

void vc_json_put_null(vc_json_writer *json, const char *key)
{
    vc_json_put_key(json, key);
    vc_buffer_put_text(json->out, "null");
}

void vc_json_put_given(vc_json_writer *json, const char *key, vc_str text)
{
    if (text.size > 0) vc_json_put_str(json, key, text);
}
