/* Requests that change something: who may, and on what condition.
 *
 * Roles and tokens come before this (http/access.h). A server without them is open to its machine,
 * and any page of the web that is looked at there can send requests to it. So a change is taken
 * only from a program or from a page of this very server, and its body only in a type that no form
 * can send (a browser asks first whether it may send such a type, and is not told so). Threads:
 * pure.
 */
#ifndef HTTP_CHANGE_H
#define HTTP_CHANGE_H

#include "http/reply.h"
#include "http/request.h"
#include "http/server.h"
#include "storage/store.h"

/* May the request do what its route does? Asked before its body is taken.
 *
 * traits  of the route (VC_ROUTE_..., http/route.h)
 *
 * VC_IMPOSSIBLE, codes "read_only" and "foreign_origin" (403); VC_BAD_INPUT, code
 * "unsupported_media_type". */
vc_status vc_change_check(const vc_server_options *options, const vc_request *request,
                          unsigned traits, vc_error *error);

/* Is it the media type? What stands behind a ";" does not matter. */
bool vc_media_type_is(vc_str content_type, const char *wanted);

/* A parameter of a media type: utf-8 for charset in `text/csv; charset="utf-8"`; absent when it is
 * not there. */
vc_str vc_media_type_parameter(vc_str content_type, const char *name);

/* Tag the reply as the definition with this text. */
void vc_change_tag(vc_reply *reply, vc_str text);

/* Do If-Match and If-None-Match allow the change of the cube that the request's path ends in? Asked
 * within the load. They may name the tag of GET of the cube, which changes with every load of the
 * store, or that of its definition, which does not.
 *
 * salt  of the reply's tags
 *
 * VC_CONFLICT, code "precondition_failed" (412). */
vc_status vc_change_check_match(const vc_request *request, const char *version, const char *salt,
                                const vc_snapshot *published, vc_str cube, vc_error *error);

#endif
