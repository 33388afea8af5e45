#include "http/log.h"

#include "base/json_writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_TARGET = 1000, MAX_TEXT = 2000 };

/* ---- what is safe to show ---- */

/* A text from outside: cut, without tokens, and without what could break a line or colour a
 * terminal (controls of ASCII and of Unicode, bytes that are no UTF-8), which show as "?". */
static void put_text(vc_json_writer *json, const char *key, vc_str text, size_t longest)
{
    char safe[MAX_TEXT + 4];
    size_t size = text.size < longest ? text.size : longest, at = 0, bad;
    if (vc_str_is_null(text)) return;
    memcpy(safe, text.data, size);
    while (!vc_utf8_check((vc_str){safe + at, size - at}, &bad)) {
        at += bad;
        safe[at++] = '?';
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)safe[i];
        bool is_c1 = byte == 0xC2 && i + 1 < size && (unsigned char)safe[i + 1] < 0xA0;
        if (byte < 0x20 || byte == 0x7F) safe[i] = '?';
        if (is_c1) safe[i] = safe[i + 1] = '?';
    }
    vc_tokens_mask(safe, size);
    if (size < text.size)
        for (int i = 0; i < 3; i++)
            safe[size++] = '.';
    vc_json_put_str(json, key, (vc_str){safe, size});
}

/* Printable ASCII stays. */
static void put_target(vc_json_writer *json, const char *target)
{
    char text[MAX_TARGET + 1];
    size_t size = 0;
    for (; target != NULL && target[size] != '\0' && size <= MAX_TARGET; size++)
        text[size] = target[size] >= 0x20 && target[size] < 0x7F ? target[size] : '?';
    put_text(json, "target", (vc_str){text, size}, MAX_TARGET);
}

static void put_time(vc_json_writer *json)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    vc_json_put_key(json, "time");
    vc_buffer_printf(json->out, "\"%s.%03ldZ\"", stamp, now.tv_nsec / 1000000);
}

static void put_ms(vc_json_writer *json, const char *key, int64_t span_ns)
{
    vc_json_put_double(json, key, (double)(span_ns / 1000) / 1e3);
}

/* ---- requests ---- */

void vc_log_request(vc_log *log, const vc_logged *logged)
{
    vc_buffer line = {0};
    vc_json_writer json = {.out = &line};
    vc_json_begin(&json, NULL, '{');
    put_time(&json);
    put_text(&json, "request_id", vc_str_of(logged->request_id), MAX_TEXT);
    vc_json_put_text(&json, "method", logged->method);
    put_target(&json, logged->target);
    vc_json_put_uint(&json, "status", logged->status);
    vc_json_put_uint(&json, "bytes", logged->bytes);
    put_ms(&json, "ms", logged->elapsed_ns);
    if (logged->snapshot[0] != '\0') vc_json_put_text(&json, "snapshot", logged->snapshot);
    vc_json_put_given(&json, "role", logged->role);
    vc_json_put_given(&json, "token", vc_str_of(logged->token_id));
    if (!logged->is_whole) vc_json_put_bool(&json, "aborted", true);
    vc_json_end(&json, '}');
    vc_log_put(log, &line);
}

void vc_log_slow(vc_log *log, const vc_logged_slow *slow)
{
    vc_buffer line = {0};
    vc_json_writer json = {.out = &line};
    vc_json_begin(&json, NULL, '{');
    put_time(&json);
    vc_json_put_bool(&json, "slow", true);
    put_text(&json, "request_id", vc_str_of(slow->request_id), MAX_TEXT);
    vc_json_put_text(&json, "route", slow->route);
    put_text(&json, "cube", slow->cube, 200);
    put_text(&json, "query", slow->query, MAX_TEXT);
    vc_json_put_given(&json, "role", slow->role);
    vc_json_put_given(&json, "token", vc_str_of(slow->token_id));
    vc_json_put_uint(&json, "status", slow->status);
    vc_json_put_uint(&json, "bytes", slow->bytes);
    if (slow->nrows > 0) vc_json_put_uint(&json, "rows", slow->nrows);
    put_ms(&json, "ms", slow->elapsed_ns);
    put_ms(&json, "queue_ms", slow->queued_ns);
    put_ms(&json, "prepare_ms", slow->prepared_ns);
    put_ms(&json, "run_ms", slow->run_ns);
    put_ms(&json, "render_ms", slow->rendered_ns);
    vc_json_end(&json, '}');
    vc_log_put(log, &line);
}

/* ---- people ---- */

/* Where programs read, people's lines are theirs, too. */
static void put_message(vc_log *log, const char *text)
{
    vc_buffer line = {0};
    vc_json_writer json = {.out = &line};
    vc_json_begin(&json, NULL, '{');
    put_time(&json);
    put_text(&json, "message", vc_str_of(text), MAX_TEXT);
    vc_json_end(&json, '}');
    vc_log_put(log, &line);
}

static void put_line(vc_log *log, char *text)
{
    vc_buffer line = {0};
    vc_tokens_mask(text, strlen(text));
    vc_buffer_printf(&line, "vcube: %s", text);
    for (size_t i = 0; i < line.size; i++)
        if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7F) line.data[i] = '?';
    vc_log_put(log, &line);
}

void vc_log_say(vc_log *log, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (vc_log_is_file(log))
        put_message(log, text);
    else
        put_line(log, text);
}

void vc_log_tokens(vc_service *service, vc_gate *gate, const vc_error *error)
{
    char text[2048];
    size_t nstray;
    if (service->options.is_quiet) return;
    if (error != NULL) {
        vc_log_say(&service->log, "tokens: %s; the old ones stay in force",
                   vc_error_format(error, text, sizeof text));
        return;
    }
    vc_admission *admission = vc_gate_admission(gate);
    const char *stray = vc_admission_stray(admission, &nstray);
    vc_log_say(&service->log, "tokens: %zu are in force", vc_admission_ntokens(admission));
    if (stray != NULL)
        vc_log_say(&service->log,
                   "tokens: %zu are of roles that there are not, and are refused; one is %s",
                   nstray, stray);
    vc_admission_release(admission);
}

void vc_log_failure(vc_service *service, const char *request_id, const vc_error *error)
{
    /* A full queue is told to the client, and one that left needs no answer; logging either would
     * make an overload dearer. */
    if (service->options.is_quiet || error->status == VC_BUSY || error->status == VC_CANCELLED)
        return;
    char text[2048];
    vc_log_say(&service->log, "request %s: %u %s: %s", request_id, vc_reply_status_of(error),
               error->code != NULL ? error->code : "internal",
               vc_error_format(error, text, sizeof text));
}
