/* How soon does a server on this machine answer, and what, when so many ask at once?
 *
 *     build/bench/http_client PORT SECONDS CONNECTIONS RATE FILE [SEED]
 *
 * CONNECTIONS are kept open to 127.0.0.1:PORT for SECONDS. RATE 0: each asks again as soon as it is
 * answered. Otherwise so many requests a second fall due whatever becomes of those before, and the
 * time of each counts from then, so that a server that stops does not stop the clock.
 *
 * FILE is a list of requests, from which one is drawn each time by weight:
 *
 *     WEIGHT BYTES LABEL\n and so many bytes, as they are to be sent
 *
 * Prints a line for each label and status, times in microseconds, and one of what went wrong:
 *
 *     LABEL STATUS COUNT MEAN P50 P99 P999 MAX
 *     errors refused N reset N unanswered N broken N late N
 *
 * refused: no connection; reset: by the server; unanswered: closed at the end of a request instead
 * of an answer, twice in a row (once is a connection that was idle for too long); broken: closed
 * within an answer, or not HTTP; late: no answer in 60 seconds, or not when the time was over.
 */
#include "base/clock.h"
#include "http/turns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_REQUESTS = 4096,
    MAX_CONNECTIONS = 2000,
    MAX_LABELS = 64,
    NSTATUSES = 600,
    HEAD_BYTES = 16 * 1024,
    READ_BYTES = 256 * 1024,
    FINE_BITS = 6, /* 64 steps for each power of two: 1.6 % */
    NSTEPS = 64 << FINE_BITS,
    LATEST_S = 60,
    LAST_WAIT_S = 20, /* for answers, when the time is over */
};

typedef struct request {
    const char *bytes;
    size_t size;
    uint64_t until; /* of the sum of the weights */
    unsigned label;
    bool is_head;
} request;

typedef struct times {
    uint64_t count, total_us, max_us;
    uint64_t steps[NSTEPS];
} times;

typedef struct connection {
    int fd; /* -1: closed */
    const request *request;
    size_t sent;
    int64_t due_ns, asked_ns;
    char head[HEAD_BYTES];
    size_t head_size;
    bool is_in_body, is_chunked, closes, is_reused, is_retried;
    unsigned status;
    uint64_t left;   /* of the body, or of the chunk and its line end */
    int chunk_state; /* see take_chunked */
} connection;

static request requests[MAX_REQUESTS];
static char labels[MAX_LABELS][40];
static times *results[MAX_LABELS][NSTATUSES];
static connection connections[MAX_CONNECTIONS];
static unsigned nrequests, nlabels, nconnections, free_ones[MAX_CONNECTIONS], nfree;
static uint64_t random_state, weights;
static uint64_t nrefused, nreset, nunanswered, nbroken, nlate;
static struct sockaddr_in address = {.sin_family = AF_INET};
static int epoll;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "http_client: %s\n", what);
    exit(1);
}

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- times ---- */

static unsigned step_of(uint64_t us)
{
    if (us < 1 << FINE_BITS) return (unsigned)us;
    unsigned shift = 63 - FINE_BITS - (unsigned)__builtin_clzll(us);
    return ((shift + 1) << FINE_BITS) + (unsigned)((us >> shift) - (1 << FINE_BITS));
}

static uint64_t end_of_step(unsigned step)
{
    if (step < 2 << FINE_BITS) return step;
    unsigned shift = (step >> FINE_BITS) - 1;
    return ((uint64_t)(step % (1 << FINE_BITS)) + (1 << FINE_BITS) + 1) << shift;
}

static void note(unsigned label, unsigned status, int64_t ns)
{
    times **of = &results[label][status < NSTATUSES ? status : 0];
    if (*of == NULL) *of = calloc(1, sizeof **of);
    if (*of == NULL) fail("out of memory");
    uint64_t us = ns < 0 ? 0 : (uint64_t)ns / 1000;
    (*of)->count++;
    (*of)->total_us += us;
    (*of)->steps[step_of(us)]++;
    if (us > (*of)->max_us) (*of)->max_us = us;
}

