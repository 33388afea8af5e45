#include "http/log.h"

#include "base/json_writer.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TARGET = 1000 };

/* Printable ASCII stays; a line can neither be broken nor coloured from outside. */
static void put_target(vc_json_writer *json, const char *target)
{
    char text[MAX_TARGET + 4];
    size_t size = 0;
    for (; target != NULL && target[size] != '\0' && size < MAX_TARGET; size++)
        text[size] = target[size] >= 0x20 && target[size] < 0x7F ? target[size] : '?';
    if (size == MAX_TARGET)
        for (int i = 0; i < 3; i++)
            text[size++] = '.';
    vc_json_put_str(json, "target", (vc_str){text, size});
}

static void write_line(vc_buffer *line)
{
    vc_buffer_put_char(line, '\n');
    /* A log that nobody can take is no reason to fail a request. */
    ssize_t written = line->failed ? 0 : write(STDERR_FILENO, line->data, line->size);
    (void)written;
    vc_buffer_release(line);
}

void vc_log_request(const vc_logged *logged)
{
    vc_buffer line = {0};
    vc_json_writer json = {.out = &line};
    struct timespec now;
    struct tm utc;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    vc_json_begin(&json, NULL, '{');
    vc_json_put_key(&json, "time");
    vc_buffer_printf(&line, "\"%s.%03ldZ\"", stamp, now.tv_nsec / 1000000);
    vc_json_put_text(&json, "request_id", logged->request_id);
    vc_json_put_text(&json, "method", logged->method);
    put_target(&json, logged->target);
    vc_json_put_uint(&json, "status", logged->status);
    vc_json_put_uint(&json, "bytes", logged->bytes);
    vc_json_put_double(&json, "ms", (double)(logged->elapsed_ns / 1000) / 1e3);
    if (logged->snapshot[0] != '\0') vc_json_put_text(&json, "snapshot", logged->snapshot);
    if (!logged->is_whole) vc_json_put_bool(&json, "aborted", true);
    vc_json_end(&json, '}');
    write_line(&line);
}

void vc_log_failure(const vc_service *service, const char *request_id, const vc_error *error)
{
    /* A full queue is told to the client, and one that left needs no answer; logging either would
     * make an overload dearer. */
    if (service->options.is_quiet || error->status == VC_BUSY || error->status == VC_CANCELLED)
        return;
    char text[2048];
    vc_buffer line = {0};
    vc_buffer_printf(&line, "vcube: request %s: %u %s: %s", request_id, vc_reply_status_of(error),
                     error->code != NULL ? error->code : "internal",
                     vc_error_format(error, text, sizeof text));
    for (size_t i = 0; i < line.size; i++)
        if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7F) line.data[i] = '?';
    write_line(&line);
}
