/* serve: the HTTP server until a signal says to stop. */
#include "cli/notify.h"
#include "cli/settings.h"
#include "http/address.h"
#include "http/tokens.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Where nothing can be written (a copy on a medium that is read only), the server only reads. */
static vc_status open_store(vc_settings *settings, vc_error *error)
{
    vc_error found = {0};
    vc_server_options *options = &settings->options;
    vc_cli_purpose purpose = options->is_read_only      ? VC_TO_READ
                             : settings->config.creates ? VC_TO_CREATE
                                                        : VC_TO_SERVE;
    const char *directory = settings->config.store;
    vc_status status = vc_cli_open_directory(directory, purpose, &options->store, &found);
    bool is_refused = status == VC_STORAGE && strcmp(found.code, "storage_read_only") == 0;
    if (is_refused && !options->is_read_only &&
        vc_cli_open_directory(directory, VC_TO_READ, &options->store, NULL) == VC_OK) {
        vc_cli_say("only reading: %s", found.message);
        options->is_read_only = true;
        return VC_OK;
    }
    if (status != VC_OK) *error = found;
    return status;
}

/* ---- the process ---- */

/* A process that knows secrets leaves no image of its memory, and none may look into it. Sanitizers
 * look into their own. */
static void keep_secrets(const vc_settings *settings)
{
    const vc_config *config = &settings->config;
    if (config->tokens == NULL && config->tls_key == NULL) return;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
#ifndef __SANITIZE_ADDRESS__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

static vc_status check_user(const vc_settings *settings, vc_error *error)
{
    if (geteuid() != 0) return VC_OK;
    if (settings->config.refuses_root)
        return vc_fail(
            error, VC_IMPOSSIBLE, "runs_as_root",
            "will not run as root, as \"refuse_root\" says: a server needs no rights but "
            "those on its files");
    if (settings->config.tokens != NULL || settings->config.may_listen_openly)
        vc_cli_say("warning: running as root; a user of its own is safer");
    return VC_OK;
}

/* What works, and is perhaps not meant so. */
static void warn(const vc_settings *settings, vc_server *server)
{
    enum { SOON_S = 14 * 86400 };
    const vc_config *config = &settings->config;
    const vc_address_guards nothing = {0};
    int64_t expires_s = vc_server_certificate_expires_s(server);
    if (expires_s > 0 && expires_s < (int64_t)time(NULL) + SOON_S) {
        char text[VC_TIME_TEXT];
        vc_time_format(expires_s, text);
        vc_server_say(server, "warning: the certificate expires at %s", text);
    }
    if (vc_address_check(settings->address, &nothing, NULL) == VC_OK) return; /* this machine's */
    if (config->hosts.count == 0)
        vc_server_say(server,
                      "warning: others reach %s, but may ask it only by the name localhost: "
                      "say --host NAME",
                      settings->address);
    if (config->tokens == NULL)
        vc_server_say(
            server, "warning: insecure listen: whoever reaches %s may do all that the server does",
            settings->address);
    else if (config->tls_cert == NULL)
        vc_server_say(server,
                      "warning: insecure listen: without TLS, whoever is between a client and %s "
                      "reads its token",
                      settings->address);
}

/* ---- signals ---- */

/* The next of `signals`. Meanwhile the service manager, where there is one that wants to, hears
 * that the server is alive, as long as it is. */
static int next_signal(const sigset_t *signals, const vc_server *server)
{
    uint64_t watchdog_us = vc_notify_watchdog_us();
    struct timespec pause = {.tv_sec = (time_t)(watchdog_us / 3 / 1000000),
                             .tv_nsec = (long)(watchdog_us / 3 % 1000000) * 1000};
    for (;;) {
        if (watchdog_us > 0 && vc_server_is_alive(server)) vc_notify("WATCHDOG=1");
        int number =
            watchdog_us > 0 ? sigtimedwait(signals, NULL, &pause) : sigwaitinfo(signals, NULL);
        if (number > 0) return number;
    }
}

/* Take up what changed in the files. What is wrong with them leaves all as it is. */
static void reload(const vc_arguments *arguments, vc_server *server, vc_settings *settings)
{
    char text[2048];
    vc_error error = {0};
    vc_settings wanted;
    vc_notify_reloading();
    /* Whatever else is wrong, a log that was moved away is begun anew. */
    if (vc_server_begin_log(server, &error) != VC_OK)
        vc_server_say(server, "%s", vc_error_format(&error, text, sizeof text));
    vc_status status = vc_settings_read(arguments, &wanted, &error);
    if (status == VC_OK) status = vc_server_reload(server, &wanted.options, &error);
    if (status != VC_OK) {
        vc_server_say(server, "reload: %s; all stays as it was",
                      vc_error_format(&error, text, sizeof text));
    } else {
        vc_buffer pending = {0};
        vc_config_put_pending(&pending, &settings->config, &wanted.config);
        if (!vc_cli_is_quiet()) vc_server_say(server, "reloaded");
        warn(&wanted, server);
        if (pending.size > 0 && !vc_cli_is_quiet())
            vc_server_say(server, "reload: these change only when the server is started again: %s",
                          vc_buffer_text(&pending));
        vc_buffer_release(&pending);
    }
    vc_settings_release(&wanted);
    vc_notify("READY=1");
}

/* Until it is to stop. Where there is nothing to reload a hangup is the end, as for any program
 * whose terminal is closed. */
static void serve(const vc_arguments *arguments, const sigset_t *signals, vc_server *server,
                  vc_settings *settings)
{
    bool can_change = vc_settings_can_change(arguments, settings);
    while (next_signal(signals, server) == SIGHUP && can_change)
        reload(arguments, server, settings);
}

static int check_only(const vc_settings *settings)
{
    vc_error error = {0};
    if (vc_server_check(&settings->options, &error) != VC_OK) return vc_cli_fail(&error);
    vc_cli_say("%s is fine",
               settings->config.file.path != NULL ? settings->config.file.path : "all of it");
    return VC_EXIT_OK;
}

static void say_ready(const vc_settings *settings, const vc_server *server)
{
    const char *address = settings->address;
    bool is_six = strchr(address, ':') != NULL && address[0] != '[';
    char where[96];
    snprintf(where, sizeof where, "%s://%s%s%s:%u/",
             settings->options.tls_certificate != NULL ? "https" : "http", is_six ? "[" : "",
             address, is_six ? "]" : "", (unsigned)vc_server_port(server));
    const char *store = vc_store_directory(settings->options.store);
    vc_cli_say("serving %s at %s (Ctrl-C stops)", store, where);
    vc_notify("READY=1\nSTATUS=serving %s at %s", store, where);
}

static int run_serve(const vc_arguments *arguments)
{
    vc_error error = {0};
    vc_settings settings;
    vc_server *server = NULL;
    sigset_t signals;
    if (vc_settings_read(arguments, &settings, &error) != VC_OK) return vc_cli_fail(&error);
    if (vc_arguments_get(arguments, "check") != NULL) {
        int code = check_only(&settings);
        vc_settings_release(&settings);
        return code;
    }
    keep_secrets(&settings);
    signal(SIGPIPE, SIG_IGN);
    /* Blocked before threads start, so that only the wait below sees them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    vc_status status = check_user(&settings, &error);
    if (status == VC_OK) status = open_store(&settings, &error);
    if (status == VC_OK) status = vc_server_start(&settings.options, &server, &error);
    if (status == VC_OK) {
        warn(&settings, server);
        say_ready(&settings, server);
        serve(arguments, &signals, server, &settings);
        vc_cli_say("stopping");
        vc_notify("STOPPING=1\nSTATUS=finishing the requests that were accepted");
        vc_server_stop(server);
    }
    vc_store_close(settings.options.store);
    vc_settings_release(&settings);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option serve_option_list[] = {
    VC_OPTION_DIR,
    {"config", 0, "FILE", "settings of a file (docs/config.md); options win over it"},
    {"check", 0, NULL, "say whether the settings are fine, and serve nothing"},
    {"listen", 0, "ADDRESS:PORT", "where to listen (default 127.0.0.1:8080; port 0: any free one)"},
    {"workers", 0, "N", "heavy queries at once (default: one per processor)"},
    {"max-cells", 0, "N", "largest answer, in cells"},
    {"max-time-ms", 0, "N", "longest query"},
    {"max-memory", 0, "SIZE", "most that a query may need by estimate: 512M, 2G (default 1G)"},
    {"cache", 0, "SIZE", "answers kept for who asks the same (default 64M)"},
    {"cors", 0, "ORIGIN", "let pages of https://host[:port] read answers; may be repeated"},
    {"roles", 0, "FILE", "who has a token may do and see what the role says (docs/security.md)"},
    {"tokens", 0, "FILE", "tokens that let in, of vcube token"},
    {"host", 0, "NAME", "a name that the server may be asked for; may be repeated"},
    {"tls-cert", 0, "FILE", "speak TLS: the certificate and its chain (PEM)"},
    {"tls-key", 0, "FILE", "the key of the certificate (PEM), its owner's alone"},
    {"insecure-listen", 0, NULL, "listen where others can reach it, without TLS and tokens"},
    {"read-only", 0, NULL, "take no changes: no loads, no definitions"},
    {"data", 0, "FOLDER", "definitions that are sent may name data files below it (default: none)"},
    {"max-load", 0, "SIZE", "largest body of facts, as it is sent (default 4Gi)"},
    {"create", 0, NULL, "make the store when there is none"},
    {"log", 0, NULL, "log each request as a JSON line"},
    {"slow-ms", 0, "N", "log each request that takes as long, with its query"},
    {"log-file", 0, "FILE", "log there (default: standard error)"},
    VC_OPTION_END};

const vc_command vc_command_serve = {
    .name = "serve",
    .operands = "",
    .summary = "answer over HTTP",
    .help =
        "Listens on this machine only, unless there are tokens and TLS. Loads by other processes\n"
        "show as soon as they are published. Without --roles, programs on this machine may load\n"
        "and define cubes (POST .../load, PUT and DELETE /v1/cubes/CUBE) unless --read-only is\n"
        "given; with it, who has a token may do what its role says.\n"
        "SIGHUP takes up changed files (--config, --roles, --tokens, certificates) and begins the\n"
        "log anew; what is wrong with them leaves all as it was.\n\n"
        "Examples:\n"
        "  vcube serve -d data\n"
        "  vcube serve -d data --roles roles.json --tokens tokens.json\n"
        "  vcube serve --config /etc/vcube/vcube.json --check\n"
        "  curl "
        "'http://127.0.0.1:8080/v1/cubes/world/aggregate?drilldown=geo:region&cut=date:2020'",
    .options = serve_option_list,
    .run = run_serve,
};