static uint64_t quantile(const times *of, double share)
{
    uint64_t rank = (uint64_t)((double)of->count * share), seen = 0;
    for (unsigned step = 0; step < NSTEPS; step++) {
        seen += of->steps[step];
        if (seen > rank) {
            uint64_t end = end_of_step(step);
            return end < of->max_us ? end : of->max_us;
        }
    }
    return of->max_us;
}

/* ---- the list ---- */

static unsigned label_of(const char *text)
{
    for (unsigned i = 0; i < nlabels; i++)
        if (strcmp(labels[i], text) == 0) return i;
    if (nlabels == MAX_LABELS) fail("too many labels");
    snprintf(labels[nlabels], sizeof labels[0], "%s", text);
    return nlabels++;
}

static void read_requests(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) fail(path);
    unsigned long long weight;
    size_t size;
    char label[40];
    while (fscanf(file, "%llu %zu %39s", &weight, &size, label) == 3) {
        if (nrequests == MAX_REQUESTS || getc(file) != '\n') fail("a list of requests is wrong");
        char *bytes = malloc(size + 1);
        if (bytes == NULL || fread(bytes, 1, size, file) != size) fail("a request is cut short");
        bytes[size] = '\0';
        weights += weight;
        requests[nrequests++] =
            (request){bytes, size, weights, label_of(label), strncmp(bytes, "HEAD ", 5) == 0};
    }
    fclose(file);
    if (weights == 0) fail("no requests");
}

static const request *draw_request(void)
{
    uint64_t at = draw() % weights;
    unsigned i = 0;
    while (requests[i].until <= at)
        i++;
    return &requests[i];
}

/* ---- connections ---- */

static void watch(connection *c, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event) != 0) fail("epoll");
}

static void close_connection(connection *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static bool open_connection(connection *c)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        nrefused++;
        close_connection(c);
        return false;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->is_reused = false;
    watch(c, EPOLLIN, EPOLL_CTL_ADD);
    return true;
}

static void set_free(connection *c)
{
    c->request = NULL;
    free_ones[nfree++] = (unsigned)(c - connections);
}

static void send_more(connection *c)
{
    while (c->sent < c->request->size) {
        ssize_t size =
            send(c->fd, c->request->bytes + c->sent, c->request->size - c->sent, MSG_NOSIGNAL);
        if (size < 0) { /* an answer, or the end, is to be read: that tells what it is */
            if (errno == EAGAIN) watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        c->sent += (size_t)size;
    }
}

static void ask(connection *c)
{
    c->sent = c->head_size = 0;
    c->is_in_body = c->closes = false;
    if (c->fd < 0 && !open_connection(c)) {
        set_free(c);
        return;
    }
    send_more(c);
}

static void begin(connection *c, int64_t due_ns)
{
    c->request = draw_request();
    c->due_ns = due_ns;
    c->asked_ns = vc_clock_ns();
    c->is_retried = false;
    ask(c);
}

static void end_answer(connection *c)
{
    note(c->request->label, c->status, vc_clock_ns() - c->due_ns);
    c->is_reused = true;
    if (c->closes) close_connection(c);
    set_free(c);
}

static void lose(connection *c, uint64_t *reason)
{
    bool was_idle = c->is_reused && c->head_size == 0 && !c->is_in_body;
    close_connection(c);
    if (c->request == NULL) return; /* closed while idle, as it may be */
    if (was_idle && !c->is_retried) {
        c->is_retried = true;
        ask(c);
        return;
    }
    ++*reason;
    set_free(c);
}

/* ---- answers ---- */

static const char *find_header(const connection *c, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = c->head; (line = strstr(line, "\r\n")) != NULL;) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && line[size] == ':') return line + size + 1;
    }
    return NULL;
}

