/* A first page for people: the cubes, each with addresses to try. */
#include "http/link.h"
#include "http/service.h"

static void put_escaped(vc_buffer *out, vc_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '&')
            vc_buffer_put_text(out, "&amp;");
        else if (byte == '<')
            vc_buffer_put_text(out, "&lt;");
        else if (byte == '>')
            vc_buffer_put_text(out, "&gt;");
        else if (byte == '"')
            vc_buffer_put_text(out, "&quot;");
        else
            vc_buffer_put_char(out, byte);
    }
}

static void put_link(vc_buffer *out, vc_str cube, const char *rest, vc_str dimension)
{
    vc_buffer_put_text(out, "<li><a href=\"/v1/cubes/");
    vc_link_put_encoded(out, cube);
    vc_buffer_put_text(out, rest);
    vc_link_put_encoded(out, dimension);
    vc_buffer_put_text(out, "\">/v1/cubes/");
    vc_link_put_encoded(out, cube);
    put_escaped(out, vc_str_of(rest));
    vc_link_put_encoded(out, dimension);
    vc_buffer_put_text(out, "</a></li>\n");
}

static void put_cube(vc_buffer *out, const vc_definition *definition)
{
    bool is_virtual = definition->kind == VC_DEFINITION_VIRTUAL;
    vc_buffer_put_text(out, "<h2>");
    put_escaped(out, definition->label.size > 0 ? definition->label : definition->name);
    vc_buffer_put_text(out, " <small>");
    put_escaped(out, definition->name);
    vc_buffer_put_text(out, is_virtual ? ", virtual</small></h2>\n" : "</small></h2>\n");
    if (definition->description.size > 0) {
        vc_buffer_put_text(out, "<p>");
        put_escaped(out, definition->description);
        vc_buffer_put_text(out, "</p>\n");
    }
    vc_buffer_put_text(out, "<ul>\n");
    put_link(out, definition->name, "", VC_STR(""));
    if (is_virtual) {
        put_link(out, definition->name, "/aggregate", VC_STR(""));
        put_link(out, definition->name, "/coverage", VC_STR(""));
        put_link(out, definition->name, "/unmatched", VC_STR(""));
    } else if (definition->as.cube.ndimensions > 0) {
        put_link(out, definition->name,
                 "/aggregate?drilldown=", definition->as.cube.dimensions[0].name);
    }
    vc_buffer_put_text(out, "</ul>\n");
}

vc_status vc_handle_index(vc_call *call, vc_error *error)
{
    vc_object *objects = NULL;
    size_t nobjects = 0;
    static const char *const no_parameters[] = {NULL};
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    if (!vc_accepts(call->request->accept, "text", "html"))
        return vc_fail(error, VC_BAD_INPUT, "not_acceptable",
                       "this page is text/html; the programs' door is /v1/info");
    status = vc_call_open_model(call, (vc_str){0}, error);
    if (status != VC_OK || vc_call_is_known(call, VC_STR("index"))) return status;
    status = vc_snapshot_list(vc_model_snapshot(call->model), VC_KIND_CUBE, call->arena, &objects,
                              &nobjects, error);
    if (status != VC_OK) return status;
    vc_buffer *out = &call->reply->body;
    vc_buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                            "<title>vcube</title>\n<h1>vcube</h1>\n"
                            "<p><a href=\"/v1/info\">/v1/info</a> &middot; "
                            "<a href=\"/v1/cubes\">/v1/cubes</a></p>\n");
    for (size_t i = 0; i < nobjects && status == VC_OK; i++) {
        vc_definition *definition;
        status = vc_manifest_definition(&objects[i], call->arena, &definition, error);
        if (status != VC_OK) break;
        put_cube(out, definition);
        vc_definition_release(definition);
    }
    if (nobjects == 0) vc_buffer_put_text(out, "<p>The store has no cubes yet.</p>\n");
    vc_buffer_put_text(out, "</html>\n");
    call->reply->status = 200;
    call->reply->content_type = "text/html; charset=utf-8";
    return status;
}