/* False when it is not HTTP. */
static bool read_head(connection *c)
{
    if (sscanf(c->head, "HTTP/1.1 %u", &c->status) != 1) return false;
    const char *length = find_header(c, "Content-Length");
    const char *coding = find_header(c, "Transfer-Encoding");
    const char *ends = find_header(c, "Connection");
    c->closes = ends != NULL && strncasecmp(ends + strspn(ends, " "), "close", 5) == 0;
    bool has_no_body = c->request->is_head || c->status == 304 || c->status == 204;
    c->is_chunked = coding != NULL && !has_no_body;
    c->chunk_state = 0;
    c->left = length != NULL && !has_no_body ? strtoull(length, NULL, 10) : 0;
    c->is_in_body = true;
    return length != NULL || coding != NULL || has_no_body;
}

/* States: 0 a digit of the size; 1 the rest of its line; 2 within the chunk; 3 the line after it;
 * 4 the last line, after a chunk of no bytes. Takes bytes; true at the end of the body. */
static bool take_chunked(connection *c, const char *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        char byte = data[i];
        if (c->chunk_state == 2) {
            size_t take = size - i < c->left ? size - i : (size_t)c->left;
            c->left -= take;
            i += take;
            if (c->left == 0) c->chunk_state = 3;
            continue;
        }
        i++;
        if (c->chunk_state == 0 && strchr("0123456789abcdefABCDEF", byte) != NULL)
            c->left = c->left * 16 + (uint64_t)(byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
        else if (c->chunk_state == 0)
            c->chunk_state = 1;
        if (byte != '\n') continue;
        if (c->chunk_state == 4) return true;
        if (c->chunk_state == 1)
            c->chunk_state = c->left > 0 ? 2 : 4;
        else
            c->chunk_state = 0;
    }
    return false;
}

static bool take_body(connection *c, const char *data, size_t size)
{
    if (c->is_chunked) return take_chunked(c, data, size);
    c->left -= size < c->left ? size : c->left;
    return c->left == 0;
}

/* False when the connection is lost. */
static bool take(connection *c, const char *data, size_t size)
{
    if (c->request == NULL) return false; /* an answer to nothing, or a time-out told */
    if (c->is_in_body) {
        if (take_body(c, data, size)) end_answer(c);
        return true;
    }
    size_t room = HEAD_BYTES - 1 - c->head_size, before = c->head_size;
    size_t taken = size < room ? size : room;
    memcpy(c->head + c->head_size, data, taken);
    c->head_size += taken;
    c->head[c->head_size] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) return room > 0;
    end[2] = '\0';
    if (!read_head(c)) return false;
    size_t used = (size_t)(end + 4 - c->head) - before;
    if (c->status / 100 == 1) { /* 100 Continue */
        c->is_in_body = false;
        c->head_size = 0;
        return used == size || take(c, data + used, size - used);
    }
    if (take_body(c, data + used, size - used)) end_answer(c);
    return true;
}

static void receive(connection *c)
{
    static char data[READ_BYTES];
    ssize_t size = recv(c->fd, data, sizeof data, 0);
    if (size > 0) {
        if (!take(c, data, (size_t)size)) lose(c, &nbroken);
    } else if (size == 0) {
        lose(c, c->head_size == 0 ? &nunanswered : &nbroken);
    } else if (errno != EAGAIN && errno != EINTR) {
        lose(c, &nreset);
    }
}

static void handle(const struct epoll_event *event)
{
    connection *c = event->data.ptr;
    if (c->fd < 0) return;
    if ((event->events & EPOLLOUT) != 0 && c->request != NULL) {
        watch(c, EPOLLIN, EPOLL_CTL_MOD);
        send_more(c);
    }
    if ((event->events & ~(uint32_t)EPOLLOUT) != 0) receive(c);
}

static void end_late_ones(int64_t now_ns, int64_t patience_ns)
{
    for (unsigned i = 0; i < nconnections; i++) {
        connection *c = &connections[i];
        if (c->request == NULL || now_ns - c->asked_ns < patience_ns) continue;
        nlate++;
        close_connection(c);
        set_free(c);
    }
}

/* ---- the run ---- */

/* Until something comes, or the next request falls due, or for a millisecond. */
static int await_events(struct epoll_event events[256], int64_t span_ns)
{
    const long longest_ns = 1000000;
    struct timespec span = {.tv_nsec = span_ns > longest_ns ? longest_ns
                                       : span_ns > 0        ? span_ns
                                                            : 0};
    return epoll_pwait2(epoll, events, 256, &span, NULL);
}

static void run(double seconds, double rate)
{
    int64_t began_ns = vc_clock_ns(), end_ns = began_ns + (int64_t)(seconds * 1e9);
    int64_t looked_ns = began_ns, now_ns = began_ns;
    uint64_t nbegun = 0;
    while (now_ns < end_ns ||
           (nfree < nconnections && now_ns < end_ns + INT64_C(1000000000) * LAST_WAIT_S)) {
        int64_t due_ns = now_ns, next_ns = now_ns + 1000000;
        while (nfree > 0 && now_ns < end_ns) {
            if (rate > 0) due_ns = began_ns + (int64_t)((double)nbegun * 1e9 / rate);
            next_ns = due_ns;
            if (due_ns > now_ns || due_ns >= end_ns) break;
            next_ns = now_ns + 1000000;
            nbegun++;
            unsigned before = nfree;
            begin(&connections[free_ones[--nfree]], due_ns);
            if (nfree == before) break; /* refused: not again at once */
        }
        struct epoll_event events[256];
        int nevents = await_events(events, next_ns - now_ns);
        for (int i = 0; i < nevents; i++)
            handle(&events[i]);
        now_ns = vc_clock_ns();
        if (now_ns - looked_ns > 1000000000) {
            end_late_ones(now_ns, INT64_C(1000000000) * LATEST_S);
            looked_ns = now_ns;
        }
    }
    end_late_ones(now_ns, 0);
}

static void report(void)
{
    for (unsigned label = 0; label < nlabels; label++)
        for (unsigned status = 0; status < NSTATUSES; status++) {
            const times *of = results[label][status];
            if (of == NULL) continue;
            printf("%s %u %llu %llu %llu %llu %llu %llu\n", labels[label], status,
                   (unsigned long long)of->count, (unsigned long long)(of->total_us / of->count),
                   (unsigned long long)quantile(of, 0.5), (unsigned long long)quantile(of, 0.99),
                   (unsigned long long)quantile(of, 0.999), (unsigned long long)of->max_us);
        }
    printf("errors refused %llu reset %llu unanswered %llu broken %llu late %llu\n",
           (unsigned long long)nrefused, (unsigned long long)nreset,
           (unsigned long long)nunanswered, (unsigned long long)nbroken, (unsigned long long)nlate);
}

int main(int argc, char **argv)
{
    if (argc < 6) fail("usage: http_client PORT SECONDS CONNECTIONS RATE FILE [SEED]");
    signal(SIGPIPE, SIG_IGN);
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    nconnections = (unsigned)strtoul(argv[3], NULL, 10);
    if (nconnections < 1 || nconnections > MAX_CONNECTIONS) fail("too many connections");
    random_state = (argc > 6 ? strtoull(argv[6], NULL, 10) : 1) * 0x9E3779B97F4A7C15 + 1;
    read_requests(argv[5]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < nconnections; i++) {
        connections[i].fd = -1;
        set_free(&connections[i]);
    }
    vc_turns_shorten(); /* it is the server that is measured, not when this is woken */
    run(strtod(argv[2], NULL), strtod(argv[4], NULL));
    report();
    return 0;
}
